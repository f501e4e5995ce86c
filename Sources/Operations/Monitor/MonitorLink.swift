import Foundation
import MigrationEngine
import Postgres

/// One connection by which a server is watched; used by one thread at a time.
final class MonitorLink {
    /// Seconds between two looks at what costs more: files, tables, replication.
    private static let storageInterval = 15.0
    /// Seconds that one answer may take: more than the server gives a statement.
    private static let patience = 8.0

    private let connection: Postgres.Connection
    private let cancellation: Cancellation
    private let version: Int
    private let cluster: String
    private var storage: MonitorSample.Storage?
    private var storageGaps: [String] = []
    private var storageTime: ContinuousClock.Instant?

    /// Throws `PostgresError`.
    init(_ conninfo: Conninfo, cancellation: Cancellation) throws {
        self.cancellation = cancellation
        connection = try Postgres.Connection(
            conninfo, applicationName: "howdah monitor", isCancelled: { cancellation.isCancelled })
        try connection.execute(MonitorSQL.settings)
        version = connection.serverVersion
        // Some providers let nobody call it: the address tells servers apart then.
        cluster = (try? connection.query(MonitorSQL.identity).text(0, 0)) ?? conninfo.url
    }

    private struct Facts: Decodable {
        let version: String
        let database: Int
        let upSeconds: Double
        let isStandby: Bool
        let maxConnections: Int
        let reservedConnections: Int
        let transactionAge: Int
        let multixactAge: Int
        let isArchiving: Bool
        let archiverFails: Bool
        let archiverFailures: Int
        let standbyLag: Double?
        let seesOthers: Bool
    }

    /// Asks the server. Throws where it cannot be asked at all; a part that it does not answer is named in `unseen`.
    func sample() throws -> MonitorSample {
        let canceller = connection.canceller
        return try cancellation.whileRegistered({ canceller.cancel() }) {
            let text = try ask(MonitorSQL.facts(version)).text(0, 0) ?? "{}"
            let decoder = JSONDecoder()
            let facts = try decoder.decode(Facts.self, from: Data(text.utf8))
            var sample = MonitorSample(
                time: Date(), server: server(facts), sessions: [],
                counters: try decoder.decode(MonitorCounters.self, from: Data(text.utf8)), storage: nil,
                unseen: [])
            if !facts.seesOthers {
                sample.unseen.append(
                    "what sessions of other users do: \(connection.user) has no pg_read_all_stats "
                        + "(GRANT pg_monitor TO \(quoteIdentifierWhereNeeded(connection.user)) gives it)")
            }
            try part("sessions", &sample.unseen) { sample.sessions = try sessions() }
            try lookAtStorage()
            sample.storage = storage
            sample.unseen += storageGaps
            return sample
        }
    }

