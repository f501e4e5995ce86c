import AppProject
import Foundation
import MigrationEngine
import Operations
import Postgres

/// 6.7: looks at the server, and writes what tells of trouble while no screen is open.
struct MonitoringStep: StepOperation {
    static let id = "6.7"
    static let limitsName = "limits.yaml"

    var place = TimerPlace.found()

    /// What is looked at, and what comes of it.
    private struct Work {
        let report: MonitorReport
        let timer: MonitorTimer
        /// Files of the state folder, and of the machine.
        let written: [FileChange]
        let installed: [FileChange]
        let folder: String
    }

    /// A preview leaves no trace in the history.
    private func work(_ context: StepContext, isKept: Bool) throws -> Work {
        let conninfo = try context.server().conninfo
        var options = try context.book.monitorOptions(context.mode)
        let folder = context.book.monitorFolder(context.mode)
        let limits = "\(folder)/\(Self.limitsName)"
        if !isKept { options.state = nil }
        let report: MonitorReport
        do {
            report = try Monitor(conninfo, options, cancellation: context.cancellation).once()
        } catch let error as PostgresError {
            throw TargetServer.explained(error, conninfo)
        }
        let database = report.sample.server.database
        let command =
            [
                Bundle.main.executablePath ?? "/usr/local/bin/howdah", "monitor", conninfo.url, "--once",
                "--quiet",
                "--state", context.workspace.state.path, "--limits", limits,
            ] + (options.backups.map { ["--backups", $0.path] } ?? [])
        let timer = MonitorTimer(database: database, command: command, environment: Self.environment())
        let exporter = ExporterFiles(
            conninfo, database: database, serverVersion: report.sample.server.number, backups: options.backups
        )
        let rules = AlertRules(options.limits, database: database, hasBackups: options.backups != nil)
        let texts: [(String, String)] = [
            ("\(timer.name).service", timer.service), ("\(timer.name).timer", timer.timer),
            (
                "crontab",
                timer.cronLine().map { "# A line for crontab -e, where there is no systemd.\n\($0)\n" } ?? ""
            ),
            ("postgres-exporter.env", exporter.environment(queries: "/etc/prometheus/howdah-queries.yaml")),
            ("howdah-queries.yaml", exporter.queries), ("howdah-alerts.yaml", rules.yaml),
        ].filter { !$0.1.isEmpty }
        var written = texts.map { Self.change("\(folder)/\($0.0)", $0.1, isPrivate: true) }
        // What the operator has made of the limits stays.
        if access(limits, F_OK) != 0 {
            written.insert(Self.change(limits, options.limits.yaml, isPrivate: true), at: 0)
        }
        let installed =
            context.mode == .live ? place.files(timer).map { Self.change($0.path, $0.content) } : []
        return Work(report: report, timer: timer, written: written, installed: installed, folder: folder)
    }

    /// What a service needs to find the same server and its password; a password itself is left out.
    private static func environment() -> [String: String] {
        let wanted = [
            "HOME", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE",
            "PGSSLMODE",
            "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY",
        ]
        return ProcessInfo.processInfo.environment.filter { wanted.contains($0.key) && !$0.value.isEmpty }
    }

    private static func change(_ path: String, _ content: String, isPrivate: Bool = false) -> FileChange {
        FileChange(
            path, before: FileManager.default.contents(atPath: path).map { [UInt8]($0) },
            after: Array(content.utf8),
            isPrivate: isPrivate)
    }

    // MARK: Preview and run

    func preview(_ context: StepContext) throws -> Preview {
        let work = try work(context, isKept: false)
        var sections = [Preview.Section("First readings", Self.readings(work.report), .list)]
        let commands = place.commands(work.timer).start.map { $0.joined(separator: " ") }
        for change in work.installed where change.before != change.after {
            sections.append(.init("Installs \(change.path)", change.diff, .diff))
        }
        if !work.installed.isEmpty, !commands.isEmpty { sections.append(.init("Runs", commands, .list)) }
        if context.mode == .live, work.installed.isEmpty {
            sections.append(
                .init(
                    "Installs nothing",
                    [
                        "There is neither systemd nor a folder of cron's that may be written: crontab has the line to add."
                    ]))
        }
        for change in work.written {
            sections.append(
                change.before == change.after
                    ? .init("Stays as it is", [change.path])
                    : .init("\(change.verb) \(change.path)", change.diff, .diff))
        }
        if context.mode == .rehearsal {
            sections.append(
                .init(
                    "Installs nothing, since this is the rehearsal", ["live runs the timer every 5 minutes"]))
        }
        let needsPassword =
            ProcessInfo.processInfo.environment["PGPASSWORD"] != nil
            || context.book.liveTarget?["password"] != nil
        return Preview(
            sections,
            warning: context.mode == .live && needsPassword
                ? "A timer has no password of yours: put it into ~/.pgpass, or a service file (mode 0600)."
                : nil)
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let work = try work(context, isKept: true)
        let changes = (work.written + work.installed).filter { $0.before != $0.after }
        try makePrivateFolder(work.folder)
        try writer(context).write(changes) { try context.book.note(changes: $0, of: Self.id, context.mode) }
        var outcome = StepOutcome(evidence: [Self.summary(work.report)])
        if work.installed.isEmpty {
            outcome.evidence.append(
                context.mode == .live
                    ? "nothing is installed: \(work.folder)/crontab has the line to add"
                    : "nothing is installed")
        } else {
            try start(work, context, &outcome)
        }
        outcome.evidence += Self.readings(work.report)
        outcome.evidence += changes.map { "\($0.past) \($0.path)" }
        outcome.evidence.append(
            "for Prometheus: copy howdah-queries.yaml and howdah-alerts.yaml of \(work.folder) to /etc/prometheus, and name "
                + "them in postgres-exporter.env and prometheus.yml")
        return outcome
    }

