/// Where applications keep files that their data names: a table, to be added to.
struct UploadConvention: Sendable {
    /// How a value of a column becomes a file's path in the folder.
    enum Layout: Sendable {
        /// The value is the path.
        case plain
        /// `abcdkey` lies at `ab/cd/abcdkey`.
        case activeStorage
        /// `uuid` lies at `u/u/uuid`, by its first two characters.
        case gitea
    }

    let name: String
    /// Relative to the project; `*` stands for one folder's name. Those that are there count.
    var folders: [String] = []
    /// Variables of .env that name the folder.
    var variables: [String] = []
    /// What a URL or an absolute path begins with that is served from the folder.
    var prefixes: [String] = []
    var layout = Layout.plain
    /// Columns that hold what the layout asks for, whatever else their values look like.
    var columns: [(table: String, column: String)] = []

    static let all = [
        UploadConvention(
            name: "set in .env",
            variables: [
                "UPLOAD_DIR", "UPLOADS_DIR", "UPLOAD_PATH", "UPLOADS_PATH", "UPLOAD_FOLDER", "UPLOADS_FOLDER",
                "UPLOAD_ROOT", "UPLOAD_DIRECTORY", "MEDIA_ROOT", "MEDIA_DIR", "MEDIA_PATH", "FILES_DIR",
                "FILES_PATH",
                "FILE_UPLOAD_DIR", "FILE_STORAGE_PATH", "STORAGE_DIR", "STORAGE_PATH", "ATTACHMENT_DIR",
                "ATTACHMENTS_DIR", "ATTACHMENTS_PATH", "AVATAR_DIR", "AVATARS_DIR", "STATIC_DIR",
                "PUBLIC_DIR",
            ], prefixes: ["/uploads/", "/media/", "/files/", "/static/"]),
        UploadConvention(
            name: "uploads", folders: ["uploads", "upload", "*/uploads", "*/upload"],
            prefixes: ["/uploads/", "/upload/", "/api/uploads/", "/api/files/", "/files/"]),
        UploadConvention(name: "public", folders: ["public", "*/public"], prefixes: ["/"]),
        UploadConvention(
            name: "static", folders: ["static", "*/static"], prefixes: ["/static/"]),
        // https://docs.djangoproject.com/en/5.2/ref/settings/#media-root
        UploadConvention(name: "Django's MEDIA_ROOT", folders: ["media", "*/media"], prefixes: ["/media/"]),
        // https://guides.rubyonrails.org/active_storage_overview.html, and its DiskService
        UploadConvention(
            name: "Rails' ActiveStorage", folders: ["storage"], layout: .activeStorage,
            columns: [("active_storage_blobs", "key")]),
        // https://docs.gitea.com/administration/config-cheat-sheet#attachment-attachment
        UploadConvention(
            name: "Gitea's attachments",
            folders: ["data/attachments", "attachments", "gitea/attachments", "data/gitea/attachments"],
            layout: .gitea,
            columns: [("attachment", "uuid")]),
        UploadConvention(
            name: "attachments", folders: ["data/uploads", "data/files", "files", "assets", "*/assets"]),
    ]

    /// The path in the folder that a value means.
    func path(_ value: String) -> String {
        switch layout {
        case .plain: return value
        case .activeStorage:
            return value.count > 4 ? "\(value.prefix(2))/\(value.dropFirst(2).prefix(2))/\(value)" : value
        case .gitea:
            return value.count > 2 ? "\(value.prefix(1))/\(value.dropFirst().prefix(1))/\(value)" : value
        }
    }

    /// Whether a column is one of the convention's own.
    func holds(_ table: String, _ column: String) -> Bool {
        columns.contains { $0.table == table.lowercased() && $0.column == column.lowercased() }
    }
}
