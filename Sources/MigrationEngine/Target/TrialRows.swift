import Postgres
import SQLite

/// Sends rows of the source into a temporary table of a trial's, for questions that only the server answers.
struct TrialRows {
    let data: SourceData
    let cancellation: Cancellation

    /// `query` reads the columns of `codes`, then the rowid where the table has one, which goes into `rowColumn`.
    ///
    /// A row that does not encode is left out: the check without a server has found it.
    func send(
        _ query: String, codes: [ColumnCode], into table: String, columns: [String], rowColumn: String?,
        _ target: borrowing Postgres.Connection
    ) throws {
        let names = (columns + [rowColumn].compactMap(\.self)).map(quoteIdentifier).joined(separator: ", ")
        var all = codes
        if rowColumn != nil { all.append(ColumnCode(.init(name: "row", type: "bigint"), enums: [])) }
        let connection = try data.open()
        let interrupter = connection.interrupter
        try cancellation.whileRegistered({ interrupter.interrupt() }) {
            let statement = try connection.prepare(query)
            var encoder = RowEncoder(all)
            encoder.appendHeader()
            _ = try target.copyIn("COPY \(table) (\(names)) FROM STDIN (FORMAT binary)") {
                do {
                    while try statement.step() {
                        if encoder.encodeRow(statement.handle) != nil { continue }
                        guard encoder.bytes.count >= 1 << 16 else { continue }
                        try target.send(encoder.bytes)
                        encoder.removeAll()
                    }
                } catch let error as SQLiteError where error.isInterrupted {
                    throw MigrationError.cancelled
                }
                encoder.appendTrailer()
                try target.send(encoder.bytes)
            }
        }
    }
}
