import Postgres

/// The two queries of one table's digest, which print the same lines where source and target are equal.
///
/// One line a row, cells joined by `|`, NULL as `-`, in the order of the key; of a table without a key that both sides put in
/// one order, in the order of all cells as they are written. Column queries print one cell a line, in the same order.
struct DigestQuery: Sendable {
    struct Cell: Sendable {
        let column: String
        let isBinary: Bool
        /// SQL of either side.
        let source: String
        let target: String
    }

    let table: String
    let targetTable: String
    let cells: [Cell]
    /// Columns that are in no digest, with the reason.
    let leftOut: [TableDigest.LeftOut]
    /// What the rows are ordered by, in words.
    let orderWords: String
    private let from: (source: String, target: String)
    private let order: (source: String, target: String)

    /// `gaps` are columns with values that the rules have no words for, see `DigestQuery.gaps`.
    init(
        _ table: ProofTable, decided: DecidedTable?, schema: String, encoding: String,
        gaps: Set<String> = []
    ) {
        self.table = table.source.name
        targetTable = table.target
        var cells: [Cell] = []
        var leftOut: [TableDigest.LeftOut] = []
        var orders: [String: (source: String, target: String)] = [:]
        for (index, column) in table.columns.enumerated() {
            switch Self.rule(table, index, encoding) {
            case .failure(let none): leftOut.append(.init(column: column, reason: none.reason))
            case .success(let rule) where gaps.contains(column):
                leftOut.append(.init(column: column, reason: rule.gap?.reason ?? ""))
            case .success(let rule):
                let name = quoteIdentifier(column)
                let targetName = quoteIdentifier(table.targetColumns[index])
                let value = table.foreign[column].map { "(\($0.read(targetName)))" } ?? targetName
                let cell = Cell(
                    column: column, isBinary: table.codes[index].operation == .bytea,
                    source: rule.source(name), target: rule.target(value))
                cells.append(cell)
                orders[column] = Self.order(
                    cell, rule, table, index, names: (name, targetName), isForeign: value != targetName)
            }
        }
        self.cells = cells
        self.leftOut = leftOut
        from = (
            decided?.rows(of: table) ?? quoteIdentifier(table.source.name),
            "\(quoteIdentifier(schema, table.target)) AS \(Self.targetAlias)"
        )
        let key = table.source.primaryKey
        if !key.isEmpty, table.hasKeyWithoutNull, key.allSatisfy({ orders[$0] != nil }) {
            let terms = key.compactMap { orders[$0] }
            order = (terms.map(\.source).joined(separator: ", "), terms.map(\.target).joined(separator: ", "))
            orderWords = "by \(key.joined(separator: ", "))"
        } else {
            order = (
                cells.map { "\($0.source) COLLATE BINARY" }.joined(separator: ", "),
                cells.map { "\($0.target) COLLATE \"C\" NULLS FIRST" }.joined(separator: ", ")
            )
            orderWords = "by all cells as they are written"
        }
    }

    /// By a bare name PostgreSQL would order by what is printed under that name.
    private static let targetAlias = "howdah_target"

    private static func rule(
        _ table: ProofTable, _ index: Int, _ encoding: String
    ) -> Swift.Result<DigestRule, NoDigest> {
        DigestRule.rule(
            table.codes[index], table.profile(of: table.columns[index]) ?? ColumnProfile(),
            encoding: encoding)
    }

    private static func order(
        _ cell: Cell, _ rule: DigestRule, _ table: ProofTable, _ index: Int,
        names: (source: String, target: String), isForeign: Bool
    ) -> (source: String, target: String) {
        if case .column(let form) = rule.order, !isForeign,
            table.profile(of: table.columns[index])?.holdsOnly(form) ?? false
        {
            let target = "\(targetAlias).\(names.target)"
            // Numbers and bytes have one order in both; texts have that of their bytes.
            return form == .text
                ? ("\(names.source) COLLATE BINARY", "\(target)::text COLLATE \"C\"") : (names.source, target)
        }
        return ("\(cell.source) COLLATE BINARY", "\(cell.target) COLLATE \"C\"")
    }

    // MARK: The queries

    /// SQLite's query of whole rows, or of one column.
    func source(_ column: String? = nil) -> String {
        select(column, \.source, from.source, order.source)
    }

    /// PostgreSQL's, which hands the lines out as they come.
    func target(_ column: String? = nil) -> String {
        "COPY (\(select(column, \.target, from.target, order.target))) TO STDOUT (DELIMITER '|', NULL '-')"
    }

    /// What counts the rows, of a table none of whose columns is in a digest.
    var counting: (source: String, target: String) {
        ("SELECT count(*) FROM \(from.source)", "SELECT count(*) FROM \(from.target)")
    }

    private func select(
        _ column: String?, _ sql: KeyPath<Cell, String>, _ from: String, _ order: String
    ) -> String {
        let cells = cells.filter { column == nil || $0.column == column }.map { $0[keyPath: sql] }
        return "SELECT\n  \(cells.joined(separator: ",\n  "))\nFROM \(from)\nORDER BY \(order)"
    }

    var binaryColumns: [String] { cells.filter(\.isBinary).map(\.column) }

    /// A query of SQLite's with one number a column, 1 where it has a value that its rule has no words for; nil where no
    /// rule has such.
    static func gaps(
        _ table: ProofTable, decided: DecidedTable?, encoding: String
    ) -> (sql: String, columns: [String])? {
        var terms: [String] = []
        var columns: [String] = []
        for (index, column) in table.columns.enumerated() {
            guard case .success(let rule) = rule(table, index, encoding), let gap = rule.gap else { continue }
            terms.append("max(\(DigestRule.fill(gap.condition, quoteIdentifier(column))))")
            columns.append(column)
        }
        guard !terms.isEmpty else { return nil }
        let from = decided?.rows(of: table) ?? quoteIdentifier(table.source.name)
        return ("SELECT \(terms.joined(separator: ", ")) FROM \(from)", columns)
    }
}

extension DecidedTable {
    /// The rows as the target is to hold them, in the place of the table.
    fileprivate func rows(of table: ProofTable) -> String {
        let values = table.columns.map { column in
            let name = quoteIdentifier(column)
            return "\(value(of: column, otherwise: name) ?? "\(Self.alias).\(name)") AS \(name)"
        }
        return
            "(SELECT \(values.joined(separator: ", ")) FROM main.\(quoteIdentifier(table.source.name)) AS \(Self.alias)"
            + (isKept.map { " WHERE \($0)" } ?? "") + ")"
    }
}

extension ProofTable {
    fileprivate func profile(of column: String) -> ColumnProfile? {
        guard let index = source.columns.firstIndex(where: { $0.name == column }),
            profile.columns.indices.contains(index)
        else { return nil }
        return profile.columns[index]
    }

    /// Only so is the key's order one order of all rows.
    fileprivate var hasKeyWithoutNull: Bool {
        source.primaryKey.allSatisfy { profile(of: $0)?.nulls == 0 }
    }
}

extension ColumnProfile {
    fileprivate func holdsOnly(_ form: DigestRule.StorageForm) -> Bool {
        switch form {
        case .integer: values == integers
        case .real: values == reals
        case .text: values == texts
        case .blob: values == blobs
        }
    }
}
