import Postgres

/// How far the newest run into a schema is, as the target itself tells: true after any crash.
public struct RunStatus: Sendable, Equatable {
    public enum Stage: Int, Sendable, Comparable {
        /// Tables are there, without rows.
        case made
        case partlyLoaded
        case loaded
        /// Keys, indexes and foreign keys are there.
        case constrained
        /// The proof has ended, well or not.
        case ended

        public static func < (one: Stage, other: Stage) -> Bool { one.rawValue < other.rawValue }
    }

    public let run: Int
    /// UTC, ISO 8601.
    public let started: String
    public let snapshotSHA256: String
    public let stage: Stage
    /// What the proof came to; nil before it.
    public let outcome: String?
    /// Rows that are loaded, by table.
    public let loadedRows: [String: Int]
    /// Objects of the run's that are there.
    public let madeObjects: Int

    public init(
        run: Int, started: String, snapshotSHA256: String, stage: Stage, outcome: String?,
        loadedRows: [String: Int], madeObjects: Int
    ) {
        self.run = run
        self.started = started
        self.snapshotSHA256 = snapshotSHA256
        self.stage = stage
        self.outcome = outcome
        self.loadedRows = loadedRows
        self.madeObjects = madeObjects
    }

    public var rows: Int { loadedRows.values.reduce(0, +) }
}

extension TargetServer {
    /// The newest run into `schema` whose tables are still there; nil without one.
    public func runStatus(schema: String) throws -> RunStatus? {
        try withConnection(purpose: "status") { try Ledger.newest(schema: schema, $0)?.status($0) }
    }
}

extension Ledger {
    /// The newest run into a schema.
    static func newest(schema: String, _ connection: borrowing Postgres.Connection) throws -> Ledger? {
        guard try connection.query("SELECT to_regclass('howdah.run') IS NOT NULL").bool(0, 0) else {
            return nil
        }
        let result = try connection.query(
            "SELECT id FROM howdah.run WHERE schema_name = $1 ORDER BY id DESC LIMIT 1", [schema])
        return result.int(0, 0).map { Ledger(run: $0) }
    }

    func status(_ connection: borrowing Postgres.Connection) throws -> RunStatus? {
        let made = try madeObjects(connection)
        // A ledger of before this column's time has runs that went through.
        let facts = try connection.query(
            """
            SELECT to_char(started AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), snapshot_sha256, outcome,
                to_jsonb(r) ->> 'constrained' IS NOT NULL OR finished IS NOT NULL,
                EXISTS (SELECT FROM howdah.ledger AS l WHERE l.run = r.id),
                (SELECT count(*) FROM howdah.chunk AS c WHERE c.run = r.id)
                    = (SELECT count(*) FROM howdah.ledger AS l WHERE l.run = r.id), finished IS NOT NULL
            FROM howdah.run AS r WHERE id = $1
            """, ["\(run)"])
        guard facts.count == 1, !made.isEmpty else { return nil }
        let (isEnded, isConstrained) = (facts.bool(0, 6), facts.bool(0, 3))
        let (hasAllPieces, hasSome) = (facts.bool(0, 5), facts.bool(0, 4))
        // A source without rows has no piece to load: its tables are loaded as soon as they are made.
        let stage: RunStatus.Stage =
            isEnded
            ? .ended : isConstrained ? .constrained : hasAllPieces ? .loaded : hasSome ? .partlyLoaded : .made
        return RunStatus(
            run: run, started: facts.text(0, 0) ?? "", snapshotSHA256: facts.text(0, 1) ?? "", stage: stage,
            outcome: facts.text(0, 2), loadedRows: try loadedRows(connection),
            madeObjects: made.count { $0.kind != "adopted" })
    }
}
