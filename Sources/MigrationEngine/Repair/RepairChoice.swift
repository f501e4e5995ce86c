import Postgres
import SQLite

/// Which of the rows that a proof has found are repaired, and how both sides find them again.
struct RepairChoice {
    let request: RepairRequest
    let log: DifferenceLog

    /// Differences that are read at once.
    private static let pageRows = 1000

    /// Calls `body` with every difference of a table that was asked for.
    func forEach(of table: String, _ body: (RowDifference) throws -> Void) throws {
        let names = request.keys.map(RowName.init)
        var first = 0
        while true {
            let page = try log.page(table, from: first, count: Self.pageRows)
            for difference in page where names.isEmpty || names.contains(where: { $0.means(difference) }) {
                try body(difference)
            }
            guard page.count == Self.pageRows else { return }
            first += page.count
        }
    }

    /// Throws where a key is not among the rows that differ, or can mean two.
    func refuseUnclear(_ table: String) throws {
        let names = request.keys.map(RowName.init)
        var meant: [[String]?] = Array(repeating: nil, count: names.count)
        try forEach(of: table) { difference in
            for (number, name) in names.enumerated() where name.means(difference) {
                let keys = difference.place?.keys ?? [difference.key]
                guard !name.isUnclear(keys), meant[number].map({ RowName.areSame($0, keys) }) ?? true else {
                    throw Self.unclear(name.text, keys, table)
                }
                meant[number] = keys
            }
        }
        let left = zip(request.keys, meant).filter { $1 == nil }.map(\.0)
        if !left.isEmpty { throw Self.equal(left.sorted(), [table]) }
    }

    /// Counts what was asked for by kind. Throws where a row that was named is only in the target.
    func count(_ table: inout RepairPreview.Table, _ proof: ProofTable, _ verdict: TableVerdict) throws {
        var missing = 0
        var changed = 0
        var extra = 0
        try forEach(of: table.name) { difference in
            switch difference.kind {
            case .missing: missing += 1
            case .changed: changed += 1
            case .extra: extra += 1
            }
        }
        (table.missing, table.changed, table.extra) = (missing, changed, extra)
        if !request.keys.isEmpty, extra > 0, !request.removesExtra {
            throw MigrationError(
                .plan, "\(Format.count(extra, "row", "rows")) of those are in the target only: \(table.name)",
                remedy: "--extra removes them; the application may have written them since.", exit: .usage)
        }
        if request.keys.isEmpty {
            table.unnamed = max(0, verdict.differences - missing - changed - extra - table.left)
        }
        // An obstacle counts as one.
        if verdict.obstacle != nil, table.unnamed == 1 { table.unnamed = 0 }
    }

    private static func unclear(_ text: String, _ keys: [String], _ table: String) -> MigrationError {
        MigrationError(
            .plan, "the key \(text) can mean more than one row of \(table)",
            remedy: "Name the row by a JSON array of its key's texts, as --key '\(RowName.exact(keys))'.",
            exit: .usage)
    }

    static func equal(_ keys: [String], _ tables: [String]) -> MigrationError {
        MigrationError(
            .plan,
            "no row of \(tables.joined(separator: ", ")) with the key \(keys.joined(separator: "; ")) differs: it is the same on both sides, or on neither",
            remedy: "howdah validate names the rows that differ.", exit: .usage)
    }

    // MARK: One by one, or as a whole

    /// Why rows of a table cannot be told from each other; nil where they can.
    func wholeReason(
        _ proof: ProofTable, _ facts: RepairTarget, _ verdict: TableVerdict
    ) throws -> String? {
        // Of so many, both halves of a changed row may not have been met.
        if verdict.isTruncated, request.keys.isEmpty { return "more rows differ than the proof can name" }
        let key = proof.keyColumns
        guard !proof.source.primaryKey.isEmpty else { return "SQLite declares no primary key" }
        guard !key.isEmpty, key.count == proof.source.primaryKey.count else {
            return "not all columns of its key are in the target"
        }
        let names = key.map { proof.columns[$0] }
        let stored = Set(facts.stored.map(\.name))
        guard
            key.allSatisfy({
                stored.contains(proof.targetColumns[$0]) && proof.foreign[proof.columns[$0]] == nil
            })
        else { return "its key (\(names.joined(separator: ", "))) is of a type that howdah cannot look for" }
        guard facts.keys.contains(Set(key.map { proof.targetColumns[$0] })) else {
            return "the target has no unique key on (\(names.joined(separator: ", ")))"
        }
        guard let identity = RowIdentity(proof.source) else { return "its rows in SQLite have no number" }
        var isFound = true
        try forEach(of: proof.source.name) { difference in
            let keys = difference.place?.keys
            if difference.kind == .extra {
                if keys?.count != key.count { isFound = false }
            } else if !identity.isRowid || proof.integerKey != nil && !proof.isKeyRowid {
                if keys == nil || !key.allSatisfy({ Self.isBound(proof.codes[$0].operation) }) {
                    isFound = false
                }
            } else if difference.place?.rowid == nil, !proof.isKeyRowid {
                isFound = false
            }
        }
        return isFound
            ? nil : "its key (\(names.joined(separator: ", "))) is of a type that howdah cannot look for"
    }

