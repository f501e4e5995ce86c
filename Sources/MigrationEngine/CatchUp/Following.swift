import Foundation
import Postgres

/// A target that was loaded and proven, and follows a source which the application goes on writing to: first while it writes, and at
/// last while nobody may.
///
/// Called from a thread that may block. What the target holds is read from its own ledger, so that any howdah can go on.
public struct Following: Sendable {
    public let source: SourceFile
    public let state: StateFolder
    public let server: TargetServer
    public let schema: String
    let hints: SchemaHints?
    let workers: Int
    let isRehearsal: Bool
    let cancellation: Cancellation
    let progress: RunProgress
    let differences: DifferenceLog?

    public init(
        source: SourceFile, state: StateFolder, server: TargetServer, schema: String, hints: SchemaHints?,
        workers: Int, isRehearsal: Bool, cancellation: Cancellation, progress: RunProgress,
        differences: DifferenceLog?
    ) {
        self.source = source
        self.state = state
        self.server = server
        self.schema = schema
        self.hints = hints
        self.workers = workers
        self.isRehearsal = isRehearsal
        self.cancellation = cancellation
        self.progress = progress
        self.differences = differences
    }

    /// What the target holds: a state of the source, and the plan by which it was loaded.
    public struct Base: Sendable {
        public let snapshot: Snapshot
        let plan: MigrationPlan
        let objects: [ObjectState]
    }

    /// How much of a target's run is asked for.
    public enum Standard: Sendable {
        /// Loaded, whatever its proof has come to: it is to be proven again.
        case loaded
        /// Proven as of its snapshot.
        case proven
    }

    /// Reads it from the target's ledger.
    ///
    /// Throws `.interruptedRun` where no such run is there, and `.state` where its snapshot is gone from this folder.
    public func base(_ standard: Standard = .loaded) throws -> Base {
        try server.withConnection(purpose: "status") { connection in
            let proven: Set<String?> = ["proven", "quarantined", "stale"]
            guard let ledger = try Ledger.newest(schema: schema, connection),
                let status = try ledger.status(connection), status.stage >= .constrained,
                standard == .loaded || proven.contains(status.outcome),
                let begun = try ledger.begun(connection)
            else { throw Migration.early("\(server.conninfo.url) holds no run that was proven") }
            let store = try SnapshotStore(state, cancellation: cancellation)
            guard let snapshot = store.snapshots().last(where: { $0.sha256 == status.snapshotSHA256 }) else {
                throw MigrationError(
                    .state,
                    "the snapshot that \(server.conninfo.url) was loaded from is not in \(state.path)/snapshots",
                    remedy: "Name the folder that has it with --state DIR, or migrate anew.", exit: .undecided
                )
            }
            return Base(snapshot: snapshot, plan: begun.plan, objects: begun.objects)
        }
    }

    /// What the last switch carried, as this folder remembers it: the way back needs it also where the target's ledger is gone.
    public func remembered() throws -> Base? {
        guard let data = FileManager.default.contents(atPath: "\(state.path)/\(Self.memory)"),
            let memory = try? JSONDecoder().decode(Memory.self, from: data),
            let snapshot = try SnapshotStore(state, cancellation: cancellation).snapshots()
                .last(where: { $0.sha256 == memory.snapshot })
        else { return nil }
        return Base(snapshot: snapshot, plan: memory.plan, objects: memory.objects)
    }

    private static let memory = "switched.json"

    private struct Memory: Codable {
        let snapshot: String
        let plan: MigrationPlan
        let objects: [ObjectState]
    }

    private func remember(_ preparation: Preparation) throws {
        let memory = Memory(
            snapshot: preparation.snapshot.sha256, plan: preparation.plan, objects: preparation.objects)
        try state.write(String(decoding: try JSONEncoder().encode(memory), as: UTF8.self), to: Self.memory)
    }

    // MARK: While the application writes

    public struct Prepared: Sendable {
        public let preparation: Preparation
        public let outcome: CatchUp.Outcome
        /// The proof of every cell, at the new snapshot.
        public let report: MigrationReport
    }

