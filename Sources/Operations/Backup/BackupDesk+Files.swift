import Foundation
import MigrationEngine
import Postgres

/// The files of a database's backups.
extension BackupDesk {
    func files(
        _ settings: BackupSettings, _ facts: DatabaseFacts, _ access: Access, _ programs: ClientPrograms,
        _ scheduler: SystemPlaces.Scheduler, times: RestoreGuide.Times?
    ) throws -> [BackupFile] {
        var files = [
            BackupFile(
                path: settings.scriptPath, content: BackupScript.text(settings), mode: 0o700, isSecret: false),
            guide(settings, facts, programs, times),
        ]
        if let password = access.password {
            files.append(try passwordFile(settings, access.user, password))
        }
        let unit = ScheduleFiles.unitName(settings)
        func timed(_ folder: String, isSystem: Bool) -> [BackupFile] {
            [
                BackupFile(
                    path: "\(folder)/\(unit).service",
                    content: ScheduleFiles.service(settings, isSystem: isSystem), mode: 0o644, isSecret: false
                ),
                BackupFile(
                    path: "\(folder)/\(unit).timer", content: ScheduleFiles.timer(settings), mode: 0o644,
                    isSecret: false),
            ]
        }
        func cron(_ path: String) -> BackupFile {
            BackupFile(
                path: path, content: ScheduleFiles.cronFile(settings, user: NSUserName()), mode: 0o644,
                isSecret: false, starts: true)
        }
        switch scheduler {
        case .system, .user: files += timed(places.unitFolder(scheduler), isSystem: scheduler == .system)
        case .cronFile: files.append(cron(places.cronPath(unit)))
        case .crontab: break
        case .none:
            files += timed("\(settings.configFolder)/systemd", isSystem: places.isRoot)
            files.append(cron("\(settings.configFolder)/cron/\(unit)"))
        }
        return files
    }

    func guide(
        _ settings: BackupSettings, _ facts: DatabaseFacts, _ programs: ClientPrograms,
        _ times: RestoreGuide.Times?
    ) -> BackupFile {
        BackupFile(
            path: settings.guidePath,
            content: RestoreGuide(
                settings: settings, facts: facts, programs: programs.folder, times: times,
                howdah: call.arguments
            ).text, mode: 0o600, isSecret: false)
    }

    /// A pgpass file of the backups' own. Its first line makes the file's sha256, which is kept, say nothing of the password.
    private func passwordFile(_ settings: BackupSettings, _ user: String, _ password: String) throws
        -> BackupFile
    {
        guard !password.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
            throw MigrationError(
                .state, "the password has a line end in it, which no pgpass file can hold",
                remedy: "Give the role another one, or let the backups connect by a certificate.")
        }
        let escaped = password.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
        let place = server.conninfo.setting("host", to: "*").setting("port", to: "*").setting(
            "dbname", to: "*"
        )
        .setting("user", to: user)
        let nonce = (0..<16).map { _ in UInt8.random(in: 0 ... .max) }.hexadecimal
        return BackupFile(
            path: "\(settings.configFolder)/pgpass",
            content: "# howdah \(nonce)\n\(DatabaseMaker.passwordLine(place, password: escaped))\n",
            mode: 0o600,
            isSecret: true)
    }

    /// Writes the guide anew with what a drill measured; returns why it was left as it is, or nil.
    public func updateGuide(
        _ record: BackupRecord, _ report: DrillReport, note: (BackupRecord) throws -> Void
    ) throws -> String? {
        let path = record.settings.guidePath
        guard let index = record.files.firstIndex(where: { $0.path == path }) else { return nil }
        guard BackupInstallation.isUnchanged(record.files[index]) else {
            return "\(path) was changed since howdah wrote it, and is left as it is"
        }
        let facts = try server.withConnection(purpose: "backup") { try DatabaseFacts($0) }
        let times = RestoreGuide.Times(
            day: String(report.time.prefix(10)), bytes: report.bytes, restoreSeconds: report.restoreSeconds,
            proofSeconds: report.proofSeconds)
        let file = guide(record.settings, facts, try ClientPrograms.find(atLeast: facts.major), times)
        var record = record
        record.times = times
        record.files[index].before = record.files[index].sha256
        record.files[index].sha256 = sha256(of: Array(file.content.utf8))
        try note(record)
        try writeFile(path, Array(file.content.utf8), mode: file.mode)
        record.files[index].before = nil
        try note(record)
        return nil
    }
}
