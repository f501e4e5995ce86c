import Foundation
import Postgres

extension Repair {
    /// The repairs that were done from a state folder, oldest first, as far as is known without asking a server.
    public static func records(_ state: StateFolder) -> [RepairRecord] { RepairStore(state).records() }

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
            _ = try? history.uncancelled.records()
            throw explained(error, record.tables.map(\.name), targetNames(record))
        }
        CrashPoint.pass("repair undo after")
        try DifferenceLog.putBack(record.id, in: state)
        record.state = .undone
        try store.write(record)
        return Outcome(record: record, report: try prove(knownTables(record), in: record.schema))
    }

    /// Throws what an undo would be refused for as things are now, but for rows that would refer to none; nothing is locked or changed.
    public func checkUndo(_ record: RepairRecord) throws {
        do {
            try server.withConnection(purpose: "repair") { main in
                let canceller = main.canceller
                try cancellation.whileRegistered({ canceller.cancel() }) {
                    try main.transaction { main in
                        try setPatience(main)
                        let names = try checkedNames(record, main)
                        try HeldTables.refuseTrees(names, main)
                        for number in record.tables.indices {
                            try RepairReturn(record: record, number: number, store: store).check(main)
                        }
                    }
                }
            }
        } catch { throw explained(error, record.tables.map(\.name), targetNames(record)) }
    }

    /// The tables, qualified and quoted, where they are there and the role may write to them.
    private func checkedNames(
        _ record: RepairRecord, _ main: borrowing Postgres.Connection
    ) throws -> [String] {
        let names = targetNames(record)
        for name in names where try main.query("SELECT to_regclass($1) IS NULL", [name]).bool(0, 0) {
            throw record.cannotUndo("\(name) is not there any more")
        }
        let whole = zip(names, record.tables).filter { $0.1.way == .whole }.map(\.0)
        try HeldTables.checkRights(names, truncates: Set(whole), main)
        return names
    }

    private func targetNames(_ record: RepairRecord) -> [String] {
        record.tables.map { quoteIdentifier(record.schema, $0.target) }
    }

    private func knownTables(_ record: RepairRecord) -> [String] {
        record.tables.map(\.name).filter { name in plan.tables.contains { $0.name == name } }
    }

    private func putBack(
        _ record: RepairRecord, _ main: borrowing Postgres.Connection
    ) throws -> RepairRecord {
        try main.transaction { main in
            try setPatience(main)
            let names = try checkedNames(record, main)
            noteHolders(names)
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
