import Foundation
import MigrationEngine
import Postgres

/// Tries a way back to a moment from its beginning to its end, on a private copy of the rehearsal.
///
/// The rehearsal's data is copied while it stands still. The copy archives its log by `archive-wal.sh`, a base backup is made of
/// it by `basebackup.sh`, then rows and a table are lost. Two servers are restored from base backup and archive: one to the moment before, which
/// must equal SQLite in every cell, and one to the moment after, which must not. Everything is removed at the end. Called from a thread that may block.
public struct PointInTimeDrill {
    /// Compares named tables of a restored server with SQLite, all where none are named.
    public typealias Proof = (_ server: TargetServer, _ tables: [String]) throws -> MigrationReport

    /// A table of the target's with its name in the source.
    public struct Table: Sendable {
        let source: String
        let name: String

        public init(source: String, schema: String, name: String) {
            self.source = source
            self.name = quoteIdentifier(schema, name)
        }
    }

    private let state: StateFolder
    private let tables: [Table]
    let cancellation: Cancellation
    let prove: Proof

    /// How long a server may take to play its log, in seconds.
    static let recovery = 6 * 3600
    private static let database = RehearsalCluster.database
    static let after = "howdah_after_the_damage"

    public init(
        _ state: StateFolder, tables: [Table], cancellation: Cancellation, prove: @escaping Proof
    ) {
        self.state = state
        self.tables = tables
        self.cancellation = cancellation
        self.prove = prove
    }

    /// Removes what a drill that was killed has left; whether there was one.
    @discardableResult
    public static func removeLeft(_ state: StateFolder) throws -> Bool { try DrillPlace.removeLeft(state) }

    /// Runs it; throws where it cannot be done at all. What does not come back as it should is in the report.
    public func run() throws -> PointInTimeDrillReport {
        var rehearsal = try RehearsalCluster(state, cancellation: cancellation)
        let place = try DrillPlace(state, cancellation: cancellation)
        do {
            try place.checkSpace(rehearsal.dataBytes())
            var report = PointInTimeDrillReport()
            let start = ContinuousClock.now
            try run(&rehearsal, place, &report)
            report.seconds = (ContinuousClock.now - start).seconds
            try place.remove()
            return report
        } catch {
            try? place.remove()
            throw error
        }
    }

    private func run(
        _ rehearsal: inout RehearsalCluster, _ place: DrillPlace, _ report: inout PointInTimeDrillReport
    ) throws {
        let copy: PrivateCluster = try report.timed("copy") { _ in try copyOf(&rehearsal, place) }
        let socket = try place.start(copy, seconds: 300)
        try report.timed("base backup") { report in try makeBase(socket, place, &report) }
        let lost: Damage = try report.timed("damage") { report in
            try damage(server(socket), place, &report)
        }
        CrashPoint.pass("pitr damaged")
        try copy.stop("immediate")
        report.walBytes = FolderSize.bytes("\(place.folder)/archive")
        report.walFiles =
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(place.folder)/archive")) ?? [])
            .count { $0.count == 24 }
        try restoreBefore(lost, place, &report)
        try restoreAfter(lost, place, &report)
    }

    func server(_ socket: String) -> TargetServer {
        TargetServer(
            PrivateCluster.conninfo(socket: socket, database: Self.database), cancellation: cancellation)
    }

    // MARK: A server that archives

    private func copyOf(_ rehearsal: inout RehearsalCluster, _ place: DrillPlace) throws -> PrivateCluster {
        let archive = try place.makeFolder("archive")
        let data = try place.makeFolder("server")
        try rehearsal.copyData(to: data)
        let script = try place.write(PointInTimeScripts.archiving(archive: archive), to: "archive-wal.sh")
        let copy = place.cluster("server")
        let command = PointInTimePlaces.archiveCommand(script: script)
        try copy.append(
            configuration: """

                # howdah's drill
                wal_level = replica
                max_wal_senders = 4
                full_page_writes = on
                archive_mode = on
                archive_command = \(PointInTimePlaces.configurationValue(command))
                shared_buffers = 32MB
                max_wal_size = 1GB

                """)
        return copy
    }

