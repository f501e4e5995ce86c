import CSQLite
import SQLite

/// Tries the encoder on every value of columns whose fit the profile does not prove, without a server.
///
/// What passes here is taken by the copy from the same immutable snapshot.
struct FitCheck {
    let snapshot: Snapshot
    let cancellation: Cancellation

    /// One column to try.
    struct Trial {
        let table: Catalog.Table
        let column: String
        let code: ColumnCode
    }

    /// What did not fit, by reason.
    struct Outcome {
        var count = 0
        var reasons: [Misfit: Int] = [:]
        var samples = RowSamples()
    }

    /// `each` gets every row that does not fit, with the first column of what `naming` names it by.
    func run(
        _ trial: Trial, each: (borrowing SQLite.Statement, _ identityFrom: Int32) throws -> Void = { _, _ in }
    ) throws -> Outcome {
        let connection = try snapshot.open()
        let interrupter = connection.interrupter
        return try cancellation.whileRegistered({ interrupter.interrupt() }) {
            do {
                return try run(trial, connection, each)
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            }
        }
    }

    private func run(
        _ trial: Trial, _ connection: borrowing SQLite.Connection,
        _ each: (borrowing SQLite.Statement, Int32) throws -> Void
    ) throws -> Outcome {
        let statement = try connection.prepare(
            SourceQuery(trial.table, columns: [trial.column] + RowSamples.naming(trial.table)).all)
        let handle = statement.handle
        var encoder = RowEncoder([trial.code])
        var outcome = Outcome()
        while try statement.step() {
            let misfit =
                encoder.encodeRow(handle) ?? (trial.code.checksText ? Self.encodingMisfit(handle) : nil)
            encoder.removeAll()
            guard let misfit else { continue }
            outcome.count += 1
            outcome.reasons[misfit, default: 0] += 1
            outcome.samples.add(statement, of: trial.table, from: 1)
            try each(statement, 1)
        }
        return outcome
    }

    /// The copy takes a text's bytes as they are: whether PostgreSQL takes them is looked at here, once.
    private static func encodingMisfit(_ handle: OpaquePointer) -> Misfit? {
        guard sqlite3_column_type(handle, 0) == SQLITE_TEXT, let start = sqlite3_column_text(handle, 0) else {
            return nil
        }
        let scan = TextScan(start, count: Int(sqlite3_column_bytes(handle, 0)))
        return scan.isValid && !scan.hasNUL ? nil : .encoding
    }
}

extension ColumnCode {
    var checksText: Bool { [.text, .varchar, .char].contains(operation) }
}
