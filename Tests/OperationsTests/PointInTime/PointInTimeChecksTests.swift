import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// What a server lacks for a way back to a moment, and what is told to do about it.
@Suite struct PointInTimeChecksTests {
    /// A server that lacks nothing.
    private static let good = PointInTimeFacts(
        version: 170_002, versionText: "17.2", database: "chat", user: "ann", mayReplicate: true,
        settings: [
            "archive_command": "/x \"%p\"", "archive_library": "", "archive_mode": "on",
            "archive_timeout": "60",
            "config_file": "/etc/postgresql.conf", "data_checksums": "on", "fsync": "on",
            "full_page_writes": "on",
            "max_wal_senders": "10", "summarize_wal": "on", "wal_level": "replica",
            "wal_segment_size": "16777216",
        ].mapValues { .init(value: $0) },
        archiver: .init(archived: 7, lastName: "00000001000000000000000A", lastAge: 20, waiting: 0),
        walBytes: 64 << 20, freeBytes: 100 << 30, isStandby: false,
        base: BaseBackup(path: "/b/base-1", time: Date()), baseFolder: "/b")

    private func report(_ facts: PointInTimeFacts) -> PointInTimeReport {
        PointInTimeReport(facts, archiveCommand: "/lib/archive-wal.sh \"%p\" \"%f\"")
    }

    private func changed(_ change: (inout PointInTimeFacts) -> Void) -> PointInTimeReport {
        var facts = Self.good
        change(&facts)
        return report(facts)
    }

    @Test func everyCheckHasItsReasonAndPage() {
        for check in PointInTimeCheck.table {
            #expect(!check.reason.isEmpty && check.source.contains(".html"), "\(check.id)")
        }
        #expect(Set(PointInTimeCheck.table.map(\.id)).count == PointInTimeCheck.table.count)
    }

    @Test func aServerThatLacksNothingIsReady() {
        let report = report(Self.good)
        #expect(report.isReady && report.open == 0, "\(report.lines)")
        #expect(report.configuration.isEmpty && report.statements.isEmpty)
        #expect(report.lines.first?.contains("can be set back to a moment") ?? false)
    }

    struct Case: CustomTestStringConvertible {
        let id: String
        let change: @Sendable (inout PointInTimeFacts) -> Void
        /// The line to set; nil where something is to be done instead.
        var line: String?
        var testDescription: String { "\(id): \(line ?? "to be done")" }

        static func setting(_ name: String, _ value: String, _ id: String, _ line: String) -> Case {
            Case(id: id, change: { $0.settings[name] = .init(value: value) }, line: line)
        }
    }

    private static let restart = "   # needs a restart"

    @Test(arguments: [
        Case.setting("wal_level", "minimal", "wal-level", "wal_level = 'replica'" + restart),
        .setting("archive_mode", "off", "archive-mode", "archive_mode = 'on'" + restart),
        .setting(
            "archive_command", "", "archive-command",
            "archive_command = '/lib/archive-wal.sh \"%p\" \"%f\"'"),
        .setting("archive_timeout", "0", "archive-timeout", "archive_timeout = '300s'"),
        .setting("archive_timeout", "3600", "archive-timeout", "archive_timeout = '300s'"),
        .setting("max_wal_senders", "1", "wal-senders", "max_wal_senders = 10" + restart),
        .setting("full_page_writes", "off", "full-page-writes", "full_page_writes = 'on'"),
        .setting("fsync", "off", "fsync", "fsync = 'on'"),
        Case(id: "archiver", change: { $0.archiver?.isFailing = true }),
        Case(id: "archiver", change: { $0.archiver = .init() }),
        Case(id: "archiver", change: { $0.archiver?.waiting = 40 }),
        Case(id: "space", change: { $0.freeBytes = 10 << 20 }),
        Case(id: "base", change: { $0.base = nil }),
        Case(id: "base", change: { $0.baseFolder = nil }),
        Case(
            id: "base",
            change: { $0.base = BaseBackup(path: "/b", time: Date(timeIntervalSinceNow: -30 * 86400)) }),
    ]) func whatIsMissingIsSaidWithTheLineToSet(_ item: Case) {
        let report = changed(item.change)
        #expect(report.missing.contains { $0.id == item.id }, "\(report.lines)")
        #expect(!report.isReady && report.open >= 1)
        if let line = item.line {
            #expect(report.configuration.contains(line), "\(report.configuration)")
            let sql = "ALTER SYSTEM SET " + line.replacing(Self.restart, with: "")
            #expect(report.statements.contains(sql) && report.statements.last == "SELECT pg_reload_conf()")
        } else {
            #expect(report.configuration.isEmpty)
        }
    }