    /// Takes a new snapshot, carries what has changed, and compares every cell of every table.
    public func prepare() throws -> Prepared {
        try explaining { try prepareOnce() }
    }

    /// An error of the server's in the operator's words.
    private func explaining<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as PostgresError {
            throw Migration.explained(error, server.conninfo)
        }
    }

    private func prepareOnce() throws -> Prepared {
        let base = try base()
        try refuseOthers(
            "Those rows are the application's, from an earlier cutover, or somebody else's: load anew into another database, or drop "
                + "the tables yourself first.")
        let snapshot = try preparer(base).takeSnapshot()
        let preparation = try preparation(base, snapshot)
        let migration = migration(preparation)
        let outcome = try carry(migration, base, changed: Self.changed(base.snapshot, snapshot, cancellation))
        let report = try migration.prove()
        _ = try validateKeys()
        if [.proven, .quarantined].contains(report.outcome) { try noteCompared() }
        return Prepared(preparation: preparation, outcome: outcome, report: report)
    }

    /// All was equal: what differs after the switch has changed since.
    private func noteCompared() throws {
        try server.withConnection(purpose: "status") {
            guard let ledger = try Ledger.newest(schema: schema, $0) else { return }
            try ledger.noteCompared($0)
            try differences?.becomeFirst(of: ledger.load($0))
        }
    }

    /// Throws where somebody else has written to the target since every cell was compared.
    private func refuseOthers(_ remedy: String) throws {
        let tables = try server.withConnection(purpose: "status") { connection in
            try Ledger.newest(schema: schema, connection)?.tablesWrittenSince(schema: schema, connection)
                ?? []
        }
        guard !tables.isEmpty else { return }
        throw MigrationError(
            .targetNotEmpty,
            "somebody else has written to the target since it was compared: \(tables.joined(separator: ", "))",
            remedy: "Nothing was changed. howdah validate shows what differs. " + remedy,
            exit: .differs)
    }

    private static func changed(
        _ older: Snapshot, _ newer: Snapshot, _ cancellation: Cancellation
    ) throws -> PageSet? {
        do {
            return try PageComparison.between(older.path, newer.path, cancellation).changed
        } catch is PageComparison.Obstacle {
            return nil
        }
    }

    /// The plan is the target's own; what has been written since must fit it.
    public func preparation(_ base: Base, _ snapshot: Snapshot) throws -> Preparation {
        var preparation = try preparer(base).prepare(snapshot)
        if let finding = preparation.blocking.first {
            let more = preparation.blocking.count - 1
            throw MigrationError(
                .plan,
                "what was written since the target was loaded does not fit its plan: \(finding.place) \(finding.message)"
                    + (more > 0 ? ", and \(more) more" : ""),
                remedy: "Mend those rows in SQLite; or undo steps 3.2 and 1.8, decide, and load anew.",
                exit: .undecided)
        }
        let (known, now) = (Self.bare(base.plan), Self.bare(preparation.plan))
        if let table = zip(known, now).first(where: { $0 != $1 })?.0.name
            ?? (known.count == now.count ? nil : "the list of tables")
        {
            throw MigrationError(
                .plan, "the plan for what is in the source now is another one than the target's: \(table)",
                remedy: "Undo steps 3.2 and 1.8, and load anew.", exit: .undecided)
        }
        preparation.plan = base.plan
        preparation.plan.snapshot = snapshot.sha256
        preparation.objects = base.objects
        return preparation
    }

    private static func bare(_ plan: MigrationPlan) -> [MigrationPlan.Table] {
        plan.tables.map { table in
            var table = table
            for column in table.columns.indices { table.columns[column].reason = nil }
            return table
        }
    }

    private func preparer(_ base: Base) -> Preparer {
        Preparer(
            source: source, state: state, hints: hints, style: base.plan.style, schema: schema,
            planSource: .given(base.plan), workers: workers, cancellation: cancellation, progress: progress,
            adopting: Adopting(server: { server }))
    }

    private func migration(_ preparation: Preparation) -> Migration {
        Migration(
            preparation: preparation, server: server, workers: workers, isRehearsal: isRehearsal,
            cancellation: cancellation, progress: progress, differences: differences)
    }

    private func carry(_ migration: Migration, _ base: Base, changed: PageSet?) throws -> CatchUp.Outcome {
        progress.begin(.copy)
        defer { progress.end() }
        let main = try migration.lockedConnection()
        let canceller = main.canceller
        return try cancellation.whileRegistered({ canceller.cancel() }) {
            try CatchUp(
                migration: migration, base: base.snapshot,
                changes: changes(from: base.snapshot, to: migration.preparation.snapshot, changed)
            ).run(main)
        }
    }

    private func changes(from older: Snapshot, to newer: Snapshot, _ changed: PageSet?) throws
        -> SourceChanges
    {
        let folder = try state.folder("catchup")
        return try SourceChanges.find(
            from: older, to: newer, changed: changed, path: "\(folder)/changes.db", cancellation: cancellation
        )
    }

    // MARK: While nobody writes

    /// The last step: everything that it needs and that can be had before anybody has to stop writing.
    public struct Last: Sendable {
        let base: Base
        let preparation: Preparation
        let following: FollowingSnapshot
    }

    /// Copies the snapshot that the target holds, and reads it where `known` is not of it.
    public func begin(_ known: Preparation?) throws -> Last {
        let base = try base(.proven)
        try refuseOthers("Take those rows out, and prepare again (C.1).")
        // What was read of the same snapshot under another plan is not the target's.
        let isKnown =
            known?.snapshot.sha256 == base.snapshot.sha256
            && known.map { Self.bare($0.plan) == Self.bare(base.plan) && $0.plan.schema == base.plan.schema }
                ?? false
        let preparation = isKnown ? known : nil
        let store = try SnapshotStore(state, cancellation: cancellation)
        return Last(
            base: base, preparation: try preparation ?? self.preparation(base, base.snapshot),
            following: try FollowingSnapshot(store, after: base.snapshot))
    }

    /// Carries what has changed since the snapshot that the target holds, and compares it, while `hold` keeps writers away.
    ///
    /// Afterwards the target holds what the source holds. Throws as `CatchUp` does; the target is then as it was.
    public func finish(_ last: Last, _ hold: SourceHold) throws -> (Preparation, CatchUp.Outcome) {
        let (snapshot, changed): (Snapshot, PageSet)
        do {
            (snapshot, changed) = try last.following.take(of: hold, cancellation)
        } catch {
            last.following.remove()
            throw error
        }
        var preparation = last.preparation
        preparation.snapshot = snapshot
        preparation.plan.snapshot = snapshot.sha256
        let changes = try changes(from: last.base.snapshot, to: snapshot, changed)
        let decided = preparation.decidedRows?.tables ?? [:]
        if changes.tables.contains(where: { decided[$0.name] != nil }) {
            // Which rows a decision is about is worked out anew.
            preparation = try self.preparation(last.base, snapshot)
        } else {
            let sequences = Dictionary(try snapshot.catalog().tables.map { ($0.name, $0.sequence) }) {
                first, _ in first
            }
            for table in preparation.catalog.tables.indices {
                preparation.catalog.tables[table].sequence =
                    sequences[preparation.catalog.tables[table].name] ?? nil
            }
        }
        let migration = migration(preparation)
        progress.begin(.copy)
        defer { progress.end() }
        let main = try migration.lockedConnection()
        let canceller = main.canceller
        let outcome = try cancellation.whileRegistered({ canceller.cancel() }) {
            try CatchUp(migration: migration, base: last.base.snapshot, changes: changes).run(main)
        }
        try remember(preparation)
        return (preparation, outcome)
    }

    /// Has the server look at every row of the foreign keys that a catch-up made anew; returns how many. Readers and writers go
    /// on meanwhile.
    public func validateKeys() throws -> Int {
        try explaining {
            try server.withConnection(purpose: "keys") { connection in
                try Ledger.newest(schema: schema, connection)?.validateKeys(connection) ?? 0
            }
        }
    }
}
