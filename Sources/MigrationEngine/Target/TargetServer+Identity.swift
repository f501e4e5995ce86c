import Postgres

extension TargetServer {
    /// Which database of which server this is, by whatever name: see below. Blocks; throws as `withConnection` does.
    public func identity() throws -> String? {
        try withConnection(purpose: "target") { try Self.identity($0) }
    }

    /// Which database of which server a connection leads to, by whatever name: `SERVER/DATABASE`, both as the server's own numbers.
    ///
    /// nil where the role may not ask for the server's number (`pg_control_system`); a transaction goes on all the same.
    public static func identity(_ connection: borrowing Postgres.Connection) throws -> String? {
        let mayAsk = try connection.query(
            "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')"
        ).bool(0, 0)
        guard mayAsk else { return nil }
        return try connection.query(
            """
            SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid FROM pg_database WHERE datname = current_database()
            """
        ).text(0, 0)
    }
}
