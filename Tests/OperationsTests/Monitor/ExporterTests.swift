import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// The files for Prometheus, read by Prometheus' own programs: a real exporter measures a real server, and promtool checks
/// the rules and lets them fire.
@Suite struct ExporterTests {
    private static func program(_ name: String) throws -> String {
        let path = ["/usr/bin/\(name)", "/usr/local/bin/\(name)"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        return try #require(
            path,
            "\(name) is missing: apt-get install prometheus prometheus-postgres-exporter, or make test-deps")
    }

    private struct Outcome {
        let status: Int32
        let output: String
    }

    private static func run(_ program: String, _ arguments: [String], in folder: String) throws -> Outcome {
        let command = Command(program, arguments, in: folder, environment: ["PATH": "/usr/bin:/bin"])
        let outcome = try command.run(cancellation: Cancellation())
        return Outcome(status: outcome.status, output: outcome.output)
    }

    // MARK: The exporter

    @Test func theExporterMeasuresWhatEveryRuleNames() throws {
        let exporter = try Self.program("prometheus-postgres-exporter")
        try TestServer.withDatabase { conninfo in
            try withTemporaryFolder { folder in
                let backups = try readableFolder()
                defer { try? FileManager.default.removeItem(atPath: backups) }
                try "".write(
                    toFile: "\(backups)/chat-20200101T000000Z.dump", atomically: true, encoding: .utf8)
                try TestServer.execute(BackgroundSession.table, in: conninfo)
                let database = conninfo["dbname"] ?? ""
                let files = ExporterFiles(
                    conninfo, database: database, serverVersion: 150_000, backups: BackupFolder(backups))
                try files.queries.write(toFile: "\(folder)/queries.yaml", atomically: true, encoding: .utf8)
                try files.environment(queries: "\(folder)/queries.yaml").write(
                    toFile: "\(folder)/exporter.env", atomically: true, encoding: .utf8)
                try BackgroundSession.with(BackgroundSession.chain, in: conninfo) {
                    let metrics = try Self.scrape(exporter, folder)
                    let rules = AlertRules(MonitorLimits(), database: database, hasBackups: true).yaml
                    let expressions = rules.split(separator: "\n").filter { $0.contains(" expr: ") }.joined(
                        separator: "\n")
                    let named = Set(expressions.matches(of: #/\b(?:pg|howdah)_[a-z_]+/#).map { String($0.0) })
                    let missing = named.filter {
                        !metrics.contains("\n\($0){") && !metrics.contains("\n\($0) ")
                    }
                    #expect(missing.isEmpty && named.count > 20, "not measured: \(missing.sorted())")
                    #expect(Self.value("howdah_sessions_blocked", metrics) ?? 0 >= 2, "the chain is measured")
                    #expect(Self.value("howdah_sessions_idle_in_transaction_seconds", metrics) ?? 0 > 0)
                    let age = try #require(Self.value("howdah_backup_seconds", metrics))
                    let wanted = Date().timeIntervalSince1970 - 1_577_836_800
                    #expect(abs(age - wanted) < 120, "the age of the backup, by its name")
                    #expect(Self.value("pg_up", metrics) == 1)
                }
            }
        }
    }

    /// A folder that the server's own user may list too.
    private func readableFolder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/howdah-backups-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, 0o755)
        return path
    }

