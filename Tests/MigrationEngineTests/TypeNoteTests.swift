import Foundation
import TestSupport
import Testing

@testable import MigrationEngine

/// Columns of another type than howdah's plan would give them: compared under the target's type, each with a line that says how.
@Suite struct TypeNoteTests {
    struct Case: Sendable {
        /// SQL of SQLite's: the column's type, and its values in three rows.
        let source: String
        let values: [String]
        /// SQL of PostgreSQL's: the type, and what was loaded.
        let type: String
        let loaded: [String]
        /// Rows that differ.
        let differ: Int
        /// What is said behind the name and the types; nil where nothing is.
        let words: String?

        init(
            _ source: String, _ values: [String], _ type: String, loaded: [String]? = nil, differ: Int = 0,
            _ words: String?
        ) {
            self.source = source
            self.values = values
            self.type = type
            self.loaded = loaded ?? values
            self.differ = differ
            self.words = words
        }
    }

    private static let times = ["'2024-01-02 03:04:05.678'", "'2024-06-01 00:00:00.001'", "NULL"]

    static let cases: [Case] = [
        // Compared under the target's type, and equal.
        Case("INTEGER", ["1", "2", "NULL"], "integer", nil),
        Case("TEXT", ["'x'", "''", "NULL"], "varchar(200)", nil),
        Case("VARCHAR(5)", ["'x'", "''", "NULL"], "text", nil),
        Case(
            "INTEGER", ["1", "-2", "NULL"], "text", loaded: ["'1'", "'-2'", "NULL"],
            "integers are compared as text"),
        Case(
            "INTEGER", ["1", "-2", "NULL"], "varchar(9)", loaded: ["'1'", "'-2'", "NULL"],
            "integers are compared as text"),
        Case(
            "REAL", ["0.1", "2.0", "NULL"], "text", loaded: ["'0.1'", "'2.0'", "NULL"],
            "reals are compared as text"),
        Case(
            "INTEGER", ["1", "0", "NULL"], "boolean", loaded: ["true", "false", "NULL"],
            "0 and 1 are compared as false and true"),
        Case("BOOLEAN", ["1", "0", "NULL"], "smallint", nil),
        Case(
            "INTEGER", ["1", "9007199254740992", "NULL"], "double precision",
            "integers are compared as doubles, which hold them up to 2^53"),
        Case("DECIMAL(6,2)", ["1.5", "2.25", "NULL"], "double precision", "compared by its 64 bits"),
        Case(
            "REAL", ["0.1", "1.0", "NULL"], "real",
            "it keeps 6 to 9 digits: a number equals the float that it is exactly, or shortest written"),
        Case(
            "REAL", ["0.1", "1.5", "NULL"], "numeric(6,2)",
            "compared by digits, of which 2 after the point are kept"),
        Case(
            "REAL", ["0.1", "1e-7", "NULL"], "numeric",
            "compared by digits, of a real by the shortest that give it back"),
        Case(
            "TEXT", ["'ab'", "'x'", "NULL"], "char(4)",
            "char(n) fills up with spaces: those at the end do not count"),
        Case(
            "TEXT", ["'ab'", "''", "NULL"], "bytea", loaded: ["'ab'", "''", "NULL"],
            "texts are compared with its bytes"),
        Case("DATETIME", times, "timestamptz(3)", "an instant: times without a zone are taken as UTC"),
        Case("DATETIME", times, "timestamp(3)", "taken as UTC"),
        Case("DATETIME", times, "text", "times are compared as texts, letter by letter"),
        Case(
            "DATETIME", ["1704164645678", "1704164645000", "NULL"], "timestamptz",
            loaded: ["'2024-01-02 03:04:05.678Z'", "'2024-01-02 03:04:05Z'", "NULL"],
            "an instant: times without a zone are taken as UTC"),
        Case(
            "DATETIME", ["1704164645678", "1704164645000", "NULL"], "bigint",
            "its times are compared as numbers"),
        Case(
            "TEXT", ["'{\"a\": 1}'", "'[]'", "NULL"], "jsonb",
            "compared as JSON: blanks and the order of members do not count"),
        Case("TEXT", ["'{\"a\": 1}'", "'[]'", "NULL"], "json", "compared as text, byte by byte"),
        Case(
            "TEXT", ["'5EED0000000040008000000000000001'", "'5eed0000-0000-4000-8000-000000000002'", "NULL"],
            "uuid",
            "compared by its 16 bytes: dashes and case do not count"),
        Case("TEXT", ["'2024-01-02'", "'2024-01-03'", "NULL"], "date", "compared as days"),
        Case(
            "TEXT", ["'03:04'", "'03:04:05.5'", "NULL"], "time", loaded: ["'03:04'", "'03:04:05.5'", "NULL"],
            "compared as times of day"),
        Case(
            "TEXT", ["'[1, 2]'", "'[]'", "NULL"], "int[]", loaded: ["'{1,2}'", "'{}'", "NULL"],
            "compared as a JSON array"),
        Case("TEXT", ["'10.0.0.1'", "'::1'", "NULL"], "inet", "compared by the text that PostgreSQL writes"),
        Case("TEXT", ["'calm'", "'glad'", "NULL"], "mood", "compared by its labels"),
        // What the type cannot hold differs, and is told as the reason.
        Case(
            "INTEGER", ["9007199254740993", "1", "NULL"], "double precision", differ: 1,
            "double precision cannot hold every integer beyond 2^53, and the source has such; 1 row differs in it, which may be why"
        ),
        Case(
            "INTEGER", ["1", "2", "0"], "boolean", loaded: ["true", "true", "false"], differ: 1,
            "0 and 1 are compared as false and true, and the source has other numbers; 1 row differs in it, which may be why"
        ),
        Case(
            "DATETIME", times, "timestamp(0)", differ: 2,
            "it keeps no digits after the second, and the source has 3; all 2 rows differ in it for that reason"
        ),
        Case(
            "TEXT", ["'1'", "'2'", "'x'"], "integer", loaded: ["1", "2", "0"], differ: 3,
            "3 texts equal no number; all 3 rows differ in it for that reason"),
        Case(
            "REAL", ["1.0", "2.0", "3.5"], "integer", loaded: ["1", "2", "4"], differ: 3,
            "3 reals equal no integer; all 3 rows differ in it for that reason"),
        Case(
            "BLOB", ["x'01'", "x'02ff'", "x'03'"], "text", loaded: ["'\\x01'", "'\\x02ff'", "'\\x03'"],
            differ: 3,
            "3 BLOBs equal no text: bytes were loaded as text; all 3 rows differ in it for that reason"),
        Case(
            "INTEGER", ["1", "2", "3"], "bytea", loaded: ["'1'", "'2'", "'3'"], differ: 3,
            "3 numbers equal no bytes; all 3 rows differ in it for that reason"),
        Case(
            "TEXT", ["'abcdef'", "'x'", "NULL"], "varchar(4)", loaded: ["'abcd'", "'x'", "NULL"], differ: 1,
            "it keeps 4 characters, and the source has texts of 6; 1 row differs in it, which may be why"),
        Case(
            "DATETIME", ["12", "99", "NULL"], "timestamp",
            loaded: ["'1970-01-01 00:00:12'", "'1970-01-01 00:01:39'", "NULL"], differ: 2,
            "what its integers count from 1970 (seconds, milliseconds) cannot be told; all 2 rows differ in it for that reason"
        ),
        Case(
            "INTEGER", ["40000", "1", "NULL"], "smallint", loaded: ["-25536", "1", "NULL"], differ: 1,
            "smallint holds -32768 to 32767, and the source has others; 1 row differs in it, which may be why"
        ),
        Case(
            "DATETIME", times, "date", loaded: ["'2024-01-02'", "'2024-06-01'", "NULL"], differ: 2,
            "date keeps no time of day, and the source has such; all 2 rows differ in it for that reason"),
        // Of a type that holds all of them, the values were changed by who loaded them.
        Case(
            "DATETIME", ["'2024-01-02 03:04:05'", "'2024-06-01 00:00:00'", "'2024-07-01 00:00:00'"],
            "timestamptz",
            loaded: ["'2024-01-02 03:04:05+01'", "'2024-06-01 00:00:00+02'", "'2024-07-01 00:00:00+02'"],
            differ: 3,
            "an instant: times without a zone are taken as UTC; all 3 rows differ in it: perhaps its values were converted on the way"
        ),
        Case(
            "DATETIME", ["'2024-01-02T03:04:05'", "'2024-06-01T00:00:00'", "'2024-07-01T00:00:00'"], "text",
            loaded: ["'2024-01-02 03:04:05'", "'2024-06-01 00:00:00'", "'2024-07-01 00:00:00'"], differ: 3,
            "times are compared as texts, letter by letter; all 3 rows differ in it: perhaps its values were converted on the way"
        ),
    ]

