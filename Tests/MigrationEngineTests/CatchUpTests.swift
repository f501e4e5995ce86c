import Foundation
import Postgres
import SQLite
import TestSupport
import Testing

@testable import MigrationEngine

@Suite
struct CatchUpTests {
    /// A schema with what was done to it after it was loaded.
    struct Change: CustomTestStringConvertible, Sendable {
        let name: String
        let schema: String
        let change: String
        var testDescription: String { name }
    }

    static let chat = """
        CREATE TABLE User (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, friend TEXT REFERENCES User(id) ON DELETE SET NULL);
        CREATE TABLE Message (id INTEGER PRIMARY KEY AUTOINCREMENT, userId TEXT NOT NULL REFERENCES User(id) ON DELETE CASCADE,
            body TEXT, bytes BLOB);
        CREATE TABLE Reaction (messageId INTEGER NOT NULL REFERENCES Message(id) ON DELETE CASCADE, kind TEXT NOT NULL,
            n REAL, PRIMARY KEY (messageId, kind));
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
        INSERT INTO User SELECT 'u' || i, 'mail' || i, CASE WHEN i > 1 THEN 'u' || (i - 1) END FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO Message (userId, body, bytes) SELECT 'u' || (1 + i % 400), 'text ' || i, randomblob(i % 60) FROM n;
        INSERT INTO Reaction SELECT id, 'like', id / 3.0 FROM Message WHERE id % 3 = 0;
        """

    static let changes = [
        Change(name: "nothing", schema: chat, change: ""),
        Change(
            name: "rows come", schema: chat,
            change: "INSERT INTO Message (userId, body) SELECT id, 'new' FROM User"),
        Change(
            name: "rows change, in part and whole", schema: chat,
            change:
                "UPDATE Message SET body = body || '!' WHERE id % 7 = 0; UPDATE User SET email = upper(email)"
        ),
        Change(
            name: "rows go, and with them what hangs on them", schema: chat,
            change: "PRAGMA foreign_keys = ON; DELETE FROM User WHERE id IN ('u3', 'u77')"),
        Change(
            name: "keys are exchanged", schema: chat,
            change: """
                UPDATE User SET email = 'x' WHERE id = 'u1'; UPDATE User SET email = 'mail1' WHERE id = 'u2';
                UPDATE User SET email = 'mail2' WHERE id = 'u1'
                """),
        Change(
            name: "a parent is replaced under its key", schema: chat,
            change: "DELETE FROM User WHERE id = 'u9'; INSERT INTO User VALUES ('u9', 'again', 'u8')"),
        Change(
            name: "a key becomes another", schema: chat,
            change: """
                INSERT INTO User VALUES ('v5', 'v5', NULL); UPDATE Message SET userId = 'v5' WHERE userId = 'u5';
                UPDATE User SET friend = 'v5' WHERE friend = 'u5'; DELETE FROM User WHERE id = 'u5'
                """),
        Change(
            name: "the highest number is given and gone", schema: chat,
            change:
                "INSERT INTO Message (id, userId) VALUES (9000, 'u1'); DELETE FROM Message WHERE id = 9000"),
        Change(name: "all rows go", schema: chat, change: "DELETE FROM Reaction; DELETE FROM Message"),
        Change(
            name: "the file is rebuilt", schema: chat,
            change:
                "PRAGMA foreign_keys = ON; DELETE FROM Message WHERE id % 2; UPDATE User SET friend = NULL; VACUUM"
        ),
        Change(
            name: "the end of a long row changes, in pages of its own",
            schema: """
                CREATE TABLE t (id INTEGER PRIMARY KEY, long BLOB);
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
                INSERT INTO t SELECT i, zeroblob(60000) FROM n
                """,
            change: "UPDATE t SET long = zeroblob(59999) || x'01' WHERE id IN (1, 17, 40)"),
        Change(
            name: "a table without a key gains rows",
            schema:
                "CREATE TABLE log (at TEXT, what TEXT); INSERT INTO log VALUES ('a', 'x'), ('a', 'x'), (NULL, NULL)",
            change: "INSERT INTO log VALUES ('a', 'x'), ('b', NULL)"),
        Change(
            name: "a table without a key loses and changes rows",
            schema:
                "CREATE TABLE log (at TEXT, what TEXT); INSERT INTO log VALUES ('a', 'x'), ('a', 'x'), (NULL, NULL)",
            change: "DELETE FROM log WHERE rowid = 1; UPDATE log SET what = 'y' WHERE at IS NULL"),
        Change(
            name: "a table without rowids",
            schema: """
                CREATE TABLE w (a TEXT, b INTEGER, c BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
                INSERT INTO w VALUES ('x', 1, x'00'), ('x', 2, NULL), ('y', 1, zeroblob(9000))
                """,
            change:
                "UPDATE w SET c = x'0102' WHERE b = 2; DELETE FROM w WHERE a = 'y'; INSERT INTO w VALUES ('z', 9, NULL)"
        ),
        Change(
            name: "hostile names, generated columns and checks",
            schema: """
                CREATE TABLE "a ""b"" 'c'" ("k;" INTEGER PRIMARY KEY, "v%" TEXT CHECK ("v%" <> ''), "g" TEXT GENERATED ALWAYS AS (upper("v%")) STORED);
                INSERT INTO "a ""b"" 'c'" ("v%") VALUES ('one'), ('two')
                """,
            change:
                "UPDATE \"a \"\"b\"\" 'c'\" SET \"v%\" = 'three' WHERE \"k;\" = 1; INSERT INTO \"a \"\"b\"\" 'c'\" (\"v%\") VALUES ('four')"
        ),
        Change(
            name: "triggers do not run for rows that are carried",
            schema: """
                CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER); CREATE TABLE seen (id INTEGER PRIMARY KEY, a INTEGER);
                CREATE TRIGGER see AFTER INSERT ON a BEGIN INSERT INTO seen (a) VALUES (new.id); END;
                INSERT INTO a VALUES (1, 1), (2, 2)
                """, change: "INSERT INTO a VALUES (3, 3); UPDATE a SET n = 5 WHERE id = 1"),
        Change(
            name: "an empty table gets its first rows",
            schema: "CREATE TABLE e (id INTEGER PRIMARY KEY, t TEXT)",
            change: "INSERT INTO e VALUES (7, 'seven')"),
    ]

