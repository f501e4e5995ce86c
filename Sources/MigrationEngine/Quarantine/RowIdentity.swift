import Postgres

/// What tells a row of a source table from all others: its rowid, or the primary key of a table WITHOUT ROWID.
struct RowIdentity: Sendable, Equatable {
    /// SQL of SQLite's over a table, in the order of `names`.
    let terms: [String]
    /// Columns of a table that keeps identities.
    let names: [String]
    let isRowid: Bool

    /// nil for tables whose columns have taken all names of the rowid.
    init?(_ table: Catalog.Table) {
        if table.isWithoutRowid {
            terms = table.primaryKey.map(quoteIdentifier)
            names = table.primaryKey.indices.map { "k\($0)" }
            isRowid = false
        } else if let rowid = table.rowidName {
            terms = [table.rowidAlias == nil ? rowid : quoteIdentifier(rowid)]
            names = ["row"]
            isRowid = true
        } else {
            return nil
        }
    }

    /// The terms over a table that goes by `alias`.
    func terms(of alias: String) -> [String] { terms.map { "\(alias).\($0)" } }

    /// Whether the kept identity `kept` is that of a row of `alias`: keys of tables WITHOUT ROWID compare by their bytes.
    func matches(_ kept: String, _ alias: String) -> String {
        zip(names, terms(of: alias)).map { name, term in
            isRowid ? "\(kept).\(name) = \(term)" : "\(kept).\(name) IS \(term) COLLATE BINARY"
        }.joined(separator: " AND ")
    }

    /// Columns of a table that keeps identities; without a type, so that each value keeps its class.
    var definitions: String {
        isRowid
            ? "row INTEGER PRIMARY KEY"
            : names.joined(separator: ", ")
    }

    var primaryKey: String { isRowid ? "" : ", PRIMARY KEY (\(names.joined(separator: ", ")))" }
}
