import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// `--check`: each way in which a backup can be bad is told.
@Suite struct BackupCheckTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let state: BackupFinding.State
        let words: String
        var hours = 0.0
        let plant: @Sendable (_ dump: String, _ fixture: BackupFixture) throws -> Void
    }

    /// Gives a dump a sha256 that fits what it holds now.
    private static func seal(_ dump: String) throws {
        let digest = try sha256(ofFile: dump, cancellation: Cancellation())
        try "\(digest)  x\n".write(toFile: dump + ".sha256", atomically: true, encoding: .utf8)
    }

    private static func edit(_ dump: String) throws {
        let file = try #require(FileHandle(forUpdatingAtPath: dump))
        let size = try file.seekToEnd()
        try file.seek(toOffset: size * 3 / 5)
        try file.write(contentsOf: Data(repeating: 0x5A, count: 40))
        try file.close()
    }

    static let faults = [
        Fault(testDescription: "nothing", state: .good, words: "readable to its end") { _, _ in },
        Fault(testDescription: "a day and three hours old", state: .stale, words: "27 h old", hours: 27.5) {
            _, _ in
        },
        Fault(testDescription: "a day and one hour old", state: .good, words: "25.5 h old", hours: 25.5) {
            _, _ in
        },
        Fault(testDescription: "gone", state: .missing, words: "there is no backup in") { dump, _ in
            unlink(dump)
        },
        Fault(testDescription: "the folder is gone", state: .missing, words: "is not there") { dump, _ in
            let folder = (dump as NSString).deletingLastPathComponent
            try FileManager.default.moveItem(atPath: folder, toPath: folder + ".away")
        },
        Fault(testDescription: "empty", state: .damaged, words: "is empty") { dump, _ in truncate(dump, 0) },
        Fault(testDescription: "truncated", state: .damaged, words: "cannot be read to its end") { dump, _ in
            var facts = stat()
            stat(dump, &facts)
            truncate(dump, facts.st_size * 2 / 3)
            try seal(dump)
        },
        Fault(testDescription: "edited", state: .damaged, words: "holds other bytes than were written") {
            dump, _ in
            try edit(dump)
        },
        Fault(testDescription: "edited with its sha256", state: .damaged, words: "cannot be read to its end")
        { dump, _ in
            try edit(dump)
            try seal(dump)
        },
        Fault(testDescription: "its sha256 is gone", state: .damaged, words: "has no sha256") { dump, _ in
            unlink(dump + ".sha256")
        },
        Fault(testDescription: "no dump at all", state: .damaged, words: "cannot be read to its end") {
            dump, _ in
            try "PGDMP and no more".write(toFile: dump, atomically: true, encoding: .utf8)
            try seal(dump)
        },
        Fault(
            testDescription: "a table was made since", state: .incomplete,
            words: "lacks 1 table of the database"
        ) {
            _, fixture in
            try TestServer.execute("CREATE TABLE \"a new \"\"one\" (x int)", in: fixture.conninfo)
        },
    ]

    @Test(arguments: faults) func whatIsWrongIsTold(fault: Fault) throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install().settings
            let dump = try #require(DumpFolder(settings).dumps().first)
            try fault.plant(dump.path, fixture)
            let finding = try fixture.desk().check(settings, now: dump.time + fault.hours * 3600)
            #expect(finding.state == fault.state, "\(finding)")
            #expect(finding.lines.contains { $0.contains(fault.words) }, "\(finding.lines)")
        }
    }

    @Test func aServerThatIsDownIsSaidAndTheFileIsLookedAtAllTheSame() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install().settings
            let finding = try fixture.desk(fixture.conninfo.setting("host", to: "/nowhere")).check(settings)
            #expect(finding.state == .good && finding.tables == nil)
            #expect(
                finding.warnings.contains { $0.hasPrefix("whether every table is in it was not looked at") })
        }
    }

    @Test func theSameDiskAsTheServersIsAWarning() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install().settings
            let data = try #require(try TestServer.value("SHOW data_directory", in: fixture.conninfo))
            let isSame = Disk(data) == Disk(settings.folder)
            let finding = try fixture.desk().check(settings)
            #expect(finding.warnings.contains { $0.contains("same disk as the server's data") } == isSame)
            #expect(Disk("/proc") != Disk("/"))
        }
    }
}
