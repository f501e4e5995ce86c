import MigrationEngine

/// Which roles are wanted, and for what.
public struct RoleOptions: Sendable {
    /// What the names begin with: the database's name where nothing is said.
    public var prefix: String?
    /// A role of the application's that is there already: it takes the place of the app role.
    public var app: String?
    /// Whether what others own in the schema is handed to the migrate role.
    public var takesOwnership: Bool

    public init(prefix: String? = nil, app: String? = nil, takesOwnership: Bool = false) {
        self.prefix = prefix
        self.app = app
        self.takesOwnership = takesOwnership
    }

    /// The most bytes that PostgreSQL keeps of a name.
    private static let longest = 63

    /// The names of the four roles; throws where PostgreSQL would refuse one, or cut it off.
    func names(database: String) throws -> [DatabaseRole: String] {
        var names: [DatabaseRole: String] = [:]
        for role in DatabaseRole.allCases {
            names[role] = "\(prefix ?? database)_\(role.rawValue)"
        }
        if let app { names[.app] = app }
        for name in names.values {
            let reason: String? =
                name.utf8.count > Self.longest
                ? "it is longer than \(Self.longest) bytes"
                : name.hasPrefix("pg_")
                    ? "names that begin with pg_ are PostgreSQL's own"
                    : ["public", "none", ""].contains(name) ? "the name means something else" : nil
            guard let reason else { continue }
            throw MigrationError(
                .targetUnfit, "a role cannot be named \(name): \(reason)",
                remedy: "Name another beginning with --prefix NAME.", exit: .usage)
        }
        return names
    }
}

/// What `RoleMaker` has made in one database, so that an undo takes back that and nothing else.
public struct RoleRecord: Codable, Sendable, Equatable {
    /// A statement that takes something back, with the roles that it names: where one is gone, so is what it takes back.
    public struct Undo: Codable, Sendable, Equatable {
        let sql: String
        let roles: [String]
    }

    public let database: String
    /// The roles that were made, which an undo drops.
    public var made: [String]
    /// The newest first.
    public var undo: [Undo]

    /// Of a database in which nothing was made yet.
    public init(database: String) {
        self.init(database: database, made: [], undo: [])
    }

    init(database: String, made: [String], undo: [Undo]) {
        self.database = database
        self.made = made
        self.undo = undo
    }

    /// What a second run has made with what the first one had.
    func following(_ earlier: RoleRecord?) -> RoleRecord {
        guard let earlier, earlier.database == database else { return self }
        return RoleRecord(
            database: database, made: earlier.made + made.filter { !earlier.made.contains($0) },
            undo: undo + earlier.undo.filter { !undo.contains($0) })
    }
}
