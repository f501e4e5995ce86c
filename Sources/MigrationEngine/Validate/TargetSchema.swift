import Foundation
import Postgres

/// The tables and views of one schema of a target, by name, as `pg_class` has them.
struct TargetSchema: Sendable {
    let name: String
    /// Whether we may look up what is in it.
    let mayBeUsed: Bool
    /// `relkind` by name: r, p and f are tables, v and m views.
    let relations: [String: String]

    var tables: [String] { names(of: ["r", "p", "f"]) }
    var views: [String] { names(of: ["v", "m"]) }

    private func names(of kinds: Set<String>) -> [String] {
        relations.filter { kinds.contains($0.value) }.keys.sorted()
    }

    /// What kind of relation it is where it is no plain table.
    static let words = [
        "p": "a partitioned table", "f": "a foreign table", "v": "a view", "m": "a materialized view",
    ]

    /// Every schema that can hold an application's tables; of partitions only the table that they belong to, and nothing of
    /// an extension's.
    static func all(_ connection: borrowing Postgres.Connection) throws -> [TargetSchema] {
        let result = try connection.query(
            """
            SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE'), json_object_agg(c.relname, c.relkind)
            FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid
            WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'howdah')
                AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
                AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.deptype = 'e')
            GROUP BY n.oid, n.nspname ORDER BY n.nspname
            """)
        return (0..<result.count).map { row in
            let json = Data((result.text(row, 2) ?? "{}").utf8)
            return TargetSchema(
                name: result.text(row, 0) ?? "", mayBeUsed: result.bool(row, 1),
                relations: (try? JSONDecoder().decode([String: String].self, from: json)) ?? [:])
        }
    }

    /// Throws where the target has no such schema, with tables or without.
    static func refuseUnknown(_ name: String, _ connection: borrowing Postgres.Connection) throws {
        let known = try connection.query(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
        )
        let names = (0..<known.count).compactMap { known.text($0, 0) }
        guard names.contains(name) else {
            throw MigrationError(
                .target, "the target has no schema \(name)",
                remedy: "Its schemas are: \(names.joined(separator: ", ")).", exit: .usage)
        }
    }
}

/// Looks for the schema that holds a source's tables, where nobody has said which it is.
struct SchemaSearch {
    let names: TargetNames
    let schemas: [TargetSchema]

    /// The chosen schema, and what is to be said about it; throws where two hold as many.
    /// `loaded` is the one that howdah has loaded itself.
    func choose(planned: String, given: String?, loaded: String?) throws -> (
        schema: TargetSchema, remark: String?
    ) {
        if let given { return (schema(given), nil) }
        if let loaded {
            let remark = "compared with the schema \(loaded), which howdah has loaded"
            return (schema(loaded), loaded == planned ? nil : remark)
        }
        let scores = schemas.map { (schema: $0, score: score($0)) }
        guard let best = scores.map(\.score).max(by: <), best.all > 0 else {
            guard names.plan.tables.contains(where: { !$0.isSkipped }) else { return (schema(planned), nil) }
            let known = schemas.isEmpty ? "" : " (\(schemas.map(\.name).joined(separator: ", ")))"
            return (
                schema(planned),
                "no schema of the target\(known) holds any table of the source's: is it the right database?"
            )
        }
        let first = scores.filter { $0.score == best }.map(\.schema)
        if let same = first.first(where: { $0.name == planned }) { return (same, nil) }
        guard first.count == 1, let found = first.first else {
            let names = first.map(\.name).joined(separator: ", ")
            throw MigrationError(
                .target, "the schemas \(names) each hold \(best.all) of the source's tables",
                remedy: "Say which one is meant with --schema.", exit: .usage)
        }
        let count = names.plan.tables.filter { !$0.isSkipped }.count
        return (
            found,
            "compared with the schema \(found.name), which holds \(best.all) of the source's \(count) tables"
                + "; \(planned) holds \(score(schema(planned)).all)"
        )
    }

    private func schema(_ name: String) -> TargetSchema {
        schemas.first { $0.name == name } ?? TargetSchema(name: name, mayBeUsed: true, relations: [:])
    }

    /// Tables count before views: a schema of views over another one's tables is common.
    private struct Score: Comparable {
        var tables: Int
        var all: Int

        static func < (one: Score, other: Score) -> Bool {
            (one.tables, one.all) < (other.tables, other.all)
        }
    }

    private func score(_ schema: TargetSchema) -> Score {
        let found = names.tables(in: schema).matches
        let tables = found.values.count { !["v", "m"].contains(schema.relations[$0]) }
        return Score(tables: tables, all: found.count)
    }
}
