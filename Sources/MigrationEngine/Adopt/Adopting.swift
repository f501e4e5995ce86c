import Postgres

/// Whether, and where, tables that are there already are loaded.
public struct Adopting: Sendable {
    /// The operator's word; a plan may say the same.
    let isAsked: Bool
    private(set) var followsPlan = false
    private(set) var isNever = false
    /// The target, made when it is needed; nil where none is named.
    let server: (@Sendable () throws -> TargetServer)?

    public init(isAsked: Bool = false, server: TargetServer? = nil) {
        self.isAsked = isAsked
        self.server = if let server { { server } } else { nil }
    }

    /// Where the plan in the state folder alone decides whether tables are adopted.
    public init(server: @escaping @Sendable () throws -> TargetServer) {
        isAsked = false
        followsPlan = true
        self.server = server
    }

    /// For commands that reach no target: a plan for tables of a target's is not followed.
    public static let never = Adopting(isNever: true)

    private init(isNever: Bool) {
        isAsked = false
        self.isNever = isNever
        server = nil
    }

    /// Reads the target's tables; nil where howdah makes them.
    func adoption(
        _ proposal: Planner.Proposal, profiles: [String: TableProfile], catalog: Catalog,
        edited: MigrationPlan?, snapshot: Snapshot, state: StateFolder, cancellation: Cancellation
    ) throws -> Adoption? {
        let kept = followsPlan ? (try? PlanFile(path: state.planPath))?.plan.adopt : nil
        guard isAsked || edited?.adopt ?? kept ?? false else { return nil }
        if let edited, !(edited.adopt ?? false) {
            throw MigrationError(
                .plan,
                "the plan was made for tables that howdah makes, and not for those that are there already",
                remedy: "Make one with howdah plan SOURCE --adopt --to TARGET -o FILE, or leave --adopt out.",
                exit: .usage)
        }
        guard let server else {
            throw MigrationError(
                .plan, "the plan loads into tables that are there already, and no target is named",
                remedy:
                    "Name the target's URL (with --to for howdah plan); a rehearsal's own PostgreSQL has no such "
                    + "tables.", exit: .usage)
        }
        let reached = try server()
        let trial = AdoptedTrial(reached, snapshot: snapshot, catalog: catalog, cancellation: cancellation)
        var adoption = try reached.withConnection(purpose: "adopt") { connection in
            let schema = proposal.plan.schema
            let target = try TargetCatalogReader.read(schema: schema, connection)
            let matches = Adoption.tables(proposal.plan, edited, target)
            let tables = matches.values.compactMap(target.table(named:)).filter(\.isOpen)
            let rows = try Self.rowsBefore(tables.map(\.name), schema: schema, connection)
            return Adoption(
                proposal, profiles: profiles, catalog: catalog, edited: edited, target: target,
                rowsBefore: rows,
                trial: trial)
        }
        adoption.seeds = try SeedRows.compare(
            adoption, profiles: profiles, catalog: catalog, snapshot: snapshot, server: reached,
            cancellation: cancellation)
        return adoption
    }

    /// Rows that are there and that howdah has not loaded.
    private static func rowsBefore(
        _ tables: [String], schema: String, _ connection: borrowing Postgres.Connection
    ) throws -> [String: Int] {
        // An open run is taken back before the next one begins; after one that ended, somebody may have emptied its tables.
        let open = try Ledger.unproven(schema: schema, connection)?.ledger
        let noted = try (open ?? Ledger.newest(schema: schema, connection))?.rowsBefore(connection) ?? [:]
        var rows: [String: Int] = [:]
        for table in tables {
            let name = quoteIdentifier(schema, table)
            let count = try connection.query("SELECT count(*) FROM \(name)").int(0, 0) ?? 0
            rows[table] = noted[table].map { open == nil ? min($0, count) : $0 } ?? count
        }
        return rows
    }
}
