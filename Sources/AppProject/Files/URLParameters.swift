/// The parameters of a database's URL, changed one by one; all else of it stays as it is written.
public enum URLParameters {
    /// By name; the last where one is given twice, as clients read it.
    public static func of(_ url: String) -> [String: String] {
        Dictionary(pairs(url).map { ($0.name, $0.value) }) { _, last in last }
    }

    /// The URL with `wanted`, each `name=value`, in the place of what it says, or at its end.
    public static func setting(_ wanted: [String], in url: String) -> String {
        let start = url.firstIndex(of: "?") ?? url.endIndex
        var pairs = pairs(url)
        for item in wanted {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let (name, value) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
            if let index = pairs.lastIndex(where: { $0.name == name }) {
                pairs[index].value = value
            } else {
                pairs.append((name, value))
            }
        }
        let text = pairs.map { $0.value.isEmpty ? $0.name : "\($0.name)=\($0.value)" }.joined(separator: "&")
        return url[..<start] + (text.isEmpty ? "" : "?" + text)
    }

    private static func pairs(_ url: String) -> [(name: String, value: String)] {
        guard let start = url.firstIndex(of: "?") else { return [] }
        return url[url.index(after: start)...].split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }
}

extension ProjectEditor {
    /// Prisma's major version; nil where the project has no Prisma schema.
    public var prismaMajor: Int? { prisma?.major }

    /// The .env files with such parameters in the URL of the database, where that is PostgreSQL's. Each is `name=value`.
    public func urlParameters(_ wanted: [String]) -> ProjectEdit {
        var edit = ProjectEdit()
        guard !wanted.isEmpty else { return edit }
        var isSaid = false
        for path in environmentFiles where !EnvFiles.isTemplate(path) {
            guard let bytes = content(path) else { continue }
            for (url, isPlain) in Self.postgresURLs(bytes, variable) {
                isSaid = true
                guard isPlain else {
                    edit.byHand.append(
                        "\(path): \(variable) is made of other variables: add \(wanted.joined(separator: "&")) to it"
                    )
                    continue
                }
                let changed = URLParameters.setting(wanted, in: url)
                let result = EnvEditor(variable: variable, url: changed).edited(bytes, adds: false) {
                    $0 == url
                }
                edit.notes += result.notes.map { "\(path): \($0)" }
                guard result.bytes != bytes else { continue }
                edit.changes.append(FileChange(path, before: bytes, after: result.bytes, isPrivate: true))
                // One file, one change: several lines of one variable are left to the operator.
                break
            }
        }
        if !isSaid {
            edit.byHand.append(
                "no .env file sets \(variable) to PostgreSQL yet: add \(wanted.joined(separator: "&")) to the URL where it is set"
            )
        }
        return edit
    }

    /// Each with whether it is written as it is: what is made of other variables would be written out.
    private static func postgresURLs(
        _ bytes: [UInt8], _ variable: String
    ) -> [(url: String, isPlain: Bool)] {
        let file = EnvFile(bytes)
        return file.entries.filter { $0.name == variable }.compactMap { entry in
            let url = file.expandedValue(of: entry)
            guard url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") else { return nil }
            return (url, url == entry.value)
        }
    }
}
