import Foundation
import MigrationEngine
import Postgres

/// What the operator wants of backups; what is nil is as it was, or as is usual.
public struct BackupOptions: Sendable, Equatable {
    public var schedule: BackupSchedule?
    public var keep: Int?
    public var folder: String?

    public init(schedule: BackupSchedule? = nil, keep: Int? = nil, folder: String? = nil) {
        self.schedule = schedule
        self.keep = keep
        self.folder = folder
    }
}

/// How howdah is called for a database, by the guide and by the machine.
public struct HowdahCall: Sendable {
    /// The program, where it is installed; nil where it is not.
    public let program: String?
    /// What follows a command's name: project and target.
    public let arguments: [String]

    public init(program: String?, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }
}

/// Backups of one database: what would be written, writing it, one backup at once, a look at the newest, and the way back.
///
/// Called from a thread that may block. What is written is handed to `note` before it is there.
public struct BackupDesk: Sendable {
    let server: TargetServer
    let places: SystemPlaces
    /// What tells this database from others, where its address does not; and the folder for all files: of a rehearsal alone.
    let rehearsal: (identity: String, folder: String)?
    let call: HowdahCall
    /// SQLite's file.
    let source: String?
    /// The pgpass file of howdah's own state, which goes with the state.
    let statePasswords: String?
    let cancellation: Cancellation
    let progress: RunProgress

