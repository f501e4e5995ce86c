import Foundation
import MigrationEngine
import TestSupport
import Testing

/// Types that only the server knows: their values are tried there before any table is made.
@Suite struct TypeTrialTests {
    private func migrate(
        _ values: [String], as type: String, key: String = "id INTEGER PRIMARY KEY, v TEXT",
        _ body: (MigrationReport, String) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            let rows = values.enumerated().map { "(\($0.offset + 1), \($0.element))" }
            try makeDatabase(
                path, "CREATE TABLE t (\(key)); INSERT INTO t VALUES \(rows.joined(separator: ", "))")
            var migration = TestMigration()
            let text = try migration.prepare(path, state: "\(folder)/state").planText
            let edited = text.replacing(
                "- name: v\n        type: text", with: "- name: v\n        type: \(type)")
            #expect(edited != text)
            try edited.write(toFile: "\(folder)/plan.yaml", atomically: true, encoding: .utf8)
            migration.planPath = "\(folder)/plan.yaml"
            try TestServer.withDatabase { conninfo in
                let report = try migration.run(path, state: "\(folder)/state", into: conninfo)
                let made = try TestServer.value(
                    "SELECT count(*) FROM pg_class WHERE relname = 't' AND relkind = 'r'", in: conninfo)
                try body(report, made ?? "")
            }
        }
    }

    @Test(arguments: [
        ("inet", ["'10.0.0.1'", "'abc'", "NULL", "''"], [2, 4]), ("\"char(3)\"", ["'abc'", "'a'"], [2]),
        ("money", ["'$1.50'", "'1.5'"], [2]),
        ("name", ["'a'", "'\(String(repeating: "x", count: 70))'"], [2]),
        ("\"int4[]\"", ["'{1,2}'", "'{1, 2}'", "'{1,x}'"], [3]),
        ("bit(4)", ["'1010'", "'101'"], [2]),
    ])
    func valuesThatDoNotComeBackStopTheRun(type: String, values: [String], rows: [Int64]) throws {
        try migrate(values, as: type) { report, made in
            #expect(report.exit == 3)
            let findings = report.findings.filter(\.blocking)
            #expect(findings.map(\.id) == [.valueDoesNotFit])
            #expect(findings.map(\.sampleRowids) == [rows])
            #expect(findings.map(\.count) == [rows.count])
            #expect(made == "0")
        }
    }

    @Test(arguments: [("inet", ["'10.0.0.1'", "'::1'", "NULL"]), ("\"int4[]\"", ["'{1,2}'", "'{}'"])])
    func valuesThatComeBackAreProven(type: String, values: [String]) throws {
        try migrate(values, as: type) { report, made in
            #expect(report.outcome == .proven)
            #expect(made == "1")
        }
    }

    @Test(arguments: ["nosuchtype", "5", "text; DROP TABLE t", "text)"])
    func whatIsNoTypeIsAnErrorOfThePlan(type: String) throws {
        let error = #expect(throws: MigrationError.self) {
            try migrate(["'a'"], as: "\"\(type)\"") { _, _ in }
        }
        #expect(error?.code == .plan)
        #expect(error?.exit == .usage)
    }
}