    /// Whether a key's text tells what SQLite holds.
    private static func isBound(_ operation: ColumnCode.Operation) -> Bool {
        switch operation {
        case .int2, .int4, .int8, .text, .varchar, .enumeration, .bytea: true
        default: false
        }
    }

    // MARK: The source's rows

    /// Notes the chosen rows of the source in a table of SQLite's; returns how many.
    func noteChosen(_ table: RepairTable, _ source: borrowing SQLite.Connection) throws -> Int {
        guard let identity = RowIdentity(table.proof.source) else { return 0 }
        let chosen = table.chosen
        try source.execute(
            """
            DROP TABLE IF EXISTS \(chosen); CREATE TABLE \(chosen) (\(identity.definitions)\(identity.primaryKey)); BEGIN
            """)
        let values = identity.names.map { _ in "?1" }.joined(separator: ", ")
        let byRowid = try source.prepare("INSERT INTO \(chosen) VALUES (\(values))")
        let key = table.proof.source.primaryKey.enumerated().map { "\(quoteIdentifier($1)) = ?\($0 + 1)" }
        let byKey = try source.prepare(
            "INSERT INTO \(chosen) SELECT \(identity.terms.joined(separator: ", ")) FROM main.\(quoteIdentifier(table.proof.source.name)) WHERE \(key.joined(separator: " AND "))"
        )
        try forEach(of: table.plan.name) { difference in
            guard difference.kind != .extra else { return }
            let keys = difference.place?.keys ?? []
            let number = table.proof.isKeyRowid ? keys.first.flatMap { Int64($0) } : nil
            if identity.isRowid, let rowid = difference.place?.rowid ?? number {
                try byRowid.bind(rowid, at: 1)
                try byRowid.run()
                byRowid.reset()
            } else {
                for (place, (column, text)) in zip(table.proof.keyColumns, keys).enumerated() {
                    try Self.bind(text, table.proof.codes[column].operation, at: Int32(place + 1), byKey)
                }
                try byKey.run()
                byKey.reset()
            }
        }
        try source.execute("COMMIT")
        let counted = try source.prepare("SELECT count(*) FROM \(chosen)")
        return try counted.step() ? Int(counted.int64(0)) : 0
    }

    private static func bind(
        _ text: String, _ operation: ColumnCode.Operation, at place: Int32,
        _ statement: borrowing SQLite.Statement
    ) throws {
        switch operation {
        case .int2, .int4, .int8: try statement.bind(Int64(text) ?? 0, at: place)
        case .bytea:
            let bytes = [UInt8](hexadecimal: text.dropFirst(2)) ?? []
            try bytes.withUnsafeBytes { try statement.bind(blob: $0, at: place) }
        default: try statement.bind(text, at: place)
        }
    }

    /// SQL of the source's: the chosen rows.
    static func condition(_ table: RepairTable) -> String {
        guard let identity = RowIdentity(table.proof.source) else { return "0" }
        return identity.isRowid
            ? "\(identity.terms[0]) IN (SELECT row FROM \(table.chosen))"
            : "EXISTS (SELECT 1 FROM \(table.chosen) AS b WHERE \(identity.matches("b", DecidedTable.alias)))"
    }
}

extension DifferenceLog {
    /// The rows of a table that differ and are named by their keys, as `RepairRequest.keys` names them. Throws `.plan` with exit 2 where a
    /// key is not among the rows that differ, or can mean two.
    public func rows(_ keys: [String], of table: String) throws -> [RowDifference] {
        let choice = RepairChoice(request: RepairRequest(tables: [table], keys: keys), log: self)
        try choice.refuseUnclear(table)
        var rows: [RowDifference] = []
        try choice.forEach(of: table) { rows.append($0) }
        return rows
    }
}
