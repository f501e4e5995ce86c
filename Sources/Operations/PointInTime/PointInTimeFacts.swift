import Foundation
import MigrationEngine
import Postgres

/// What one server tells of itself that a way back to a moment hangs on.
struct PointInTimeFacts: Sendable, Equatable {
    struct Setting: Sendable, Equatable {
        var value: String
        /// Whether another value waits for a restart.
        var isPending = false
    }

    /// What pg_stat_archiver says.
    struct Archiver: Sendable, Equatable {
        var archived = 0
        var lastName: String?
        /// Seconds since the last file was archived.
        var lastAge: Double?
        var failed = 0
        var lastFailedName: String?
        /// Whether the newest attempt failed.
        var isFailing = false
        /// Finished files that wait; nil where it cannot be told.
        var waiting: Int?
    }

    var version: Int
    var versionText: String
    var database: String
    var user: String
    var mayReplicate: Bool
    /// Settings that this role may see, by name.
    var settings: [String: Setting]
    var archiver: Archiver?
    /// The bytes of the WAL that the server keeps; nil where the role may not see them.
    var walBytes: Int64?
    /// Free where the server keeps its data; nil for a server of another machine.
    var freeBytes: Int64?
    var isStandby: Bool
    var provider: ManagedServer?
    /// The newest base backup of the folder that was named.
    var base: BaseBackup?
    /// The folder that was named for base backups; nil where none was.
    var baseFolder: String?

    func value(_ name: String) -> String? { settings[name]?.value }
}

/// A base backup in a folder of this machine.
struct BaseBackup: Sendable, Equatable {
    let path: String
    /// When it was made, by its manifest or its label.
    let time: Date

    /// The newest one in a folder; nil where there is none.
    static func newest(in folder: String) -> BaseBackup? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name -> BaseBackup? in
            let path = "\(folder)/\(name)"
            // A part of one has no label yet, or a name that says so.
            guard !name.hasPrefix("."), access("\(path)/backup_label", F_OK) == 0,
                let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/backup_label"),
                let time = attributes[.modificationDate] as? Date
            else { return nil }
            return BaseBackup(path: path, time: time)
        }.max { $0.time < $1.time }
    }
}

extension PointInTimeFacts {
    static let names = [
        "archive_command", "archive_library", "archive_mode", "archive_timeout", "config_file",
        "data_checksums",
        "data_directory", "fsync", "full_page_writes", "max_slot_wal_keep_size", "max_wal_senders",
        "summarize_wal", "wal_keep_size", "wal_level", "wal_segment_size",
    ]

    /// Asks the server; what this role may not see is left out. `bases` is a folder with base backups.
    static func read(
        bases: String?, isLocal: (String) -> Bool = { access($0, F_OK) == 0 },
        _ connection: borrowing Postgres.Connection
    ) throws -> PointInTimeFacts {
        try connection.execute("SET statement_timeout = '30s'")
        let own = try connection.query(
            """
            SELECT current_user, rolsuper OR rolreplication, current_setting('server_version'), pg_is_in_recovery(),
                coalesce(host(inet_server_addr()), '')
            FROM pg_roles WHERE rolname = current_user
            """)
        let listed = try connection.query("SELECT name, setting, pending_restart FROM pg_settings")
        var settings: [String: Setting] = [:]
        for row in 0..<listed.count {
            settings[listed.text(row, 0) ?? ""] = Setting(
                value: listed.text(row, 1) ?? "", isPending: listed.bool(row, 2))
        }
        let roles = try connection.query("SELECT rolname FROM pg_roles")
        let provider = ManagedServer.of(
            roles: Set((0..<roles.count).compactMap { roles.text($0, 0) }), settings: settings.keys)
        let isStandby = own.bool(0, 3)
        var facts = PointInTimeFacts(
            version: connection.serverVersion, versionText: own.text(0, 2) ?? "",
            database: connection.database,
            user: own.text(0, 0) ?? "", mayReplicate: own.bool(0, 1),
            settings: settings.filter { names.contains($0.key) }, isStandby: isStandby, provider: provider,
            base: bases.flatMap(BaseBackup.newest), baseFolder: bases)
        facts.archiver = try archiver(isStandby: isStandby, facts, connection)
        facts.walBytes = try? connection.query("SELECT sum(size) FROM pg_ls_waldir()").int(0, 0).map {
            Int64($0)
        }
        let host = own.text(0, 4) ?? ""
        if ["", "127.0.0.1", "::1"].contains(host), let folder = facts.value("data_directory"),
            isLocal(folder)
        {
            var space = statvfs()
            if statvfs(folder, &space) == 0 {
                facts.freeBytes = Int64(space.f_bavail) * Int64(space.f_frsize)
            }
        }
        return facts
    }

    private static func archiver(
        isStandby: Bool, _ facts: PointInTimeFacts, _ connection: borrowing Postgres.Connection
    ) throws -> Archiver {
        let told = try connection.query(
            """
            SELECT archived_count, last_archived_wal, extract(epoch FROM now() - last_archived_time)::float8, failed_count,
                last_failed_wal, coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL)
            FROM pg_stat_archiver
            """)
        var archiver = Archiver(
            archived: told.int(0, 0) ?? 0, lastName: told.text(0, 1),
            lastAge: told.text(0, 2).flatMap { Double($0) }, failed: told.int(0, 3) ?? 0,
            lastFailedName: told.text(0, 4), isFailing: told.bool(0, 5))
        guard !isStandby, let name = archiver.lastName,
            let size = Int64(facts.value("wal_segment_size") ?? "")
        else { return archiver }
        let current = try connection.query("SELECT pg_walfile_name(pg_current_wal_lsn())").text(0, 0) ?? ""
        if let last = WALFile.number(name, segment: size), let now = WALFile.number(current, segment: size) {
            archiver.waiting = Int(max(0, now - last - 1))
        }
        return archiver
    }
}

/// The names of WAL files (https://www.postgresql.org/docs/current/wal-internals.html).
enum WALFile {
    /// The number of a file of `segment` bytes within all timelines; nil for what is no such name.
    static func number(_ name: String, segment: Int64) -> Int64? {
        let digits = name.prefix(24)
        guard digits.utf8.count == 24, segment > 0, let log = Int64(digits.dropFirst(8).prefix(8), radix: 16),
            let part = Int64(digits.suffix(8), radix: 16)
        else { return nil }
        return log * (Int64(1) << 32 / segment) + part
    }
}
