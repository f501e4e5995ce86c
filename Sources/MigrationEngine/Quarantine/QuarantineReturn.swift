import Foundation
import Postgres
import SQLite

/// Brings rows back from quarantine that today's decisions no longer keep out, all in one transaction.
///
/// The target's tables must have the types of the plan; no row that is loaded is touched.
struct QuarantineReturn {
    let preparation: Preparation
    let script: SchemaScript
    let ledger: Ledger
    let loader: Loader

    /// Rows that came back, by table.
    func run(_ target: borrowing Postgres.Connection) throws -> [String: Int] {
        let kept = try keptRows(target)
        let decided = preparation.data.decided?.quarantined ?? [:]
        let tables = inOrder(
            loader.tables.filter { kept[$0.source.name] != nil || decided[$0.source.name] != nil })
        for table in loader.tables { try checkTypes(table, target) }
        let source = try preparation.data.open()
        return try target.transaction { target in
            var returned: [String: Int] = [:]
            try allowNull(target)
            // A key that is NOT VALID holds for new rows, which these are to PostgreSQL.
            for statement in loose { _ = try target.query(statement.undo) }
            for table in tables {
                let name = table.source.name
                let rows = try bringBack(table, source, target)
                returned[name] = rows
                let stays = preparation.data.decided?.tables[name]?.quarantined ?? 0
                guard (kept[name] ?? 0) - rows == stays else {
                    throw MigrationError(
                        .plan,
                        "the decisions would also take rows out of \(name) that are loaded",
                        remedy:
                            "Only rows in quarantine can be brought back: decide the others as they were decided before, "
                            + "or migrate into an empty database.", exit: .undecided)
                }
            }
            for statement in loose { _ = try target.query(statement.sql) }
            return returned
        }
    }

    /// Rows in quarantine, by table.
    private func keptRows(_ target: borrowing Postgres.Connection) throws -> [String: Int] {
        let result = try target.query(
            "SELECT source_table, count(*) FROM howdah.quarantine WHERE run = $1 GROUP BY 1",
            ["\(ledger.run)"])
        var rows: [String: Int] = [:]
        for row in 0..<result.count { rows[result.text(row, 0) ?? ""] = result.int(row, 1) ?? 0 }
        return rows
    }

    /// Parents before their children; tables that refer to each other stay as they are.
    private func inOrder(_ tables: [Loader.LoadTable]) -> [Loader.LoadTable] {
        var open = tables
        var ordered: [Loader.LoadTable] = []
        while !open.isEmpty {
            let names = Set(open.map(\.source.name))
            let free = open.firstIndex { table in
                (table.plan.foreignKeys ?? []).allSatisfy {
                    $0.parent == table.source.name || !names.contains($0.parent)
                }
            }
            ordered.append(open.remove(at: free ?? 0))
        }
        return ordered
    }

    private func checkTypes(_ table: Loader.LoadTable, _ target: borrowing Postgres.Connection) throws {
        let columns = try TargetColumns.read(table.plan.targetName, schema: script.plan.schema, target)
        for column in table.plan.columns where columns?.types[column.targetName] != column.postgresType {
            let there = columns?.types[column.targetName]?.sql ?? "not there"
            throw MigrationError(
                .plan,
                "\(table.source.name).\(column.name) is to be \(column.type), and in the target it is \(there)",
                remedy:
                    "Change the column there first (ALTER TABLE … ALTER COLUMN … TYPE), or decide otherwise.",
                exit: .undecided)
        }
    }

    /// Foreign keys and checks that are to hold for new rows alone.
    private var loose: [SchemaScript.Statement] {
        (script.keysAndIndexes + script.foreignKeys).flatMap { table, statements in
            let planned = script.plan.tables.first { $0.name == table }
            let keys = (planned?.foreignKeys ?? []).filter { $0.notValid ?? false }.map(\.name)
            let checks = (planned?.checks ?? []).filter { $0.notValid ?? false }.map(\.name)
            return statements.filter { (keys + checks).contains($0.name) }
        }
    }

    /// Lets columns hold NULL where that is decided now.
    private func allowNull(_ target: borrowing Postgres.Connection) throws {
        for table in script.plan.tables where !table.isSkipped {
            let key = Set(table.primaryKey?.columns ?? [])
            for column in table.columns
            where !(column.notNull ?? false) && !key.contains(column.name) && column.numbering == nil {
                _ = try target.query(
                    "ALTER TABLE \(script.qualified(table)) ALTER COLUMN \(quoteIdentifier(column.targetName)) DROP NOT NULL"
                )
            }
        }
    }

