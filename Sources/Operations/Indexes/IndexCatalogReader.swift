import Foundation
import MigrationEngine
import Postgres

/// Reads a schema's tables and indexes from the server's catalog. What the role may not see is left out, never counted as nothing.
struct IndexCatalogReader {
    let schema: String

    func read(_ connection: borrowing Postgres.Connection) throws -> IndexCatalog {
        IndexCatalog(
            schema: schema, tables: try rows(Self.tables, connection),
            columns: grouped(try rows(Self.columns, connection), by: \.table),
            indexes: grouped(try rows(Self.indexes, connection), by: \.table),
            foreignKeys: grouped(try rows(Self.foreignKeys, connection), by: \.table),
            statisticsAge: try age(connection), taken: Set(try rows(Self.names, connection)))
    }

    /// Rows travel as JSON: names may hold anything.
    private func rows<T: Decodable>(
        _ sql: String, _ connection: borrowing Postgres.Connection
    ) throws -> [T] {
        let text = try connection.query(
            "SELECT coalesce(json_agg(r.row), '[]') FROM (\(sql)) AS r (row)", [quoteIdentifier(schema)]
        ).text(0, 0)
        return try JSONDecoder().decode([T].self, from: Data((text ?? "[]").utf8))
    }

    private func grouped<T>(_ values: [T], by table: (T) -> String) -> [String: [T]] {
        Dictionary(grouping: values, by: table)
    }

    /// Since when the server counts uses: since they were last set to zero, or at least since it was started.
    private func age(_ connection: borrowing Postgres.Connection) throws -> Double? {
        try connection.query(
            """
            SELECT extract(epoch FROM now() - coalesce(stats_reset, pg_postmaster_start_time()))
            FROM pg_stat_database WHERE datname = current_database()
            """
        ).text(0, 0).flatMap { Double($0) }
    }

    /// What howdah and Prisma keep for themselves.
    private static let mine = "c.relname NOT IN ('_prisma_migrations')"

    private static let tables = """
        SELECT json_build_object('name', c.relname, 'isPartitioned', c.relkind = 'p', 'parent',
            (SELECT p.relname FROM pg_inherits AS h JOIN pg_class AS p ON p.oid = h.inhparent
                WHERE c.relispartition AND h.inhrelid = c.oid),
            'isOwned', pg_has_role(current_user, c.relowner, 'USAGE'), 'owner', pg_get_userbyid(c.relowner),
            'estimate', c.reltuples, 'live', s.n_live_tup, 
            'pages', pg_relation_size(c.oid) / current_setting('block_size')::int, 'pagesThen', c.relpages,
            'isAnalysed', s.last_analyze IS NOT NULL OR s.last_autoanalyze IS NOT NULL OR EXISTS (
                SELECT FROM pg_stats AS p WHERE p.schemaname = n.nspname AND p.tablename = c.relname),
            'reads', coalesce(s.seq_scan, 0) + coalesce(s.idx_scan, 0),
            'writes', s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 'bytes', pg_table_size(c.oid))
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
        WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p') AND \(mine) ORDER BY c.relname
        """

    private static let columns = """
        SELECT json_build_object('table', c.relname, 'name', a.attname, 'type', coalesce(b.typname, t.typname),
            'category', coalesce(b.typcategory, t.typcategory), 'distinct', s.n_distinct, 'width', s.avg_width)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            JOIN pg_attribute AS a ON a.attrelid = c.oid JOIN pg_type AS t ON t.oid = a.atttypid
            LEFT JOIN pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
            LEFT JOIN pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname
                AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
        WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p') AND \(mine)
            AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum
        """

    private static let indexes = """
        SELECT json_build_object('table', c.relname, 'name', x.relname, 'method', m.amname,
            'isUnique', i.indisunique, 'isPrimary', i.indisprimary, 'isValid', i.indisvalid AND i.indisready,
            'isBuilding', EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = x.oid),
            'isConstraint', EXISTS (SELECT FROM pg_constraint AS n WHERE n.conindid = x.oid),
            'isPinned', i.indisreplident OR i.indisclustered OR x.relispartition OR x.relkind = 'I',
            'keys', (SELECT json_agg(json_build_object('column', a.attname,
                    'expression', CASE WHEN k.number = 0 THEN pg_get_indexdef(x.oid, k.place::int, false) END,
                    'operators', i.indclass[k.place - 1]::bigint, 'collation', i.indcollation[k.place - 1]::bigint,
                    'order', i.indoption[k.place - 1]) ORDER BY k.place)
                FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                LEFT JOIN pg_attribute AS a ON k.number > 0 AND a.attrelid = c.oid AND a.attnum = k.number
                WHERE k.place <= i.indnkeyatts),
            'included', (SELECT coalesce(json_agg(a.attname ORDER BY k.place), '[]')
                FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number WHERE k.place > i.indnkeyatts),
            'predicate', pg_get_expr(i.indpred, c.oid), 'definition', pg_get_indexdef(x.oid),
            'bytes', pg_relation_size(x.oid), 'scans', s.idx_scan)
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_class AS x ON x.oid = i.indexrelid
            JOIN pg_am AS m ON m.oid = x.relam LEFT JOIN pg_stat_all_indexes AS s ON s.indexrelid = x.oid
        WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p') AND \(mine)
        ORDER BY c.relname, i.indisprimary DESC, x.relname
        """

    private static let foreignKeys = """
        SELECT json_build_object('table', c.relname, 'name', f.conname, 'parent', p.relname,
            'columns', (SELECT json_agg(a.attname ORDER BY k.place)
                FROM unnest(f.conkey) WITH ORDINALITY AS k (number, place)
                JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number))
        FROM pg_constraint AS f JOIN pg_class AS c ON c.oid = f.conrelid JOIN pg_class AS p ON p.oid = f.confrelid
        WHERE f.contype = 'f' AND f.conparentid = 0 AND c.relnamespace = to_regnamespace($1) AND \(mine)
        ORDER BY c.relname, f.conname
        """

    private static let names = """
        SELECT to_json(c.relname) FROM pg_class AS c WHERE c.relnamespace = to_regnamespace($1)
        """
}
