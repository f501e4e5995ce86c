import Postgres

/// The repairs of one target that a state folder keeps.
public struct RepairHistory: Sendable {
    let state: StateFolder
    public let server: TargetServer
    /// How records name the target: its URL, or a word for a rehearsal, whose address is another one each time.
    let target: String
    /// The word for a rehearsal, where it is one.
    private let word: String?

    public init(_ state: StateFolder, _ server: TargetServer, target: String? = nil) {
        self.state = state
        self.server = server
        self.target = target ?? server.conninfo.url
        word = target
    }

    /// The same under another wish to stop: for finding out what became of work that was cancelled.
    var uncancelled: RepairHistory {
        RepairHistory(state, TargetServer(server.conninfo, cancellation: Cancellation()), target: word)
    }

    /// What tells the target's database from others, by whatever URL it is reached; nil of a rehearsal, and where the server does not tell.
    func database(_ connection: borrowing Postgres.Connection) throws -> String? {
        word == nil ? try TargetServer.identity(connection) : nil
    }

    /// The records of this target: of its database where both sides know that, by the URL otherwise.
    private func ownRecords() -> [RepairRecord] {
        let records = RepairStore(state).records()
        // A server that cannot be reached now does not hide what was done.
        let database =
            records.contains { $0.database != nil }
            ? (try? server.withConnection(purpose: "repair") { try self.database($0) }) : nil
        return records.filter { record in
            guard let database, let other = record.database else { return record.target == target }
            return other == database
        }
    }

    /// Oldest first, with what became of those that were interrupted: the server is asked.
    public func records() throws -> [RepairRecord] {
        let store = RepairStore(state)
        let records = ownRecords()
        guard records.contains(where: { [.begun, .undoing].contains($0.state) }) else { return records }
        return try server.withConnection(purpose: "repair") { connection in
            try records.map { record in
                let known = try Self.settled(record, connection)
                guard known != record else { return record }
                if [.failed, .undone].contains(known.state) {
                    try DifferenceLog.putBack(known.id, in: state)
                }
                try store.write(known)
                return known
            }
        }
    }

    /// The repair that an undo means: the newest that was done, where none is named. Throws `.state`, with exit 2 where there is none.
    public func undoable(_ id: String?) throws -> RepairRecord {
        guard let record = try records().last(where: { id == nil ? $0.state == .done : $0.id == id }) else {
            throw MigrationError(
                .state,
                id.map { "there is no repair \($0) of \(target)" }
                    ?? "no repair of \(target) is to be undone",
                remedy: "howdah repair SOURCE TARGET --list shows them.", exit: .usage)
        }
        switch record.state {
        case .done: return record
        case .undone: throw record.cannotUndo("it was undone at \(record.undoTime ?? "an unknown time")")
        case .failed: throw record.cannotUndo("the server has rolled it back: it changed nothing")
        default: throw record.cannotUndo("the server does not tell whether it was committed")
        }
    }

    /// Whether decisions have kept rows or values out of the target, by what howdah's schema there says.
    public func hasKeptRows() throws -> Bool {
        try server.withConnection(purpose: "repair") { connection in
            for name in ["quarantine", "replaced"] {
                guard
                    try connection.query("SELECT to_regclass($1) IS NOT NULL", ["howdah.\(name)"]).bool(0, 0)
                else { continue }
                if try connection.query("SELECT EXISTS (SELECT FROM howdah.\(name))").bool(0, 0) {
                    return true
                }
            }
            return false
        }
    }

    /// What became of a repair whose commit was not seen: the server knows the ends of its transactions.
    static func settled(
        _ record: RepairRecord, _ connection: borrowing Postgres.Connection
    ) throws -> RepairRecord {
        var known = record
        switch record.state {
        case .begun:
            switch try end(of: record.transaction, connection) {
            case "committed": known.state = .done
            case "aborted": known.state = .failed
            default: break
            }
        case .undoing:
            switch try end(of: record.undoTransaction, connection) {
            case "committed": known.state = .undone
            case "aborted": known.state = .done
            default: break
            }
        default: break
        }
        return known
    }

    /// Numbers that this server has not given yet are those of a server that is gone.
    private static func end(
        of transaction: String?, _ connection: borrowing Postgres.Connection
    ) throws -> String? {
        guard let transaction else { return nil }
        return try connection.query(
            """
            SELECT CASE WHEN $1::xid8 < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status($1::xid8) ELSE 'aborted' END
            """, [transaction]
        ).text(0, 0)
    }
}

extension RepairRecord {
    func cannotUndo(_ why: String) -> MigrationError {
        MigrationError(
            .state, "the repair \(id) cannot be undone: \(why)",
            remedy: "howdah repair SOURCE TARGET --list shows them.", exit: .undecided)
    }
}