    @Test func everyTypeIsComparedAsTheTargetHasIt() throws {
        var source = ""
        var target = "CREATE TYPE mood AS ENUM ('calm', 'glad');"
        for (number, item) in Self.cases.enumerated() {
            source += "CREATE TABLE t\(number) (id INTEGER PRIMARY KEY, c \(item.source));"
            target += "CREATE TABLE t\(number) (id bigint PRIMARY KEY, c \(item.type));"
            for (row, pair) in zip(item.values, item.loaded).enumerated() {
                source += "INSERT INTO t\(number) VALUES (\(row), \(pair.0));"
                target += "INSERT INTO t\(number) VALUES (\(row), \(pair.1));"
            }
        }
        try ForeignTarget.with(source: source, target: target) { target in
            target.migration.style = .plain
            let report = try target.validate()
            for (number, item) in Self.cases.enumerated() {
                let table = try #require(report.table("t\(number)"))
                let place = "\(item.source) \(item.values) in \(item.type)"
                #expect(table.differences == item.differ, "\(place): \(table.samples)")
                #expect(table.samples.allSatisfy { $0.columns == ["c"] }, "\(place)")
                let note = table.notes?.first
                let words = note.map { $0.text.split(separator: ": ", maxSplits: 1)[1] }
                #expect(words.map(String.init) == item.words, "\(place)")
                #expect(note?.rows ?? 0 == (note == nil ? 0 : item.differ), "\(place)")
            }
        }
    }

