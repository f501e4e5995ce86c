import Foundation
import Postgres

extension Repair {
    /// The repairs that were done from a state folder, oldest first, as far as is known without asking a server.
    public static func records(_ state: StateFolder) -> [RepairRecord] { RepairStore(state).records() }

    /// The same, of one server's, with what became of those that were interrupted.
    public static func records(_ state: StateFolder, _ server: TargetServer) throws -> [RepairRecord] {
        let store = RepairStore(state)
        let records = store.records().filter { $0.target == server.conninfo.url }
        guard records.contains(where: { [.begun, .undoing].contains($0.state) }) else { return records }
        return try server.withConnection(purpose: "repair") { connection in
            try records.map { record in
                let known = try settled(record, connection)
                if known != record { try store.write(known) }
                return known
            }
        }
    }

    /// What became of a repair whose commit was not seen: the server knows the ends of its transactions.
    static func settled(
        _ record: RepairRecord, _ connection: borrowing Postgres.Connection
    ) throws -> RepairRecord {
        var known = record
        func status(_ transaction: String?, _ connection: borrowing Postgres.Connection) throws -> String? {
            guard let transaction else { return nil }
            // Numbers that this server has not given yet are another one's.
            return try connection.query(
                """
                SELECT CASE WHEN $1::xid8 < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status($1::xid8) ELSE 'aborted' END
                """, [transaction]
            ).text(0, 0)
        }
        switch record.state {
        case .begun:
            switch try status(record.transaction, connection) {
            case "committed": known.state = .done
            case "aborted": known.state = .failed
            default: break
            }
        case .undoing:
            switch try status(record.undoTransaction, connection) {
            case "committed": known.state = .undone
            case "aborted": known.state = .done
            default: break
            }
        default: break
        }
        return known
    }

    // MARK: Undo

    /// The repair that an undo means: the newest that was done, where none is named. Throws `.state` with exit 2 without one.
    public static func undoable(
        _ id: String?, _ state: StateFolder, _ server: TargetServer
    ) throws -> RepairRecord {
        let records = try records(state, server)
        guard let record = records.last(where: { id == nil ? $0.state == .done : $0.id == id }) else {
            throw MigrationError(
                .state,
                id.map { "there is no repair \($0) of \(server.conninfo.url)" }
                    ?? "no repair of \(server.conninfo.url) is to be undone",
                remedy: "howdah repair SOURCE TARGET --list shows them.", exit: .usage)
        }
        switch record.state {
        case .done: return record
        case .undone:
            throw Self.cannotUndo(record, "it was undone at \(record.undoTime ?? "an unknown time")")
        case .failed: throw Self.cannotUndo(record, "the server has rolled it back: it changed nothing")
        default: throw Self.cannotUndo(record, "the server does not tell whether it was committed")
        }
    }

    private static func cannotUndo(_ record: RepairRecord, _ why: String) -> MigrationError {
        MigrationError(
            .state, "the repair \(record.id) cannot be undone: \(why)",
            remedy: "howdah repair SOURCE TARGET --list shows them.", exit: .undecided)
    }

    /// Puts back the rows that a repair has replaced, in one transaction.
    ///
    /// Throws `.targetNotEmpty` where a row is not what the repair wrote any more; the target is then as it was.
    public func undo(_ record: RepairRecord) throws -> Outcome {
        let main = try server.connect(purpose: "repair")
        try server.takeLock(main)
        let canceller = main.canceller
        var record = record
        do {
            record = try cancellation.whileRegistered({ canceller.cancel() }) {
                try putBack(record, main)
            }
        } catch {
            // What the files say is true again, or found out by the next look.
            _ = try? Self.records(state, TargetServer(server.conninfo, cancellation: Cancellation()))
            throw explained(error, record.tables.map(\.name))
        }
        CrashPoint.pass("repair undo after")
        record.state = .undone
        try store.write(record)
        return Outcome(record: record, report: try prove(knownTables(record)))
    }

    private func knownTables(_ record: RepairRecord) -> [String] {
        record.tables.map(\.name).filter { name in plan.tables.contains { $0.name == name } }
    }

    private func putBack(
        _ record: RepairRecord, _ main: borrowing Postgres.Connection
    ) throws -> RepairRecord {
        try main.transaction { main in
            try setPatience(main)
            let names = record.tables.map { quoteIdentifier(record.schema, $0.target) }
            for name in names where try main.query("SELECT to_regclass($1) IS NULL", [name]).bool(0, 0) {
                throw Self.cannotUndo(record, "\(name) is not there any more")
            }
            try HeldTables.checkRights(names, main)
            let held = try HeldTables(names, main)
            for number in record.tables.indices {
                try cancellation.check()
                try RepairReturn(record: record, number: number, store: store).run(main)
            }
            try held.release(main)
            try uncount(record, main)
            var undoing = record
            undoing.state = .undoing
            undoing.undoTime = Date().formatted(.iso8601)
            undoing.undoTransaction = try Self.transaction(main)
            try store.write(undoing)
            CrashPoint.pass("repair undo before")
            return undoing
        }
    }