    /// Starts the exporter with the environment file on a port that the system chooses, and reads what it measures once.
    private static func scrape(_ exporter: String, _ folder: String) throws -> String {
        _ = FileManager.default.createFile(atPath: "\(folder)/log", contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "set -a; . \"$1\"; exec \"$2\" --web.listen-address=127.0.0.1:0", "sh",
            "\(folder)/exporter.env", exporter,
        ]
        process.environment = ["PATH": "/usr/bin:/bin"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: "\(folder)/log")
        try process.run()
        defer {
            process.terminate()
            _ = waitUntil(seconds: 10) { !process.isRunning }
        }
        func log() -> String {
            String(decoding: FileManager.default.contents(atPath: "\(folder)/log") ?? Data(), as: UTF8.self)
        }
        func port() -> Int? {
            log().firstMatch(of: #/msg="Listening on" address=127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
        #expect(waitUntil { port() != nil }, "the exporter does not listen: \(log())")
        return try #require(port().flatMap { get(port: $0, "/metrics") }, "it does not answer: \(log())")
    }

    private static func value(_ metric: String, _ metrics: String) -> Double? {
        metrics.split(separator: "\n").first { $0.hasPrefix("\(metric){") || $0.hasPrefix("\(metric) ") }
            .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
    }

    /// One request over a plain socket.
    private static func get(port: Int, _ path: String) -> String? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { return nil }
        let request = "GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n"
        guard send(descriptor, request, request.utf8.count, 0) == request.utf8.count else { return nil }
        var text: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65536)
        while case let count = recv(descriptor, &block, block.count, 0), count > 0 { text += block[..<count] }
        return String(decoding: text, as: UTF8.self)
    }

