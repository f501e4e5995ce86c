import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// The whole way back to a moment, on real servers.
@Suite(.serialized) struct PointInTimeDrillTests {
    private static let source = """
        CREATE TABLE "User" (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE "Message" (id INTEGER PRIMARY KEY, "userId" INTEGER NOT NULL REFERENCES "User"(id), body BLOB);
        CREATE VIEW names AS SELECT name FROM "User";
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
        INSERT INTO "User" SELECT i, 'user ' || i FROM n;
        INSERT INTO "Message" SELECT id, id, zeroblob(id) FROM "User";
        """

    private struct Fixture {
        let state: StateFolder
        let preparation: Preparation
        let conninfo: Conninfo
        let place: String

        func validate(_ server: TargetServer, _ names: [String]) throws -> MigrationReport {
            try Validation(
                preparation: preparation, server: server, schema: "public", workers: 2,
                cancellation: Cancellation(), progress: RunProgress()
            ).run(tables: names)
        }

        func drill(
            _ cancellation: Cancellation = Cancellation(), prove: @escaping PointInTimeDrill.Proof
        ) throws -> PointInTimeDrillReport {
            try PointInTimeDrill(
                state,
                tables: ["User", "Message"].map { .init(source: $0, schema: "public", name: $0) },
                cancellation: cancellation, prove: prove
            ).run()
        }

        /// Nothing of a drill is there any more: neither files nor servers.
        func expectNothingLeft() throws {
            #expect(!FileManager.default.fileExists(atPath: place))
            #expect(!FileManager.default.fileExists(atPath: "\(state.path)/point-in-time-drill.json"))
            let processes = try Command(
                "/usr/bin/env", ["ps", "-eo", "args"], in: "/", environment: ["PATH": "/usr/bin:/bin"]
            ).run(cancellation: Cancellation()).output
            #expect(!processes.contains(place))
        }
    }