    /// Where every row differs, what became of the values is told as it is seen; of one nature perhaps why.
    @Test func naturesAreToldWithTheirNumbersAndGuessesAsGuesses() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE mixed (id INTEGER PRIMARY KEY, c TEXT); INSERT INTO mixed VALUES (1, 'café'), (2, 'Ab'), (3, 'cD');
                CREATE TABLE moved (id INTEGER PRIMARY KEY, c INTEGER); INSERT INTO moved VALUES (1, 5), (2, 6)
                """,
            target: """
                CREATE TABLE mixed (id bigint PRIMARY KEY, c text);
                INSERT INTO mixed VALUES (1, E'cafe\\u0301'), (2, 'ab'), (3, 'cd');
                CREATE TABLE moved (id bigint PRIMARY KEY, c bigint); INSERT INTO moved VALUES (1, 7), (2, 8)
                """
        ) { target in
            target.migration.style = .plain
            let log = try DifferenceLog(path: "\(target.path).log")
            let report = try Validation(
                preparation: try target.migration.prepare(target.path, state: target.state),
                server: TargetServer(target.conninfo, cancellation: Cancellation()), workers: 2,
                cancellation: Cancellation(), progress: RunProgress(), differences: log
            ).run(tables: [])
            #expect(
                report.notes("mixed") == [
                    "c; all 3 rows differ in it: 2 in letter case only; 1 in Unicode normalization only"
                ])
            #expect(
                report.notes("moved") == [
                    "c; all 2 rows differ in it, always by +2: perhaps its values were converted on the way"
                ])
        }
    }
}
