import Postgres
import Synchronization

/// Tries values in the types of the target's own tables while the plan is made, so that a decision can be taken about them.
///
/// A review goes through the plan several times: what was tried once is remembered. Any thread may use it.
final class AdoptedTrial: Sendable {
    private let server: TargetServer
    private let snapshot: Snapshot
    private let catalog: Catalog
    private let cancellation: Cancellation
    private let known = Mutex<[String: TypeTrial.Misfits]>([:])

    init(_ server: TargetServer, snapshot: Snapshot, catalog: Catalog, cancellation: Cancellation) {
        self.server = server
        self.snapshot = snapshot
        self.catalog = catalog
        self.cancellation = cancellation
    }

    /// Values of a column that the server's type or domain does not take, or gives back otherwise.
    func misfits(
        _ table: Catalog.Table, _ column: MigrationPlan.Column, domain: String?, isDecided: Bool,
        _ plan: MigrationPlan
    ) throws -> TypeTrial.Misfits {
        guard column.generated == nil, domain != nil || column.isForeign else { return .init() }
        let key = [table.name, column.name, column.type, domain ?? ""].joined(separator: "\u{0}")
        if let known = known.withLock({ $0[key] }) { return known }
        let trial = TypeTrial(
            data: SourceData(snapshot: snapshot, decided: nil), plan: plan, catalog: catalog,
            cancellation: cancellation)
        let misfits = try server.withConnection(purpose: "check") { connection in
            try trial.misfits(table, column, domain: domain, isDecided: isDecided, connection)
        }
        known.withLock { $0[key] = misfits }
        return misfits
    }
}