    public init(
        server: TargetServer, places: SystemPlaces = .current(),
        rehearsal: (identity: String, folder: String)? = nil, call: HowdahCall, source: String? = nil,
        statePasswords: String? = nil, cancellation: Cancellation, progress: RunProgress = RunProgress()
    ) {
        self.server = server
        self.places = places
        self.rehearsal = rehearsal
        self.call = call
        self.source = source
        self.statePasswords = statePasswords
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Where the database is, without a password.
    public var serverURL: String { server.conninfo.url }

    /// What would be written, and run.
    public struct Outline: Sendable {
        public let settings: BackupSettings
        public let files: [BackupFile]
        public let scheduler: SystemPlaces.Scheduler
        /// What has the machine start it.
        public let commands: [String]
        public let warnings: [String]
        let facts: DatabaseFacts
    }

    /// Whether a database has tables of its own, whoever has made them.
    public static func holdsTables(_ server: TargetServer) throws -> Bool {
        try server.withConnection(purpose: "status") {
            try DatabaseFacts.tables($0).contains(where: \.hasRows)
        }
    }

    // MARK: Before

    /// Works out what would be written. Throws where the database cannot be backed up from here.
    public func outline(_ options: BackupOptions, before: BackupRecord?) throws -> Outline {
        let (facts, access) = try look()
        guard facts.tables.contains(where: \.hasRows) else {
            throw MigrationError(
                .target, "\(server.conninfo.url) has no tables, so there is nothing to back up",
                remedy: "Load the rows first (howdah migrate, or step 3.2).", exit: .undecided)
        }
        let programs = try ClientPrograms.find(atLeast: facts.major)
        guard
            let scheduler = rehearsal == nil
                ? places.scheduler(cancellation: cancellation) : SystemPlaces.Scheduler.none
        else {
            throw MigrationError(
                .state,
                "this machine has neither a running systemd nor cron, so nothing would start the backups",
                remedy: "Install cron, or run this on the machine that shall make them.")
        }
        let settings = try settings(options, before, facts, access, programs)
        let files = try files(settings, facts, access, programs, scheduler, times: before?.times)
        var warnings = try BackupCheck(
            settings: settings, limit: BackupCheck.standardLimit, source: source, now: Date(),
            cancellation: cancellation
        ).warnings(facts)
        if settings.drillCommand == nil, rehearsal == nil {
            warnings.append(
                "no drill is run after the backups: howdah is not installed at a lasting place (make install)"
            )
        }
        if scheduler == .user {
            warnings.append(
                "a user's timers run only while the user is logged in, unless: loginctl enable-linger")
        }
        return Outline(
            settings: settings, files: files, scheduler: scheduler,
            commands: installation(settings, files, scheduler, before, { _ in }).commands, warnings: warnings,
            facts: facts)
    }

    /// How the script gets in: what libpq is told, and the password where one is needed that no file of the operator's has.
    struct Access {
        let variables: [BackupSettings.Variable]
        let password: String?
        let passwordFile: String?
        let user: String
        let database: String
    }

    private func look() throws -> (DatabaseFacts, Access) {
        try server.withConnection(purpose: "backup") { connection in
            let settings = connection.settings
            let own = settings["passfile"] ?? ""
            var password = settings["password"]
            var file: String?
            if password == nil, let used = connection.password {
                // A file gave it: the operator's own stays what is asked, one of howdah's state may be removed.
                if own == statePasswords, !own.isEmpty {
                    password = used
                } else {
                    file = own.isEmpty ? "\(places.home)/.pgpass" : own
                }
            }
            let facts = try DatabaseFacts(connection)
            return (
                facts,
                Access(
                    variables: LibpqVariables.variables(settings), password: password, passwordFile: file,
                    user: connection.user, database: connection.database)
            )
        }
    }

    private func settings(
        _ options: BackupOptions, _ before: BackupRecord?, _ facts: DatabaseFacts, _ access: Access,
        _ programs: ClientPrograms
    ) throws -> BackupSettings {
        let name = BackupSettings.name(access.database, identity: rehearsal?.identity ?? server.conninfo.url)
        let config = rehearsal?.folder ?? places.configFolder(name)
        let usual = rehearsal.map { "\($0.folder)/dumps" } ?? places.backupFolder(name)
        let folder = options.folder.map(absolutePath) ?? before?.settings.folder ?? usual
        for path in [folder, config] where path.utf8.contains(where: { $0 < 0x20 }) {
            throw MigrationError(
                .state, "the folder \(printable(path)) has a control character in its name",
                remedy: "Name another one with --to DIR.", exit: .usage)
        }
        var drill: [String]?
        if let program = call.program, rehearsal == nil {
            drill =
                [program, "drill"] + call.arguments + ["--if-older", "\(RestoreDrill.usualDays)", "--yes"]
        }
        return BackupSettings(
            name: name, url: server.conninfo.url, database: access.database, folder: folder,
            configFolder: config, keep: options.keep ?? before?.settings.keep ?? BackupSettings.standardKeep,
            schedule: options.schedule ?? before?.settings.schedule ?? .daily, variables: access.variables,
            serverMajor: facts.major, programs: programs.folder,
            passwordFile: access.password == nil ? access.passwordFile : "\(config)/pgpass",
            drillCommand: drill)
    }

    private func installation(
        _ settings: BackupSettings, _ files: [BackupFile], _ scheduler: SystemPlaces.Scheduler,
        _ before: BackupRecord?, _ note: @escaping (BackupRecord) throws -> Void
    ) -> BackupInstallation {
        BackupInstallation(
            settings: settings, files: files, scheduler: scheduler, places: places, before: before,
            note: note,
            cancellation: cancellation)
    }

    // MARK: Doing it

    /// Writes the files, makes the first backup, looks at it, and has the machine go on from there.
    public func install(
        _ outline: Outline, before: BackupRecord?, note: @escaping (BackupRecord) throws -> Void
    ) throws -> (backup: MadeBackup, finding: BackupFinding) {
        let work = installation(outline.settings, outline.files, outline.scheduler, before, note)
        let record = try work.write()
        // Nothing is started every day that has not worked once.
        let made = try makeNow(record.settings)
        let finding = try check(record.settings, facts: outline.facts)
        guard finding.state == .good else {
            throw MigrationError(
                .state, "the first backup is not good: \(finding.reasons.joined(separator: "; "))",
                remedy: "Nothing is started every day yet: mend this, and run it again.")
        }
        _ = try work.start(record)
        return (made, finding)
    }

    /// Writes the files anew where the database has another place by now, as a rehearsal's has each time; starts nothing.
    public func refresh(
        _ record: BackupRecord, note: @escaping (BackupRecord) throws -> Void
    ) throws -> BackupRecord {
        let outline = try outline(BackupOptions(), before: record)
        guard outline.settings != record.settings else { return record }
        return try installation(outline.settings, outline.files, outline.scheduler, record, note).write()
    }

    /// Makes one backup, by the script.
    public func makeNow(_ settings: BackupSettings, snapshot: String? = nil) throws -> MadeBackup {
        guard access(settings.scriptPath, R_OK) == 0 else {
            throw MigrationError(
                .state, "\(settings.scriptPath) is not there any more",
                remedy: "Write it anew: howdah backup PROJECT TARGET.", exit: .undecided)
        }
        return try BackupRun(settings: settings, cancellation: cancellation, progress: progress)
            .make(snapshot: snapshot)
    }

    /// What the newest backup is worth.
    public func check(
        _ settings: BackupSettings, limit hours: Double = 26, now: Date = Date()
    ) throws -> BackupFinding {
        let check = BackupCheck(
            settings: settings, limit: hours, source: source, now: now, cancellation: cancellation)
        do {
            let facts = try server.withConnection(purpose: "backup") { try DatabaseFacts($0) }
            return try check.finding(facts)
        } catch let error as MigrationError where error.code == .connection {
            return try check.finding(nil, unreachable: error.message)
        }
    }

    private func check(_ settings: BackupSettings, facts: DatabaseFacts) throws -> BackupFinding {
        try BackupCheck(
            settings: settings, limit: BackupCheck.standardLimit, source: source, now: Date(),
            cancellation: cancellation
        ).finding(facts)
    }

    // MARK: The way back

    public func removal(_ record: BackupRecord) -> [String] {
        BackupInstallation.removal(record, places: places) + kept(record)
    }

    public func remove(_ record: BackupRecord) throws -> [String] {
        let kept = kept(record)
        return try installation(record.settings, [], record.scheduler, record, { _ in }).remove(record) + kept
    }

    private func kept(_ record: BackupRecord) -> [String] {
        let dumps = DumpFolder(record.settings).dumps()
        return dumps.isEmpty
            ? []
            : [
                "\(Format.count(dumps.count, "backup stays", "backups stay")) in \(record.settings.folder): "
                    + dumps.prefix(3).map(\.file).joined(separator: ", ") + (dumps.count > 3 ? ", …" : "")
            ]
    }
}