    enum Way: String, CaseIterable, Sendable { case whileWriting, held }
    enum Journal: String, CaseIterable, Sendable { case delete, wal }

    struct Combination: CustomTestStringConvertible, Sendable {
        let change: Change
        let way: Way
        let journal: Journal
        var testDescription: String { "\(change.name), \(way), \(journal)" }
    }

    static let all = changes.flatMap { change in
        Way.allCases.flatMap { way in
            Journal.allCases.map { Combination(change: change, way: way, journal: $0) }
        }
    }

    @Test(arguments: all)
    func whatHasChangedSinceTheLoadArrivesAndNothingElse(_ combination: Combination) throws {
        try Loaded.with(combination.change.schema, journal: combination.journal.rawValue) { loaded in
            try loaded.application.execute(combination.change.change)
            switch combination.way {
            case .whileWriting:
                let prepared = try loaded.following().prepare()
                #expect(prepared.report.outcome == .proven)
            case .held: _ = try loaded.finish()
            }
            #expect(try loaded.validate() == .proven)
            // Again there is nothing to do.
            #expect(try loaded.following().prepare().outcome.tables.isEmpty)
        }
    }

    @Test(arguments: [Way.whileWriting, .held])
    func onlyTheRowsThatChangedAreCarried(_ way: Way) throws {
        try Loaded.with(Self.chat) { loaded in
            try loaded.application.execute(
                """
                INSERT INTO Message (userId, body) VALUES ('u1', 'new'); UPDATE Message SET body = 'x' WHERE id IN (5, 2500);
                DELETE FROM Reaction WHERE messageId = 9
                """)
            let outcome = way == .held ? try loaded.finish() : try loaded.following().prepare().outcome
            #expect(
                outcome.tables.map {
                    "\($0.name) +\($0.inserted) ~\($0.updated) -\($0.deleted) =\($0.compared)"
                }.sorted()
                    == ["Message +1 ~2 -0 =3", "Reaction +0 ~0 -1 =0"])
        }
    }

    @Test
    func numbersGoOnAfterTheHighestThatSQLiteHasGiven() throws {
        try Loaded.with(Self.chat) { loaded in
            try loaded.application.execute(
                "INSERT INTO Message (id, userId) VALUES (9000, 'u1'); DELETE FROM Message WHERE id = 9000")
            _ = try loaded.finish()
            let next = try TestServer.value(
                "INSERT INTO \"Message\" (\"userId\") VALUES ('u1') RETURNING id", in: loaded.target)
            #expect(next == "9001")
        }
    }

    @Test
    func foreignKeysAreThereAgainAndAllTheirRowsAreLookedAtOnceThereIsTime() throws {
        try Loaded.with(Self.chat) { loaded in
            let sql =
                "SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1"
            let before = try TestServer.rows(sql, in: loaded.target)
            try loaded.application.execute(
                "UPDATE User SET email = email || '.'; DELETE FROM Reaction WHERE messageId < 50")
            _ = try loaded.finish()
            #expect(try TestServer.rows(sql, in: loaded.target) != before)
            #expect(try loaded.following().validateKeys() == 3)
            #expect(try TestServer.rows(sql, in: loaded.target) == before)
            #expect(try loaded.following().validateKeys() == 0)
        }
    }

    @Test func aRowThatWasKeptOutAndIsMendedArrives() throws {
        let schema = """
            CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id));
            INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, 9)
            """
        try Loaded.with(schema, decide: ["recommended", "orphan-rows=quarantine"]) { loaded in
            try loaded.application.execute("UPDATE c SET p = 1 WHERE id = 2")
            _ = try loaded.following().prepare()
            #expect(
                try TestServer.rows("SELECT id, p FROM c ORDER BY id", in: loaded.target) == ["1|1", "2|1"])
            #expect(try TestServer.value("SELECT count(*) FROM howdah.quarantine", in: loaded.target) == "0")
        }
    }

    @Test func aRowWithoutItsParentIsSeenThoughItsKeyWasMadeAnewBefore() throws {
        try Loaded.with(Self.chat) { loaded in
            try loaded.application.execute("UPDATE Message SET body = 'x' WHERE id = 4")
            _ = try loaded.finish()
            try loaded.application.execute("INSERT INTO Message (userId) VALUES ('nobody')")
            let error = #expect(throws: MigrationError.self) { try loaded.finish() }
            #expect(error?.message.contains("refer to rows of") ?? false, "\(error?.message ?? "")")
        }
    }

    @Test func aDatabaseBehindALinkIsReadWithItsLog() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/shared", withIntermediateDirectories: true)
            let path = "\(folder)/shared/app.db"
            try makeDatabase(
                path,
                "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a')"
            )
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/app.db", withDestinationPath: path)
            let source = try SourceFile(path: "\(folder)/app.db")
            let state = try StateFolder.open(
                source: path, project: nil, override: "\(folder)/state", environment: [:])
            let store = try SnapshotStore(state, cancellation: Cancellation())
            let base = try store.take(of: source)
            let application = try SQLite.Connection(path: path, mode: .readWrite)
            try application.execute("INSERT INTO t VALUES (2, 'b')")
            #expect(try !base.isCurrent(cancellation: Cancellation()))
            let following = try FollowingSnapshot(store, after: base)
            let hold = try SourceHold(source, timeout: .seconds(5), cancellation: Cancellation())
            #expect(throws: SQLiteError.self) { try application.execute("INSERT INTO t VALUES (3, 'c')") }
            let (snapshot, _) = try following.take(of: hold, Cancellation())
            let copy = try snapshot.open()
            let count = try copy.prepare("SELECT count(*) FROM t")
            #expect(try count.step())
            #expect(count.int64(0) == 2)
        }
    }

    @Test func theLedgerOfAnotherSchemaStays() throws {
        try withTemporaryFolder { folder in
            try makeDatabase(
                "\(folder)/a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
            try TestServer.withDatabase { target in
                for schema in ["one", "two"] {
                    var migration = TestMigration()
                    migration.schema = schema
                    _ = try migration.run("\(folder)/a.db", state: "\(folder)/\(schema)", into: target)
                }
                let server = TargetServer(target, cancellation: Cancellation())
                #expect(try LedgerRemoval(server, schema: "one").facts()?.runs == 1)
                try LedgerRemoval(server, schema: "one").run()
                #expect(try LedgerRemoval(server, schema: "one").facts() == nil)
                #expect(try TestServer.rows("SELECT schema_name FROM howdah.run", in: target) == ["two"])
                try LedgerRemoval(server, schema: "two").run()
                #expect(try TestServer.value("SELECT to_regnamespace('howdah') IS NULL", in: target) == "t")
                #expect(try TestServer.value("SELECT count(*) FROM one.t", in: target) == "1")
            }
        }
    }

    // MARK: Rows that the target has got since

    @Test func rowsFarIntoALargeTableAreToldOneByOne() throws {
        let schema = """
            CREATE TABLE m (id TEXT PRIMARY KEY, v TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 160000)
            INSERT INTO m SELECT 'key ' || i, 'v' FROM n
            """
        try Loaded.with(schema) { loaded in
            try TestServer.execute(
                "INSERT INTO m SELECT 'new ' || i, 'n' FROM generate_series(1, 6000) AS i", in: loaded.target)
            let tables = try loaded.exported()
            #expect(tables.map(\.isWhole) == [false])
            #expect(tables.map(\.inserted) == [6000])
            let text = try String(contentsOfFile: "\(loaded.state.path)/rows/1-m.ndjson", encoding: .utf8)
            let lines = text.split(separator: "\n")
            #expect(lines.count == 6000)
            #expect(lines.count { $0.contains("\"new ") } == 6000)
        }
    }

    @Test func everyRowIsOneLineWhateverItsJSONLooksLike() throws {
        let schema =
            "CREATE TABLE j (id INTEGER PRIMARY KEY, d JSON CHECK (json_valid(d))); INSERT INTO j VALUES (1, '{\"a\": 1}')"
        try Loaded.with(schema) { loaded in
            try TestServer.execute(
                "ALTER TABLE j ALTER d TYPE json; INSERT INTO j VALUES (2, E'{\\n \"a\":\\r\\n 2}')",
                in: loaded.target)
            let tables = try loaded.exported()
            let text = try String(
                contentsOfFile: "\(loaded.state.path)/rows/\(tables[0].file ?? "")", encoding: .utf8)
            for line in text.split(separator: "\n") {
                #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil, "\(line)")
            }
            #expect(text.contains("\"id\":2"))
        }
    }

    // MARK: What is refused leaves the target as it was

    struct Refusal: CustomTestStringConvertible, Sendable {
        let name: String
        let inSource: String
        let inTarget: String
        let words: String
        var testDescription: String { name }
    }

    static let refusals = [
        Refusal(
            name: "a row that refers to nobody", inSource: "INSERT INTO Message (userId) VALUES ('nobody')",
            inTarget: "",
            words: "refer to rows of"),
        Refusal(
            name: "a row whose parent is gone",
            inSource: "PRAGMA foreign_keys = OFF; DELETE FROM User WHERE id = 'u3'", inTarget: "",
            words: "refer to rows of"),
        Refusal(
            name: "a text where the plan has numbers",
            inSource: "UPDATE Reaction SET n = 'many' WHERE messageId = 3",
            inTarget: "", words: "Reaction"),
        Refusal(
            name: "another schema", inSource: "ALTER TABLE User ADD COLUMN age INTEGER", inTarget: "",
            words: "schema has changed"),
        Refusal(
            name: "a row of the target that somebody has removed",
            inSource: "UPDATE Message SET body = 'x' WHERE id = 4",
            inTarget: "DELETE FROM \"Message\" WHERE id = 4", words: "somebody else has written to"),
        Refusal(
            name: "a row of the target that somebody has added",
            inSource: "UPDATE Message SET body = 'x' WHERE id = 4",
            inTarget: "INSERT INTO \"Message\" (id, \"userId\") VALUES (77777, 'u1')",
            words: "somebody else has written to"),
    ]

    @Test(arguments: refusals)
    func whatDoesNotFitIsRefusedAndTheTargetStaysAsItIs(_ refusal: Refusal) throws {
        try Loaded.with(Self.chat) { loaded in
            if !refusal.inTarget.isEmpty { try TestServer.execute(refusal.inTarget, in: loaded.target) }
            let before = try loaded.content()
            try loaded.application.execute(refusal.inSource)
            let error = #expect(throws: MigrationError.self) { try loaded.finish() }
            #expect(error?.message.contains(refusal.words) ?? false, "\(error?.message ?? "")")
            #expect(try loaded.content() == before)
            // The hold is let go of.
            try loaded.application.execute("CREATE TABLE afterwards (a)")
        }
    }

    @Test
    func aCancelledCatchUpLeavesTheTargetAsItWas() throws {
        try Loaded.with(Self.chat) { loaded in
            let before = try loaded.content()
            try loaded.application.execute("UPDATE Message SET body = 'x'")
            let cancellation = Cancellation()
            let following = try loaded.following(cancellation)
            let last = try following.begin(nil)
            let hold = try SourceHold(loaded.source, timeout: .seconds(5), cancellation: cancellation)
            cancellation.cancel()
            #expect(throws: MigrationError.self) { try following.finish(last, hold) }
            #expect(try loaded.content() == before)
        }
    }

    @Test
    func rowsThatDecisionsKeepOutAreWorkedOutAnew() throws {
        let schema = """
            CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id), n INTEGER);
            INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1, 1), (2, 9, 2), (3, 2, 3)
            """
        try Loaded.with(schema, decide: ["recommended", "orphan-rows=quarantine"]) { loaded in
            #expect(try TestServer.value("SELECT count(*) FROM howdah.quarantine", in: loaded.target) == "1")
            try loaded.application.execute(
                "INSERT INTO c VALUES (4, 8, 4), (5, 2, 5); UPDATE c SET p = 1 WHERE id = 2")
            _ = try loaded.finish()
            #expect(
                try TestServer.rows("SELECT id, p, n FROM c ORDER BY id", in: loaded.target) == [
                    "1|1|1", "2|1|2", "3|2|3", "5|2|5",
                ])
            #expect(
                try TestServer.rows("SELECT source_rowid FROM howdah.quarantine", in: loaded.target) == ["4"])
        }
    }
}

