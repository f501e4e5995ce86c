import Foundation
import Postgres
import TestSupport
import Testing

/// Loading into tables that are there already, as a user does it.
@Suite struct AdoptCommandTests {
    private static let source = """
        CREATE TABLE "User" (id INTEGER PRIMARY KEY, "fullName" TEXT); INSERT INTO "User" VALUES (1, 'Ann'), (2, 'Bob');
        CREATE TABLE kind (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO kind VALUES (1, 'x')
        """
    private static let target = """
        CREATE TABLE users (id bigserial PRIMARY KEY, full_name varchar(10)); ALTER TABLE users RENAME TO "user";
        CREATE TABLE kind (id int PRIMARY KEY, name text); INSERT INTO kind VALUES (1, 'x')
        """

    @Test func tablesThatAreThereArePlannedLoadedAndProven() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.source)
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(Self.target, in: conninfo)
                let url = conninfo.url
                let plan = try Howdah.run(["plan", source, "--adopt", "--to", url, "-o", "-"])
                #expect(plan.exit == 3, "\(plan.errors)")
                #expect(plan.output.contains("adopt: true") && plan.output.contains("target: full_name"))
                let open = try Howdah.run(["migrate", source, url, "--adopt", "--yes", "--json"])
                #expect(open.exit == 3)
                let findings = try open.json()["findings"] as? [[String: Any]] ?? []
                #expect(
                    findings.filter { $0["blocking"] as? Bool == true }.map { $0["key"] as? String } == [
                        "rows-in-target:kind"
                    ])
                let loaded = try Howdah.run(
                    ["migrate", source, url, "--adopt", "--yes", "--json", "--decide", "rows-in-target=keep"])
                #expect(loaded.exit == 0, "\(loaded.errors) \(loaded.output)")
                #expect(try loaded.json()["outcome"] as? String == "proven")
                // The decision is in the plan now, and the plan says that the tables are there.
                let again = try Howdah.run(["migrate", source, url, "--yes"])
                #expect(again.exit == 3 && again.errors.contains("ended as proven"), "\(again.errors)")
                let valid = try Howdah.run(["validate", source, url])
                #expect(valid.exit == 0, "\(valid.errors) \(valid.output)")
                try TestServer.execute("UPDATE \"user\" SET full_name = 'Eve' WHERE id = 2", in: conninfo)
                let changed = try Howdah.run(["validate", source, url])
                #expect(changed.exit == 4)
                let inspected = try Howdah.run(["inspect", source])
                #expect(inspected.exit == 0)
            }
        }
    }

    @Test(arguments: [["plan", "--adopt"], ["migrate", "--adopt"], ["validate", "--adopt"]])
    func withoutATargetThereIsNothingToAdopt(words: [String]) throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.source)
            let outcome = try Howdah.run([words[0], source] + words.dropFirst())
            #expect(outcome.exit == 2, "\(outcome.errors)")
            #expect(outcome.errors.contains("--to"))
        }
    }

    @Test func theStepsOfALiveRunFollowAPlanThatAdopts() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.source)
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(Self.target, in: conninfo)
                let url = conninfo.url
                let plan = try Howdah.run([
                    "plan", source, "--adopt", "--to", url, "--decide", "rows-in-target=replace",
                ])
                #expect(plan.exit == 0, "\(plan.errors)")
                let live = ["--live", "--target", url, "--yes"]
                for (step, verb) in [
                    ("1.1", "run"), ("1.2", "run"), ("1.3", "run"), ("1.4", "run"), ("1.6", "run"),
                    ("1.7", "run"),
                    ("1.8", "run"),
                    ("3.2", "run"), ("3.3", "run"), ("3.4", "run"),
                ] {
                    let done = try Howdah.run(["step", source, step, verb, "--note", "there already"] + live)
                    #expect(done.exit == 0, "\(step): \(done.errors) \(done.output)")
                }
                let loaded = try TestServer.rows("SELECT count(*) FROM \"user\"", in: conninfo)
                #expect(loaded == ["2"])
                for step in ["3.4", "3.3", "3.2", "1.8"] {
                    _ = try Howdah.run(["step", source, step, "undo"] + live)
                }
                let rows = try TestServer.rows(
                    "SELECT (SELECT count(*) FROM \"user\"), (SELECT count(*) FROM kind), to_regnamespace('howdah')",
                    in: conninfo)
                #expect(rows == ["0|1|NULL"])
            }
        }
    }
}
