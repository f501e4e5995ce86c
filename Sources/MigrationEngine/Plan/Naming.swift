import SQLDialect

/// Names of objects in the target.
enum Naming {
    /// PostgreSQL's longest identifier, in bytes (NAMEDATALEN − 1).
    static let longest = 63

    /// The start of a name that leaves room for a suffix, cut between characters, as Prisma and PostgreSQL cut.
    static func cut(_ base: String, suffix: String) -> String {
        let room = longest - suffix.utf8.count
        guard base.utf8.count > room else { return base + suffix }
        var end = base.utf8.index(base.startIndex, offsetBy: room)
        while end.samePosition(in: base.unicodeScalars) == nil { end = base.utf8.index(before: end) }
        return base[..<end] + suffix
    }

    /// Why PostgreSQL cannot have an object or column of this name; nil where it can.
    static func obstacle(_ name: String, isColumn: Bool) -> (id: Finding.ID, why: String)? {
        if name.utf8.count > longest {
            return (.nameTooLong, "has \(name.utf8.count) bytes, and PostgreSQL keeps \(longest)")
        }
        if name.isEmpty { return (.nameNotPossible, "is empty, which PostgreSQL refuses") }
        if name.unicodeScalars.contains("\0") { return (.nameNotPossible, "has a NUL inside") }
        // A plan is YAML, where a mark at the start of a text says how the text is encoded and is no part of it.
        if name.unicodeScalars.first == "\u{FEFF}" {
            return (.nameNotPossible, "begins with a byte order mark")
        }
        let system = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]
        if isColumn, system.contains(name) {
            return (.nameNotPossible, "is the name of a system column of PostgreSQL's")
        }
        return nil
    }
}

extension Naming {
    /// The later ones of names that are one text to Unicode and two to SQLite, such as é in one scalar and in two.
    ///
    /// The plan, and all that looks a name up, compares as Unicode does and would take one for the other.
    static func twins(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { !seen.insert($0).inserted }
    }

    static let twinWhy = "differs from another one only in how Unicode composes its letters"
}

/// Gives names that are unique in one schema, where tables, indexes and sequences share one space.
struct NameSpace: Sendable {
    private var taken: Set<String> = []

    /// `name`, or with a number behind it where it is taken.
    mutating func claim(_ name: String) -> String {
        var candidate = name
        var number = 1
        while !taken.insert(candidate).inserted {
            candidate = Naming.cut(name, suffix: "_\(number)")
            number += 1
        }
        return candidate
    }
}

/// Tables that tools keep for themselves and that mean nothing on another database.
enum Bookkeeping {
    private static let names: Set<String> = [
        "_prisma_migrations", "_migration", "d1_migrations", "_cf_kv", "_litestream_seq", "_litestream_lock",
    ]

    static func reason(_ table: String) -> String? {
        let name = String(decoding: table.foldedName, as: UTF8.self)
        if name.hasPrefix("sqlite_") { return "SQLite's own table" }
        if names.contains(name) || name.hasPrefix("_litestream") {
            return "a tool's own table, made anew by it"
        }
        return nil
    }
}
