import Foundation

/// Adds packages to a package.json, in the order and with the blanks that it has; every other byte stays.
enum PackageEditor {
    struct Package: Equatable {
        let name: String
        let version: String
        var isForDevelopment = false

        var group: String { isForDevelopment ? "devDependencies" : "dependencies" }
    }

    /// Drivers and adapters of SQLite's, by whether Prisma uses them.
    static let drivers = [
        "sqlite3", "better-sqlite3", "sqlite", "@libsql/client", "sql.js", "connect-sqlite3", "sqlite-async",
    ]
    static let adapters = ["@prisma/adapter-better-sqlite3", "@prisma/adapter-libsql", "@prisma/adapter-d1"]

    /// What a project needs for PostgreSQL and has not; what of SQLite's it has.
    static func needs(of bytes: [UInt8]) -> (missing: [Package], leftOver: [String]) {
        guard let root = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
            return ([], [])
        }
        func versions(_ group: String) -> [String: String] {
            (root[group] as? [String: Any])?.compactMapValues { $0 as? String } ?? [:]
        }
        let all = versions("dependencies").merging(versions("devDependencies")) { first, _ in first }
        let leftOver = (drivers + adapters).filter { all[$0] != nil }
        var missing: [Package] = []
        let major = PackageManifest(Data(bytes))?.prismaMajor ?? 0
        if let prisma = all["@prisma/client"] ?? all["prisma"],
            major >= 7 || adapters.contains(where: { all[$0] != nil })
        {
            missing.append(Package(name: "@prisma/adapter-pg", version: prisma))
        }
        if drivers.contains(where: { all[$0] != nil }) {
            missing.append(Package(name: "pg", version: "^8.16.3"))
            if ["typescript", "tsx", "ts-node"].contains(where: { all[$0] != nil }) {
                missing.append(Package(name: "@types/pg", version: "^8.15.6", isForDevelopment: true))
            }
        }
        return (missing.filter { all[$0.name] == nil }, leftOver)
    }

    /// The file with packages added; nil where it cannot be done without changing more.
    static func adding(_ packages: [Package], to bytes: [UInt8]) -> [UInt8]? {
        var edited = bytes
        for package in packages {
            guard let next = adding(package, to: edited) else { return nil }
            edited = next
        }
        guard let before = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any],
            let after = try? JSONSerialization.jsonObject(with: Data(edited)) as? [String: Any]
        else { return nil }
        // Taken out again, nothing else may be other than it was.
        var reduced = after
        for package in packages {
            var group = reduced[package.group] as? [String: Any] ?? [:]
            guard group.removeValue(forKey: package.name) as? String == package.version else { return nil }
            reduced[package.group] = group.isEmpty && before[package.group] == nil ? nil : group
        }
        return (reduced as NSDictionary).isEqual(before as NSDictionary) ? edited : nil
    }

    private static func adding(_ package: Package, to bytes: [UInt8]) -> [UInt8]? {
        guard let members = JSONLayout.members(of: bytes), let last = members.last else { return nil }
        let line = "\"\(package.name)\": \"\(package.version)\""
        guard let group = members.first(where: { $0.name == package.group }) else {
            let (outer, inner) = indents(bytes, last)
            let text = ",\(outer)\"\(package.group)\": {\(inner)\(line)\(outer)}"
            return [TextEdit(last.range.upperBound..<last.range.upperBound, text)].applied(to: bytes)
        }
        guard let inside = JSONLayout.members(of: group, in: bytes) else { return nil }
        guard let first = inside.first else {
            let (outer, inner) = indents(bytes, group)
            return [TextEdit(group.value, "{\(inner)\(line)\(outer)}")].applied(to: bytes)
        }
        let blanks = blanks(before: first.range.lowerBound, bytes)
        if let next = inside.first(where: { $0.name > package.name }) {
            return [TextEdit(next.range.lowerBound..<next.range.lowerBound, line + "," + blanks)].applied(
                to: bytes)
        }
        let end = inside[inside.count - 1].range.upperBound
        return [TextEdit(end..<end, "," + blanks + line)].applied(to: bytes)
    }

    /// The blanks before a member, a line end among them, and those of a member in it.
    private static func indents(_ bytes: [UInt8], _ member: JSONLayout.Member) -> (
        outer: String, inner: String
    ) {
        let outer = blanks(before: member.range.lowerBound, bytes)
        guard let end = outer.lastIndex(where: \.isNewline) else { return (outer, outer) }
        return (outer, outer + outer[outer.index(after: end)...])
    }

    private static func blanks(before index: Int, _ bytes: [UInt8]) -> String {
        var start = index
        while start > 0, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[start - 1]) { start -= 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        // Of several empty lines only the last one counts.
        guard let end = text.lastIndex(where: \.isNewline) else { return text.isEmpty ? " " : text }
        return String(text[end...])
    }
}
