import Foundation

/// What a value that should lead to a file comes to.
public enum PathVerdict: Sendable, Equatable {
    case found
    case missing
    /// A file is there whose name differs in its case alone; what it is called.
    case otherCase(String)
    /// It leads out of the project; whether something is there.
    case outside(isThere: Bool)
    /// A URL of somebody else's, or of a store such as s3.
    case elsewhere
    /// A data: URL, which holds the file itself.
    case data
    /// Nothing that a file could be called.
    case noPath
}

/// Follows values to files. Files are only looked for (`stat`), never opened. Used by one thread.
struct PathResolver {
    /// The longest path that the system takes.
    private static let longest = 4096
    /// Names of folders that are remembered before all are forgotten.
    private static let mostNames = 200_000

    let folders: UploadFolders
    private var listings: [String: [String: String]] = [:]
    private var names = 0

    init(_ folders: UploadFolders) {
        self.folders = folders
    }

    /// `convention` is that of a column of its own, such as the keys of ActiveStorage.
    mutating func verdict(_ value: String, _ convention: UploadConvention? = nil) -> PathVerdict {
        let value = value.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !value.isEmpty, value.utf8.count < Self.longest, !value.utf8.contains(0) else { return .noPath }
        if let convention { return keyed(value, convention) }
        switch scheme(of: value) {
        case nil: return local(value, isURL: false)
        case "data": return .data
        case "file": return local(URL(string: value)?.path ?? String(value.dropFirst(7)), isURL: false)
        case "http", "https":
            guard let url = URL(string: value), let host = url.host?.lowercased(),
                folders.hosts.contains(host)
            else {
                return .elsewhere
            }
            return local(url.path, isURL: true)
        default: return .elsewhere
        }
    }

    /// The scheme of a URL; nil for a path. `C:\x` is a path.
    private func scheme(of value: String) -> String? {
        guard value.utf8.contains(UInt8(ascii: ":")) else { return value.hasPrefix("//") ? "https" : nil }
        if value.prefix(5).lowercased() == "data:" { return "data" }
        guard let match = value.prefixMatch(of: #/([A-Za-z][A-Za-z0-9+.-]+):\/\//#) else {
            return nil
        }
        return match.1.lowercased()
    }

    private mutating func keyed(_ value: String, _ convention: UploadConvention) -> PathVerdict {
        let own = folders.folders.filter { $0.convention.name == convention.name }
        let places = own.map { Files.join($0.path, convention.path(value)) }
        guard places.allSatisfy({ isInside($0) }) else {
            return .outside(isThere: places.contains(where: isThere))
        }
        return places.contains(where: isThere) ? .found : .missing
    }

    // MARK: Paths

    private mutating func local(_ value: String, isURL: Bool) -> PathVerdict {
        var forms = [value.replacing("\\", with: "/")]
        // A link may have a query, and its characters escaped.
        let bare = forms[0].prefix { $0 != "?" && $0 != "#" }
        if bare.count < forms[0].count { forms.append(String(bare)) }
        if let plain = forms[forms.count - 1].removingPercentEncoding, !forms.contains(plain),
            !plain.utf8.contains(0)
        {
            forms.append(plain)
        }
        var isInsideOnce = false
        var inside: [String] = []
        for form in forms {
            for place in places(form) {
                guard isInside(place) else { continue }
                isInsideOnce = true
                if isThere(place) { return .found }
                inside.append(place)
            }
        }
        guard isInsideOnce else {
            return .outside(isThere: forms.contains { isThere(Files.join(folders.project, $0)) })
        }
        for place in inside { if let name = otherCase(of: place) { return .otherCase(name) } }
        // A path from the root that no folder serves is taken as it stands.
        if !isURL, value.hasPrefix("/"), isThere(Files.absolute(value)) { return .outside(isThere: true) }
        return .missing
    }

    /// Where a path may mean: below each folder, with and without what the folder is served as; and below the project.
    private func places(_ value: String) -> [String] {
        var places: [String] = []
        func add(_ place: String) {
            if !places.contains(place) { places.append(place) }
        }
        let isAbsolute = value.hasPrefix("/")
        if isAbsolute, isInside(Files.absolute(value)) { add(Files.absolute(value)) }
        let rooted = isAbsolute ? value : "/" + value
        for folder in folders.folders where folder.convention.columns.isEmpty {
            let own = folder.convention.prefixes + ["/\(Files.name(folder.path))/"]
            for prefix in own where rooted.hasPrefix(prefix) {
                add(Self.below(folder.path, rooted.dropFirst(prefix.count)))
            }
            if !isAbsolute { add(Self.below(folder.path, value[...])) }
        }
        add(Self.below(folders.project, rooted.dropFirst()))
        return places
    }

    /// A path below a folder, one that begins with a stroke too; `..` may lead out of it.
    private static func below(_ folder: String, _ path: Substring) -> String {
        let path = path.drop { $0 == "/" }
        // Most are plain, and there are many of them.
        let isPlain =
            !path.hasPrefix(".") && !path.hasSuffix("/") && !path.contains("/.") && !path.contains("//")
        return isPlain ? "\(folder)/\(path)" : Files.join(folder, "./" + path)
    }

    private func isInside(_ path: String) -> Bool {
        ([folders.project] + folders.folders.map(\.path)).contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    private func isThere(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// What a file is called whose path differs from `path` in case alone; nil without one.
    private mutating func otherCase(of path: String) -> String? {
        let root = ([folders.project] + folders.folders.map(\.path))
            .filter { path.hasPrefix($0 + "/") }.max { $0.count < $1.count }
        guard let root else { return nil }
        var place = root
        for part in path.dropFirst(root.count + 1).split(separator: "/") {
            if FileManager.default.fileExists(atPath: "\(place)/\(part)") {
                place += "/\(part)"
            } else if let name = listing(place)[part.lowercased()] {
                place += "/\(name)"
            } else {
                return nil
            }
        }
        return isThere(place) ? Files.relative(place, to: folders.project) : nil
    }

    private mutating func listing(_ folder: String) -> [String: String] {
        if let known = listings[folder] { return known }
        let found = Files.names(in: folder)
        if names + found.count > Self.mostNames {
            listings = [:]
            names = 0
        }
        names += found.count
        let listing = Dictionary(found.map { ($0.lowercased(), $0) }) { first, _ in first }
        listings[folder] = listing
        return listing
    }
}
