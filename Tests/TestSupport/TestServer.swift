import Foundation
import MigrationEngine
import Postgres

/// The private PostgreSQL of a test run: started by the first test that asks, gone when the process ends.
///
/// Every test gets a database of its own and removes it.
public enum TestServer {
    private static let cluster: Swift.Result<Conninfo, any Error> = Swift.Result {
        let folder = FileManager.default.temporaryDirectory.path + "/howdah-tests-\(getpid())"
        let state = try StateFolder.open(source: "", project: nil, override: folder, environment: [:])
        var cluster = try RehearsalCluster(state, cancellation: Cancellation())
        try cluster.start()
        guard let conninfo = cluster.conninfo(database: "postgres") else { throw MigrationError.noServer }
        cleaner = { [cluster] in
            var cluster = cluster
            try? cluster.remove()
            try? FileManager.default.removeItem(atPath: folder)
        }
        atexit { TestServer.cleaner() }
        return conninfo
    }

    nonisolated(unsafe) private static var cleaner: () -> Void = {}

    /// A connection string of the server itself.
    public static func conninfo() throws -> Conninfo { try cluster.get() }

    /// Runs `body` with a new, empty database, which is dropped afterwards.
    public static func withDatabase<T>(_ body: (Conninfo) throws -> T) throws -> T {
        let server = try conninfo()
        let name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
        let admin = try Connection(server, applicationName: "tests")
        try admin.execute("CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'UTF8'")
        defer { try? admin.execute("DROP DATABASE \(name) WITH (FORCE)") }
        return try body(server.setting("dbname", to: name))
    }

    /// The first field of the first row, as text.
    public static func value(_ sql: String, in conninfo: Conninfo) throws -> String? {
        let connection = try connect(conninfo)
        return try connection.query(sql).text(0, 0)
    }

    /// Runs statements.
    public static func execute(_ sql: String, in conninfo: Conninfo) throws {
        let connection = try connect(conninfo)
        try connection.execute(sql)
    }

    /// The rows of a query, their fields joined by bars.
    public static func rows(_ sql: String, in conninfo: Conninfo) throws -> [String] {
        let connection = try connect(conninfo)
        let result = try connection.query(sql)
        return (0..<result.count).map { row in
            (0..<result.columnCount).map { result.text(row, $0) ?? "NULL" }.joined(separator: "|")
        }
    }

    /// Opens a connection.
    public static func connect(_ conninfo: Conninfo) throws -> Connection {
        try Connection(conninfo, applicationName: "tests")
    }
}

extension MigrationError {
    public static let noServer = MigrationError(.rehearsal, "no test server", remedy: "Install PostgreSQL.")
}
