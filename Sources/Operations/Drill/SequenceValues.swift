import MigrationEngine
import Postgres

/// Where every sequence of a database stands.
///
/// A sequence belongs to no snapshot: it goes on while the application writes (https://www.postgresql.org/docs/current/functions-sequence.html).
/// So a drill looks before the dump and after it; what was restored must lie between the two.
struct SequenceValues {
    struct Value: Equatable {
        let number: Int64
        let isCalled: Bool
        /// Whether it counts down.
        let descends: Bool

        /// Grows with every number that is taken.
        var order: (Int64, Int) { (descends ? ~number : number, isCalled ? 1 : 0) }
    }

    let values: [String: Value]

    init(values: [String: Value]) {
        self.values = values
    }

    init(_ connection: borrowing Postgres.Connection) throws {
        let names = try connection.query(
            """
            SELECT format('%I.%I', nspname, relname), seqincrement < 0 FROM pg_sequence AS s
            JOIN pg_class AS c ON c.oid = s.seqrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE \(DatabaseFacts.noSystemSchemas) AND c.relpersistence <> 't' AND NOT EXISTS (
                SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
            ORDER BY 1
            """)
        var values: [String: Value] = [:]
        for row in 0..<names.count {
            guard let name = names.text(row, 0) else { continue }
            let found = try connection.query("SELECT last_value, is_called FROM \(name)")
            values[name] = Value(
                number: found.text(0, 0).flatMap { Int64($0) } ?? 0, isCalled: found.bool(0, 1),
                descends: names.bool(row, 1))
        }
        self.values = values
    }

    /// What of the restored values can be no state that the original went through between two looks.
    static func problems(before: SequenceValues, after: SequenceValues, restored: SequenceValues) -> [String]
    {
        before.values.sorted { $0.key < $1.key }.compactMap { name, first -> String? in
            guard let last = after.values[name] else { return nil }
            guard let found = restored.values[name] else { return "sequence \(name) was not restored" }
            let isRising = first.order <= last.order
            let (low, high) = isRising ? (first.order, last.order) : (last.order, first.order)
            if found.order >= low, found.order <= high { return nil }
            return
                "sequence \(name) was restored as \(found.number), and the original stands at \(first.number)"
        }
    }
}
