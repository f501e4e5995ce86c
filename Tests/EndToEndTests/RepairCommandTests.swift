import Foundation
import Postgres
import TestSupport
import Testing

/// `howdah repair` of rows, as a user runs it.
@Suite struct RepairCommandTests {
    private static let people = """
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES person ON DELETE CASCADE, name TEXT);
        INSERT INTO person VALUES (1, 'Ann'), (2, 'Bob'); INSERT INTO pet VALUES (1, 1, 'x'), (2, 2, 'y')
        """

    private func withLive(_ body: (_ source: String, _ conninfo: Conninfo) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.people)
            try TestServer.withDatabase { conninfo in
                let loaded = try Howdah.run(["migrate", source, conninfo.url, "--yes"])
                #expect(loaded.exit == 0)
                try body(source, conninfo)
            }
        }
    }

    private static let damage = """
        UPDATE person SET name = 'B' WHERE id = 2; DELETE FROM pet WHERE id = 1; INSERT INTO pet VALUES (9, 2, 'new')
        """
    private static let state = "SELECT id, name FROM person UNION ALL SELECT id, name FROM pet ORDER BY 1, 2"

    @Test func rowsAreShownRepairedListedAndPutBack() throws {
        try withLive { source, conninfo in
            try TestServer.execute(Self.damage, in: conninfo)
            let before = try TestServer.rows(Self.state, in: conninfo)
            let preview = try Howdah.run(["repair", source, conninfo.url, "--all", "--preview"])
            #expect(preview.exit == 0)
            #expect(preview.output.contains("copies 1 row"))
            #expect(preview.output.contains("1 row is in the target only"))
            #expect(try TestServer.rows(Self.state, in: conninfo) == before)
            let unconfirmed = try Howdah.run(["repair", source, conninfo.url, "--all"])
            #expect(unconfirmed.exit == 2)
            #expect(unconfirmed.errors.contains("--yes"))
            // The row that only the target has stays, and differs.
            let one = try Howdah.run(["repair", source, conninfo.url, "--all", "--yes", "--json"])
            #expect(one.exit == 4)
            let document = try one.json()
            let tables = try #require(document["repair"] as? [[String: Any]])
            #expect(tables.map { $0["copied"] as? Int } == [1, 1])
            #expect(tables.map { $0["removed"] as? Int } == [0, 0])
            #expect(document["outcome"] as? String == "differs")
            let two = try Howdah.run([
                "repair", source, conninfo.url, "--table", "pet", "--key", "9", "--extra", "--yes",
            ])
            #expect(two.exit == 0)
            #expect(try Howdah.run(["validate", source, conninfo.url]).exit == 0)
            let list = try Howdah.run(["repair", source, conninfo.url, "--list", "--json"])
            let repairs = try #require(try list.json()["repairs"] as? [[String: Any]])
            #expect(repairs.map { $0["state"] as? String } == ["done", "done"])
            for _ in repairs {
                #expect(try Howdah.run(["repair", source, conninfo.url, "--undo", "--yes"]).exit == 4)
            }
            #expect(try TestServer.rows(Self.state, in: conninfo) == before)
            #expect(try Howdah.run(["repair", source, conninfo.url, "--undo", "--yes"]).exit == 2)
        }
    }

    @Test(arguments: [
        ["--table", "nothing", "--yes"], ["--table", "person", "--key", "1", "--yes"], ["--key", "1"],
        ["--table", "person", "--all"], ["--undo", "--all"], ["--extra"], ["--id", "x"], ["--preview"],
        ["--table", "person", "--table", "pet", "--key", "1"],
    ])
    func wrongUsageIsTold(_ arguments: [String]) throws {
        try withLive { source, conninfo in
            let outcome = try Howdah.run(["repair", source, conninfo.url] + arguments)
            #expect(outcome.exit == 2)
        }
    }

    @Test func whatWasWrittenToTheSourceSinceIsNotTakenForDamage() throws {
        try withLive { source, conninfo in
            try makeDatabase(source, "INSERT INTO person VALUES (3, 'Eve')")
            try TestServer.execute("UPDATE person SET name = 'B' WHERE id = 2", in: conninfo)
            let outcome = try Howdah.run(["repair", source, conninfo.url, "--all", "--yes"])
            #expect(outcome.exit == 0)
            #expect(outcome.errors.contains("howdah cutover carries the rest"))
            #expect(
                try TestServer.rows("SELECT name FROM person ORDER BY id", in: conninfo) == ["Ann", "Bob"])
        }
    }

    @Test func nothingIsRemovedByAnOlderSnapshot() throws {
        try withLive { source, conninfo in
            try makeDatabase(source, "INSERT INTO person VALUES (3, 'Eve')")
            try TestServer.execute("INSERT INTO person VALUES (3, 'Eve')", in: conninfo)
            let outcome = try Howdah.run(["repair", source, conninfo.url, "--all", "--extra", "--yes"])
            #expect(outcome.exit == 3)
            #expect(outcome.errors.contains("howdah cutover"))
            #expect(try TestServer.value("SELECT count(*) FROM person", in: conninfo) == "3")
        }
    }

    @Test func withoutAWordOfWhatIsMeantNothingIsDone() throws {
        try withLive { source, conninfo in
            let outcome = try Howdah.run(["repair", source, conninfo.url, "--yes"])
            #expect(outcome.exit == 2)
            #expect(outcome.errors.contains("--all"))
            #expect(outcome.output.isEmpty)
        }
    }

    @Test func aRepairOfOneRowSaysFirstThatItIsEqual() throws {
        try withLive { source, conninfo in
            try TestServer.execute("UPDATE person SET name = name || '!'", in: conninfo)
            let one = try Howdah.run([
                "repair", source, conninfo.url, "--table", "person", "--key", "2", "--yes",
            ])
            #expect(one.exit == 4)
            #expect(one.output.contains("the repaired rows are equal now; 1 other row differs in person"))
            #expect(!one.output.contains("not asked for"))
            #expect(!one.output.contains("while others are still loaded"))
        }
    }

    @Test func anUndoThatWouldBeRefusedIsRefusedByItsPreview() throws {
        try withLive { source, conninfo in
            try TestServer.execute("UPDATE person SET name = 'B' WHERE id = 2", in: conninfo)
            #expect(try Howdah.run(["repair", source, conninfo.url, "--all", "--yes"]).exit == 0)
            #expect(try Howdah.run(["repair", source, conninfo.url, "--undo", "--preview"]).exit == 0)
            try TestServer.execute("UPDATE person SET name = 'theirs' WHERE id = 2", in: conninfo)
            #expect(try Howdah.run(["repair", source, conninfo.url, "--undo", "--preview"]).exit == 3)
        }
    }

    // MARK: Crashes

    struct Crash: CustomTestStringConvertible, Sendable {
        let moment: String
        /// What the list says afterwards.
        let state: String
        let isRepaired: Bool
        var testDescription: String { moment }
    }

    @Test(arguments: [
        Crash(moment: "repair before", state: "failed", isRepaired: false),
        Crash(moment: "repair after", state: "done", isRepaired: true),
        Crash(moment: "repair undo before", state: "done", isRepaired: true),
        Crash(moment: "repair undo after", state: "undone", isRepaired: false),
    ])
    func aKilledRepairIsToldTruthfully(_ crash: Crash) throws {
        try withLive { source, conninfo in
            let sound = try TestServer.rows(Self.state, in: conninfo)
            try TestServer.execute(Self.damage, in: conninfo)
            let before = try TestServer.rows(Self.state, in: conninfo)
            let repair = ["repair", source, conninfo.url, "--all", "--extra", "--yes"]
            let undo = ["repair", source, conninfo.url, "--undo", "--yes"]
            let isUndo = crash.moment.contains("undo")
            if isUndo { #expect(try Howdah.run(repair).exit == 0) }
            let killed = try Howdah.run(isUndo ? undo : repair, environment: ["HOWDAH_CRASH": crash.moment])
            #expect(killed.exit == 9)
            // The server ends what a killed client had not committed.
            func listed() throws -> String? {
                let list = try Howdah.run(["repair", source, conninfo.url, "--list", "--json"])
                return (try list.json()["repairs"] as? [[String: Any]])?.last?["state"] as? String
            }
            #expect(waitUntil { (try? listed()) == crash.state })
            #expect(try TestServer.rows(Self.state, in: conninfo) == (crash.isRepaired ? sound : before))
            if crash.isRepaired {
                #expect(try Howdah.run(undo).exit == 4)
                #expect(try TestServer.rows(Self.state, in: conninfo) == before)
            } else {
                #expect(try Howdah.run(repair).exit == 0)
                #expect(try TestServer.rows(Self.state, in: conninfo) == sound)
            }
        }
    }

    @Test func aRehearsalIsRepairedWithoutAWord() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.people)
            defer { _ = try? Howdah.run(["rehearsal", "remove", source]) }
            #expect(try Howdah.run(["migrate", source]).exit == 0)
            let url = try Howdah.run(["rehearsal", "start", source]).output
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try TestServer.execute("UPDATE person SET name = 'B' WHERE id = 2", in: Conninfo(url))
            #expect(try Howdah.run(["validate", source]).exit == 4)
            #expect(try Howdah.run(["repair", source, "--table", "person"]).exit == 0)
            #expect(try Howdah.run(["validate", source]).exit == 0)
            // Its server has another address each time.
            #expect(try Howdah.run(["rehearsal", "stop", source]).exit == 0)
            #expect(try Howdah.run(["repair", source, "--list"]).output.contains("person (1 changed)"))
            #expect(try Howdah.run(["repair", source, "--undo"]).exit == 4)
            #expect(try Howdah.run(["validate", source]).exit == 4)
        }
    }
}
