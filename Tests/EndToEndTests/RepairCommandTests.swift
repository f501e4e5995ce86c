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
            #expect(unconfirmed.errors.contains("--yes, or see with --preview"))
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
        ["--table", "person", "--table", "pet", "--key", "1"], ["--never-right"],
        ["--table", "person", "--key", "1", "--never-right"],
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

    @Test func whatAScriptHasBroughtToTodayIsLeftAlone() throws {
        try withLive { source, conninfo in
            let today = "UPDATE person SET name = 'Anna' WHERE id = 1; INSERT INTO person VALUES (3, 'Eve')"
            try makeDatabase(source, today)
            try TestServer.execute(today + "; UPDATE person SET name = 'B' WHERE id = 2", in: conninfo)
            let command = ["repair", source, conninfo.url, "--all", "--yes"]
            let preview = try Howdah.run(command + ["--preview"])
            #expect(preview.exit == 0)
            #expect(preview.output.contains("2 rows are left alone: as SQLite is today"))
            let outcome = try Howdah.run(command + ["--json"])
            #expect(outcome.exit == 4)
            let tables = try #require(try outcome.json()["repair"] as? [[String: Any]])
            #expect(tables.map { $0["as_today"] as? Int } == [2])
            let names = try TestServer.rows("SELECT name FROM person ORDER BY id", in: conninfo)
            #expect(names == ["Anna", "Bob", "Eve"])
            let named = try Howdah.run(
                ["repair", source, conninfo.url, "--table", "person", "--key", "1", "--yes"])
            #expect(named.exit == 3)
            #expect(named.errors.contains("as SQLite is today"))
        }
    }

    // MARK: After the switch of a cutover

    /// A target with a row that was never right, to which the application writes by now, as the journal says.
    private func withSwitched(
        _ body: (_ source: String, _ conninfo: Conninfo, _ journal: String) throws -> Void
    ) throws {
        try withLive { source, conninfo in
            // Another first proof than that of the load.
            try FileManager.default.removeItem(atPath: "\(source).howdah/differences")
            try TestServer.execute("UPDATE person SET name = 'B' WHERE id = 2", in: conninfo)
            #expect(try Howdah.run(["validate", source, conninfo.url]).exit == 4)
            let journal = "\(source).howdah/journal.db"
            let record = """
                {"snapshot":"x","time":"2999-01-01T00:00:00Z","standstill":1,"parts":[],"carried":{"tables":[],"seconds":1}}
                """
            try makeDatabase(
                journal,
                """
                INSERT INTO entry (time, who, mode, subject, kind, text, evidence, basis, data) VALUES
                    ('2999-01-01T00:00:00Z', 'ann', 'live', 'C.2', 'note', 'switched', '[]', '{}', '\(record)'),
                    ('2999-01-02T00:00:00Z', 'ann', 'live', 'C.4', 'done', '', '[]', '{}', NULL)
                """)
            try TestServer.execute(
                "UPDATE person SET name = 'theirs' WHERE id = 1; INSERT INTO person VALUES (9, 'new')",
                in: conninfo)
            try body(source, conninfo, journal)
        }
    }

    private static let names = "SELECT string_agg(name, ' ' ORDER BY id) FROM person"

    @Test(arguments: [["--all"], ["--table", "person"], ["--all", "--extra"], ["--all", "--preview"]])
    func afterTheSwitchRowsThatNobodyHasNamedStay(_ arguments: [String]) throws {
        try withSwitched { source, conninfo, journal in
            let before = FileManager.default.contents(atPath: journal)
            let outcome = try Howdah.run(["repair", source, conninfo.url, "--yes"] + arguments)
            #expect(outcome.exit == 3)
            #expect(outcome.errors.contains("the cutover ended at 2999-01-02"))
            #expect(outcome.errors.contains("--never-right"))
            #expect(try TestServer.value(Self.names, in: conninfo) == "theirs B new")
            #expect(FileManager.default.contents(atPath: journal) == before)
        }
    }

    @Test func afterTheSwitchWhatWasNeverRightIsCopiedAndANamedRowAfterAWarning() throws {
        try withSwitched { source, conninfo, _ in
            let command = ["repair", source, conninfo.url, "--yes"]
            let never = try Howdah.run(command + ["--all", "--never-right", "--extra"])
            #expect(never.exit == 4, "the application's rows differ")
            #expect(never.errors.contains("2 rows are left alone: right in the first proof"))
            #expect(try TestServer.value(Self.names, in: conninfo) == "theirs Bob new")
            let named = try Howdah.run(command + ["--table", "person", "--key", "1"])
            #expect(named.errors.contains("it may have written what is replaced"))
            #expect(try TestServer.value(Self.names, in: conninfo) == "Ann Bob new")
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
