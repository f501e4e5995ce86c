import Foundation
import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

@testable import Operations

@Suite struct LoadTestTests {
    private static let short = LoadOptions(connections: 4, seconds: 1.5)

    @Test func aHostileSchemaIsAskedInEveryWayAndHoldsAfterwardsWhatItHeld() throws {
        try LoadFixture.with { fixture in
            let before = try fixture.content()
            #expect(before.contains { $0.hasPrefix("public.") && $0.contains("_seq") })
            let report = try fixture.run(Self.short, hasSQLite: true)
            #expect(report.failures == [], "\(report.failures)")
            #expect(
                report.sqliteFailures.allSatisfy { $0.state == "SQLITE_BUSY" }, "\(report.sqliteFailures)")
            #expect(report.opened == 4 && report.connections == 4)
            for kind in LoadKind.allCases {
                let figures = report.kinds.first { $0.kind == kind }
                let postgres = try #require(figures?.postgres, "\(kind)")
                #expect(postgres.count > 0 && postgres.p50 > 0 && postgres.p50 <= postgres.p95)
                #expect(postgres.p95 <= postgres.p99 && postgres.p99 <= postgres.max)
                #expect(figures?.sqlite?.count ?? 0 > 0, "\(kind)")
            }
            #expect(report.queries == report.kinds.reduce(0) { $0 + ($1.postgres?.count ?? 0) })
            #expect(try fixture.content() == before)
            #expect(report.notices.allSatisfy { !$0.contains("moved") })
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: fixture.folder).sorted() == [
                    "source.db", "state",
                ])
        }
    }

    @Test func whatCannotBeAskedIsNamedWithItsReason() throws {
        try LoadFixture.with { fixture in
            let outline = try fixture.test(Self.short).outline()
            func reason(_ table: String, _ kind: LoadKind?) -> String? {
                outline.gaps.first { $0.table == table && $0.kind == kind }?.reason
            }
            #expect(reason("empty", nil) == "it has no rows")
            #expect(reason("log", .key) == "it has neither primary key nor unique columns")
            #expect(reason("tiny", .insert) == "no new value can be made for the unique columns code")
            #expect(reason("message", .foreignKey)?.contains("message_parent") ?? false)
            func sql(_ table: String, _ kind: LoadKind) -> String {
                outline.queries.first { $0.table == table && $0.kind == kind }?.sql ?? ""
            }
            // A conversation's messages by their time, out of one index.
            #expect(
                sql("message", .foreignKey).hasSuffix(#"WHERE x."room" = $1 ORDER BY x."at" DESC LIMIT 50"#))
            #expect(
                sql("Us\"er; DROP", .key).contains(#"FROM "public"."Us""er; DROP" AS x WHERE x."i d" = $1"#))
            #expect(!sql("message", .insert).contains(#"("id", "room", "at", "body", "length""#))
            // Large values are in no list.
            #expect(!sql("profile", .key).contains("photo"))
            for table in ["member", "profile", "log", "device", "message", "room"] {
                #expect(!sql(table, .insert).isEmpty, "\(table)")
            }
        }
    }

    @Test func aTriggerThatRaisesIsTriedFirstAndItsTableLeftOut() throws {
        try LoadFixture.with { fixture in
            try TestServer.execute(
                """
                CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no more rooms'; END $$;
                CREATE TRIGGER stop BEFORE INSERT ON room FOR EACH ROW EXECUTE FUNCTION stop();
                """, in: fixture.conninfo)
            let report = try fixture.run(LoadOptions(connections: 2, seconds: 0.5))
            let gap = report.gaps.first { $0.table == "room" && $0.kind == .insert }
            #expect(gap?.reason == "no more rooms (P0001, raised by a trigger or function)")
            #expect(report.errors == 0)
        }
    }

    @Test func errorsAreCountedByTheirStateWithOneMessageEach() throws {
        try LoadFixture.with { fixture in
            // Every third write fails, so that trials go well and the load meets it.
            try TestServer.execute(
                """
                CREATE SEQUENCE public.turn; ALTER SEQUENCE public.turn OWNED BY NONE;
                CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF random() < 0.4 THEN RAISE EXCEPTION E'the body % is\\tin the way', NEW.body USING ERRCODE = '40001'; END IF;
                    RETURN NEW; END $$;
                CREATE TRIGGER stumble BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION stumble();
                """, in: fixture.conninfo)
            let before = try fixture.content()
            let report = try fixture.run(Self.short)
            let failure = try #require(report.failures.first { $0.state == "40001" })
            #expect(failure.name == "serialization failure" && failure.count > 0)
            #expect(failure.sample.contains("in the way") && !failure.sample.contains("\t"))
            #expect(report.kinds.first { $0.kind == .insert }?.postgres?.errors == failure.count)
            #expect(report.total.errors == report.errors)
            #expect(try fixture.content() == before)
        }
    }

    @Test func aTriggerThatTakesNumbersIsSeenAndNoneIsMissing() throws {
        try LoadFixture.with { fixture in
            try TestServer.execute(
                """
                CREATE TABLE audit (id bigserial PRIMARY KEY, what text);
                INSERT INTO audit (what) VALUES ('begun');
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    INSERT INTO public.audit (what) VALUES (TG_OP); RETURN NEW; END $$;
                CREATE TRIGGER note AFTER INSERT OR UPDATE ON room FOR EACH ROW EXECUTE FUNCTION note();
                """, in: fixture.conninfo)
            let before = try fixture.content()
            let report = try fixture.run(LoadOptions(connections: 2, seconds: 0.5))
            for kind in [LoadKind.insert, .update] {
                let gap = report.gaps.first { $0.table == "room" && $0.kind == kind }
                #expect(
                    gap?.reason.contains("take numbers from public.audit_id_seq") ?? false, "\(report.gaps)")
            }
            #expect(try fixture.content() == before)
            // In a copy they may.
            let scratch = try fixture.run(LoadOptions(connections: 2, seconds: 0.5, isScratch: true))
            #expect(!scratch.gaps.contains { $0.reason.contains("take numbers") })
            #expect(try fixture.content() == before)
        }
    }

    @Test func aLockThatIsHeldIsWaitedForAndCounted() throws {
        try LoadFixture.with { fixture in
            // Taken as soon as the load has begun: the trials before would wait for it too.
            let progress = RunProgress()
            let holder = try TestServer.connect(fixture.conninfo)
            var options = LoadOptions(connections: 3, seconds: 2)
            options.lockTimeout = .milliseconds(100)
            let test = fixture.test(options, progress: progress)
            let result = LoadOutcome()
            result.start(test)
            #expect(waitUntil { progress.queriesDone > 20 })
            try holder.execute("BEGIN; LOCK TABLE message IN ACCESS EXCLUSIVE MODE")
            #expect(waitUntil { result.isThere })
            try holder.execute("ROLLBACK")
            let report = try result.get()
            let failure = try #require(report.failures.first { $0.state == "55P03" })
            #expect(failure.name == "lock timeout" && failure.count > 0)
            #expect(report.queries > 0)
        }
    }

    @Test func aConnectionLimitIsToldBeforeAndCountedDuring() throws {
        try LoadFixture.with { fixture in
            let role = "load_" + UUID().uuidString.lowercased().replacing("-", with: "")
            try TestServer.execute(
                """
                CREATE ROLE \(role) LOGIN CONNECTION LIMIT 3; GRANT USAGE ON SCHEMA public TO \(role);
                GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO \(role);
                """, in: fixture.conninfo)
            defer {
                try? TestServer.execute("DROP OWNED BY \(role); DROP ROLE \(role)", in: fixture.conninfo)
            }
            let target = fixture.conninfo.setting("user", to: role)
            let error = #expect(throws: MigrationError.self) {
                try fixture.run(LoadOptions(connections: 9, seconds: 0.5), on: target)
            }
            #expect(
                error?.message.contains("9 connections are asked for, and the server has 2 left") ?? false)
            #expect(error?.exit == .usage)
            // Sessions that are ended find no connection any more, and go on where there is one again.
            let progress = RunProgress()
            let test = fixture.test(LoadOptions(connections: 2, seconds: 3), on: target, progress: progress)
            let result = LoadOutcome()
            result.start(test)
            #expect(waitUntil { progress.queriesDone > 10 })
            try TestServer.execute(
                """
                ALTER ROLE \(role) CONNECTION LIMIT 1;
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(role)' AND application_name = 'howdah load'
                """, in: fixture.conninfo)
            #expect(waitUntil { progress.queriesFailed > 3 })
            let sofar = progress.queriesDone
            try TestServer.execute("ALTER ROLE \(role) CONNECTION LIMIT 5", in: fixture.conninfo)
            #expect(waitUntil { progress.queriesDone > sofar + 10 })
            #expect(waitUntil { result.isThere })
            let report = try result.get()
            let failure = try #require(report.failures.first { $0.state == "53300" })
            #expect(failure.name == "too many connections" && failure.count > 0)
            #expect(report.failures.contains { ["57P01", "lost"].contains($0.state) })
            #expect(report.opened == 2 && report.queries > 0)
        }
    }

    @Test func aWishToStopEndsItAtOnce() throws {
        try LoadFixture.with { fixture in
            let (cancellation, progress) = (Cancellation(), RunProgress())
            let test = fixture.test(
                LoadOptions(connections: 4, seconds: 600), hasSQLite: true, cancellation: cancellation,
                progress: progress)
            let result = LoadOutcome()
            result.start(test)
            #expect(waitUntil { progress.queriesDone > 10 })
            let start = ContinuousClock.now
            cancellation.cancel()
            #expect(waitUntil(seconds: 10) { result.isThere })
            #expect(ContinuousClock.now - start < .seconds(5))
            let error = #expect(throws: MigrationError.self) { try result.get() }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func committedWritesStayInACopyThatIsDropped() throws {
        try LoadFixture.with { fixture in
            let before = try fixture.content()
            let report = try fixture.run(
                LoadOptions(connections: 3, seconds: 1, isScratch: true), hasSQLite: true)
            #expect(report.writes == .scratch && report.errors == 0, "\(report.failures)")
            #expect(report.kinds.first { $0.kind == .insert }?.postgres?.count ?? 0 > 0)
            #expect(try fixture.content() == before)
        }
    }

    @Test(arguments: [
        ("ann@example.org", nil as Int?, "@example.org", 27), ("0123456789", nil, "", 22),
        ("clh3v9q2k0000qw8h5z1x7y6a", nil, "", 25), ("deadbeefdeadbeefdeadbeefdeadbeef", nil, "", 32),
        ("ab", 9, "", 9), ("", nil, "", 12),
    ])
    func aNewTextHasTheFormOfOneThatIsThere(template: String, limit: Int?, end: String, count: Int) {
        var maker = FreshMaker(session: 1, seed: 7)
        let made = (0..<200).compactMap { _ -> String? in
            if case .text(let text) = maker.value(.text(template: template, maxLength: limit)) {
                text
            } else {
                nil
            }
        }
        #expect(Set(made).count == 200)
        #expect(made.allSatisfy { $0.hasSuffix(end) && $0.count == count }, "\(made.first ?? "")")
        for alphabet in ["0123456789", "0123456789abcdef"]
        where !template.isEmpty && template.allSatisfy(alphabet.contains) {
            #expect(made.allSatisfy { $0.allSatisfy(alphabet.contains) })
        }
    }

    @Test func sessionsShareNoNewValue() {
        var seen: Set<String> = []
        for session in 0..<16 {
            var maker = FreshMaker(session: session, seed: 3)
            for _ in 0..<50 {
                if case .text(let text) = maker.value(.uuid) { #expect(seen.insert(text).inserted) }
            }
        }
        #expect(seen.count == 800 && seen.allSatisfy(\.isUUID))
    }

    @Test func sqliteIsWrittenInACopyAloneWithItsLogAndLeavesNoFile() throws {
        try LoadFixture.with { fixture in
            let before = try Data(contentsOf: URL(fileURLWithPath: fixture.snapshot.path))
            // What a killed test has left goes first.
            let remains = "\(fixture.folder)/load-copy-1.db"
            try "x".write(toFile: remains, atomically: true, encoding: .utf8)
            let options = LoadOptions(connections: 3, seconds: 0.5, isScratch: true)
            let report = try fixture.test(options, hasSQLite: true, hasLog: true).run()
            let insert = report.kinds.first { $0.kind == .insert }
            #expect(insert?.sqlite?.count ?? 0 > 0 && insert?.postgres?.count ?? 0 > 0)
            #expect(
                report.sqliteFailures.allSatisfy { $0.state == "SQLITE_BUSY" }, "\(report.sqliteFailures)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.snapshot.path)) == before)
            let left = try FileManager.default.contentsOfDirectory(atPath: fixture.folder).sorted()
            #expect(left == ["source.db", "state"])
        }
    }

    @Test func withoutRoomForACopySQLiteIsOnlyRead() throws {
        try LoadFixture.with { fixture in
            let test = fixture.test(
                LoadOptions(connections: 2, seconds: 0.4), hasSQLite: true,
                folder: "\(fixture.folder)/missing")
            let report = try test.run()
            #expect(
                report.notices.contains {
                    $0.hasPrefix("SQLite's writes are left out: the snapshot cannot be copied")
                })
            #expect(report.kinds.first { $0.kind == .key }?.sqlite?.count ?? 0 > 0)
            #expect(report.kinds.filter(\.kind.isWrite).allSatisfy { $0.sqlite == nil && $0.postgres != nil })
        }
    }

    @Test func aServerWithoutRowsSaysThatThereIsNothingToAsk() throws {
        try LoadFixture.with("CREATE TABLE t (id INTEGER PRIMARY KEY)") { fixture in
            let error = #expect(throws: MigrationError.self) {
                try fixture.run(LoadOptions(connections: 1, seconds: 0.2))
            }
            #expect(error?.message == "no query can be made: t: it has no rows")
        }
    }

    @Test(arguments: [
        ("a\u{1B}[31mb\nc", "XX000", [LoadValue](), "a [31mb c"),
        ("duplicate secret-value here", "23505", [.text("secret-value")], "duplicate … here"),
        (
            "invalid input syntax for type integer: \"hunter2\"", "22P02", [],
            "invalid input syntax for type integer: \"…\""
        ),
        ("id 123456 is taken", "P0001", [.integer(123_456)], "id … is taken"),
    ])
    func whatIsShownOfAMessageHasNoValueAndNoControl(
        message: String, state: String, values: [LoadValue], shown: String
    ) {
        #expect(FailureWords.sanitised(message, state: state, values: values) == shown)
    }
}