    private func bringBack(
        _ table: Loader.LoadTable, _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection
    ) throws -> Int {
        guard let identity = RowIdentity(table.source) else { return 0 }
        let name = table.source.name
        let qualified = script.qualified(table.plan)
        try noteKept(table.source, identity, source, target)
        let condition =
            "EXISTS (SELECT 1 FROM temp.howdah_back AS b WHERE \(identity.matches("b", DecidedTable.alias)))"
        let query = preparation.data.query(table.source, columns: table.columns.map(\.name))
        let statement = try source.prepare(query.rows(where: condition))
        // The application's triggers are for what the application does.
        try target.execute("ALTER TABLE \(qualified) DISABLE TRIGGER USER")
        var returned = SourceRows(statement)
        let rows = try loader.send(&returned, of: table, target)
        try target.execute("ALTER TABLE \(qualified) ENABLE TRIGGER USER")
        for kept in ["quarantine", "replaced"] {
            _ = try target.query(
                "DELETE FROM howdah.\(kept) WHERE run = $1 AND source_table = $2", ["\(ledger.run)", name])
        }
        if let decided = preparation.data.decided?.tables[name] {
            _ = try KeptRows(table: table.source, decided: decided, run: ledger.run).write(source, target)
        }
        try ledger.addReturned(rows, table: name, target)
        return rows
    }

    /// Notes on the source's side which rows the target keeps in quarantine.
    private func noteKept(
        _ table: Catalog.Table, _ identity: RowIdentity, _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection
    ) throws {
        try source.execute("DROP TABLE IF EXISTS temp.howdah_back")
        try source.execute("CREATE TEMP TABLE howdah_back (\(identity.definitions)\(identity.primaryKey))")
        let places = identity.names.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        let insert = try source.prepare("INSERT INTO temp.howdah_back VALUES (\(places))")
        let kept = try target.query(
            "SELECT source_rowid, encode(row, 'hex') FROM howdah.quarantine WHERE run = $1 AND source_table = $2",
            ["\(ledger.run)", table.name])
        for row in 0..<kept.count {
            if identity.isRowid {
                guard let rowid = kept.text(row, 0).flatMap({ Int64($0) }) else { continue }
                try insert.bind(rowid, at: 1)
            } else {
                let record = [UInt8](hexadecimal: kept.text(row, 1) ?? "") ?? []
                let values = RowRecord.values(of: record) ?? [:]
                for (position, column) in table.primaryKey.enumerated() {
                    try insert.bind(values[column] ?? .null, at: Int32(position + 1))
                }
            }
            try insert.run()
            insert.reset()
        }
    }
}

extension Migration {
    /// Brings rows back that are in quarantine and that today's decisions let in, and proves everything anew.
    ///
    /// Throws where the target was loaded from another snapshot, where a column has another type there than in the plan,
    /// and where a decision would take out rows that are loaded; the target is then as it was.
    public func bringBack() throws -> MigrationReport {
        guard plan.adopt != true else {
            throw MigrationError(
                .plan, "rows cannot be brought back into tables that howdah did not make",
                remedy: "Insert them yourself from howdah.quarantine, and run howdah validate.",
                exit: .undecided)
        }
        let main = try lockedConnection()
        let (ledger, status) = try run(main)
        guard status.stage >= .constrained else { throw Self.early("keys and indexes are not there yet") }
        do {
            let loader = loader(ledger, loaded: status.loadedRows)
            progress.setTables(loader.tables.map(\.counters))
            let returned = try QuarantineReturn(
                preparation: preparation, script: script, ledger: ledger, loader: loader
            ).run(main)
            _ = try Sequences(plan: plan, catalog: preparation.catalog).advance(main)
            try ledger.setConstrained(true, main)
            try ledger.reopen(main)
            var report = try prove(ledger, Sequences.Outcome(), start: .now, main)
            let count = returned.values.reduce(0, +)
            report.notices.append("\(Format.count(count, "row", "rows")) came back from quarantine")
            report.command = "repair"
            return report
        } catch {
            throw Self.explained(error, server.conninfo)
        }
    }
}