    private func start(_ work: Work, _ context: StepContext, _ outcome: inout StepOutcome) throws {
        for command in place.commands(work.timer).start {
            let said = try Self.run(command, context.cancellation)
            guard said.status == 0 else {
                outcome.failure =
                    "\(command.joined(separator: " ")) ended with \(said.status): \(said.output.prefix(300))"
                return
            }
        }
        if case .systemd(_, isUser: true) = place {
            outcome.evidence.append(
                "it runs while you are logged in; loginctl enable-linger lets it run always")
        }
        outcome.evidence.append(
            "looks every \(work.timer.minutes) minutes: \(work.installed.map(\.path).joined(separator: ", "))"
        )
    }

    private static func run(_ command: [String], _ cancellation: Cancellation) throws -> Command.Outcome {
        var command = Command(
            "/usr/bin/env", command, in: "/", environment: ProcessInfo.processInfo.environment)
        command.timeout = .seconds(60)
        return try command.run(cancellation: cancellation)
    }

    private func writer(_ context: StepContext) throws -> ChangeWriter {
        try ChangeWriter(root: context.book.monitorFolder(context.mode), state: context.workspace.state)
    }

    /// Beyond a limit or not, in a line.
    static func summary(_ report: MonitorReport) -> String {
        let unknown = report.readings.count { $0.verdict == .unknown }
        let rest = unknown > 0 ? ", \(unknown) not known" : ""
        guard !report.beyond.isEmpty else {
            return
                "\(Format.count(report.readings.count - unknown, "reading", "readings")) within the limits\(rest)"
        }
        return "beyond a limit: " + report.beyond.prefix(3).map(MonitorWords.beyond).joined(separator: "; ")
            + rest
    }

    private static func readings(_ report: MonitorReport) -> [String] {
        report.readings.map { reading in
            let words = [
                reading.limit.id.rawValue + ": " + MonitorWords.value(reading), reading.gap ?? reading.detail,
            ]
            return (reading.verdict.isBeyond ? "\(reading.verdict.rawValue): " : "")
                + words.filter { !$0.isEmpty }.joined(separator: ", ")
        } + report.unseen.map { "not seen: \($0)" }
    }

    // MARK: The way back

    /// Records of files that are as howdah wrote them, and paths of those that were changed since.
    private func kept(_ context: StepContext) throws -> (records: [ChangeRecord], edited: [String]) {
        let records = context.book.changes(of: Self.id, context.mode)
        let edited = try writer(context).reversals(records).filter(\.isConflict).map(\.path)
        return (records.filter { !edited.contains($0.path) }, edited)
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        let (records, edited) = try kept(context)
        let lines = try writer(context).reversals(records).map(\.words)
        var sections = [
            Preview.Section("Takes away", lines.isEmpty ? ["nothing is left of it"] : lines, .list)
        ]
        let commands = stopping(records).map { $0.joined(separator: " ") }
        if !commands.isEmpty { sections.insert(.init("Runs", commands, .list), at: 0) }
        if !edited.isEmpty { sections.append(.init("Stays, since it was changed", edited, .list)) }
        sections.append(
            .init("Stays", ["the history of readings: \(context.workspace.state.path)/monitor.db"]))
        return Preview(sections)
    }

    func undo(_ context: StepContext) throws -> [String] {
        let (records, edited) = try kept(context)
        var done: [String] = []
        for command in stopping(records) {
            let said = try Self.run(command, context.cancellation)
            done.append(
                said.status == 0
                    ? "\(command.joined(separator: " ")): done"
                    : "\(command.joined(separator: " ")) ended with \(said.status): \(said.output.prefix(200))"
            )
        }
        done += try writer(context).undo(records)
        return done + edited.map { "changed since, and kept: \($0)" }
    }

    /// What ends the timers whose files go.
    private func stopping(_ records: [ChangeRecord]) -> [[String]] {
        guard case .systemd(let folder, let isUser) = place else { return [] }
        let timers = Set(records.map(\.path).filter { $0.hasPrefix("\(folder)/") && $0.hasSuffix(".timer") })
        return timers.sorted().map {
            ["systemctl"] + (isUser ? ["--user"] : []) + [
                "disable", "--now", ($0 as NSString).lastPathComponent,
            ]
        }
    }
}

extension Playbook {
    /// Where step 6.7 writes.
    func monitorFolder(_ mode: Mode) -> String {
        "\(workspace.state.path)/\(mode == .rehearsal ? "rehearsal/production" : "production")/monitor"
    }

    /// Limits as they stand beside the files of step 6.7, and backups where they are known.
    func monitorOptions(_ mode: Mode) throws -> MonitorOptions {
        var options = MonitorOptions()
        options.state = workspace.state
        let limits = "\(monitorFolder(mode))/\(MonitoringStep.limitsName)"
        if access(limits, F_OK) == 0 { try options.limits.read(limits) }
        options.backups = backupRecord(mode).map { BackupFolder($0.settings.folder) }
        return options
    }

    /// What the live monitor watches in this mode; nil where the rehearsal's server is not running. Reads files, and waits
    /// for nothing.
    public func monitored() throws -> MonitoredServer? {
        let options = try monitorOptions(mode)
        guard mode == .rehearsal else {
            return MonitoredServer(try server(.live, cancellation: Cancellation()).conninfo, options)
        }
        return try RehearsalCluster.url(workspace.state).map { MonitoredServer(try Conninfo($0), options) }
    }

    /// Starts the rehearsal's server where it is not up. May block.
    public func startRehearsal(_ activity: Activity) throws {
        _ = try server(.rehearsal, cancellation: activity.cancellation)
    }
}
