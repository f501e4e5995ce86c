import Foundation
import Postgres
import SQLite
import TestSupport
import Testing

/// The monitor as a command, on servers with something planted.
@Suite struct MonitorCommandTests {
    private func monitor(_ target: Conninfo, _ folder: String, _ more: String...) throws -> Howdah.Outcome {
        try Howdah.run(["monitor", target.url, "--state", folder] + more)
    }

    private func withTarget(_ body: (_ target: Conninfo, _ folder: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try TestServer.withDatabase { target in
                try TestServer.execute(BackgroundSession.table, in: target)
                try body(target, folder)
            }
        }
    }

    /// Limits that a server which other tests use as well stays within.
    private static let calm = [
        "connections", "longest-query", "slow-queries", "oldest-transaction", "idle-in-transaction",
        "blocked-sessions",
        "lock-wait", "deadlocks", "cache-hits", "rollbacks", "temporary-files", "disk-free",
        "requested-checkpoints",
    ].flatMap { ["--limit", "\($0)=off"] }

    @Test func withinTheLimitsItEndsWithZeroAndQuietly() throws {
        try withTarget { target, folder in
            let outcome = try Howdah.run(["monitor", target.url, "--state", folder, "--once"] + Self.calm)
            #expect(outcome.exit == 0, "\(outcome.errors)\(outcome.output)")
            #expect(outcome.output.contains("wraparound") && outcome.output.contains("backup-age"))
            let quiet = try Howdah.run(
                ["monitor", target.url, "--state", folder, "--once", "--quiet"] + Self.calm)
            #expect(
                quiet.exit == 0 && quiet.output.isEmpty && quiet.errors.isEmpty, "cron mails what is printed")
        }
    }

    @Test func whatIsBeyondALimitIsNamedFirstAndNoQueryIsWritten() throws {
        try withTarget { target, folder in
            try BackgroundSession.with(BackgroundSession.chain, in: target) {
                let limits = ["--limit", "blocked-sessions=1,2", "--limit", "idle-in-transaction=0.05"]
                let outcome = try Howdah.run(
                    ["monitor", target.url, "--state", folder, "--once"] + Self.calm + limits)
                #expect(outcome.exit == 3)
                let first = outcome.output.split(separator: "\n").prefix(2)
                #expect(first.first?.hasPrefix("critical  blocked-sessions ") ?? false, "\(outcome.output)")
                #expect(first.first?.contains("holds up 2 sessions") ?? false)
                #expect(first.last?.hasPrefix("warn  idle-in-transaction") ?? false)
                let json = try Howdah.run(
                    ["monitor", target.url, "--state", folder, "--once", "--json"] + Self.calm + limits)
                let document = try json.json()
                #expect(json.exit == 3 && document["outcome"] as? String == "critical")
                let readings = document["readings"] as? [[String: Any]] ?? []
                #expect(
                    readings.first { $0["id"] as? String == "blocked-sessions" }?["verdict"] as? String
                        == "critical")
                #expect(
                    !outcome.output.contains("secret-") && !json.output.contains("secret-"),
                    "a query may hold values")
                for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                    let data = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
                    #expect(data.range(of: Data("secret-".utf8)) == nil, "\(name)")
                }
                let history = try SQLite.Connection(path: "\(folder)/monitor.db", mode: .readOnly)
                let rows = try history.prepare("SELECT count(*) FROM sample")
                #expect(try rows.step() && rows.int64(0) > 0)
            }
        }
    }

    @Test func aSlowQueryABackupThatIsOldAndLimitsOfAFile() throws {
        try withTarget { target, folder in
            let backups = "\(folder)/dumps"
            try FileManager.default.createDirectory(atPath: backups, withIntermediateDirectories: true)
            try "".write(toFile: "\(backups)/chat-20200101T000000Z.dump", atomically: true, encoding: .utf8)
            try "monitor:\n  longest-query: 0.1\n".write(
                toFile: "\(folder)/limits.yaml", atomically: true, encoding: .utf8)
            try BackgroundSession.with([("sleeper", ["SELECT pg_sleep(60)"], "state = 'active'")], in: target)
            {
                let outcome = try monitor(
                    target, folder, "--once", "--limits", "\(folder)/limits.yaml", "--backups", backups)
                #expect(outcome.exit == 3)
                #expect(
                    outcome.output.contains("critical  backup-age")
                        && outcome.output.contains("made 2020-01-01"))
                #expect(outcome.output.contains("warn  longest-query"))
            }
        }
    }

    @Test func aFullTableOfConnectionsIsAnAnswerAndARefusedOneIsNot() throws {
        try withTemporaryFolder { folder in
            try PrivateServer.withFullTable { _, app in
                let outcome = try monitor(app, folder, "--once")
                #expect(
                    outcome.exit == 3
                        && outcome.output.hasPrefix("critical  connections  the table of connections is full")
                )
                #expect(outcome.output.contains("superuser_reserved_connections"))
                let json = try monitor(app, folder, "--once", "--json").json()
                #expect(json["outcome"] as? String == "critical" && json["exit"] as? Int == 3)
            }
            let nowhere = try Conninfo("postgresql:///nowhere?host=\(folder)")
            let refused = try monitor(nowhere, folder, "--once")
            #expect(
                refused.exit == 1 && refused.output.isEmpty && refused.errors.contains("cannot be reached"))
            #expect(try monitor(nowhere, folder, "--once", "--limit", "nothing=1").exit == 2)
        }
    }

    @Test func withoutATerminalItPrintsABlockAnInterval() throws {
        try withTarget { target, folder in
            let outcome = try monitor(target, folder, "--count", "2", "--interval", "0.5")
            let blocks = outcome.output.split(separator: "\n").filter { $0.contains("  postgresql://") }
            #expect(blocks.count == 2 && outcome.output.contains("transactions/s"), "\(outcome.errors)")
        }
    }

    @Test func theScreenShowsTheChainAndEndsItsRoot() throws {
        try withTemporaryFolder { folder in
            try PrivateServer.with([]) { target in
                try TestServer.execute(BackgroundSession.table, in: target)
                try screen(target, folder)
            }
        }
    }

    private func screen(_ target: Conninfo, _ folder: String) throws {
        try BackgroundSession.with(BackgroundSession.chain, in: target) {
            let terminal = try Tmux(
                folder, "'\(Howdah.path)' monitor '\(target.url)' --state '\(folder)' --interval 0.5",
                width: 110)
            defer { terminal.close() }
            #expect(terminal.waitFor("2 waiting"), "\((try? terminal.screen()) ?? "")")
            try terminal.press("w")
            #expect(terminal.waitFor("holds up 2"))
            #expect(terminal.waitFor("secret-third"), "the screen does show queries")
            try terminal.press("x")
            #expect(terminal.waitFor("end the session"))
            try terminal.press("Enter")
            #expect(terminal.waitFor("pg_terminate_backend("))
            try terminal.press("Tab", "Enter")
            #expect(terminal.waitFor("nobody waits for anybody"), "\((try? terminal.screen()) ?? "")")
            try terminal.resize(60, 15)
            #expect(terminal.waitFor("Waiting"))
            try terminal.press("q")
            #expect(terminal.waitFor("status 0"))
        }
    }

    @Test func phaseSixOpensTheMonitorOfItsRehearsal() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
            let script = """
                Esc
                6
                m
                :wait-for Sessions 0
                :wait-for within the limits
                i
                :wait-for wraparound
                :save-display \(folder)/monitor.txt
                Esc
                Esc
                :wait-for 6 Production
                :save-display \(folder)/phase.txt
                """
            try script.write(toFile: "\(folder)/script", atomically: true, encoding: .utf8)
            defer { _ = try? Howdah.run(["rehearsal", "remove", "\(folder)/app.db"]) }
            let outcome = try Howdah.run([
                "\(folder)/app.db", "--script", "\(folder)/script", "--size", "100x30",
            ])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let shown = try String(contentsOfFile: "\(folder)/monitor.txt", encoding: .utf8)
            #expect(shown.contains("howdah monitor") && shown.contains("REHEARSAL"))
            #expect(
                try String(contentsOfFile: "\(folder)/phase.txt", encoding: .utf8).contains("6.7 monitoring"))
        }
    }

    @Test func theStepWritesItsFilesAndTakesThemAway() throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app.db"
            try makeDatabase(
                project, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a')")
            defer { _ = try? Howdah.run(["rehearsal", "remove", project]) }
            #expect(try Howdah.run(["migrate", project]).exit == 0)
            let preview = try Howdah.run(["step", project, "6.7", "preview"])
            #expect(preview.exit == 0, "\(preview.errors)")
            #expect(
                preview.output.contains("First readings")
                    && preview.output.contains("alert: HowdahConnections"))
            #expect(preview.output.contains("Installs nothing, since this is the rehearsal"))
            let files = "\(project).howdah/rehearsal/production/monitor"
            #expect(access(files, F_OK) != 0, "a preview writes nothing")
            let run = try Howdah.run(["step", project, "6.7", "run"])
            #expect(run.exit == 0, "\(run.errors)\(run.output)")
            let names = try FileManager.default.contentsOfDirectory(atPath: files).sorted()
            #expect(
                names == [
                    "crontab", "howdah-alerts.yaml", "howdah-monitor-rehearsal.service",
                    "howdah-monitor-rehearsal.timer",
                    "howdah-queries.yaml", "limits.yaml", "postgres-exporter.env",
                ])
            let service = try String(
                contentsOfFile: "\(files)/howdah-monitor-rehearsal.service", encoding: .utf8)
            #expect(service.contains("/howdah\" \"monitor\" \"postgresql://"))
            #expect(try Howdah.run(["status", project]).output.contains("6.7 monitoring"))
            // The operator's own limits stay through a second run, and through the undo.
            try "monitor:\n  connections: 42\n".write(
                toFile: "\(files)/limits.yaml", atomically: true, encoding: .utf8)
            #expect(try Howdah.run(["step", project, "6.7", "run"]).exit == 0)
            let rules = try String(contentsOfFile: "\(files)/howdah-alerts.yaml", encoding: .utf8)
            #expect(rules.contains("connections_for_everybody >= 42"))
            let undo = try Howdah.run(["step", project, "6.7", "undo"])
            #expect(undo.exit == 0, "\(undo.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: files) == ["limits.yaml"])
        }
    }
}
