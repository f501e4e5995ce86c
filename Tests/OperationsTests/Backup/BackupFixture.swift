import Foundation
import MigrationEngine
import Postgres
import TestSupport

@testable import Operations

/// A database whose name and folders hold what a shell, SQL, systemd and cron would all obey, with a desk for its backups.
struct BackupFixture {
    static let database = "a'b \"c $(x)"

    let conninfo: Conninfo
    /// Stands for `/`.
    let root: String
    let places: SystemPlaces
    let notes = Notes()

    /// What was written down, in order.
    final class Notes: @unchecked Sendable {
        var records: [BackupRecord] = []
        var last: BackupRecord? { records.last }
    }

    /// The database has a table of each kind that matters, and is dropped afterwards with all that was made of it.
    static func with(
        isRoot: Bool = false, rows: Int = 200, _ body: (BackupFixture) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let server = try TestServer.conninfo()
            let name = database + " " + UUID().uuidString.prefix(8)
            let admin = try TestServer.connect(server)
            let quoted = quoteIdentifier(name)
            try admin.execute("CREATE DATABASE \(quoted) TEMPLATE template0 ENCODING 'UTF8'")
            try admin.execute("ALTER DATABASE \(quoted) SET timezone = 'UTC'")
            defer { try? admin.execute("DROP DATABASE \(quoted) WITH (FORCE)") }
            let conninfo = server.setting("dbname", to: name)
            try TestServer.execute(script(rows), in: conninfo)
            let root = "\(folder)/my %s ro'ot"
            for path in ["etc/cron.d", "run/systemd/system", "usr/bin", "home"] {
                try FileManager.default.createDirectory(
                    atPath: "\(root)/\(path)", withIntermediateDirectories: true)
            }
            try body(
                BackupFixture(
                    conninfo: conninfo, root: root,
                    places: SystemPlaces(
                        root: root, home: "\(root)/home", isRoot: isRoot,
                        environment: ["PATH": "/usr/bin:/bin", "ROOT": root])))
        }
    }

    private static func script(_ rows: Int) -> String {
        """
        CREATE TYPE mood AS ENUM ('so', 'so so'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN word AS text CHECK (value <> '');
        CREATE TABLE "User" (id serial PRIMARY KEY, name text UNIQUE, m mood DEFAULT 'so', ms mood[], p pair, w word, kind regtype);
        CREATE TABLE "Mess""age" (a int, b text, at timestamp(3), score double precision, data bytea, doc jsonb, PRIMARY KEY (a, b));
        ALTER TABLE "Mess""age" ADD FOREIGN KEY (a) REFERENCES "User" (id);
        CREATE INDEX ON "Mess""age" (at DESC) WHERE score > 0;
        CREATE TABLE keyless (x text); CREATE TABLE "empty" (); CREATE SCHEMA "other s";
        CREATE TABLE "other s".parts (id bigint PRIMARY KEY, x text) PARTITION BY RANGE (id);
        CREATE TABLE "other s".low PARTITION OF "other s".parts FOR VALUES FROM (0) TO (100);
        CREATE TABLE "other s".high PARTITION OF "other s".parts FOR VALUES FROM (100) TO (10000);
        CREATE VIEW v AS SELECT name FROM "User"; CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM "User";
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER noted BEFORE INSERT ON keyless FOR EACH ROW EXECUTE FUNCTION note();
        COMMENT ON TABLE keyless IS 'no key';
        INSERT INTO "User" (name, ms, p, w, kind) SELECT 'user ' || i, ARRAY['so'::mood], (i, 'x')::pair, 'w', 'mood' FROM generate_series(1, \(rows)) AS i;
        INSERT INTO "Mess""age" SELECT i, 'b' || i, '2024-01-01'::timestamp + i * interval '1 s', i / 3.0, sha256(i::text::bytea),
            jsonb_build_object('i', i) FROM generate_series(1, \(rows)) AS i;
        INSERT INTO keyless SELECT CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN '' ELSE 'x' END FROM generate_series(1, \(rows)) AS i;
        INSERT INTO "other s".parts SELECT i, 'p' FROM generate_series(1, \(rows)) AS i;
        SELECT lo_from_bytea(0, 'large'::bytea);
        """
    }

    func desk(
        _ conninfo: Conninfo? = nil, program: String? = nil, cancellation: Cancellation = Cancellation()
    ) -> BackupDesk {
        BackupDesk(
            server: TargetServer(conninfo ?? self.conninfo, cancellation: cancellation), places: places,
            call: HowdahCall(program: program, arguments: ["/my app", self.conninfo.url]),
            cancellation: cancellation)
    }

    /// Writes all and makes the first backup.
    @discardableResult
    func install(_ options: BackupOptions = .init(), program: String? = nil) throws -> BackupRecord {
        let desk = desk(program: program)
        let outline = try desk.outline(options, before: notes.last)
        _ = try desk.install(outline, before: notes.last) { notes.records.append($0) }
        guard let record = notes.last else { throw MigrationError.noServer }
        return record
    }

    /// Puts a program in the place of the machine's own, which writes down how it was called.
    func plant(_ program: String, _ body: String) throws {
        let path = "\(root)/usr/bin/\(program)"
        try "#!/bin/sh\necho \(program) \"$@\" >> \"$ROOT/calls\"\n\(body)\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o755)
    }

    var calls: [String] {
        (try? String(contentsOfFile: "\(root)/calls", encoding: .utf8))?.split(separator: "\n").map(
            String.init) ?? []
    }

    /// The files of a folder, hidden ones too.
    func files(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// Runs the script as cron would; returns its exit code and what it wrote.
    func runScript(
        _ settings: BackupSettings, environment: [String: String] = [:]
    ) throws -> (exit: Int32, output: String) {
        let command = Command(
            "/bin/sh", [settings.scriptPath], in: "/",
            environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 })
        let outcome = try command.run(cancellation: Cancellation())
        return (outcome.status, outcome.output)
    }

    func dumps(_ settings: BackupSettings) -> [String] { DumpFolder(settings).dumps().map(\.file) }
}