    private func withRehearsal(_ body: (Fixture) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/source.db"
            try makeDatabase(path, Self.source)
            let state = try StateFolder.open(
                source: path, project: nil, override: "\(folder)/state", environment: [:])
            var cluster = try RehearsalCluster(state, cancellation: Cancellation())
            try cluster.start()
            defer {
                // The drill has restarted it since.
                var cluster = try? RehearsalCluster(state, cancellation: Cancellation())
                try? cluster?.remove()
            }
            try cluster.ensureDatabase()
            let found = cluster.conninfo()
            let conninfo = try #require(found)
            let migration = TestMigration()
            let report = try migration.run(path, state: state.path, into: conninfo)
            #expect(report.outcome == .proven)
            let programs = try ServerPrograms()
            let own = programs.place(for: "\(state.path)/rehearsal", kind: "drills")
            try body(
                Fixture(
                    state: state, preparation: try migration.prepare(path, state: state.path),
                    conninfo: conninfo,
                    place: own ?? "\(state.path)/point-in-time-drill"))
        }
    }

    @Test func theMomentBeforeTheDamageComesBackInEveryCell() throws {
        try withRehearsal { fixture in
            let report = try fixture.drill(prove: fixture.validate)
            #expect(report.isProven, "\(report.lines)")
            #expect(report.tables == 2 && report.rows == 400)
            #expect(report.damage == ["200 rows of User deleted", "Message dropped"])
            #expect(report.seenDamage == 2, "a proof that cannot fail proves nothing")
            #expect(report.walFiles >= 2 && report.baseBytes > 1 << 20)
            try fixture.expectNothingLeft()
            // The rehearsal runs again, and is as it was.
            let cluster = try RehearsalCluster(fixture.state, cancellation: Cancellation())
            let found = cluster.conninfo()
            let conninfo = try #require(found)
            #expect(cluster.isRunning)
            let server = TargetServer(conninfo, cancellation: Cancellation())
            #expect(try fixture.validate(server, []).outcome == .proven)
        }
    }

    @Test func aProofThatDoesNotFindTheDamageFailsTheDrill() throws {
        try withRehearsal { fixture in
            let report = try fixture.drill { _, names in
                let cluster = try RehearsalCluster(fixture.state, cancellation: Cancellation())
                let found = cluster.conninfo()
                let whole = try #require(found)
                return try fixture.validate(TargetServer(whole, cancellation: Cancellation()), names)
            }
            #expect(!report.isProven && report.headline.contains("it proves nothing"), "\(report.lines)")
            try fixture.expectNothingLeft()
        }
    }

    @Test(arguments: ["failure", "cancellation"]) func nothingIsLeftAfterA(end: String) throws {
        try withRehearsal { fixture in
            let cancellation = Cancellation()
            let error = #expect(throws: MigrationError.self) {
                _ = try fixture.drill(cancellation) { server, _ in
                    if end == "cancellation" { cancellation.cancel() }
                    try cancellation.check()
                    throw MigrationError(.target, "in the way", remedy: "Nothing.")
                }
            }
            #expect(error?.code == (end == "failure" ? .target : .cancelled))
            try fixture.expectNothingLeft()
        }
    }

    @Test func theLinesThatAreToldAreWhatTheServerLacks() throws {
        try withRehearsal { fixture in
            func look() throws -> PointInTimeReport {
                var cluster = try RehearsalCluster(fixture.state, cancellation: Cancellation())
                try cluster.start()
                let found = cluster.conninfo()
                let conninfo = try #require(found)
                let server = TargetServer(conninfo, cancellation: Cancellation())
                return try PointInTimeDesk(server, places: nil).look().report
            }
            let before = try look()
            #expect(before.configuration.count == 7)
            let connection = try TestServer.connect(fixture.conninfo)
            for sql in before.statements { _ = try connection.query(sql) }
            var cluster = try RehearsalCluster(fixture.state, cancellation: Cancellation())
            try cluster.stop()
            let after = try look()
            #expect(after.configuration.isEmpty, "\(after.lines)")
            #expect(
                after.missing.map(\.id) == ["archiver", "base"], "what only time and a base backup bring")
        }
    }

    /// The text's own commands, run as they stand, with the moment that the drill's server was set back to.
    @Test func theCommandsOfTheTextRestoreAServer() throws {
        try withRehearsal { fixture in
            let report = try fixture.drill { server, names in
                guard names.isEmpty else { return try fixture.validate(server, names) }
                let programs = try ServerPrograms()
                let log = try String(contentsOfFile: "\(fixture.place)/restored/server.log", encoding: .utf8)
                let moment = try #require(
                    log.components(separatedBy: "last completed transaction was at log time ").last?
                        .split(separator: "\n").first)
                var places = PointInTimePlaces(database: "rehearsal")
                places.archive = "\(fixture.place)/archive"
                places.bases = "\(fixture.place)/bases"
                let found = try PointInTimeDesk(server, places: places).look()
                let text = try #require(found.files().first?.text)
                let blocks = text.components(separatedBy: "```sh\n").dropFirst().map {
                    $0.components(separatedBy: "```").first ?? ""
                }
                let restore = try #require(blocks.first { $0.hasPrefix("MOMENT=") })
                let setup = restore.replacing("2026-01-31 14:02:00+00", with: moment)
                func shell(_ script: String) throws {
                    let outcome = try programs.command(path: "/bin/sh", ["-ec", script])
                        .run(cancellation: Cancellation())
                    #expect(outcome.status == 0, "\(outcome.output)")
                }
                try shell(setup)
                let restored = TargetServer(
                    Conninfo(
                        socketDirectory: "\(places.bases)/restored", port: 5433,
                        user: PrivateCluster.superuser,
                        database: "rehearsal"), cancellation: Cancellation())
                #expect(try fixture.validate(restored, []).outcome == .proven)
                let variables = setup.split(separator: "\n").prefix { !$0.hasPrefix("mkdir ") }.joined(
                    separator: "\n")
                // The whole database takes the place of the damaged one, though somebody is connected to that.
                do {
                    let session = try TestServer.connect(server.conninfo)
                    try session.execute("DELETE FROM \"Message\"")
                    let whole = try #require(blocks.first { $0.hasPrefix("pg_dump -Fc") })
                    try shell("cd \(shellQuoted(places.bases))\n" + variables + "\n" + whole)
                    _ = consume session
                }
                let end = try #require(blocks.last)
                #expect(end.contains("stop"))
                try shell(variables + "\n" + end)
                return try fixture.validate(server, names)
            }
            #expect(report.isProven, "\(report.lines)")
        }
    }
}
