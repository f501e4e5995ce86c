import SQLite

/// Finds rows whose keys differ in SQLite and are one in PostgreSQL: '1' and 1 as text, two spellings of an instant, a text and
/// its bytes.
///
/// Keys are encoded as the copy encodes them, and their hashes are grouped in a private file of SQLite's, so that memory does
/// not grow with rows. Rows that do not fit their types are others' concern, and so are those with a NULL in the key.
struct KeyCheck {
    let snapshot: Snapshot
    let cancellation: Cancellation

    struct Trial {
        let table: Catalog.Table
        let columns: [String]
        let codes: [ColumnCode]
    }

    struct Outcome {
        /// Rows beyond the first of each key.
        var count = 0
        var samples = RowSamples()
    }

    /// Whether values that SQLite tells apart may become one in a column.
    static func mayMerge(_ column: MigrationPlan.Column, _ profile: ColumnProfile) -> Bool {
        let numbers = profile.integers + profile.reals
        let classes = [numbers, profile.texts, profile.blobs].count { $0 > 0 }
        switch column.postgresType {
        case .timestamp, .timestamptz, .date, .time, .boolean, .uuid: return profile.texts > 0
        default: return classes > 1
        }
    }

    /// `each` gets every row beyond the first of its key, in the order in which they are read; its identity begins at column 0.
    func run(
        _ trial: Trial, each: (borrowing SQLite.Statement, _ identityFrom: Int32) throws -> Void = { _, _ in }
    ) throws -> Outcome {
        guard let identity = RowIdentity(trial.table) else { return Outcome() }
        let source = try snapshot.open()
        let keys = try SQLite.Connection(path: "", mode: .readWrite)
        let (one, two) = (source.interrupter, keys.interrupter)
        return try cancellation.whileRegistered({
            one.interrupt()
            two.interrupt()
        }) {
            do {
                let columns = identity.names.joined(separator: ", ")
                try keys.execute("CREATE TABLE k (place INTEGER PRIMARY KEY, high, low, \(columns))")
                try note(trial, identity, source, keys)
                return try repeated(trial, columns, keys, each)
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            }
        }
    }

    private func note(
        _ trial: Trial, _ identity: RowIdentity, _ source: borrowing SQLite.Connection,
        _ keys: borrowing SQLite.Connection
    ) throws {
        let naming = trial.table.rowidName == nil ? trial.table.primaryKey : []
        let statement = try source.prepare(SourceQuery(trial.table, columns: trial.columns + naming).all)
        let count = Int32(trial.columns.count)
        let places = (1...identity.names.count + 2).map { "?\($0)" }.joined(separator: ", ")
        let insert = try keys.prepare(
            "INSERT INTO k (high, low, \(identity.names.joined(separator: ", "))) VALUES (\(places))")
        var encoder = RowEncoder(trial.codes)
        let hash = RowHash()
        try keys.execute("BEGIN")
        rows: while try statement.step() {
            for column in 0..<count where statement.isNull(column) { continue rows }
            let misfit = encoder.encodeRow(statement.handle)
            defer { encoder.removeAll() }
            if misfit != nil { continue }
            let digest = hash(encoder.bytes)
            try insert.bind(Int64(bitPattern: digest.high), at: 1)
            try insert.bind(Int64(bitPattern: digest.low), at: 2)
            for index in 0..<Int32(identity.names.count) {
                try insert.bind(valueOf: statement, column: count + index, at: index + 3)
            }
            try insert.run()
            insert.reset()
        }
        try keys.execute("COMMIT")
    }

    private func repeated(
        _ trial: Trial, _ columns: String, _ keys: borrowing SQLite.Connection,
        _ each: (borrowing SQLite.Statement, Int32) throws -> Void
    ) throws -> Outcome {
        let names = columns.split(separator: ", ").map { "k.\($0)" }.joined(separator: ", ")
        let statement = try keys.prepare(
            """
            SELECT \(names) FROM (SELECT high, low, min(place) AS first FROM k GROUP BY high, low HAVING count(*) > 1) AS d
            JOIN k ON k.high = d.high AND k.low = d.low AND k.place > d.first ORDER BY k.place
            """)
        var outcome = Outcome()
        while try statement.step() {
            outcome.count += 1
            outcome.samples.add(statement, of: trial.table, from: 0)
            try each(statement, 0)
        }
        return outcome
    }
}