    /// The source's rows that are missing again are no longer counted in a ledger.
    private func uncount(_ record: RepairRecord, _ main: borrowing Postgres.Connection) throws {
        guard let ledger = try Ledger.newest(schema: record.schema, main) else { return }
        let made = Set(try ledger.madeObjects(main).map(\.name))
        for table in record.tables where table.counted != 0 && made.contains(table.target) {
            try ledger.add(-table.counted, to: table.name, main)
        }
    }
}

/// Puts the old rows of one table back, in the caller's transaction, while nothing else takes part.
struct RepairReturn {
    let record: RepairRecord
    let number: Int
    let store: RepairStore

    private var table: RepairRecord.Table { record.tables[number] }
    private var name: String { quoteIdentifier(record.schema, table.target) }
    private var columns: [String] { table.columns.map { quoteIdentifier($0.name) } }
    private var key: [String] { table.key.map { quoteIdentifier($0) } }
    private var before: String { "pg_temp.howdah_repair_before_\(number)" }
    private var after: String { "pg_temp.howdah_repair_after_\(number)" }

    func run(_ main: borrowing Postgres.Connection) throws {
        try checkColumns(main)
        try main.execute(
            """
            CREATE TEMP TABLE \(RepairRows.bare(before)) ON COMMIT DROP AS SELECT \(columns.joined(separator: ", ")) FROM \(name) WITH NO DATA;
            CREATE TEMP TABLE \(RepairRows.bare(after)) ON COMMIT DROP AS
            SELECT \((key + [RepairTable.digest(columns, of: "t") + " AS howdah_digest"]).joined(separator: ", ")) FROM \(name) AS t WITH NO DATA
            """)
        let old = try CopyFile.read(
            store.file(record.id, table: number, .before), into: before, columns: columns, main)
        let new = try CopyFile.read(
            store.file(record.id, table: number, .after), into: after, columns: key + ["howdah_digest"], main)
        guard old == table.before, new == table.after else {
            throw MigrationError(
                .state, "the files of the repair \(record.id) do not hold the rows that it kept",
                remedy: "The target is as it was. Somebody has changed the state folder.")
        }
        try main.execute("ANALYZE \(before); ANALYZE \(after)")
        if table.way == .whole {
            try refuseWhole(main)
            try main.execute("TRUNCATE \(name)")
        } else {
            try refuseRows(main)
            let gone = try main.query(
                "DELETE FROM \(name) AS t USING \(after) AS a WHERE \(RepairTable.matches("a", "t", key))"
            ).affectedRows
            guard gone == table.after else { throw written([]) }
        }
        let list = columns.joined(separator: ", ")
        _ = try main.query(
            "INSERT INTO \(name) (\(list)) OVERRIDING SYSTEM VALUE SELECT \(list) FROM \(before)")
    }

    private func checkColumns(_ main: borrowing Postgres.Connection) throws {
        let now = try RepairTarget(name, main).stored.map {
            RepairRecord.Column(name: $0.name, type: $0.type)
        }
        guard now == table.columns else {
            throw MigrationError(
                .targetNotEmpty,
                "the columns of \(name) are not those that it had at the repair \(record.id)",
                remedy:
                    "The target is as it was. Its old rows lie in the state folder, under repairs/\(record.id).",
                exit: .undecided)
        }
    }

    /// Every row must be what the repair wrote, and no other may have taken the key of one that comes back.
    private func refuseRows(_ main: borrowing Postgres.Connection) throws {
        let shown = { (alias: String) in
            "concat_ws(', ', \(key.map { "\(alias).\($0)::text" }.joined(separator: ", ")))"
        }
        let found = try main.query(
            """
            SELECT \(shown("a")) FROM \(after) AS a LEFT JOIN \(name) AS t ON \(RepairTable.matches("a", "t", key))
            WHERE t.\(key[0]) IS NULL OR a.howdah_digest <> \(RepairTable.digest(columns, of: "t"))
            UNION ALL
            SELECT \(shown("b")) FROM \(before) AS b JOIN \(name) AS t ON \(RepairTable.matches("b", "t", key))
            WHERE NOT EXISTS (SELECT FROM \(after) AS a WHERE \(RepairTable.matches("a", "b", key)))
            LIMIT 5
            """)
        guard found.count == 0 else { throw written((0..<found.count).compactMap { found.text($0, 0) }) }
    }

    private func refuseWhole(_ main: borrowing Postgres.Connection) throws {
        let digest = RepairTable.digest(columns, of: "t")
        let differs = try main.query(
            """
            SELECT EXISTS (SELECT FROM (SELECT \(digest) AS d, count(*) AS n FROM \(name) AS t GROUP BY 1) AS t
                FULL JOIN (SELECT howdah_digest AS d, count(*) AS n FROM \(after) GROUP BY 1) AS a USING (d)
                WHERE t.n IS DISTINCT FROM a.n)
            """)
        if differs.bool(0, 0) { throw written([]) }
    }

    private func written(_ keys: [String]) -> MigrationError {
        MigrationError(
            .targetNotEmpty,
            "rows of \(table.name) are not what the repair wrote any more"
                + (keys.isEmpty ? "" : ": \(keys.joined(separator: "; "))"),
            remedy:
                "The target is as it was. The old rows lie in the state folder, under repairs/\(record.id).",
            exit: .undecided)
    }
}
