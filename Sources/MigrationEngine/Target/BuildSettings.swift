import Foundation
import Postgres

/// The settings of sessions that load and build. How much memory the server may take to make keys and indexes comes from
/// what it has.
///
/// A sort that fits into `maintenance_work_mem` is not written to disk; one session takes it once, however many parallel
/// workers help it (PostgreSQL manual, "Resource Consumption").
struct BuildSettings: Sendable, Equatable {
    let maintenanceWorkMegabytes: Int

    /// The share of the server's memory that all sessions together may take.
    private static let share = 8
    private static let bounds = 64...512

    /// By the names that PostgreSQL gives them. The run's last commit waits for the disk, and with it for all before it.
    var values: [String: String] {
        ["maintenance_work_mem": "\(maintenanceWorkMegabytes)MB", "synchronous_commit": "off"]
    }

    var sql: String {
        values.sorted { $0.key < $1.key }.map { "SET \($0.key) = '\($0.value)'" }.joined(separator: "; ")
    }

    /// `serverMegabytes` is what the machine has, or about what it has.
    init(serverMegabytes: Int, sessions: Int, present: Int) {
        let fair = serverMegabytes / Self.share / max(1, sessions)
        maintenanceWorkMegabytes = max(
            present, min(max(fair, Self.bounds.lowerBound), Self.bounds.upperBound))
    }

    /// Looks at the server. Only a server of this machine shows its memory; of another one, it is guessed from its
    /// `shared_buffers`, of which a quarter of the memory is the usual setting.
    static func read(_ connection: borrowing Postgres.Connection, sessions: Int) throws -> BuildSettings {
        let facts = try connection.query(
            """
            SELECT pg_size_bytes(current_setting('maintenance_work_mem')) >> 20,
                pg_size_bytes(current_setting('shared_buffers')) >> 20,
                coalesce(inet_server_addr() << '127.0.0.0/8' OR inet_server_addr() = '::1', true)
            """)
        let memory =
            facts.bool(0, 2)
            ? Int(ProcessInfo.processInfo.physicalMemory >> 20) : 4 * (facts.int(0, 1) ?? 0)
        return BuildSettings(serverMegabytes: memory, sessions: sessions, present: facts.int(0, 0) ?? 64)
    }
}
