import Foundation
import Postgres

/// How a run goes on that did not end: after a crash, a lost server or a cancel, in the same process or in another one.
///
/// What is there is read from the target's ledger alone. A run goes on only as what it was: the same snapshot, the same
/// plan, and tables that hold what it loaded and nothing else.
extension Migration {
    /// What a run was begun as; kept in the ledger.
    struct Begun: Codable {
        /// With what the server's own review has changed.
        let plan: MigrationPlan
        let objects: [ObjectState]
    }

    /// A run that can go on, and what it was begun as.
    struct Open {
        let ledger: Ledger
        let started: String
        let begun: Begun
    }

    /// Whether the target holds a run of this plan that can go on.
    public func canGoOn() throws -> Bool {
        try server.withConnection(purpose: "status") { connection in
            guard let unproven = try Ledger.unproven(schema: plan.schema, connection) else { return false }
            return try obstacle(unproven, connection) == nil
        }
    }

    /// The run to go on with; nil where there is none, and where another one must be taken back first.
    func openRun(_ main: borrowing Postgres.Connection) throws -> Open? {
        guard !restart, let unproven = try Ledger.unproven(schema: plan.schema, main),
            try obstacle(unproven, main) == nil, let begun = try unproven.ledger.begun(main)
        else { return nil }
        try unproven.ledger.reopen(main)
        return Open(ledger: unproven.ledger, started: unproven.started, begun: begun)
    }

    /// The run that ended well and has left the target as it would be left now: one that was stopped before it could say
    /// so, or that is asked for twice. Nothing of it is to be done but to say what is there.
    func endedRun(_ main: borrowing Postgres.Connection) throws -> Open? {
        guard !restart, let ledger = try Ledger.newest(schema: plan.schema, main),
            let status = try ledger.status(main), status.stage == .ended, let outcome = status.outcome
        else { return nil }
        let run = Ledger.Unproven(ledger: ledger, started: status.started, outcome: outcome)
        guard try obstacle(run, main) == nil, let begun = try ledger.begun(main) else { return nil }
        return Open(ledger: ledger, started: status.started, begun: begun)
    }

    /// Compares everything once more and writes nothing: a run that is proven stays so, whatever came to its rows since.
    func compareAgain(
        _ open: Open, start: ContinuousClock.Instant, _ main: borrowing Postgres.Connection
    ) throws -> MigrationReport {
        progress.note("the run that began at \(open.started) has ended here: its rows are compared again")
        let loaded = try open.ledger.loadedRows(main)
        progress.setTables(plan.tables.filter { !$0.isSkipped }.map(counters))
        progress.begin(.proof)
        let verdicts = try proof.run()
        var report = try report(verdicts, try lostObjects(open.ledger, main), loaded: loaded, start: start)
        report.resumedRows = loaded.values.reduce(0, +)
        report.notices.append(
            "the run that began at \(open.started) had loaded all of it; it was compared again, and nothing was written"
                + (report.outcome == .differs ? ": what differs has changed since" : ""))
        return report
    }

    /// Keys, indexes, sequences, views and triggers that a run has made and that are not as it left them.
    private func lostObjects(
        _ ledger: Ledger, _ main: borrowing Postgres.Connection
    ) throws -> Sequences.Outcome {
        var outcome = try Sequences(plan: plan, catalog: preparation.catalog).look(main)
        outcome.objects += try LostObjects(plan: plan, catalog: preparation.catalog).made(ledger, main)
        return outcome
    }

    /// Why an open run cannot go on.
    func obstacle(_ unproven: Ledger.Unproven, _ main: borrowing Postgres.Connection) throws -> String? {
        let ledger = unproven.ledger
        if unproven.outcome == "differs" { return "its proof found differences" }
        if plan.adopt ?? false { return "its tables are not howdah's own" }
        guard let snapshot = try ledger.snapshotSHA256(main), let digest = try ledger.planSHA256(main),
            let begun = try ledger.begun(main)
        else { return "another version of howdah has begun it" }
        if snapshot != preparation.snapshot.sha256 {
            return "the source has changed since, or is another one"
        }
        if digest != preparation.planDigest { return "it was begun by another plan" }
        let wanted = Set(begun.plan.tables.filter { !$0.isSkipped }.map(\.targetName))
        let made = Set(try ledger.madeObjects(main).filter { $0.kind == "table" }.map(\.name))
        if made != wanted { return "some of its tables are gone" }
        let others = try ledger.tablesWithOtherRows(schema: plan.schema, main)
        if !others.isEmpty { return "somebody else has written to \(others.joined(separator: ", "))" }
        return nil
    }

    /// The run as it was begun.
    func continuing(_ open: Open) -> Migration {
        var migration = self
        migration.preparation.plan = open.begun.plan
        migration.preparation.objects = open.begun.objects
        return migration
    }

    // MARK: After an error

    /// Whether what is loaded stays after an error: running again may go further. Tables of others are put back at once, so
    /// that they are never left with their triggers off; what a cancel finds empty is not worth keeping.
    func stays(_ ledger: Ledger, _ main: borrowing Postgres.Connection, after error: any Error) -> Bool {
        guard !(plan.adopt ?? false) else { return false }
        let isCancelled: Bool
        switch error {
        case let error as MigrationError where error.mayPass: return true
        // Class 53 is a lack of resources, such as a full disk.
        case let error as PostgresError where error.mayPass || error.sqlState?.hasPrefix("53") ?? false:
            return true
        case let error as MigrationError: isCancelled = error.code == .cancelled
        case let error as PostgresError: isCancelled = error.code == .cancelled
        default: isCancelled = false
        }
        return isCancelled && (try? ledger.loadedRows(main))?.isEmpty == false
    }

    /// The error to throw where what is loaded stays.
    func staying(
        _ ledger: Ledger, _ main: borrowing Postgres.Connection, after error: any Error
    ) -> MigrationError {
        let original = Self.explained(error, server.conninfo)
        let rows = (try? ledger.loadedRows(main))?.values.reduce(0, +)
        let words =
            rows.map { Format.count($0, "row is loaded, and stays", "rows are loaded, and stay") }
            ?? "what is loaded is there, and stays"
        return MigrationError(
            original.code, "\(original.message); \(words)",
            remedy: "Run the same command again: it goes on from there. With --restart it begins anew.",
            exit: original.exit, mayPass: original.mayPass)
    }
}

extension Preparation {
    /// Tells one plan from another; what the plan says of its making does not count.
    var planDigest: String { PlanFile.digest(plan) }
}

extension PostgresError {
    /// Whether trying again later may help: the connection or the server has gone away, or two sessions were in each
    /// other's way (https://www.postgresql.org/docs/current/errcodes-appendix.html).
    var mayPass: Bool {
        switch code {
        case .connectionLost, .connect: true
        case .server:
            ["57P01", "57P02", "57P03", "40001", "40P01", "53300"].contains(sqlState ?? "")
                || sqlState?.hasPrefix("08") ?? false
        default: false
        }
    }
}
