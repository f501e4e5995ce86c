import MigrationEngine
import Postgres

/// A sequence that a transaction holds, so that what is taken from it goes back with a rollback.
struct HeldSequence {
    let name: String
    fileprivate let before: String

    func hasMoved(_ connection: borrowing Postgres.Connection) throws -> Bool {
        try SequenceHold.position(of: name, connection) != before
    }
}

/// A sequence that may not be looked at: what a trigger takes from it, by other rights than the role's own, is not seen.
struct UnseenSequence: Error {
    let name: String

    var words: String {
        "what its triggers take from \(name) cannot be seen: the role may not read that sequence; a scratch copy can be asked"
    }
}

/// Numbers that are taken from a sequence are not given back by a rollback, but for one: a sequence that is restarted in a
/// transaction gets a new file, and the rollback brings the old one back with all that it said
/// (https://www.postgresql.org/docs/current/sql-altersequence.html). So a trial can see whether a trigger takes numbers,
/// and leave none missing.
enum SequenceHold {
    struct Position: Sendable, Equatable {
        let name: String
        let value: String
    }

    /// Every sequence of the database: a function may take from one with its owner's rights.
    private static let all = """
        SELECT format('%I.%I', n.nspname, c.relname),
            has_schema_privilege(n.oid, 'USAGE') AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') END,
            s.seqincrement, s.seqmin, s.seqmax
        FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname <> 'howdah' AND c.relpersistence <> 't'
        ORDER BY 1
        """

    /// Holds every sequence that the connection's transaction may restart. Throws where there is one that a trigger may take
    /// from, and that cannot be held: `UnseenSequence` where it cannot even be looked at.
    static func hold(_ connection: borrowing Postgres.Connection) throws -> [HeldSequence] {
        let result = try connection.query(all)
        if let unseen = (0..<result.count).first(where: { !result.bool($0, 1) }) {
            throw UnseenSequence(name: result.text(unseen, 0) ?? "")
        }
        var held: [HeldSequence] = []
        for row in 0..<result.count {
            let name = result.text(row, 0) ?? ""
            let facts = try connection.query("SELECT last_value, is_called FROM \(name)")
            let last = Int64(facts.text(0, 0) ?? "") ?? 1
            let step = Int64(result.text(row, 2) ?? "") ?? 1
            let (next, isTooFar) = facts.bool(0, 1) ? last.addingReportingOverflow(step) : (last, false)
            let bounds =
                (Int64(result.text(row, 3) ?? "") ?? .min)...(Int64(result.text(row, 4) ?? "") ?? .max)
            // One that has no number left gives none to a trigger either.
            guard !isTooFar, bounds.contains(next) else { continue }
            try connection.execute("ALTER SEQUENCE \(name) RESTART WITH \(next)")
            held.append(HeldSequence(name: name, before: try position(of: name, connection)))
        }
        return held
    }

    /// Where every sequence stands that can be looked at.
    static func positions(_ connection: borrowing Postgres.Connection) throws -> [Position] {
        let result = try connection.query(all)
        return try (0..<result.count).filter { result.bool($0, 1) }.map { row in
            let name = result.text(row, 0) ?? ""
            return Position(name: name, value: try position(of: name, connection))
        }
    }

    static func position(of name: String, _ connection: borrowing Postgres.Connection) throws -> String {
        let facts = try connection.query("SELECT last_value, is_called FROM \(name)")
        return "\(facts.text(0, 0) ?? "") \(facts.text(0, 1) ?? "")"
    }
}
