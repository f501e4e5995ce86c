/// Makes the plan that carries a catalog over, and tells what stands in the way.
///
/// Pure: the same catalog and profiles give the same plan. The plan's tables come in the order of the hints, then
/// of the source.
public struct Planner: Sendable {
    public let catalog: Catalog
    public let profiles: [String: TableProfile]
    public let style: Style
    public let hints: SchemaHints?
    public let schema: String
    public let snapshot: String
    public let identifiers: Identifiers

    public init(
        catalog: Catalog, profiles: [String: TableProfile], style: Style, hints: SchemaHints?, schema: String,
        snapshot: String, identifiers: Identifiers = .exact
    ) {
        self.identifiers = identifiers
        self.catalog = catalog
        self.profiles = profiles
        self.style = style
        self.hints = hints
        self.schema = schema
        self.snapshot = snapshot
    }

    /// A plan with what is known of it before any value is tried.
    public struct Proposal: Sendable {
        public var plan: MigrationPlan
        public var findings: [Finding] = []
        public var objects: [ObjectState] = []
        /// What of the plan was translated, for the types that it has.
        var expressions = PlannedExpressions()
        /// Names that are taken before expressions get theirs.
        var names = NameSpace()
    }

    /// The tables whose rows are carried, in the order of the plan.
    public static func carriedTables(_ catalog: Catalog, hints: SchemaHints?) -> [Catalog.Table] {
        let carried = catalog.tables.filter { Bookkeeping.reason($0.name) == nil }
        guard let order = hints?.tableOrder, !order.isEmpty else { return carried }
        let rank = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: min)
        return carried.enumerated()
            .sorted {
                (rank[$0.element.name] ?? .max, $0.offset) < (rank[$1.element.name] ?? .max, $1.offset)
            }
            .map(\.element)
    }

    public func propose() -> Proposal {
        let tables = Self.carriedTables(catalog, hints: hints)
        let enums = hints?.enums.map { MigrationPlan.Enumeration(name: $0.key, labels: $0.value) } ?? []
        let used = Set(hints?.columns.values.flatMap { $0.values.compactMap(\.enumeration) } ?? [])
        var proposal = Proposal(
            plan: MigrationPlan(
                snapshot: snapshot, sourceSchema: catalog.digest, style: style, schema: schema,
                enums: enums.filter { used.contains($0.name) }.sorted { $0.name < $1.name }, tables: []))
        for twin in Naming.twins(catalog.tables.map(\.name)) {
            proposal.findings.append(
                Finding(
                    .nameNotPossible, blocking: true, table: twin,
                    "the name of the table \(twin) \(Naming.twinWhy): rename it in the source, in a copy of it"
                ))
        }
        var names = NameSpace()
        for table in tables { _ = names.claim(table.name) }
        let choices = ColumnChoices(
            tables: tables, profiles: profiles, style: style, hints: hints, enums: proposal.plan.enums
        ).choose()
        let builders = tables.map { table in
            TablePlanner(
                table: table, profile: profiles[table.name] ?? TableProfile(),
                choices: choices[table.name] ?? [], style: style, hints: hints, enums: proposal.plan.enums)
        }
        for name in builders.flatMap(\.sequenceNames) { _ = names.claim(name) }
        for builder in builders {
            proposal.plan.tables.append(builder.build(names: &names, into: &proposal))
        }
        DateFindings.addZone(choices, profiles, style: style, &proposal.findings)
        listOthers(&proposal)
        proposal.plan.spell(identifiers)
        proposal.names = names
        proposal.expressions = ExpressionPlanner(
            catalog: catalog, profiles: profiles, plan: proposal.plan, names: names
        ).expressions()
        proposal.plan = proposal.expressions.added(to: proposal.plan)
        return proposal
    }

    /// What is no table: listed, so that nothing is left out without a word.
    private func listOthers(_ proposal: inout Proposal) {
        for table in catalog.tables {
            if let reason = Bookkeeping.reason(table.name) {
                proposal.objects.append(.leftOut(.table, table.name, reason))
            }
        }
        for table in catalog.virtualTables {
            let why =
                VirtualTable(table) == nil
                ? "its module keeps the rows in a way of its own"
                : "its rows can become those of a plain table"
            proposal.objects.append(.notSupported(.virtualTable, table.name, why))
        }
        for name in catalog.shadowTables {
            proposal.objects.append(.leftOut(.shadowTable, name, "belongs to a virtual table"))
        }
    }
}
