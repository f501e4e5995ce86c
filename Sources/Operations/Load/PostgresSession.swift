import MigrationEngine
import Postgres

/// A connection to the target that asks queries, as one user of the application does.
final class PostgresSession: LoadSession {
    private let connection: Postgres.Connection
    private let commits: Bool
    private var prepared: Set<Int> = []

    /// Throws `LoadFailure`.
    init(_ conninfo: Conninfo, _ options: LoadOptions, cancellation: Cancellation) throws {
        do {
            connection = try Postgres.Connection(
                conninfo, applicationName: "howdah load", isCancelled: { cancellation.isCancelled })
            commits = options.isScratch
            try connection.execute(options.settings)
        } catch {
            throw LoadFailure(error)
        }
    }

    var stop: @Sendable () -> Void {
        let canceller = connection.canceller
        return { canceller.cancel() }
    }

    func perform(_ number: Int, _ query: LoadQuery, _ values: [LoadValue]) throws {
        do {
            if !prepared.contains(number) {
                try connection.prepare(query.sql, name: "q\(number)")
                prepared.insert(number)
            }
            if query.kind.isWrite {
                try write(number, values)
            } else {
                _ = try connection.run(prepared: "q\(number)", values.map(\.text))
            }
        } catch let error as PostgresError {
            throw LoadFailure(error, values: values)
        }
    }

    /// Deferred constraints are checked too, as the end of the application's transaction would.
    private func write(_ number: Int, _ values: [LoadValue]) throws {
        try connection.execute("BEGIN")
        do {
            _ = try connection.run(prepared: "q\(number)", values.map(\.text))
            try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            try connection.execute(commits ? "COMMIT" : "ROLLBACK")
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }
}