    @Test func noPasswordIsInTheEnvironment() throws {
        let conninfo = try Conninfo("postgresql://app:topsecret@db.example:5433/chat?sslmode=verify-full")
        let text = ExporterFiles(conninfo, database: "chat", serverVersion: 150_000, backups: nil)
            .environment(queries: "/etc/q.yaml")
        #expect(!text.contains("topsecret") && text.contains("PGPASSFILE="))
        #expect(
            text.contains(
                "DATA_SOURCE_NAME=\"host='db.example' port='5433' user='app' dbname='chat' sslmode='verify-full'\""
            ))
    }

    // MARK: The rules

    private static let hostile = "it's \"a\" \\ {{ base }}"

    @Test(arguments: ["chat", hostile]) func promtoolTakesTheRules(_ database: String) throws {
        let promtool = try Self.program("promtool")
        try withTemporaryFolder { folder in
            try AlertRules(MonitorLimits(), database: database, hasBackups: true).yaml
                .write(toFile: "\(folder)/rules.yaml", atomically: true, encoding: .utf8)
            let outcome = try Self.run(promtool, ["check", "rules", "rules.yaml"], in: folder)
            #expect(outcome.status == 0, "\(outcome.output)")
            #expect(outcome.output.contains("rules found"))
        }
    }

    struct Planted: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Metrics with their values, one a minute.
        let series: [String: String]
        let severity: String
    }

    private static let planted = [
        Planted(
            testDescription: "HowdahConnections",
            series: [
                "howdah_sessions_connections": "96x30", "howdah_sessions_connections_for_everybody": "100x30",
            ], severity: "critical"),
        Planted(
            testDescription: "HowdahLockWait", series: ["howdah_sessions_lock_wait_seconds": "15x30"],
            severity: "warning"),
        Planted(
            testDescription: "HowdahCacheHits",
            series: [
                "pg_stat_database_blks_hit{datname=\"chat\"}": "0+100x30",
                "pg_stat_database_blks_read{datname=\"chat\"}": "0+900x30",
            ], severity: "critical"),
        Planted(
            testDescription: "HowdahWraparound", series: ["howdah_server_transaction_age": "1200000000x30"],
            severity: "warning"),
        Planted(
            testDescription: "HowdahBackupAge", series: ["howdah_backup_seconds": "108000x30"],
            severity: "warning"),
        Planted(
            testDescription: "HowdahReplicationLag",
            series: ["howdah_server_replication_lag_seconds": "400x30"],
            severity: "critical"),
        Planted(testDescription: "HowdahExporterDown", series: ["pg_up": "0x30"], severity: "critical"),
    ]

    @Test(arguments: planted) func anAlertFires(_ planted: Planted) throws {
        let promtool = try Self.program("promtool")
        try withTemporaryFolder { folder in
            try AlertRules(MonitorLimits(), database: "chat", hasBackups: true).yaml
                .write(toFile: "\(folder)/rules.yaml", atomically: true, encoding: .utf8)
            var calm = [
                "pg_up": "1x30", "howdah_sessions_connections": "1x30", "howdah_backup_seconds": "60x30",
            ]
            calm["howdah_sessions_connections_for_everybody"] = "97x30"
            let quiet = try Self.run(
                promtool, ["test", "rules", try Self.test(planted, series: calm, fires: false, folder)],
                in: folder)
            #expect(quiet.status == 0, "it fires although nothing is wrong: \(quiet.output)")
            let loud = try Self.run(
                promtool,
                [
                    "test", "rules",
                    try Self.test(planted, series: calm.merging(planted.series) { $1 }, fires: true, folder),
                ], in: folder)
            #expect(loud.status == 0, "\(loud.output)")
        }
    }

    /// A file for `promtool test rules`: whether the alert fires at the tenth minute.
    private static func test(
        _ planted: Planted, series: [String: String], fires: Bool, _ folder: String
    ) throws -> String {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        let labelled = series.map { name, values -> String in
            let full =
                name.hasSuffix("}") ? name.dropLast() + ",instance=\"db\"}" : name + "{instance=\"db\"}"
            return "      - series: \(quoted(String(full)))\n        values: \(quoted(values))"
        }
        // Expressed as a query, since an alert's summary holds the value.
        let query =
            "count(ALERTS{alertname=\"\(planted.testDescription)\",alertstate=\"firing\",severity=\"\(planted.severity)\"}) or vector(0)"
        let text = """
            rule_files: [rules.yaml]
            evaluation_interval: 1m
            tests:
              - interval: 1m
                input_series:
            \(labelled.sorted().joined(separator: "\n"))
                promql_expr_test:
                  - expr: \(quoted(query))
                    eval_time: 14m
                    exp_samples:
                      - labels: '{}'
                        value: \(fires ? 1 : 0)

            """
        let name = fires ? "loud.yaml" : "quiet.yaml"
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        return name
    }

    @Test func everyLimitHasARuleOrIsNamed() {
        let rules = AlertRules(MonitorLimits(), database: "chat", hasBackups: false)
        for limit in MonitorLimit.standard {
            let hasRule = rules.yaml.contains("alert: \(AlertRules.name(limit.id))\n")
            #expect(
                hasRule != rules.yaml.contains("Without a rule here: \(limit.id.rawValue),"), "\(limit.id)")
        }
    }

    // MARK: The timer

    @Test func aTimerQuotesWhatSystemdAndCronWouldRead() throws {
        let timer = MonitorTimer(
            database: "It's Chat",
            command: ["/opt/my tools/howdah", "monitor", "postgresql://u@h/d%20b?options=$x", "a\"b\\c"],
            environment: ["PGPASSFILE": "/home/a b/%u"])
        #expect(timer.name == "howdah-monitor-it-s-chat")
        #expect(
            timer.service.contains(
                #"ExecStart="/opt/my tools/howdah" "monitor" "postgresql://u@h/d%%20b?options=$$x" "a\"b\\c""#
            ))
        #expect(timer.service.contains(#"Environment="PGPASSFILE=/home/a b/%%u""#))
        let line = try #require(timer.cronLine(user: "postgres"))
        #expect(
            line.hasPrefix(
                "*/5 * * * * postgres PGPASSFILE='/home/a b/\\%u' '/opt/my tools/howdah' 'monitor' "))
        #expect(line.contains("'postgresql://u@h/d\\%20b?options=$x'"))
        // What cron hands to the shell comes out as it went in.
        let shell = line.replacing(
            "*/5 * * * * postgres PGPASSFILE='/home/a b/\\%u' '/opt/my tools/howdah'", with: "printf '%s\\n'"
        )
        .replacing("\\%", with: "%")
        let said = try Self.run("/bin/sh", ["-c", shell], in: "/")
        #expect(said.output == "monitor\npostgresql://u@h/d%20b?options=$x\na\"b\\c\n")
        #expect(MonitorTimer(database: "d", command: ["a\nb"]).cronLine() == nil)
    }
}
