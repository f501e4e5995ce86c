import Postgres

/// The names that an expression can use, with the statements around it.
final class Scope {
    struct Source {
        /// The name by which columns are qualified, as SQLite sees it.
        let name: String
        /// What stands before the dot in PostgreSQL; nil where columns stand alone.
        let qualifier: String?
        let relation: SQLRelation
        /// Columns that USING or NATURAL join to a source on the left: `*` leaves them out.
        var joined: Set<[UInt8]> = []
    }

    let parent: Scope?
    var sources: [Source] = []
    /// Names of the result, for WHERE, GROUP BY and ORDER BY: a column of a source comes first.
    var aliases: [[UInt8]: Expression] = [:]
    /// Common tables in sight, the nearest last.
    var commonTables: [SQLRelation]
    var windows: [String: Expression.Window] = [:]

    init(parent: Scope? = nil) {
        self.parent = parent
        commonTables = parent?.commonTables ?? []
    }

    enum Found {
        case column(Typed)
        case alias(Expression)
    }

    /// A column by name, from the innermost statement outwards; nil where there is none.
    func find(_ names: [Expression.Name], _ range: Range<Int>) throws(Refusal) -> Found? {
        let column = names[names.count - 1].text
        let table = names.count > 1 ? names[names.count - 2].text : nil
        var matches: [Typed] = []
        for source in sources where table == nil || table?.foldedName == source.name.foldedName {
            guard let found = source.relation.lookUp(column) else { continue }
            // An unqualified name that both sides of USING have is the left one.
            if table == nil, source.joined.contains(found.name.foldedName) { continue }
            matches.append(Self.reference(found, source.qualifier))
        }
        if matches.count > 1 { throw Refusal("\(column) is ambiguous", range) }
        if let match = matches.first { return .column(match) }
        if table == nil, let expression = aliases[column.foldedName] { return .alias(expression) }
        return try parent?.find(names, range)
    }

    static func reference(_ column: SQLRelation.Column, _ qualifier: String?) -> Typed {
        let name = quoteIdentifier(column.target)
        var typed = Typed.atom(qualifier.map { "\($0).\(name)" } ?? name, column.type)
        typed.affinity = column.affinity
        typed.collation = column.collation
        typed.column = column
        return typed
    }
}

extension SQLRelation {
    /// A column, or the rowid by one of its names (https://sqlite.org/rowidtable.html).
    func lookUp(_ name: String) -> Column? {
        if let column = column(named: name) { return column }
        guard ["rowid", "oid", "_rowid_"].contains(where: { $0.utf8.elementsEqual(name.foldedName) }),
            let rowidAlias
        else { return nil }
        return column(named: rowidAlias)
    }
}
