import Foundation
import MigrationEngine

/// PostgreSQL's client programs of one version, in one folder: pg_dump of the server's version or a later one can read it
/// (https://www.postgresql.org/docs/current/app-pgdump.html, "Notes").
struct ClientPrograms {
    let folder: String
    let major: Int

    /// The closest version that is not older than `major`. Distributions keep those of each version in a folder of its own.
    static func find(
        atLeast major: Int, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ClientPrograms {
        let found = folders(environment).compactMap(ClientPrograms.init)
        let named = environment["HOWDAH_PG_BINDIR"]
        let fit = found.filter { $0.major >= major }
        if let own = fit.first(where: { $0.folder == named }) { return own }
        if let best = fit.min(by: { $0.major < $1.major }) { return best }
        let newest = found.map(\.major).max()
        throw MigrationError(
            .state,
            newest.map {
                "the newest pg_dump here is of version \($0), and the server is PostgreSQL \(major), which it cannot dump"
            } ?? "pg_dump and pg_restore were not found here",
            remedy:
                "Install PostgreSQL's client programs of version \(major) or later (Debian, Ubuntu: apt-get install "
                + "postgresql-client-\(major)), or say where they are with HOWDAH_PG_BINDIR.")
    }

    private init?(_ folder: String) {
        guard
            ["pg_dump", "pg_restore", "psql"].allSatisfy({ access("\(folder)/\($0)", X_OK) == 0 }),
            let outcome = try? Command(
                "\(folder)/pg_restore", ["--version"], in: "/", environment: ["PATH": "/usr/bin:/bin"]
            ).run(cancellation: Cancellation()),
            let major = Int(outcome.output.drop { !$0.isNumber }.prefix { $0.isNumber })
        else { return nil }
        self.folder = folder
        self.major = major
    }

    /// The same places as the script looks in.
    private static func folders(_ environment: [String: String]) -> [String] {
        var folders = environment["HOWDAH_PG_BINDIR"].map { [$0] } ?? []
        let roots: [(root: String, prefix: String)] = [
            ("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/opt/homebrew/opt", "postgresql"),
            ("/usr/local/opt", "postgresql"),
        ]
        for (root, prefix) in roots {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
            folders += names.sorted().filter { $0.hasPrefix(prefix) }.map { "\(root)/\($0)/bin" }
        }
        folders += ["/opt/homebrew/opt/libpq/bin", "/usr/local/opt/libpq/bin", "/usr/local/pgsql/bin"]
        return folders + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    }

    func command(_ program: String, _ arguments: [String], environment: [String: String]) -> Command {
        Command("\(folder)/\(program)", arguments, in: "/", environment: environment)
    }
}
