import MigrationEngine
import TestSupport
import Testing

/// What an assessment says of columns whose declaration says less than their values.
@Suite struct ObservationsTests {
    @Test(arguments: [
        ("INTEGER", "(0), (1), (NULL), (1)", ["it holds only 0 and 1: boolean would hold it"]),
        ("BOOLEAN", "(0), (1)", []), ("INTEGER", "(0), (2)", []), ("INTEGER", "(1)", []),
        ("TEXT", "('0f8fad5b-d9cb-469f-a165-70867728950e')", ["its texts are UUIDs"]),
        ("TEXT", "('{\"a\": 1}'), ('[]')", ["its texts are JSON"]), ("TEXT", "('1')", []),
        ("TEXT", "('{\"a\": 1}'), ('x')", []),
        ("TEXT", "('2024-05-06 07:08:09'), ('2024-05-06')", ["its texts are dates"]),
        ("TEXT", "('c29tZSBieXRlcyBoZXJl'), ('AAAAAAAAAAAAAAAAAAAAAA==')", ["its texts are base64 of bytes"]),
        ("TEXT", "('short=='), ('x')", []), ("JSON", "('[1]')", []), ("DATETIME", "('2024-05-06')", []),
    ])
    func aColumnsValuesAreDescribed(_ type: String, _ rows: String, _ words: [String]) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/s.db", "CREATE TABLE t (a \(type)); INSERT INTO t VALUES \(rows)")
            let preparation = try TestMigration().prepare("\(folder)/s.db", state: "\(folder)/state")
            #expect(Assessment(preparation).observations.map(\.words) == words)
        }
    }

    @Test func fewDifferentValuesAreCounted() throws {
        try withTemporaryFolder { folder in
            let rows = (0..<30).map { "('\(["new", "open", "done"][$0 % 3])', \($0))" }.joined(
                separator: ", ")
            try makeDatabase("\(folder)/s.db", "CREATE TABLE t (a TEXT, b INT); INSERT INTO t VALUES \(rows)")
            let preparation = try TestMigration().prepare("\(folder)/s.db", state: "\(folder)/state")
            #expect(Assessment(preparation).observations.map(\.words) == ["it has 3 different values"])
        }
    }
}