/// A source that was loaded and proven, with the application's own connection to it.
struct Loaded: ~Copyable {
    let source: SourceFile
    let state: StateFolder
    let target: Conninfo
    let application: SQLite.Connection
    let decisions: [String]

    static func with(
        _ schema: String, journal: String = "wal", decide: [String] = [],
        _ body: (borrowing Loaded) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/app.db"
            try makeDatabase(path, schema)
            try TestServer.withDatabase { target in
                let application = try SQLite.Connection(path: path, mode: .readWrite)
                try application.execute("PRAGMA journal_mode = \(journal)")
                let report = try TestMigration(decide: decide).run(
                    path, state: "\(folder)/state", into: target)
                #expect([.proven, .quarantined].contains(report.outcome))
                let state = try StateFolder.open(
                    source: path, project: nil, override: "\(folder)/state", environment: [:])
                try body(
                    Loaded(
                        source: SourceFile(path: path), state: state, target: target,
                        application: application,
                        decisions: decide))
            }
        }
    }

    borrowing func following(_ cancellation: Cancellation = Cancellation()) throws -> Following {
        Following(
            source: source, state: state, server: TargetServer(target, cancellation: cancellation),
            schema: "public",
            hints: nil, workers: 2, isRehearsal: true, cancellation: cancellation, progress: RunProgress(),
            differences: nil)
    }

    /// Carries the last changes while the application may not write.
    borrowing func finish() throws -> CatchUp.Outcome {
        let following = try following()
        let last = try following.begin(nil)
        let hold = try SourceHold(source, timeout: .seconds(5), cancellation: Cancellation())
        return try following.finish(last, hold).1
    }

    /// What the target has got since, counted and written into `rows/`.
    borrowing func exported() throws -> [RowsSince.Table] {
        let following = try following()
        let base = try following.base()
        let rows = try RowsSince(
            preparation: following.preparation(base, base.snapshot), server: following.server, state: state,
            workers: 2,
            cancellation: Cancellation(), progress: RunProgress())
        return try rows.write(rows.count(), to: "\(state.path)/rows")
    }

    borrowing func validate() throws -> MigrationReport.Outcome {
        try TestMigration(decide: decisions).validate(source.path, state: state.path, against: target).outcome
    }

    /// Everything that the target's tables and its ledger hold.
    borrowing func content() throws -> [String] {
        let tables = try TestServer.rows(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'howdah') AND tablename NOT IN ('catchup', 'unvalidated') ORDER BY 1",
            in: target)
        let keys = try TestServer.rows(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint ORDER BY 1, 2",
            in: target)
        return try tables.flatMap { table in
            try [table] + TestServer.rows("SELECT md5(t::text) FROM \(table) AS t ORDER BY 1", in: target)
        } + keys
    }
}
