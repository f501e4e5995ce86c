import Foundation

/// Which columns hold paths: told by their names, and by what a few thousand of their values look like.
enum PathColumns {
    /// Words in a column's name.
    private static let words: Set<String> = [
        "path", "paths", "file", "files", "filepath", "url", "uri", "avatar", "attachment", "image", "img",
        "photo",
        "picture", "pic", "media", "upload", "thumbnail", "thumb", "icon", "logo", "banner", "cover",
        "document",
        "src", "href", "video", "audio", "sound", "screenshot", "poster", "background", "wallpaper",
    ]
    /// Words beside them by which a column says what a file was called once, not where it is.
    private static let nameWords: Set<String> = [
        "name", "names", "filename", "original", "originalname", "title", "display",
    ]
    /// What a file's name may end with.
    private static let endings: Set<String> = [
        "png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "heic", "bmp", "ico", "tif", "tiff", "pdf", "txt",
        "md",
        "csv", "json", "xml", "html", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "rtf", "zip",
        "gz",
        "tar", "7z", "rar", "mp3", "m4a", "ogg", "opus", "wav", "flac", "aac", "mp4", "m4v", "mov", "avi",
        "mkv", "webm",
        "bin", "enc", "dat", "apk", "eml", "ics", "vcf",
    ]

    /// What was seen of a column's values.
    struct Look {
        var texts = 0
        var paths = 0
        /// Of the paths, those with a stroke in them.
        var withFolders = 0
        /// Of the paths, those that end as files do.
        var withEnding = 0
        var links = 0
        var data = 0
        var found = 0
    }

    enum Answer: Equatable {
        /// Why it is one.
        case holdsPaths(String)
        /// Why it is none, though its name says so.
        case passedOver(String)
        case no
    }

    static func parts(of name: String) -> [String] {
        var parts: [String] = [""]
        var wasSmall = false
        for character in name {
            if !character.isLetter && !character.isNumber {
                parts.append("")
            } else {
                if character.isUppercase, wasSmall { parts.append("") }
                parts[parts.count - 1].append(contentsOf: character.lowercased())
            }
            wasSmall = character.isLowercase || character.isNumber
        }
        return parts.filter { !$0.isEmpty }
    }

    static func isNamed(_ name: String) -> Bool {
        parts(of: name).contains { words.contains($0) || $0 == "filename" }
    }

    static func answer(_ name: String, _ look: Look) -> Answer {
        let isNamed = isNamed(name)
        guard look.texts > 0 else { return .no }
        let share = { (part: Int) in Double(part) / Double(look.texts) }
        let isLink = share(look.links + look.data) >= 0.1
        guard share(look.paths) >= (isNamed ? 0.1 : 0.6) else {
            guard isNamed, isLink else { return .no }
            return .holdsPaths("its name says so; its values are URLs")
        }
        // Names of files without a folder: only where one leads somewhere, or the name tells nothing else.
        if look.withFolders * 10 < look.paths, look.found == 0 {
            if !isNamed { return .no }
            if parts(of: name).contains(where: nameWords.contains) {
                return .passedOver(
                    "it holds names of files without a folder, and none of them is in an upload folder")
            }
        }
        if look.withEnding * 2 < look.paths, look.found == 0 {
            return isNamed
                ? .passedOver(
                    "its values look like routes of the application: none ends as files do, and none leads to one"
                )
                : .no
        }
        let percent = Int((share(look.paths) * 100).rounded())
        return .holdsPaths(
            isNamed
                ? "its name says so, \(percent) % of its values too"
                : "\(percent) % of its values look like paths")
    }

    /// Whether a text could be a file's path.
    static func isPath(_ value: String) -> Bool {
        guard (3...1024).contains(value.utf8.count), !value.contains(where: \.isNewline),
            !value.hasPrefix(" "),
            !value.hasSuffix(" "), !value.contains("://"), !value.lowercased().hasPrefix("data:")
        else { return false }
        if hasEnding(value) { return true }
        guard value.contains("/") || value.contains("\\"), !value.contains(" ") else { return false }
        // image/png is no path, and neither is base64.
        if value.wholeMatch(
            of: #/(?:image|video|audio|text|application|font|multipart|message|model)\/[a-z0-9.+-]+/#) != nil
        {
            return false
        }
        if value.wholeMatch(of: #/[A-Za-z0-9+\/]{16,}={1,2}/#) != nil { return false }
        return value.hasPrefix("/") || value.hasPrefix("./") || value.hasPrefix("../")
            || value.hasPrefix("uploads/")
            || value.hasPrefix("media/")
    }

    static func hasEnding(_ value: String) -> Bool {
        let bare = value.prefix { $0 != "?" && $0 != "#" }
        let name = bare.split { $0 == "/" || $0 == "\\" }.last ?? ""
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return false }
        return endings.contains(name[name.index(after: dot)...].lowercased())
    }
}
