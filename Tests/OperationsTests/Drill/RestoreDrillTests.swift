import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// Drills: what is whole is proven, what is not is found and named, and nothing stays on the server.
@Suite struct RestoreDrillTests {
    /// Backups are set up, and a drill can be run.
    private func withDrill(
        rows: Int = 200,
        _ body: (
            _ fixture: BackupFixture, _ settings: BackupSettings,
            _ run: (_ file: String?) throws -> DrillReport
        )
            throws -> Void
    ) throws {
        try BackupFixture.with(rows: rows) { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install().settings
            let ledger = MemoryLedger()
            try body(fixture, settings) { file in
                let report = try RestoreDrill(
                    desk: fixture.desk(), settings: settings, ledger: ledger.ledger, folder: fixture.root,
                    workers: 2
                ).run(file: file)
                #expect(ledger.made == ledger.gone)
                return report
            }
            for name in ledger.made {
                let there = "SELECT count(*) FROM pg_database WHERE datname = '\(name)'"
                #expect(try TestServer.value(there, in: TestServer.conninfo()) == "0")
            }
            #expect(
                !fixture.files(fixture.root).contains { $0.hasPrefix("pgpass") || $0.hasPrefix("pairing") })
        }
    }

    @Test func everyCellSequenceAndObjectIsProvenWhileTheApplicationWrites() throws {
        try withDrill(rows: 3000) { fixture, settings, run in
            let writer = Writer(fixture.conninfo)
            writer.start()
            #expect(waitUntil { writer.count > 3 })
            let report = try run(nil)
            writer.stop()
            #expect(report.verdict == .proven, "\(report.lines)")
            #expect(writer.count > 10, "the application went on")
            #expect(report.isFresh && report.exit == .success)
            #expect(report.tables.filter { $0.state != .left }.allSatisfy { $0.state == .equal })
            #expect(
                Set(report.tables.map(\.name)).isSuperset(of: [
                    "public.User", "public.Mess\"age", "public.keyless", "public.empty", "other s.low",
                    "other s.high",
                    "pg_catalog.large objects", "public.mv",
                ]))
            #expect(report.rows > 9000 && report.sequences == 1 && report.objects > 40)
            // The backup is one of the backups.
            #expect(fixture.dumps(settings).contains(report.file) && fixture.dumps(settings).count == 2)
            #expect(report.headline.hasPrefix("restored and proven: "))
        }
    }

    @Test func aDumpOfOtherContentIsNamedTableByTableAndRowByRow() throws {
        try withDrill { fixture, settings, run in
            let dump = try #require(DumpFolder(settings).dumps().first)
            let copy = "\(fixture.root)/copy.dump"
            try FileManager.default.copyItem(atPath: dump.path, toPath: copy)
            try TestServer.execute(
                """
                UPDATE "User" SET name = 'another' WHERE id = 7; UPDATE "Mess""age" SET score = nextafter WHERE a = 9;
                DELETE FROM "Mess""age" WHERE a = 11; UPDATE keyless SET x = NULL WHERE x = '' AND ctid = (SELECT min(ctid) FROM keyless WHERE x = '');
                INSERT INTO "other s".parts VALUES (5000, 'new'); DROP VIEW v; SELECT setval('"User_id_seq"', 999);
                """.replacing("nextafter", with: "score + 1e-12"), in: fixture.conninfo)
            let report = try run(copy)
            #expect(report.verdict == .differs && report.exit == .differs)
            let words = report.lines.joined(separator: "\n")
            #expect(words.contains("public.User: row 7 differs in name"), "\(words)")
            #expect(words.contains("public.Mess\"age: row 9, b9 differs in score"))
            #expect(words.contains("public.Mess\"age: row 11, b11 is in the restored database only"))
            #expect(words.contains("other s.high: row 5000 was not restored"))
            #expect(words.contains("view public.v is in the restored database only"))
            #expect(words.contains("sequence public.\"User_id_seq\" was restored as 200"))
            #expect(report.tables.first { $0.name == "public.keyless" }?.state == .differs)
            #expect(report.tables.first { $0.name == "other s.low" }?.state == .equal)
        }
    }

    @Test func anOlderBackupIsRestoredAndWhatWasWrittenSinceIsListedAsSuch() throws {
        try withDrill { fixture, settings, run in
            let dump = try #require(DumpFolder(settings).dumps().first)
            try TestServer.execute(
                "INSERT INTO keyless VALUES ('new'); CREATE TABLE later (x int); ALTER TABLE \"User\" ADD y int",
                in: fixture.conninfo)
            let report = try run(dump.path)
            #expect(report.verdict == .proven && !report.isFresh, "\(report.lines)")
            #expect(Set(report.changed.map(\.name)) == ["public.keyless", "public.later", "public.User"])
            #expect(report.notes.contains { $0.hasPrefix("changed since the backup: ") })
        }
    }

    @Test func editedBytesAreFoundWhetherTheyCanBeReadOrNot() throws {
        try withDrill { fixture, settings, run in
            let dump = try #require(DumpFolder(settings).dumps().first)
            let whole = try #require(FileManager.default.contents(atPath: dump.path))
            // In the middle of the rows; a restore stumbles.
            var bytes = whole
            for index in 0..<40 { bytes[bytes.count * 3 / 5 + index] ^= 0x5A }
            try bytes.write(to: URL(fileURLWithPath: dump.path))
            let report = try run(dump.path)
            #expect(
                report.exit == .differs && report.problems.contains { $0.contains("sha256") },
                "\(report.lines)")
            // Cut short.
            try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: dump.path))
            let cut = try run(dump.path)
            #expect(cut.verdict == .unrestorable && cut.exit == .differs, "\(cut.lines)")
            #expect(cut.headline.hasPrefix("the backup cannot be restored: pg_restore: "))
        }
    }

    @Test func aMissingFileIsNoBackup() throws {
        try withDrill { _, _, run in
            let error = #expect(throws: MigrationError.self) { _ = try run("/nowhere/x.dump") }
            #expect(error?.exit == .undecided)
        }
    }

    @Test func aRoleThatMayNotMakeDatabasesIsToldWhatItNeeds() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let role = "drill_" + UUID().uuidString.lowercased().replacing("-", with: "")
            try TestServer.execute("CREATE ROLE \(role) LOGIN IN ROLE pg_read_all_data", in: fixture.conninfo)
            defer {
                try? TestServer.execute("DROP OWNED BY \(role); DROP ROLE \(role)", in: fixture.conninfo)
            }
            // pg_read_all_data does not cover large objects.
            try TestServer.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata", in: fixture.conninfo)
            let desk = fixture.desk(fixture.conninfo.setting("user", to: role))
            let outline = try desk.outline(.init(), before: nil)
            #expect(
                outline.warnings.contains { $0.contains("cannot be seen: that needs pg_read_all_settings") })
            _ = try desk.install(outline, before: nil) { fixture.notes.records.append($0) }
            let error = #expect(throws: MigrationError.self) {
                _ = try RestoreDrill(
                    desk: desk, settings: outline.settings, ledger: MemoryLedger().ledger,
                    folder: fixture.root,
                    workers: 2
                ).run()
            }
            #expect(error?.remedy.contains("CREATEDB") ?? false, "\(String(describing: error))")
        }
    }

    @Test(arguments: [
        // Where a sequence stood before the dump and after it, what was restored, and whether that can be.
        (1, 5, 1, true), (1, 5, 3, true), (1, 5, 5, true), (1, 5, 6, false), (4, 4, 4, true),
        (4, 4, 3, false),
        (9, 2, 5, true), (9, 2, 1, false),
    ])
    func aSequenceMustLieBetweenTwoLooks(before: Int64, after: Int64, restored: Int64, isFine: Bool) {
        func values(_ number: Int64) -> SequenceValues {
            SequenceValues(values: ["s": .init(number: number, isCalled: true, descends: false)])
        }
        let problems = SequenceValues.problems(
            before: values(before), after: values(after), restored: values(restored))
        #expect(problems.isEmpty == isFine)
    }
}

/// An application that goes on writing.
private final class Writer: @unchecked Sendable {
    private let conninfo: Conninfo
    private let lock = NSLock()
    private var state = (count: 0, isStopped: false, isOver: false)

    init(_ conninfo: Conninfo) {
        self.conninfo = conninfo
    }

    var count: Int { lock.withLock { state.count } }

    func start() {
        Thread {
            if let connection = try? TestServer.connect(self.conninfo) {
                while !self.lock.withLock({ self.state.isStopped }) {
                    try? connection.execute(
                        """
                        INSERT INTO "User" (name) VALUES (gen_random_uuid()::text);
                        UPDATE "Mess""age" SET score = score + 1 WHERE a % 7 = 0; INSERT INTO keyless VALUES ('later');
                        DELETE FROM "other s".parts WHERE id = (SELECT max(id) FROM "other s".parts); SELECT pg_sleep(0.01);
                        """)
                    self.lock.withLock { self.state.count += 1 }
                }
            }
            self.lock.withLock { self.state.isOver = true }
        }.start()
    }

    func stop() {
        lock.withLock { state.isStopped = true }
        _ = waitUntil { self.lock.withLock { self.state.isOver } }
    }
}
