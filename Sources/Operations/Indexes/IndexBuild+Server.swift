import MigrationEngine
import Postgres

/// What a build asks of the server.
extension IndexBuild {
    func settings(_ timeout: Duration) -> String {
        "SET lock_timeout = \(Int(timeout.seconds * 1000)); SET statement_timeout = 0"
    }

    func dropConcurrently(_ schema: String, _ name: String) throws {
        progress.say("dropping \(name)")
        defer { progress.say(nil) }
        try server.withConnection(purpose: Self.purpose) { connection in
            try connection.execute(settings(lockTimeout))
            try connection.execute("DROP INDEX CONCURRENTLY IF EXISTS \(quoteIdentifier(schema, name))")
        }
    }

    struct Found {
        let table: String?
        let isValid: Bool
        /// nil for a relation that is no index.
        let definition: String?
        let bytes: Int64?
    }

    /// What has a name; nil where nothing has.
    func find(_ schema: String, _ name: String) throws -> Found? {
        try server.withConnection(purpose: Self.purpose) { connection in
            try connection.execute("SET statement_timeout = '30s'")
            let row = try connection.query(
                """
                SELECT t.relname, i.indisvalid AND i.indisready, pg_get_indexdef(i.indexrelid), pg_relation_size(c.oid)
                FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indexrelid = c.oid LEFT JOIN pg_class AS t ON t.oid = i.indrelid
                WHERE c.oid = to_regclass($1)
                """, [quoteIdentifier(schema, name)])
            guard row.count > 0 else { return nil }
            return Found(
                table: row.text(0, 0), isValid: row.bool(0, 1), definition: row.text(0, 2),
                bytes: row.int(0, 3).map { Int64($0) })
        }
    }

    /// Drops what a build of howdah's has left, if it is not valid; one that the server has finished meanwhile stays, as made.
    func removeInvalid(_ record: inout IndexRecord) throws {
        try endBuild(record)
        // A build with a definition was to bring back what had been dropped.
        let isRestored = record.definition != nil
        let there = try find(record.schema, record.name)
        if let there, there.table == record.table, there.isValid {
            record.definition = there.definition
            record.state = isRestored ? .over : .made
            return try ledger.note(record)
        }
        // Where the name is another table's now, nothing of ours is left.
        if there?.table == record.table { try dropConcurrently(record.schema, record.name) }
        record.state = isRestored ? .dropped : .over
        try ledger.note(record)
    }

    /// Ends a session of a killed howdah's that is still at work on the index.
    func endBuild(_ record: IndexRecord) throws {
        try server.withConnection(purpose: Self.purpose) { connection in
            try connection.execute(settings(lockTimeout))
            let who = """
                FROM pg_stat_progress_create_index AS p JOIN pg_stat_activity AS a ON a.pid = p.pid
                WHERE p.index_relid = to_regclass($1) AND a.application_name LIKE 'howdah \(Self.purpose) (%'
                    AND a.usename = current_user AND a.pid <> pg_backend_pid()
                """
            let name = quoteIdentifier(record.schema, record.name)
            let ended = try connection.query("SELECT count(pg_terminate_backend(p.pid)) \(who)", [name])
            guard ended.int(0, 0) ?? 0 > 0 else { return }
            let deadline = ContinuousClock.now.advanced(by: .seconds(20))
            while try connection.query("SELECT EXISTS (SELECT \(who))", [name]).bool(0, 0) {
                try cancellation.check()
                guard ContinuousClock.now < deadline else {
                    throw MigrationError(
                        .locked, "a session of a howdah that was killed still builds \(record.name)",
                        remedy: "End it with pg_terminate_backend, and run this again.")
                }
                _ = try connection.query("SELECT pg_sleep(0.05)")
            }
        }
    }
}