    /// Asks one thing. The server ends a statement after five seconds; one that does not even do that is given up, so that a
    /// server that hangs is told from one that is quiet.
    private func ask(_ sql: String, _ values: [String?] = []) throws -> Postgres.Result {
        let canceller = connection.canceller
        let alarm = DispatchWorkItem { canceller.cancel() }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience, execute: alarm)
        defer { alarm.cancel() }
        do throws(PostgresError) {
            return try connection.query(sql, values)
        } catch {
            try cancellation.check()
            guard canceller.isCancelled else { throw error }
            throw PostgresError(
                .connectionLost, "the server has not answered for \(Int(Self.patience)) seconds")
        }
    }

    private func server(_ facts: Facts) -> MonitorSample.Server {
        MonitorSample.Server(
            version: facts.version.split(separator: " ").first.map(String.init) ?? facts.version,
            number: version,
            identity: "\(cluster)/\(facts.database)", database: connection.database, user: connection.user,
            upSeconds: facts.upSeconds, isStandby: facts.isStandby, maxConnections: facts.maxConnections,
            reservedConnections: facts.reservedConnections, transactionAge: facts.transactionAge,
            multixactAge: facts.multixactAge, isArchiving: facts.isArchiving,
            archiverFails: facts.archiverFails, archiverFailures: facts.archiverFailures,
            standbyLag: facts.standbyLag, seesOthers: facts.seesOthers)
    }

    /// Runs what may fail by itself, such as by a missing right or by the time that it takes.
    private func part(_ name: String, _ gaps: inout [String], _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as PostgresError {
            try cancellation.check()
            if error.code == .connectionLost { throw error }
            gaps.append("\(name): \(error.message)")
        }
    }

    private func sessions() throws -> [MonitorSession] {
        let rows = try ask(MonitorSQL.sessions(version))
        return (0..<rows.count).map { row in
            let kind = rows.text(row, 15)
            let state = rows.text(row, 5)
            let wait = [rows.text(row, 6), rows.text(row, 7)].compactMap(\.self).joined(separator: ":")
            return MonitorSession(
                process: rows.int(row, 0) ?? 0, user: rows.text(row, 1) ?? "",
                database: rows.text(row, 2) ?? "", application: rows.text(row, 3) ?? "",
                client: rows.text(row, 4) ?? "",
                // Without the right even the kind of a process is hidden.
                state: kind == nil
                    ? .hidden : state.map { MonitorSession.State(rawValue: $0) ?? .other } ?? .other,
                // What a client is waited for is no wait of the server's.
                wait: wait.hasPrefix("Client:") ? "" : wait, querySeconds: rows.seconds(row, 8),
                transactionSeconds: rows.seconds(row, 9), stateSeconds: rows.seconds(row, 10),
                waitSeconds: rows.seconds(row, 11), start: rows.text(row, 12) ?? "",
                queryStart: rows.text(row, 13) ?? "", query: kind == nil ? "" : rows.text(row, 14) ?? "",
                isClient: kind == "client backend" || kind == nil && rows.text(row, 1) != "",
                blockers: (rows.text(row, 16) ?? "").split(separator: " ").compactMap { Int($0) })
        }
    }

    private func lookAtStorage() throws {
        let now = ContinuousClock.now
        if let storageTime, (now - storageTime).seconds < Self.storageInterval { return }
        var found = MonitorSample.Storage()
        var gaps: [String] = []
        try part("the database's size", &gaps) {
            found.size = try ask(MonitorSQL.size).text(0, 0).flatMap { Int64($0) }
        }
        lookAtDisk(&found)
        try part("tables", &gaps) { found.tables = try tables() }
        try part("standbys", &gaps) { found.standbys = try standbys() }
        try part("replication slots", &gaps) { found.slots = try slots() }
        storage = found
        storageGaps = gaps
        storageTime = now
    }

    private func tables() throws -> [MonitorSample.Table] {
        let rows = try ask(MonitorSQL.tables)
        return (0..<rows.count).map { row in
            MonitorSample.Table(
                name: rows.text(row, 0) ?? "", bytes: Int64(rows.int(row, 1) ?? 0),
                live: rows.int(row, 2) ?? 0,
                dead: rows.int(row, 3) ?? 0, vacuumed: rows.text(row, 4) ?? "")
        }
    }

    private func standbys() throws -> [MonitorSample.Standby] {
        let rows = try ask(MonitorSQL.standbys)
        return (0..<rows.count).map { row in
            MonitorSample.Standby(
                name: rows.text(row, 0) ?? "", state: rows.text(row, 1) ?? "", lag: rows.seconds(row, 2),
                behind: rows.int(row, 3).map { Int64($0) })
        }
    }

    private func slots() throws -> [MonitorSample.Slot] {
        let rows = try ask(MonitorSQL.slots(version))
        return (0..<rows.count).map { row in
            MonitorSample.Slot(
                name: rows.text(row, 0) ?? "", isActive: rows.bool(row, 1),
                kept: rows.int(row, 2).map { Int64($0) }, status: rows.text(row, 3) ?? "")
        }
    }

    /// Free space where the server keeps its data, where the process that serves this connection is one of this machine.
    private func lookAtDisk(_ found: inout MonitorSample.Storage) {
        let process = connection.backendProcess
        #if os(Linux)
            guard let name = FileManager.default.contents(atPath: "/proc/\(process)/comm"),
                String(decoding: name, as: UTF8.self).hasPrefix("postgres")
            else { return }
        #else
            guard kill(pid_t(process), 0) == 0 || errno == EPERM else { return }
        #endif
        var space = statvfs()
        guard let folder = try? ask(MonitorSQL.dataFolder).text(0, 0),
            statvfs(folder, &space) == 0
        else { return }
        found.free = Int64(space.f_bavail) * Int64(space.f_frsize)
        found.disk = Int64(space.f_blocks) * Int64(space.f_frsize)
    }

    /// Cancels a session's statement, or ends the session; says what came of it.
    func end(_ session: MonitorSession, _ ending: SessionEnding) throws -> String {
        let canceller = connection.canceller
        return try cancellation.whileRegistered({ canceller.cancel() }) {
            var values: [String?] = ["\(session.process)", session.start]
            if ending == .cancel { values.append(session.queryStart) }
            let answer = try ask(MonitorSQL.end(ending), values)
            guard answer.count == 1 else {
                return ending == .cancel
                    ? "session \(session.process) is gone, or runs another statement by now: nothing was done"
                    : "session \(session.process) is gone already"
            }
            guard answer.bool(0, 0) else { return "the server could not reach session \(session.process)" }
            return ending == .cancel
                ? "the statement of session \(session.process) was told to stop"
                : "session \(session.process) was told to end"
        }
    }
}

extension Postgres.Result {
    /// A duration; clocks of two processes may differ by a little, which is none.
    fileprivate borrowing func seconds(_ row: Int, _ column: Int) -> Double? {
        text(row, column).flatMap { Double($0) }.map { max(0, $0) }
    }
}
