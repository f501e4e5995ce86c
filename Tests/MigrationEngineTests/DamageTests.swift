import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// Whatever is done to one row of a target, the proof names that row, that column and that kind, and nothing else.
@Suite struct DamageTests {
    /// A loaded target with a second table that nobody touches.
    private struct Loaded {
        let table: DamagedTable
        let preparation: Preparation
        let server: TargetServer
        let conninfo: Conninfo
        let log: DifferenceLog

        func execute(_ sql: String) throws { try TestServer.execute(sql, in: conninfo) }

        /// What the proof finds, in its verdict and in its log, as `kind key: columns`; the two must agree.
        func differences(_ damage: String) throws -> [String] {
            let verdicts = try ProofRun(
                preparation: preparation, server: server, workers: 1, cancellation: Cancellation(),
                progress: RunProgress(), gate: PauseGate(), differences: log
            ).run()
            let bystander = try #require(verdicts["bystander"])
            #expect(bystander.verdict == .equal && bystander.samples.isEmpty, "\(damage)")
            let verdict = try #require(verdicts[table.name])
            #expect(verdict.differences == verdict.samples.count && !verdict.isTruncated, "\(damage)")
            #expect((verdict.verdict == .equal) == verdict.samples.isEmpty, "\(damage)")
            #expect(verdict.obstacle == nil, "\(damage)")
            #expect(try log.page(table.name, from: 0, count: 100) == verdict.samples, "\(damage)")
            #expect(try log.count("bystander") == 0, "\(damage)")
            return verdict.samples.map(Self.words).sorted()
        }

        static func words(_ difference: RowDifference) -> String {
            "\(difference.kind.rawValue) \(difference.key)"
                + (difference.columns.isEmpty ? "" : ": \(difference.columns.joined(separator: ", "))")
        }

        /// What is to be found of rows that were changed in some columns; without a key both of their forms.
        func changed(_ rows: [Int], _ columns: [String]) -> [String] {
            guard let key = table.key else {
                return rows.flatMap { ["extra a row of a table without a key", "missing rowid \($0)"] }
                    .sorted()
            }
            return rows.map { "changed \(key($0)): \(columns.joined(separator: ", "))" }.sorted()
        }

        func extra(_ row: Int) -> [String] {
            ["extra \(table.key?(row) ?? "a row of a table without a key")"]
        }

        func missing(_ row: Int) -> [String] { ["missing \(table.key?(row) ?? "rowid \(row)")"] }
    }

    private func loaded(_ table: DamagedTable, _ body: (Loaded) throws -> Void) throws {
        let script =
            "CREATE TABLE bystander (id INTEGER PRIMARY KEY, s TEXT); INSERT INTO bystander VALUES (7, 'Text 7');"
        try TestMigration().migrated(script + table.script) { report, conninfo, folder in
            #expect(report.outcome == .proven)
            try TestServer.execute(
                "CREATE TYPE mood AS ENUM ('calm', 'glad'); \(table.retyping)", in: conninfo)
            let state = "\(folder)/state"
            try body(
                Loaded(
                    table: table,
                    preparation: TestMigration().prepare("\(folder)/source.db", state: state),
                    server: TargetServer(conninfo, cancellation: Cancellation()), conninfo: conninfo,
                    log: DifferenceLog(
                        StateFolder.open(source: "", project: nil, override: state, environment: [:]),
                        name: "damage")))
        }
    }

    /// Each is done to a target that is whole, and taken back.
    @Test(arguments: DamagedTable.all)
    func aDamagedCellIsFoundAndNothingElse(_ table: DamagedTable) throws {
        try loaded(table) { target in
            try target.execute("CREATE SCHEMA kept; CREATE TABLE kept.rows AS TABLE \(table.name)")
            #expect(try target.differences("none").isEmpty)
            for damage in Damage.all {
                let row = table.condition(damage.row)
                let changed = try TestServer.rows(
                    "UPDATE \(table.name) SET \(damage.column) = \(damage.value) WHERE \(row) RETURNING 1",
                    in: target.conninfo)
                #expect(changed == ["1"], "\(damage.name)")
                let found = try target.differences(damage.name)
                #expect(found == target.changed([damage.row], [damage.column]), "\(damage.name)")
                try target.execute(
                    """
                    UPDATE \(table.name) SET \(damage.column) = (SELECT \(damage.column) FROM kept.rows WHERE \(row))
                    WHERE \(row)
                    """)
            }
            #expect(try target.differences("all taken back").isEmpty)
        }
    }

