import Foundation
import Postgres
import TestSupport
import Testing

/// The load test and the look at paths as commands.
@Suite struct LoadCommandTests {
    private static let script = """
        CREATE TABLE "User" (id INTEGER PRIMARY KEY, name TEXT UNIQUE, avatar TEXT);
        CREATE TABLE "Message" (id INTEGER PRIMARY KEY, "userId" INTEGER NOT NULL REFERENCES "User"(id), body TEXT);
        CREATE INDEX "Message_userId" ON "Message" ("userId", id);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
        INSERT INTO "User" SELECT i, 'user ' || i, 'uploads/' || i || '.png' FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
        INSERT INTO "Message" SELECT i, i % 40 + 1, 'text ' || i FROM n;
        """

    private func withProject(_ body: (_ folder: String, _ project: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            try FileManager.default.createDirectory(
                atPath: "\(project)/uploads", withIntermediateDirectories: true)
            for number in 1...39 {
                try "x".write(toFile: "\(project)/uploads/\(number).png", atomically: true, encoding: .utf8)
            }
            try makeDatabase("\(project)/app.db", Self.script)
            defer { _ = try? Howdah.run(["rehearsal", "remove", project]) }
            try body(folder, project)
        }
    }

    @Test func aRehearsalThatAnotherCommandMadeIsAskedAndTheFiguresStay() throws {
        try withProject { _, project in
            #expect(try Howdah.run(["load", project]).exit == 3, "there is nothing to ask yet")
            #expect(try Howdah.run(["migrate", project]).exit == 0)
            let outcome = try Howdah.run([
                "load", project, "--connections", "3", "--seconds", "0.7", "--as", "ann", "--json",
            ])
            #expect(outcome.exit == 0, "\(outcome.errors)\(outcome.output)")
            let document = try outcome.json()
            #expect(document["outcome"] as? String == "done" && document["exit"] as? Int == 0)
            let report = try #require(document["report"] as? [String: Any])
            #expect(report["connections"] as? Int == 3 && report["writes"] as? String == "rolled-back")
            let kinds = report["kinds"] as? [[String: Any]] ?? []
            #expect(
                Set(kinds.compactMap { $0["kind"] as? String }) == [
                    "key", "page", "foreign-key", "join", "insert", "update",
                ])
            #expect(kinds.allSatisfy { $0["postgres"] is [String: Any] && $0["sqlite"] is [String: Any] })
            let status = try Howdah.run(["status", project])
            #expect(status.output.contains("✔ 5.10 concurrent users  (ann, "))
            #expect(status.output.contains("of 3 users at once in"))
            let preview = try Howdah.run(["load", project, "--preview"])
            #expect(
                preview.output.contains(#"FROM "public"."Message" AS x WHERE x."userId" = $1"#),
                "\(preview.errors)")
            // What is proven is as it was.
            #expect(try Howdah.run(["validate", project]).exit == 0)
            let left = try FileManager.default.contentsOfDirectory(atPath: "\(project)/.howdah/load")
            #expect(left.isEmpty)
        }
    }

    @Test func aLiveTargetIsAskedForConfirmationAndItsErrorsAreTold() throws {
        try withProject { _, project in
            try TestServer.withDatabase { target in
                #expect(try Howdah.run(["migrate", project, target.url, "--yes"]).exit == 0)
                let refused = try Howdah.run(["load", project, target.url])
                #expect(refused.exit == 2 && refused.errors.contains("nobody has confirmed it"))
                try TestServer.execute(
                    """
                    CREATE FUNCTION stumble() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
                        IF random() < 0.5 THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '40P01'; END IF; RETURN true; END $$;
                    ALTER TABLE "Message" ADD CHECK (stumble()) NOT VALID;
                    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
                    CREATE TRIGGER note BEFORE INSERT ON "User" FOR EACH ROW EXECUTE FUNCTION note();
                    """, in: target)
                let outcome = try Howdah.run([
                    "load", project, target.url, "--yes", "--seconds", "1", "--connections", "2",
                ])
                #expect(outcome.exit == 1, "\(outcome.errors)")
                #expect(outcome.output.contains("× 40P01 deadlock: in the way"))
                #expect(
                    outcome.output.contains(
                        "not asked: User: insert a row: its triggers or rules could take numbers"))
                let preview = try Howdah.run(["load", project, target.url, "--preview"])
                #expect(preview.output.contains("tables with triggers or rules are only read"))
                let ledger = try Howdah.run([
                    "load", project, target.url, "--yes", "--seconds", "0.2", "--connections", "1",
                    "--scratch",
                ])
                #expect(!ledger.output.contains("its triggers or rules"), "\(ledger.errors)")
                #expect(try TestServer.value("SELECT count(*) FROM \"Message\"", in: target) == "400")
                // The checklist knows, and the live steps only.
                let list = try Howdah.run(["checklist", project, "--live"])
                #expect(list.output.contains("! 5.10 concurrent users failed: "))
                #expect(!(try Howdah.run(["checklist", project, "--rehearsal"]).output.contains("failed")))
            }
        }
    }

    @Test(arguments: [SIGINT, SIGTERM]) func aWishToStopLeavesNothingBehind(signal: Int32) throws {
        try withProject { folder, project in
            try TestServer.withDatabase { target in
                #expect(try Howdah.run(["migrate", project, target.url, "--yes"]).exit == 0)
                let process = try Howdah.start(
                    ["load", project, target.url, "--yes", "--seconds", "600", "--scratch"],
                    output: .nullDevice,
                    errors: .nullDevice)
                // Its name is random; the sessions of this howdah tell it.
                let find =
                    "SELECT max(datname) FROM pg_stat_activity WHERE application_name LIKE 'howdah load (%, process \(process.processIdentifier))'"
                    + " AND datname LIKE 'howdah\\_load\\_%'"
                var copy = ""
                let isAsking = waitUntil {
                    copy = (try? TestServer.value(find, in: target)) ?? ""
                    let users =
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(copy)' AND application_name = 'howdah load'"
                    return (try? TestServer.value(users, in: target)) == "8"
                }
                #expect(isAsking)
                kill(process.processIdentifier, signal)
                #expect(waitUntil(seconds: 20) { !process.isRunning })
                #expect(process.terminationStatus == 130)
                let left = "SELECT count(*) FROM pg_database WHERE datname = '\(copy)'"
                #expect(try TestServer.value(left, in: target) == "0")
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: "\(project)/.howdah/load").isEmpty)
                let line = try Howdah.run(["step", project, "5.10", "--live"]).output
                #expect(line.hasPrefix("○ 5.10 concurrent users"), "it has come to nothing: \(line)")
            }
        }
    }

    @Test func aCopyThatAKilledHowdahLeftIsDroppedByTheNextLoad() throws {
        try withProject { _, project in
            try TestServer.withDatabase { target in
                #expect(try Howdah.run(["migrate", project, target.url, "--yes"]).exit == 0)
                let process = try Howdah.start(
                    ["load", project, target.url, "--yes", "--seconds", "600", "--scratch"],
                    output: .nullDevice, errors: .nullDevice)
                let find =
                    "SELECT max(datname) FROM pg_stat_activity WHERE application_name LIKE 'howdah load (%, process \(process.processIdentifier))'"
                    + " AND datname LIKE 'howdah\\_load\\_%'"
                var copy = ""
                #expect(
                    waitUntil {
                        copy = (try? TestServer.value(find, in: target)) ?? ""
                        return !copy.isEmpty
                    })
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                let there = "SELECT count(*) FROM pg_database WHERE datname = '\(copy)'"
                #expect(try TestServer.value(there, in: target) == "1")
                let next = try Howdah.run([
                    "load", project, target.url, "--yes", "--seconds", "0.5", "--connections", "1",
                ])
                #expect(next.exit == 0, "\(next.errors)\(next.output)")
                #expect(try TestServer.value(there, in: target) == "0")
            }
        }
    }

    @Test(arguments: [
        ["--connections", "0"], ["--connections", "100000"], ["--seconds", "0"], ["--seconds", "nan"],
        ["--seconds", "-1"],
        ["--seconds", "1e9"],
    ])
    func whatCannotBeMeantIsWrongUsage(arguments: [String]) throws {
        #expect(try Howdah.run(["load", "/tmp"] + arguments).exit == 2)
    }

    @Test func missingFilesAreListedAcceptedAndExported() throws {
        try withProject { folder, project in
            for step in ["1.1", "1.2"] { #expect(try Howdah.run(["step", project, step, "run"]).exit == 0) }
            let failed = try Howdah.run(["step", project, "5.11", "run", "--json"])
            #expect(failed.exit == 1)
            let step = try failed.json()["step"] as? [String: Any] ?? [:]
            #expect(step["detail"] as? String == "failed: 1 path leads to no file: User.avatar")
            #expect(
                (step["evidence"] as? [String] ?? []).contains(
                    "User 40 avatar: uploads/40.png — no such file"))
            #expect(try Howdah.run(["step", project, "5.11", "tick"]).exit == 3)
            #expect(try Howdah.run(["checklist", project, "tick", "files"]).exit == 3)
            #expect(
                try Howdah.run(["checklist", project, "tick", "files", "--note", "user 40 is <gone>"]).exit
                    == 0)
            let file = "\(folder)/list.html"
            #expect(try Howdah.run(["checklist", project, "export", file]).exit == 0)
            let page = try String(contentsOfFile: file, encoding: .utf8)
            #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("note: user 40 is &lt;gone&gt;"))
            #expect(page.contains("ticked although 5.11 file paths failed"))
            #expect(try Howdah.run(["checklist", project, "export", "\(project)/uploads/1.png"]).exit == 2)
            #expect(try Howdah.run(["step", project, "5.11", "tick", "--note", "known"]).exit == 0)
            #expect(try Howdah.run(["step", project, "5.11", "untick"]).exit == 0)
            try "x".write(toFile: "\(project)/uploads/40.png", atomically: true, encoding: .utf8)
            #expect(try Howdah.run(["step", project, "5.11", "run"]).exit == 0)
            #expect(
                try Howdah.run(["step", project, "5.11", "undo"]).exit == 0)
            #expect(try Howdah.run(["status", project]).output.contains("○ 5.11 file paths"))
        }
    }
}
