import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// RESTORE.md: its commands run as they stand.
@Suite struct RestoreGuideTests {
    /// The blocks of commands, in their order.
    private func blocks(_ text: String) -> [String] {
        text.components(separatedBy: "```sh\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
    }

    @Test func itsCommandsRunLiterallyAndTheRestoredDatabaseIsThere() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            try TestServer.execute(
                "ALTER DATABASE \(quoteIdentifier(fixture.conninfo["dbname"] ?? "")) SET search_path = \"other s\", public",
                in: fixture.conninfo)
            let settings = try fixture.install().settings
            let text = try String(contentsOfFile: settings.guidePath, encoding: .utf8)
            let blocks = blocks(text)
            #expect(blocks.count == 6)
            // The proof is another program's work; a stand-in says how it was called.
            let bin = "\(fixture.root)/bin"
            try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
            try "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$CALLED\"\n".write(
                toFile: "\(bin)/howdah", atomically: true, encoding: .utf8)
            chmod("\(bin)/howdah", 0o755)
            let restored = settings.name.split(separator: "-")[0]
            defer {
                for name in ["\(restored)_restored", "\(restored)_before_restore"] {
                    try? TestServer.execute(
                        "DROP DATABASE IF EXISTS \(quoteIdentifier(name)) WITH (FORCE)",
                        in: TestServer.conninfo())
                }
            }
            let shell = Command(
                "/bin/sh", ["-e", "-c", blocks.joined(separator: "\n")], in: "/",
                environment: ["PATH": "\(bin):/usr/bin:/bin", "CALLED": "\(fixture.root)/called"])
            let outcome = try shell.run(cancellation: Cancellation())
            #expect(outcome.status == 0, "\(outcome.output)")
            let called = try String(contentsOfFile: "\(fixture.root)/called", encoding: .utf8)
            let dump = try #require(DumpFolder(settings).dumps().first)
            #expect(called == "drill\n/my app\n\(fixture.conninfo.url)\n--file\n\(dump.path)\n--yes\n")
            // The restored one has the old one's place, rows, owner and settings.
            #expect(
                try TestServer.value("SELECT count(*) FROM public.\"User\"", in: fixture.conninfo) == "200")
            #expect(try TestServer.value("SHOW search_path", in: fixture.conninfo) == "\"other s\", public")
            #expect(try TestServer.value("SHOW timezone", in: fixture.conninfo) == "UTC")
            let aside = fixture.conninfo.setting("dbname", to: "\(restored)_before_restore")
            #expect(try TestServer.value("SELECT count(*) FROM public.\"User\"", in: aside) == "200")
        }
    }

    @Test func theTimesAreThoseOfTheLastDrillUnlessTheGuideIsTheOperators() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            var record = try fixture.install()
            let path = record.settings.guidePath
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("not measured yet"))
            let report = DrillReport(
                verdict: .proven, path: "x", bytes: 5 << 20, isFresh: true, tables: [], sequences: 0,
                objects: 0,
                problems: [], notes: [], time: "2026-11-28T10:00:00Z", dumpSeconds: 1, restoreSeconds: 42,
                proofSeconds: 7)
            let left = try fixture.desk().updateGuide(record, report) { record = $0 }
            #expect(left == nil)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(
                text.contains(
                    "about 42 s for the restore, and 7.00 s to prove it (drill of 2026-11-28, a dump of 5 MB)"
                ))
            #expect(BackupInstallation.isUnchanged(try #require(record.files.first { $0.path == path })))
            // Written anew, it keeps them.
            fixture.notes.records = [record]
            record = try fixture.install(BackupOptions(keep: 3))
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("drill of 2026-11-28"))
            try "mine".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(
                try fixture.desk().updateGuide(record, report) { record = $0 }?.contains("was changed since")
                    ?? false)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        }
    }
}