    private func makeBase(
        _ socket: String, _ place: DrillPlace, _ report: inout PointInTimeDrillReport
    ) throws {
        var places = PointInTimePlaces(database: Self.database)
        places.archive = "\(place.folder)/archive"
        places.bases = try place.makeFolder("bases")
        let conninfo = PrivateCluster.conninfo(socket: socket, database: Self.database)
        let variables = [("PGHOST", "host"), ("PGPORT", "port"), ("PGUSER", "user")]
            .compactMap { variable, key in conninfo[key].map { (name: variable, value: $0) } }
        let version = try server(socket).withConnection(purpose: "drill") { $0.serverVersion }
        let script = try place.write(
            PointInTimeScripts.base(
                places, variables: variables, programs: place.programs.folder, version: version),
            to: "basebackup.sh")
        _ = try place.run("/bin/sh", [script], "the base backup")
        guard let base = BaseBackup.newest(in: places.bases) else {
            throw MigrationError(
                .rehearsal, "the base backup is not in \(places.bases)", remedy: "Run the drill again.")
        }
        report.baseBytes = FolderSize.bytes(base.path)
    }

    // MARK: The damage

    struct Damage {
        /// As recovery_target_time takes it.
        let moment: String
        let deleted: Table?
        let rows: Int
        let dropped: Table?
        let base: String
    }

    private func damage(
        _ server: TargetServer, _ place: DrillPlace, _ report: inout PointInTimeDrillReport
    ) throws -> Damage {
        let base = BaseBackup.newest(in: "\(place.folder)/bases")?.path ?? ""
        let found = try server.withConnection(purpose: "drill") { try lose(base, $0) }
        report.moment = found.moment
        report.damage = [
            found.deleted.map { "\(Format.count(found.rows, "row", "rows")) of \($0.source) deleted" },
            found.dropped.map { "\($0.source) dropped" },
        ].compactMap(\.self)
        return found
    }

    /// Writes a marker, notes the moment, loses rows and a table, and waits until the log of it is in the archive.
    private func lose(_ base: String, _ connection: borrowing Postgres.Connection) throws -> Damage {
        try connection.execute("SET statement_timeout = '1h'")
        try connection.execute(
            "CREATE SCHEMA howdah_drill; CREATE TABLE howdah_drill.marker (note text); "
                + "INSERT INTO howdah_drill.marker VALUES ('before the damage')")
        var filled: [Table] = []
        for table in tables where try hasRows(table, connection) { filled.append(table) }
        let moment = try connection.query(
            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'")
        // Whatever refers to the rows would stop the loss of them.
        try connection.execute("SET session_replication_role = replica")
        var rows = 0
        if let first = filled.first {
            rows = try connection.query("DELETE FROM \(first.name)").affectedRows ?? 0
        }
        let dropped = filled.dropFirst().first
        if let dropped { try connection.execute("DROP TABLE \(dropped.name) CASCADE") }
        _ = try connection.query("SELECT pg_create_restore_point('\(Self.after)')")
        let file = try connection.query("SELECT pg_walfile_name(pg_current_wal_lsn())").text(0, 0) ?? ""
        _ = try connection.query("SELECT pg_switch_wal()")
        try waitUntilArchived(file, connection)
        return Damage(
            moment: moment.text(0, 0) ?? "", deleted: filled.first, rows: rows, dropped: dropped, base: base)
    }

    private func hasRows(_ table: Table, _ connection: borrowing Postgres.Connection) throws -> Bool {
        try connection.query("SELECT EXISTS (SELECT FROM \(table.name))").bool(0, 0)
    }

    private func waitUntilArchived(_ file: String, _ connection: borrowing Postgres.Connection) throws {
        let deadline = ContinuousClock.now.advanced(by: .seconds(300))
        while true {
            let last = try connection.query(
                "SELECT left(last_archived_wal, 24), last_failed_wal FROM pg_stat_archiver")
            if let name = last.text(0, 0), name >= file { return }
            try cancellation.check()
            guard ContinuousClock.now < deadline else {
                throw MigrationError(
                    .rehearsal,
                    "the log of the drill was not archived"
                        + (last.text(0, 1).map { "; \($0) failed" } ?? ""),
                    remedy: "Look for free space, and run the drill again.")
            }
            _ = try connection.query("SELECT pg_sleep(0.05)")
        }
    }
}
