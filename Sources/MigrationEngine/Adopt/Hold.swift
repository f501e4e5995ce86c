/// How triggers and foreign keys of adopted tables are held off while rows are loaded, by what the user may do.
struct Hold: Sendable {
    enum Way: Sendable {
        /// `session_replication_role = replica` in the loading sessions alone.
        case replica
        /// Triggers disabled and foreign keys dropped, noted in the ledger, and put back after the load.
        case owner
        /// Nothing is held off: parents are loaded before their children.
        case ordered
    }

    let way: Way
    private let plan: MigrationPlan
    private let target: TargetCatalog
    /// Tables that refer to each other in a circle, by their names in the source.
    private let inCycles: Set<String>
    /// Names in the source, parents before children.
    let order: [[String]]

    init(plan: MigrationPlan, target: TargetCatalog) {
        self.plan = plan
        self.target = target
        let tables = plan.adoptedTables.compactMap { target.table(named: $0.targetName) }
        // Such triggers fire in replicas too, and only the owner can disable them.
        let needsOwner = tables.filter { !$0.isOwned && $0.triggers.contains { "RA".contains($0.state) } }
        way =
            target.mayReplicate && needsOwner.isEmpty
            ? .replica : tables.allSatisfy(\.isOwned) ? .owner : .ordered
        (order, inCycles) = Self.order(plan, target)
    }

    /// Layers of tables, each of which refers to earlier ones alone, and the tables for which there is no such order.
    private static func order(_ plan: MigrationPlan, _ target: TargetCatalog) -> ([[String]], Set<String>) {
        var waiting: [String: Set<String>] = [:]
        let sources = Dictionary(
            plan.adoptedTables.map { ($0.targetName, $0.name) }, uniquingKeysWith: { first, _ in first })
        for table in plan.tables where !table.isSkipped {
            let keys = plan.isAdopted(table) ? target.table(named: table.targetName)?.foreignKeys ?? [] : []
            waiting[table.name] = Set(keys.compactMap { $0.parent.flatMap { sources[$0] } })
                .subtracting([table.name])
        }
        var order: [[String]] = []
        while !waiting.isEmpty {
            let free = waiting.filter { $0.value.isEmpty }.keys.sorted()
            if free.isEmpty { break }
            order.append(free)
            for name in free { waiting[name] = nil }
            for name in waiting.keys { waiting[name]?.subtract(free) }
        }
        return (order, Set(waiting.keys))
    }

    /// Whether rows of the table refer to others of its own.
    func refersToItself(_ table: MigrationPlan.Table) -> Bool {
        target.table(named: table.targetName)?.foreignKeys.contains { $0.parent == table.targetName } ?? false
    }

    /// Why a table cannot be loaded by somebody who may hold nothing off.
    func obstacles(_ table: MigrationPlan.Table) -> [Finding] {
        guard way == .ordered, let found = target.table(named: table.targetName) else { return [] }
        let remedy = "load as a superuser, or as the owner of the tables"
        var findings: [Finding] = []
        if inCycles.contains(table.name) {
            findings.append(
                Adoption.cannotBeLoaded(
                    table,
                    "its foreign keys go round in a circle with those of other tables, and you may not hold them "
                        + "off: \(remedy)"))
        }
        let firing = found.triggers.filter {
            "OA".contains($0.state) && ($0.firesOnInsert || $0.firesOnDelete)
        }
        if let trigger = firing.first {
            findings.append(
                Adoption.cannotBeLoaded(
                    table,
                    "its trigger \(trigger.name) would fire for every row, and you may not disable it: \(remedy)"
                ))
        }
        return findings
    }
}
