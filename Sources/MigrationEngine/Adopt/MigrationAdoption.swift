import Postgres

/// What a run does with tables that somebody else has made, see `Ledger.makeReady`.
extension Migration {
    /// What is decided about rows that are in a table already.
    private func choice(_ table: MigrationPlan.Table) -> String? {
        preparation.findings.first { $0.id == .rowsInTarget && $0.table == table.name }?.decision
    }

    /// Notes the adopted tables in the ledger, in the transaction that begins the run.
    func adopt(_ ledger: Ledger, _ main: borrowing Postgres.Connection) throws {
        for table in plan.adoptedTables {
            try ledger.adopt(table, choice: choice(table), schema: plan.schema, main)
        }
    }

    /// Throws where a run that ended well has loaded the tables before.
    func refuseSecondLoad(_ main: borrowing Postgres.Connection) throws {
        guard !plan.adoptedTables.isEmpty, let ledger = try Ledger.newest(schema: plan.schema, main),
            let status = try ledger.status(main), status.stage == .ended
        else { return }
        for table in try ledger.adopted(schema: plan.schema, main) {
            let name = script.qualified(table.name)
            guard try connectionHasRows(name, main) else { continue }
            throw MigrationError(
                .targetNotEmpty,
                "\(server.conninfo.url) holds the run that began at \(status.started), with "
                    + "\(Format.count(status.rows)) rows; it ended as \(status.outcome ?? "unknown")",
                remedy:
                    "howdah validate compares it again. To load it anew, undo step 1.8, which takes out its rows and no "
                    + "others, or empty its tables yourself first.", exit: .undecided)
        }
    }

    private func connectionHasRows(_ table: String, _ main: borrowing Postgres.Connection) throws -> Bool {
        try main.query("SELECT EXISTS (SELECT FROM \(table))").bool(0, 0)
    }

    /// Tables whose own rows stay, by their names in the source.
    var keptTables: Set<String> {
        Set(plan.adoptedTables.filter { choice($0) == Choice.Word.keep.rawValue }.map(\.name))
    }

    /// What sessions that load say first.
    var loadingSession: String {
        preparation.hold?.way == .replica ? "; " + Holding.asReplica : ""
    }

    /// Pieces that may be loaded beside each other, in the order in which they must be loaded.
    func waves(_ chunks: [Ledger.Chunk]) -> [[Ledger.Chunk]] {
        guard let hold = preparation.hold, hold.way == .ordered else { return [chunks] }
        return hold.order.map { names in chunks.filter { names.contains($0.table) } }.filter { !$0.isEmpty }
    }

    /// Whether a table goes as one piece: its rows refer to each other, and the server looks when a piece ends.
    func isLoadedAtOnce(_ name: String) -> Bool {
        guard let hold = preparation.hold, hold.way == .ordered,
            let table = plan.tables.first(where: { $0.name == name })
        else { return false }
        return hold.refersToItself(table)
    }
}
