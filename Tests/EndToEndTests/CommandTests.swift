import DemoProject
import Foundation
import Postgres
import SQLite
import TestSupport
import Testing

@Suite struct CommandTests {
    private func withSource(_ script: String, _ body: (_ source: String, _ folder: String) throws -> Void)
        throws
    {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, script)
            try body(source, folder)
            _ = try Howdah.run(["rehearsal", "remove", source])
        }
    }

    private static let people = """
        CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(20) NOT NULL);
        CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES person ON DELETE CASCADE, data BLOB);
        INSERT INTO person VALUES (1, 'Ann'), (7, 'Bob'); INSERT INTO pet VALUES (1, 7, x'00ff'), (2, NULL, x'')
        """

    @Test func aRowForWhichThereIsNoMemoryIsSaidBeforeTheLoad() throws {
        let script =
            "CREATE TABLE f (id INTEGER PRIMARY KEY, b BLOB); INSERT INTO f VALUES (1, zeroblob(20000000))"
        try withSource(script) { source, _ in
            let refused = try Howdah.run(["migrate", source, "--json", "--memory", "100MB"])
            #expect(refused.exit == 3)
            #expect(refused.output.contains("exceeds-memory") && refused.output.contains("--memory 141MB"))
            let wrong = try Howdah.run(["migrate", source, "--memory", "much"])
            #expect(wrong.exit == 2)
            let taken = try Howdah.run(["migrate", source, "--json", "--memory", "141MB"])
            #expect(taken.exit == 0)
        }
    }

    @Test func aRehearsalProvesEveryCellAndLeavesNothingRunning() throws {
        try withSource(Self.people) { source, _ in
            let outcome = try Howdah.run(["migrate", source, "--json"])
            #expect(outcome.exit == 0)
            let report = try outcome.json()
            #expect(report["outcome"] as? String == "proven")
            let tables = try #require(report["tables"] as? [[String: Any]])
            #expect(tables.map { $0["name"] as? String } == ["person", "pet"])
            #expect(
                tables.allSatisfy { $0["verdict"] as? String == "equal" && $0["loaded_rows"] as? Int == 2 })
            #expect(try Howdah.run(["rehearsal", "url", source]).exit == 1)
            let validation = try Howdah.run(["validate", source])
            #expect(validation.exit == 0)
        }
    }

    /// A file or a pipe of howdah's own must not take the place of stdout.
    @Test func closedStreamsAreNotWrittenInto() throws {
        try withSource(Self.people) { source, folder in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "exec \"$0\" migrate \"$1\" <&- >&- 2>&-", Howdah.path, source]
            try process.run()
            let hasEnded = waitUntil(seconds: 60) { !process.isRunning }
            if !hasEnded { kill(process.processIdentifier, SIGKILL) }
            #expect(hasEnded)
            #expect(process.terminationStatus == 0)
        }
    }

    @Test func aResultThatCannotBeWrittenIsAnError() throws {
        try withSource(Self.people) { source, _ in
            let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
            let process = try Howdah.start(
                ["inspect", source, "--json"], output: full, errors: FileHandle.nullDevice)
            try #require(waitUntil(seconds: 60) { !process.isRunning })
            #expect(process.terminationStatus == 1)
        }
    }

    @Test(arguments: [
        ["migrate", "SOURCE", "mysql://a/b", "--yes"], ["plan", "SOURCE", "-o", "-", "--json"],
        ["migrate", "SOURCE", "--plan", "/tmp"],
    ])
    func wrongUsageIsTold(arguments: [String]) throws {
        try withSource(Self.people) { source, _ in
            let outcome = try Howdah.run(arguments.map { $0 == "SOURCE" ? source : $0 })
            #expect(outcome.exit == 2)
        }
    }

    @Test func anEmptyDatabaseIsPointedOut() throws {
        try withSource("PRAGMA user_version = 1") { source, _ in
            let outcome = try Howdah.run(["migrate", source])
            #expect(outcome.exit == 0)
            #expect(outcome.output.contains("no table"))
        }
    }

    @Test func theStateLiesBesideTheFileForTheOwnerAlone() throws {
        try withSource(Self.people) { source, folder in
            _ = try Howdah.run(["plan", source])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
                    "app.db", "app.db.howdah",
                ])
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(source).howdah")
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o700)
        }
    }

    @Test func aLiveRunNeedsAWordAndThenLoadsTheServer() throws {
        try withSource(Self.people) { source, _ in
            try TestServer.withDatabase { conninfo in
                let refused = try Howdah.run(["migrate", source, conninfo.url])
                #expect(refused.exit == 2)
                #expect(refused.errors.contains("--yes"))
                let tables = try TestServer.value(
                    "SELECT count(*) FROM pg_class WHERE relname = 'person'", in: conninfo)
                #expect(tables == "0")
                let outcome = try Howdah.run(["migrate", source, conninfo.url, "--yes", "--json"])
                #expect(outcome.exit == 0)
                let connection = try TestServer.connect(conninfo)
                let next = try connection.query("INSERT INTO person (name) VALUES ('Eve') RETURNING id")
                #expect(next.int(0, 0) == 8)
                let again = try Howdah.run(["migrate", source, conninfo.url, "--yes"])
                #expect(again.exit == 3)
                #expect(again.errors.contains("it ended as proven"))
                let changed = try Howdah.run(["validate", source, conninfo.url, "--json"])
                #expect(changed.exit == 4)
            }
        }
    }

    @Test func whatDoesNotFitStopsTheRunBeforeTheTargetIsTouched() throws {
        try withSource(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, num INTEGER); INSERT INTO t VALUES (3, 'x'), (4, 5), (9, 1.5)"
        ) {
            source, folder in
            let outcome = try Howdah.run(["migrate", source, "--json"])
            #expect(outcome.exit == 3)
            let findings = try #require(try outcome.json()["findings"] as? [[String: Any]])
            let finding = try #require(findings.first { $0["blocking"] as? Bool == true })
            #expect(finding["table"] as? String == "t")
            #expect(finding["column"] as? String == "num")
            #expect(finding["count"] as? Int == 2)
            #expect(finding["sample_rowids"] as? [Int] == [3, 9])
            #expect(
                !FileManager.default.fileExists(atPath: "\(source).howdah/rehearsal/cluster.json")
                    || outcome.exit == 3)

            let plan = "\(folder)/plan.yaml"
            #expect(try Howdah.run(["plan", source, "-o", plan]).exit == 3)
            let text = try String(contentsOfFile: plan, encoding: .utf8)
            let edited = text.replacingOccurrences(
                of: "- name: num\n        type: bigint", with: "- name: num\n        type: text")
            #expect(edited != text)
            try edited.write(toFile: plan, atomically: true, encoding: .utf8)
            let decided = try Howdah.run(["migrate", source, "--plan", plan, "--json"])
            #expect(decided.exit == 0, "\(decided.output)")
        }
    }

    @Test func whatIsLeftOutIsListedAndEndsWith3() throws {
        try withSource(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE CHECK (length(a) > 0), b AS (0.5 || 'x'),
                CHECK (printf('%s', a) <> ''));
            CREATE VIEW v AS SELECT group_concat(a) FROM t; CREATE INDEX e ON t (hex(0.5)); CREATE INDEX p ON t (a) WHERE a > 1;
            CREATE TRIGGER g AFTER INSERT ON t BEGIN REPLACE INTO t (id, a) VALUES (1, 'q'); END; INSERT INTO t (id, a) VALUES (1, 'q')
            """
        ) { source, _ in
            let outcome = try Howdah.run(["migrate", source, "--json"])
            #expect(outcome.exit == 3)
            let objects = try #require(try outcome.json()["objects"] as? [[String: Any]])
            let leftOut = objects.filter { $0["state"] as? String == "left-out" }
            let kinds = Set(leftOut.compactMap { $0["kind"] as? String })
            #expect(kinds == ["check", "collation", "generated column", "index", "trigger", "view"])
            #expect(leftOut.allSatisfy { ($0["reason"] as? String)?.contains("not carried") ?? false })
            let tables = try #require(try outcome.json()["tables"] as? [[String: Any]])
            #expect(tables.allSatisfy { $0["verdict"] as? String == "equal" })
        }
    }

    @Test(arguments: [
        (["migrate", "/nonexistent/a.db"], "source-not-found"), (["migrate", "/dev/null"], "not-a-database"),
        (["migrate"], "usage"), (["migrate", "a", "--workers", "0"], "usage"),
        (["migrate", "a", "--style", "odd"], "usage"),
        (["unheard", "of", "this", "--json"], "usage"), (["inspect", "/nonexistent"], "source-not-found"),
        (["migrate", "a", "--unknown"], "usage"), (["demo", "--messages", "-5"], "usage"),
    ])
    func wrongUseEndsWith2AndOneDocument(arguments: [String], code: String) throws {
        let outcome = try Howdah.run(arguments + ["--json"])
        #expect(outcome.exit == 2)
        let error = try #require(try outcome.json()["error"] as? [String: Any])
        #expect(error["code"] as? String == code)
        #expect((error["message"] as? String)?.isEmpty == false)
        #expect((error["remedy"] as? String)?.isEmpty == false)
    }

    @Test func aServerThatIsNotThereIsAClearError() throws {
        try withSource(Self.people) { source, _ in
            let outcome = try Howdah.run([
                "migrate", source, "postgresql://ann:topsecret@127.0.0.1:1/none", "--yes",
            ])
            #expect(outcome.exit == 1)
            #expect(outcome.errors.contains("cannot be reached"))
            #expect(!outcome.errors.contains("topsecret"))
        }
    }

    @Test func oneWriterAtATimeIsToldWho() throws {
        try withSource(Self.people) { source, _ in
            _ = try Howdah.run(["plan", source])
            let lock = open("\(source).howdah/lock", O_RDWR)
            defer { close(lock) }
            #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
            let holder = "Zoe, process 1, since 2026-01-01T00:00:00Z\n"
            _ = holder.withCString { pwrite(lock, $0, strlen($0), 0) }
            let outcome = try Howdah.run(["migrate", source, "--json"])
            #expect(outcome.exit == 1)
            #expect(outcome.output.contains("Zoe, process 1, since 2026-01-01T00:00:00Z"))
        }
    }

    @Test func aTargetThatAnotherRunWorksOnIsRefused() throws {
        try withSource(Self.people) { source, _ in
            try TestServer.withDatabase { conninfo in
                let other = try Postgres.Connection(
                    conninfo, applicationName: "howdah migrate (zoe, process 1)")
                #expect(try other.query("SELECT pg_try_advisory_lock(\(0x686F_7764), 1)").bool(0, 0))
                let outcome = try Howdah.run(["migrate", source, conninfo.url, "--yes", "--json"])
                #expect(outcome.exit == 1)
                #expect(outcome.output.contains("howdah migrate (zoe, process 1)"))
            }
        }
    }

    @Test func hostileNamesDoNotReachTheTerminal() throws {
        try withSource(
            "CREATE TABLE \"\u{1B}[2J\u{202E}t\" (\"a\u{7}\" TEXT); INSERT INTO \"\u{1B}[2J\u{202E}t\" VALUES ('x')"
        ) {
            source, _ in
            let outcome = try Howdah.run(["migrate", source])
            #expect(outcome.exit == 0)
            for text in [outcome.output, outcome.errors] {
                #expect(!text.contains("\u{1B}"))
                #expect(!text.contains("\u{202E}"))
                #expect(!text.contains("\u{7}"))
            }
        }
    }

    @Test func theSchemaRunsInPsqlAsItIs() throws {
        try withSource(Self.people) { source, _ in
            let script = try Howdah.run(["schema", source]).output
            try TestServer.withDatabase { conninfo in
                let connection = try TestServer.connect(conninfo)
                try connection.execute(script)
                let keys = try connection.query(
                    "SELECT count(*) FROM pg_constraint WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace"
                )
                #expect(keys.int(0, 0) == 3)
            }
        }
    }

    @Test func anEditedPlanIsFollowedAndNeverOverwritten() throws {
        try withSource(Self.people) { source, _ in
            #expect(try Howdah.run(["plan", source]).exit == 0)
            let path = "\(source).howdah/plan.yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let edited = text.replacingOccurrences(
                of: "  - name: pet\n", with: "  - name: pet\n    skip: true\n")
            #expect(edited != text)
            try edited.write(toFile: path, atomically: true, encoding: .utf8)
            let outcome = try Howdah.run(["migrate", source, "--json"])
            #expect(outcome.exit == 0)
            let tables = try #require(try outcome.json()["tables"] as? [[String: Any]])
            #expect(tables.map { $0["verdict"] as? String } == ["equal", "skipped"])
            #expect(try String(contentsOfFile: path, encoding: .utf8) == edited)
            let other = try Howdah.run(["plan", source, "-o", path])
            #expect(other.exit == 2)
        }
    }

    /// A plan of before the source's change compares nothing of what is new: that is no proof.
    @Test func aPlanThatLacksAColumnOrATableProvesNothing() throws {
        try withSource(Self.people) { source, folder in
            let plan = "\(folder)/mine.yaml"
            #expect(try Howdah.run(["plan", source, "-o", plan]).exit == 0)
            #expect(try Howdah.run(["rehearsal", "start", source]).exit == 0)
            #expect(try Howdah.run(["migrate", source, "--plan", plan]).exit == 0)
            #expect(try Howdah.run(["validate", source, "--plan", plan]).exit == 0)
            do {
                let connection = try SQLite.Connection(path: source, mode: .readWrite)
                try connection.execute(
                    "ALTER TABLE pet ADD COLUMN secret TEXT; CREATE TABLE other (k INTEGER)")
            }
            let outcome = try Howdah.run(["validate", source, "--plan", plan, "--json"])
            #expect(outcome.exit == 3)
            let findings = try #require(try outcome.json()["findings"] as? [[String: Any]])
            #expect(findings.map { $0["table"] as? String } == ["pet", "other"])
            #expect(try outcome.json()["outcome"] as? String == "undecided")
        }
    }

    @Test func aRehearsalWhoseDataIsGoneIsToldSo() throws {
        try withSource(Self.people) { source, _ in
            #expect(try Howdah.run(["migrate", source]).exit == 0)
            let facts = try String(contentsOfFile: "\(source).howdah/rehearsal/cluster.json", encoding: .utf8)
            let data = try #require(facts.firstMatch(of: /"data":"([^"]*)"/)?.1)
            try FileManager.default.removeItem(atPath: String(data))
            let outcome = try Howdah.run(["validate", source])
            #expect(outcome.exit == 2)
            #expect(outcome.errors.contains("the rehearsal of this source is gone"))
        }
    }

    @Test func aSecondLiveRunIsToldThatTheFirstOneIsThere() throws {
        try withSource(Self.people) { source, _ in
            try TestServer.withDatabase { target in
                #expect(try Howdah.run(["migrate", source, target.url, "--yes"]).exit == 0)
                let again = try Howdah.run(["migrate", source, target.url, "--yes", "--restart"])
                #expect(again.exit == 3)
                #expect(again.errors.contains("it ended as proven"))
            }
        }
    }

    @Test func aTargetWhoseTablesWereDroppedIsLoadedAnew() throws {
        try withTemporaryFolder { folder in
            #expect(try Howdah.run(["demo", "\(folder)/app", "--messages", "50", "--no-open"]).exit == 0)
            try TestServer.withDatabase { target in
                let migrate = ["migrate", "\(folder)/app", target.url, "--yes"]
                #expect(try Howdah.run(migrate).exit == 0)
                let tables = try TestServer.rows(
                    "SELECT format('%I', relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
                    in: target)
                try TestServer.execute("DROP TABLE \(tables.joined(separator: ", "))", in: target)
                let again = try Howdah.run(migrate)
                #expect(again.exit == 0, "\(again.errors)")
            }
        }
    }

    @Test func anEmptyTargetIsNoTarget() throws {
        try withSource(Self.people) { source, _ in
            let outcome = try Howdah.run(["migrate", source, "", "--yes"])
            #expect(outcome.exit == 2)
            #expect(outcome.errors.contains("the target is empty"))
        }
    }

    @Test func typesThatTakeEveryValueAreOfferedWhereTheDeclaredOneDoesNot() throws {
        try withSource("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 1), (2, '')")
        { source, _ in
            let report = try Howdah.run(["inspect", source, "--json"]).json()
            let finding = try #require((report["findings"] as? [[String: Any]])?.first)
            let choices = try #require(finding["choices"] as? [String])
            #expect(choices == ["text", "quarantine", "set-null", "skip-table"])
            #expect(finding["recommended"] as? String == "text")
            let consequences = try #require(finding["consequences"] as? [String])
            #expect(consequences.last == "the whole table t is left out, with all of its rows")
        }
    }

    @Test func aDemoIsMadeAndProven() throws {
        try withTemporaryFolder { folder in
            let outcome = try Howdah.run(["demo", "\(folder)/chat", "--messages", "300", "--json"])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let report = try outcome.json()
            #expect(report["command"] as? String == "demo")
            let objects = try #require(report["objects"] as? [[String: Any]])
            #expect(objects.filter { $0["kind"] as? String == "foreign key" }.count == 11)
            let again = try Howdah.run(["demo", "\(folder)/chat"])
            #expect(again.exit == 0)
            _ = try Howdah.run(["rehearsal", "remove", "\(folder)/chat"])
        }
    }

    @Test func theRehearsalStaysUpWhenItIsAskedTo() throws {
        try withSource(Self.people) { source, _ in
            let started = try Howdah.run(["rehearsal", "start", source])
            #expect(started.exit == 0)
            let url = started.output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try Howdah.run(["migrate", source]).exit == 0)
            let rows = try TestServer.rows("SELECT name FROM person ORDER BY id", in: Conninfo(url))
            #expect(rows == ["Ann", "Bob"])
            #expect(try Howdah.run(["rehearsal", "stop", source]).exit == 0)
            #expect(try Howdah.run(["rehearsal", "url", source]).exit == 1)
        }
    }

    /// A read-only folder, and rights that are missing: root has them all, so another user runs the program.
    @Test(.enabled(if: geteuid() == 0)) func anotherUsersRightsAreKeptTo() throws {
        try withTemporaryFolder { folder in
            let program = "\(folder)/howdah"
            try FileManager.default.copyItem(atPath: Howdah.path, toPath: program)
            for path in [folder, program] { chmod(path, 0o755) }
            func run(_ source: String) throws -> Int32 {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
                process.arguments = [
                    "--reuid=65534", "--regid=65534", "--clear-groups", program, "plan", source,
                ]
                process.environment = [
                    "HOME": "\(folder)/home", "PATH": "/usr/bin:/bin",
                    "LD_LIBRARY_PATH": ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? "",
                ]
                process.standardOutput = FileHandle.nullDevice
                process.standardError = FileHandle.nullDevice
                process.standardInput = FileHandle.nullDevice
                try process.run()
                #expect(waitUntil(seconds: 60) { !process.isRunning })
                return process.terminationStatus
            }
            try FileManager.default.createDirectory(
                atPath: "\(folder)/home", withIntermediateDirectories: false)
            chown("\(folder)/home", 65534, 65534)
            let locked = "\(folder)/locked"
            try FileManager.default.createDirectory(atPath: locked, withIntermediateDirectories: false)
            try makeDatabase(
                "\(locked)/wal.db", "PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            try makeDatabase("\(locked)/secret.db", "CREATE TABLE t (a)")
            chmod("\(locked)/wal.db", 0o644)
            chmod("\(locked)/secret.db", 0o600)
            chmod(locked, 0o555)
            #expect(try run("\(locked)/wal.db") == 0)
            #expect(try run("\(locked)/secret.db") == 2)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: locked).sorted() == [
                    "secret.db", "wal.db",
                ])
        }
    }
}