    @Test(arguments: ["archive_library", "always"]) func theOtherWaysToArchiveAreAsGood(way: String) {
        let report = changed { facts in
            if way == "always" {
                facts.settings["archive_mode"] = .init(value: "always")
            } else {
                facts.settings["archive_command"] = .init(value: "")
                facts.settings["archive_library"] = .init(value: "basic_archive")
            }
        }
        #expect(report.isReady, "\(report.lines)")
    }

    @Test func whatThisRoleCannotSeeIsNeitherGoodNorMissing() {
        let report = changed {
            $0.settings["wal_level"] = nil
            $0.walBytes = nil
        }
        #expect(report.unseen.map(\.id) == ["wal-level", "space"])
        #expect(report.missing.isEmpty && !report.isReady && report.open == 2)
        #expect(report.lines.contains { $0.contains("ann may not see it: a member of pg_monitor may") })
    }

    @Test func aSettingThatWaitsForARestartIsSaidSo() {
        let report = changed { $0.settings["wal_level"] = .init(value: "minimal", isPending: true) }
        #expect(report.missing.first?.value == "minimal, and another value waits for a restart")
    }

    @Test func theArchiveCommandItselfIsNeverShown() {
        let report = changed { $0.settings["archive_command"] = .init(value: "push --key=SECRET %p") }
        #expect(!report.lines.joined().contains("SECRET"))
    }

    @Test func incrementalBackupsAreSpokenOfWhereTheServerKnowsThem() {
        let old = changed { $0.version = 160_000 }
        #expect(!old.results.contains { $0.id == "summaries" })
        #expect(report(Self.good).results.contains { $0.id == "summaries" })
    }

    @Test(
        arguments: [
            (["rds_superuser"], [], "Amazon RDS or Aurora"),
            ([], ["cloudsql.iam_authentication"], "Google Cloud SQL"),
            (["azure_pg_admin"], ["azure.extensions"], "Azure Database for PostgreSQL"),
            (["supabase_admin"], [], "Supabase"), (["neon_superuser"], [], "Neon"),
            (["postgres"], ["rdsomething"], nil),
        ] as [([String], [String], String?)])
    func aProvidersServerIsTold(roles: [String], settings: [String], name: String?) {
        let provider = ManagedServer.of(roles: Set(roles), settings: settings)
        #expect(provider?.name == name)
        var facts = Self.good
        facts.provider = provider
        facts.settings["wal_level"] = .init(value: "minimal")
        let report = report(facts)
        // Its settings are not the operator's to change.
        #expect(report.configuration.isEmpty == (name != nil))
        #expect(report.open == 1 && !report.isReady)
        if let provider { #expect(report.lines.joined().contains(provider.place)) }
    }

    @Test(
        arguments: [
            ("000000010000000000000001", 1), ("0000000200000001000000FF", 511),
            ("00000001000000010000000A.00000028.backup", 266), ("short", nil), ("00000001.history", nil),
        ] as [(String, Int64?)]) func walFilesAreCounted(name: String, number: Int64?)
    {
        #expect(WALFile.number(name, segment: 16 << 20) == number)
    }

    /// A rehearsal's server is made for speed: it lacks nearly all.
    @Test func aRealServerIsLookedAt() throws {
        try TestServer.withDatabase { conninfo in
            let found = try PointInTimeDesk(
                TargetServer(conninfo, cancellation: Cancellation()), places: nil
            ).look()
            let missing = Set(found.report.missing.map(\.id))
            #expect(
                missing == [
                    "wal-level", "archive-mode", "archive-command", "archive-timeout", "wal-senders",
                    "full-page-writes", "fsync", "base",
                ],
                "\(found.report.lines)")
            #expect(found.report.unseen.isEmpty)
            #expect(
                found.files().map(\.name) == ["RESTORE-TO-A-MOMENT.md", "archive-wal.sh", "basebackup.sh"])
        }
    }

    @Test func aRoleWithoutPgMonitorIsToldWhatItCannotSee() throws {
        try TestServer.withDatabase { admin in
            let name = "\(admin["dbname"] ?? "")_plain"
            try TestServer.execute("CREATE ROLE \(name) LOGIN", in: admin)
            defer { try? TestServer.execute("DROP ROLE \(name)", in: admin) }
            func unseen() throws -> [String] {
                let conninfo = admin.setting("user", to: name)
                return try PointInTimeDesk(
                    TargetServer(conninfo, cancellation: Cancellation()), places: nil
                ).look().report.unseen.map(\.id)
            }
            #expect(try unseen() == ["space"])
            let found = try PointInTimeDesk(
                TargetServer(admin.setting("user", to: name), cancellation: Cancellation()), places: nil
            ).look()
            let script = found.files().first { $0.name == "basebackup.sh" }
            #expect(script?.text.contains("PGUSER=") == false, "it may make no base backup")
            try TestServer.execute("GRANT pg_monitor TO \(name)", in: admin)
            #expect(try unseen().isEmpty)
        }
    }
}
