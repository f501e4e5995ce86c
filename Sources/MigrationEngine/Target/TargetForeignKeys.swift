import Foundation
import Postgres

/// A foreign key as the target has it, whoever made it.
struct TargetForeignKey {
    /// The referring table and the one that it refers to, qualified and quoted.
    let table: String
    let parent: String
    let name: String
    /// As `ALTER TABLE … ADD CONSTRAINT` takes it, without NOT VALID.
    let definition: String
    let columns: [String]
    let parentColumns: [String]
    /// What somebody has noted about it.
    let comment: String?
    /// Whether the server has looked at every row.
    private(set) var isValidated: Bool

    var asValidated: TargetForeignKey {
        var key = self
        key.isValidated = true
        return key
    }

    /// The foreign keys of the tables, and those of others to them.
    static func read(
        about tables: [String], _ connection: borrowing Postgres.Connection
    ) throws -> [TargetForeignKey] {
        guard !tables.isEmpty else { return [] }
        let list = tables.map(quoteLiteral).joined(separator: ", ")
        let result = try connection.query(
            """
            SELECT n.nspname, r.relname, pn.nspname, p.relname, c.conname, pg_get_constraintdef(c.oid), c.convalidated,
                (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
                    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.number),
                (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY AS k (number, place)
                    JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.number),
                obj_description(c.oid, 'pg_constraint')
            FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
                JOIN pg_class AS p ON p.oid = c.confrelid JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
            WHERE c.contype = 'f' AND c.conparentid = 0
                AND (c.conrelid = ANY (ARRAY[\(list)]::regclass[]) OR c.confrelid = ANY (ARRAY[\(list)]::regclass[]))
            ORDER BY 1, 2, 5
            """)
        return (0..<result.count).map { row in
            func text(_ column: Int) -> String { result.text(row, column) ?? "" }
            let definition = text(5)
            return TargetForeignKey(
                table: quoteIdentifier(text(0), text(1)), parent: quoteIdentifier(text(2), text(3)),
                name: text(4),
                definition: definition.hasSuffix(" NOT VALID") ? String(definition.dropLast(10)) : definition,
                columns: names(result.text(row, 7)), parentColumns: names(result.text(row, 8)),
                comment: result.text(row, 9),
                isValidated: result.bool(row, 6))
        }
    }

    private static func names(_ json: String?) -> [String] {
        json.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) } ?? []
    }

    func drop(_ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query("ALTER TABLE \(table) DROP CONSTRAINT \(quoteIdentifier(name))")
    }

    func make(isValid: Bool, _ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query(
            "ALTER TABLE \(table) ADD CONSTRAINT \(quoteIdentifier(name)) \(definition)"
                + (isValid ? "" : " NOT VALID"))
        guard let comment else { return }
        try connection.execute(
            "COMMENT ON CONSTRAINT \(quoteIdentifier(name)) ON \(table) IS \(quoteLiteral(comment))")
    }

    /// The rows of a relation whose columns name no row of the parent.
    func orphans(of rows: String, _ connection: borrowing Postgres.Connection) throws -> Int {
        let isSet = columns.map { "c.\(quoteIdentifier($0)) IS NOT NULL" }.joined(separator: " AND ")
        let isMet = zip(columns, parentColumns).map {
            "p.\(quoteIdentifier($1)) = c.\(quoteIdentifier($0))"
        }.joined(separator: " AND ")
        return try connection.query(
            "SELECT count(*) FROM \(rows) AND \(isSet) AND NOT EXISTS (SELECT FROM \(parent) AS p WHERE \(isMet))"
        ).int(0, 0) ?? 0
    }
}
