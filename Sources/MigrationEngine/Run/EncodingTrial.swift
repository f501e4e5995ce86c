import Synchronization

/// Reads and encodes every row as the copy does, and sends nothing: what a copy costs before any server takes part.
public struct EncodingTrial: Sendable {
    private let preparation: Preparation
    private let workers: Int
    private let cancellation: Cancellation

    public init(_ preparation: Preparation, workers: Int, cancellation: Cancellation) {
        self.preparation = preparation
        self.workers = workers
        self.cancellation = cancellation
    }

    /// Returns the rows, with the seconds from the first to the last. Throws where a value does not fit its type.
    public func run() throws -> (rows: Int, seconds: Double) {
        let start = ContinuousClock.now
        let tables = preparation.plan.tables.filter { !$0.isSkipped }
        let pieces = tables.flatMap { table in
            (preparation.profiles[table.name]?.pieces ?? []).map { (table, $0) }
        }
        let queue = WorkQueue(pieces)
        let rows = Atomic<Int>(0)
        try WorkerThreads.run(count: workers, onFirstError: { queue.stop() }) { _ in
            while let (table, piece) = queue.next() {
                rows.add(try encode(piece, of: table), ordering: .relaxed)
            }
        }
        return (rows.load(ordering: .relaxed), (ContinuousClock.now - start).seconds)
    }

    private func encode(_ piece: TablePiece, of table: MigrationPlan.Table) throws -> Int {
        guard let source = preparation.catalog.tables.first(where: { $0.name == table.name }) else {
            return 0
        }
        try cancellation.check()
        let (columns, codes) = preparation.encoding(of: table)
        let connection = try preparation.data.open()
        var rows = try SourceRows.read(
            piece, of: source, columns: columns.map(\.name), connection,
            decided: preparation.data.decided?.tables[table.name])
        var encoder = RowEncoder(codes, borrowsLargeValues: true)
        var count = 0
        while try rows.next() {
            if let misfit = encoder.encodeRow(rows) {
                throw MigrationError(
                    .value, "\(table.name).\(columns[encoder.misfitColumn].name): \(misfit.message)",
                    remedy: "howdah plan shows what there is to decide.", exit: .undecided)
            }
            count += 1
            if encoder.bytes.count >= Loader.flushBytes || encoder.hasBorrowed { encoder.removeAll() }
        }
        return count
    }
}

extension Preparation {
    /// The columns of a table that hold data, PostgreSQL computing the others, and how each is encoded.
    func encoding(of table: MigrationPlan.Table) -> (columns: [MigrationPlan.Column], codes: [ColumnCode]) {
        let columns = table.columns.filter { !$0.isGenerated }
        let decided = decidedColumns[table.name]
        return (
            columns,
            columns.map { column in
                let dates = DateReading(style: plan.style, isDecided: decided?.contains(column.name) ?? false)
                return ColumnCode(column, enums: plan.enums, dates: dates)
            }
        )
    }
}