    @Test(arguments: DamagedTable.all)
    func swappedMissingAndAddedRowsAreFoundAndNothingElse(_ table: DamagedTable) throws {
        try loaded(table) { target in
            let swap = """
                UPDATE \(table.name) AS a SET (n, s, b) = (SELECT n, s, b FROM \(table.name) AS o
                    WHERE o.n = 7000 - a.n) WHERE a.n IN (3000, 4000)
                """
            try target.execute(swap)
            #expect(try target.differences("a pair swapped") == target.changed([3, 4], ["n", "s", "b"]))
            try target.execute(swap)
            #expect(try target.differences("swapped back").isEmpty)
            try target.execute("DELETE FROM \(table.name) WHERE \(table.condition(40))")
            #expect(try target.differences("a row missing") == target.missing(40))
            let new = table.newKey
            try target.execute("INSERT INTO \(table.name) (\(new.columns)) VALUES (\(new.values))")
            let added = table.key == nil ? target.extra(0) : ["extra \(new.key)"]
            #expect(try target.differences("a row added") == added + target.missing(40))
        }
    }

    /// One row once more, where a unique key that was dropped, or none, lets it in.
    @Test(arguments: DamagedTable.all)
    func aDoubledRowIsFoundAndNothingElse(_ table: DamagedTable) throws {
        try loaded(table) { target in
            if table.key != nil {
                try target.execute("ALTER TABLE \(table.name) DROP CONSTRAINT \(table.name)_pkey")
            }
            try target.execute(
                """
                INSERT INTO \(table.name) OVERRIDING SYSTEM VALUE SELECT * FROM \(table.name)
                WHERE \(table.condition(7))
                """)
            #expect(try target.differences("a row twice") == target.extra(7))
            if table.isWalked {
                try target.execute("CREATE INDEX ON \(table.name) (id)")
                #expect(try target.differences("a row twice, in order") == target.extra(7))
            }
            let report = try Validation(
                preparation: target.preparation, server: target.server, workers: 2,
                cancellation: Cancellation(), progress: RunProgress()
            ).run(tables: [])
            #expect(report.exit == 4)
            let line = try #require(report.tables.first { $0.name == table.name })
            #expect(line.differences == 1 && line.samples.map(Loaded.words) == target.extra(7))
            let notes = (line.notes ?? []).filter { $0.text.contains("no unique key is over it") }
            #expect(notes.count == (table.key == nil ? 0 : 1))
        }
    }

    /// Two rows of one key, neither of them the source's: one is changed, and one too many.
    @Test(arguments: DamagedTable.all.filter { $0.key != nil })
    func aChangedRowThatIsThereTwiceIsFoundAndNothingElse(_ table: DamagedTable) throws {
        try loaded(table) { target in
            let row = table.condition(7)
            try target.execute(
                """
                ALTER TABLE \(table.name) DROP CONSTRAINT \(table.name)_pkey;
                INSERT INTO \(table.name) OVERRIDING SYSTEM VALUE SELECT * FROM \(table.name) WHERE \(row);
                UPDATE \(table.name) SET s = 'other' WHERE \(row)
                """)
            let expected = target.changed([7], ["s"]) + target.extra(7)
            #expect(try target.differences("a changed row twice") == expected)
            let report = try Validation(
                preparation: target.preparation, server: target.server, workers: 2,
                cancellation: Cancellation(), progress: RunProgress()
            ).run(tables: [table.name])
            let line = try #require(report.tables.first { $0.name == table.name })
            #expect(line.differences == 2 && line.samples.map(Loaded.words).sorted() == expected)
            // Beside the row itself a changed one is only one too many.
            try target.execute(
                """
                UPDATE \(table.name) SET s = 'Text 7'
                WHERE ctid = (SELECT max(ctid) FROM \(table.name) WHERE \(row))
                """)
            let beside = try Validation(
                preparation: target.preparation, server: target.server, workers: 2,
                cancellation: Cancellation(), progress: RunProgress()
            ).run(tables: [table.name])
            #expect(
                beside.tables.first { $0.name == table.name }?.samples.map(Loaded.words) == target.extra(7))
        }
    }

    /// A row that has no key at all lies in no range of an integer key.
    @Test func aRowWithoutAKeyIsFoundWhereAKeyWasDropped() throws {
        let table = DamagedTable.all[0]
        try loaded(table) { target in
            try target.execute(
                """
                ALTER TABLE by_integer DROP CONSTRAINT by_integer_pkey, ALTER id DROP IDENTITY IF EXISTS;
                ALTER TABLE by_integer ALTER id DROP NOT NULL; CREATE UNIQUE INDEX ON by_integer (id);
                INSERT INTO by_integer (s) VALUES ('x')
                """)
            let report = try Validation(
                preparation: target.preparation, server: target.server, workers: 2,
                cancellation: Cancellation(), progress: RunProgress()
            ).run(tables: [])
            let line = try #require(report.tables.first { $0.name == "by_integer" })
            #expect(line.samples == [RowDifference(kind: .extra, key: "NULL", columns: [])])
            #expect(line.sourceRows == 40 && line.loadedRows == 41 && line.verdict == "differs")
        }
    }
}
