import Foundation
import Postgres
import SQLite
import TestSupport
import Testing

/// What the steps show once a command has done their work.
@Suite struct StepNotesTests {
    private static let people = """
        CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
        CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES person, name TEXT);
        INSERT INTO person VALUES (1, 'Ann'), (2, 'Bob'); INSERT INTO pet VALUES (1, 1, 'x'), (2, 2, 'y')
        """
    private static let done = ["1.1", "1.2", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"]

    private struct Step {
        let state: String
        let detail: String
        let evidence: [String]
    }

    /// By their numbers, as `status` tells them: it looks at no target.
    private func steps(_ source: String, _ more: [String] = []) throws -> [String: Step] {
        let document = try Howdah.run(["status", source, "--json"] + more).json()
        let phases = try #require(document["phases"] as? [[String: Any]])
        var steps: [String: Step] = [:]
        for step in phases.flatMap({ $0["steps"] as? [[String: Any]] ?? [] }) {
            steps[step["id"] as? String ?? ""] = Step(
                state: step["state"] as? String ?? "", detail: step["detail"] as? String ?? "",
                evidence: step["evidence"] as? [String] ?? [])
        }
        return steps
    }

    private func states(_ source: String, _ ids: [String], _ more: [String] = []) throws -> [String] {
        let steps = try steps(source, more)
        return ids.map { steps[$0]?.state ?? "" }
    }

    private func withRehearsal(_ body: (_ source: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.people)
            defer { _ = try? Howdah.run(["rehearsal", "remove", source]) }
            let outcome = try Howdah.run(["migrate", source])
            try #require(outcome.exit == 0, "\(outcome.errors)")
            try body(source)
        }
    }

    private func withLive(
        _ script: String = people, _ options: [String] = [],
        _ body: (_ source: String, _ target: Conninfo) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, script)
            try TestServer.withDatabase { target in
                let outcome = try Howdah.run(["migrate", source, target.url, "--yes"] + options)
                try #require(outcome.exit == 0, "\(outcome.errors)")
                try body(source, target)
            }
        }
    }

    // MARK: migrate

    @Test func aRehearsalInLinesLeavesItsStepsDone() throws {
        try withRehearsal { source in
            let steps = try steps(source)
            #expect(Set(Self.done.map { steps[$0]?.state }) == ["done"])
            #expect(["1.3", "3.5"].map { steps[$0]?.state } == ["ready", "ready"], "nobody has done these")
            let next = try Howdah.run(["status", source, "--json"]).json()["next"] as? String
            #expect(next == "3.5", "what stands before the rows need not come first")
            let preview = try Howdah.run(["step", source, "1.3", "preview"])
            #expect(preview.output.contains("made already") && !preview.output.contains("initdb"))
            #expect(steps["1.4"]?.evidence == ["the private database was made anew"])
            #expect(try self.steps(source, ["--live"])["1.1"]?.state == "ready")
        }
    }

    @Test func whatARemovedRehearsalHeldIsNotDone() throws {
        try withRehearsal { source in
            try #require(Howdah.run(["rehearsal", "remove", source]).exit == 0)
            let ids = ["1.1", "1.2", "1.7", "1.4", "1.8", "3.2", "3.3", "3.4"]
            let states = try states(source, ids)
            #expect(states.prefix(3) == ["done", "done", "done"], "the source's")
            #expect(!states.dropFirst(3).contains("done"), "\(states)")
        }
    }

    @Test func theEvidenceIsThatOfTheSteps() throws {
        try withRehearsal { source in
            let command = try steps(source)
            for step in ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"] {
                let outcome = try Howdah.run(["step", source, step, "run"])
                try #require(outcome.exit == 0, "\(step): \(outcome.errors)")
            }
            let byHand = try steps(source)
            for id in ["1.1", "1.4", "1.6", "1.7", "1.8", "3.4"] {
                #expect(command[id]?.evidence == byHand[id]?.evidence, "\(id)")
            }
            for id in ["3.2", "3.3"] {
                #expect(command[id]?.evidence.first == byHand[id]?.evidence.first, "\(id)")
                #expect(command[id]?.evidence.count == byHand[id]?.evidence.count, "\(id)")
            }
        }
    }

    @Test func theFirstLiveTargetBecomesTheJournalsAndAnotherOnesRunIsNotNoted() throws {
        try withLive { source, target in
            #expect(try Set(states(source, Self.done, ["--live"])) == ["done"])
            #expect(try steps(source)["1.1"]?.state == "ready", "the rehearsal is another matter")
            let document = try Howdah.run(["status", source, "--live", "--json"]).json()
            #expect(document["target"] as? String == target.url)
            let before = try steps(source, ["--live"])["3.2"]?.evidence
            try TestServer.withDatabase { other in
                let outcome = try Howdah.run(["migrate", source, other.url, "--yes"])
                #expect(outcome.exit == 0)
                #expect(outcome.errors.contains("the live target of the journal is \(target.url)"))
                try TestServer.execute("DELETE FROM pet", in: other)
                #expect(try Howdah.run(["validate", source, other.url]).exit == 4)
            }
            let after = try steps(source, ["--live"])
            #expect(after["3.2"]?.evidence == before)
            #expect(after["3.4"]?.state == "done")
        }
    }

    @Test func findingsThatStopItLeaveThePlanUndecided() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.people + "; INSERT INTO pet VALUES (3, 99, 'z')")
            #expect(try Howdah.run(["migrate", source]).exit == 3)
            #expect(
                try states(source, ["1.2", "1.6", "1.7", "1.8"]) == ["done", "done", "undecided", "waiting"])
        }
    }

    @Test func aTargetThatIsNotEmptyIsTheTablesFailure() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.people)
            try TestServer.withDatabase { target in
                try TestServer.execute("CREATE TABLE pet (id int)", in: target)
                #expect(try Howdah.run(["migrate", source, target.url, "--yes"]).exit == 3)
                let steps = try steps(source, ["--live"])
                #expect(steps["1.7"]?.state == "done")
                #expect(steps["1.8"]?.detail.contains("already has 1 of the tables") ?? false)
            }
        }
    }

    @Test func aRefusedSecondRunLeavesWhatIsDone() throws {
        try withLive { source, target in
            try TestServer.execute("INSERT INTO pet VALUES (9, 1, 'theirs')", in: target)
            #expect(try Howdah.run(["migrate", source, target.url, "--yes"]).exit == 3)
            let after = ["1.8", "3.2", "3.3", "3.4"]
            #expect(try Set(states(source, after, ["--live"])) == ["done"])
        }
    }

    @Test func aRunThatBeginsAnewIsTheOneThatIsDone() throws {
        try withLive { source, target in
            try TestServer.execute(
                "UPDATE howdah.run SET finished = NULL, outcome = NULL, constrained = NULL", in: target)
            let outcome = try Howdah.run(["migrate", source, target.url, "--yes", "--restart"])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let steps = try steps(source, ["--live"])
            #expect(Self.done.allSatisfy { steps[$0]?.state == "done" })
            let journal = try SQLite.Connection(path: "\(source).howdah/journal.db", mode: .readOnly)
            let loads = try journal.prepare(
                "SELECT count(*) FROM entry WHERE subject = '3.2' AND kind = 'done'")
            #expect(try loads.step() && loads.int64(0) == 2)
        }
    }

    /// Refused where nobody could know before: the run drops what it has made.
    @Test func whatARunTakesBackIsNotDone() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.people + "; CREATE INDEX by_name ON pet (name)")
            try TestServer.withDatabase { target in
                try TestServer.execute(
                    """
                    CREATE SCHEMA guard;
                    CREATE FUNCTION guard.refuse() RETURNS event_trigger LANGUAGE plpgsql
                        AS $$ BEGIN RAISE EXCEPTION 'no index here'; END $$;
                    CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE INDEX')
                        EXECUTE FUNCTION guard.refuse()
                    """, in: target)
                let outcome = try Howdah.run(["migrate", source, target.url, "--yes"])
                #expect(outcome.exit == 1, "\(outcome.errors)")
                let steps = try steps(source, ["--live"])
                let failed = ["1.8", "3.2", "3.3", "3.4"].filter { steps[$0]?.state == "failed" }
                #expect(failed == ["3.2"] || failed == ["3.3"])
                #expect(steps[failed.first ?? ""]?.detail.contains("no index here") ?? false)
                #expect(["1.8", "3.2", "3.3", "3.4"].allSatisfy { steps[$0]?.state != "done" })
            }
        }
    }

    // MARK: Stopped part way

    struct Stop: Sendable, CustomTestStringConvertible {
        let signal: Int32
        /// Of step 3.2, where the target is not looked at.
        let state: String
        var testDescription: String { "signal \(signal)" }
    }

    @Test(arguments: [Stop(signal: SIGINT, state: "ready"), Stop(signal: SIGKILL, state: "failed")])
    func aRunThatIsStoppedIsInItsStepAndGoesOnFromThere(stop: Stop) throws {
        let script = """
            CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT, b BLOB);
            WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 600000)
            INSERT INTO big SELECT i, 'text number ' || i, x'00ff00ff00ff' FROM g
            """
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, script)
            try TestServer.withDatabase { target in
                let process = try Howdah.start(
                    ["migrate", source, target.url, "--yes"], output: .nullDevice, errors: .nullDevice)
                let watcher = try TestServer.connect(target)
                let isCopying = waitUntil {
                    let found = try? watcher.query(
                        """
                        SELECT EXISTS (SELECT FROM pg_stat_progress_copy WHERE datname = current_database())
                            AND EXISTS (SELECT FROM howdah.ledger WHERE rows > 0)
                        """)
                    return found?.bool(0, 0) ?? false
                }
                try #require(isCopying)
                kill(process.processIdentifier, stop.signal)
                try #require(waitUntil(seconds: 60) { !process.isRunning })
                #expect(
                    try states(source, ["1.8", "3.2", "3.4"], ["--live"]) == ["done", stop.state, "waiting"])
                let goesOn = try Howdah.run(["step", source, "3.2", "run", "--live", "--yes"])
                #expect(goesOn.exit == 0, "\(goesOn.errors)")
                #expect(try TestServer.value("SELECT count(*) FROM big", in: target) == "600000")
            }
        }
    }

    // MARK: validate

    @Test func aProofThatFindsDifferencesFailsTheStepAndALaterOneMendsIt() throws {
        try withLive { source, target in
            try TestServer.execute("UPDATE person SET name = 'B' WHERE id = 2", in: target)
            #expect(try Howdah.run(["validate", source, target.url]).exit == 4)
            let failed = try #require(try steps(source, ["--live"])["3.4"])
            #expect(failed.state == "failed" && failed.detail == "failed: 1 row differs in person")
            #expect(failed.evidence.first == "1 of 2 tables equal, 4 rows")
            #expect(failed.evidence.last?.contains("howdah validate") ?? false)
            try TestServer.execute("UPDATE person SET name = 'Bob' WHERE id = 2", in: target)
            // That one table is equal says nothing about the others.
            #expect(try Howdah.run(["validate", source, target.url, "--table", "person"]).exit == 0)
            #expect(try steps(source, ["--live"])["3.4"]?.state == "failed")
            #expect(try Howdah.run(["validate", source, target.url]).exit == 0)
            #expect(try steps(source, ["--live"])["3.4"]?.state == "done")
        }
    }

    /// The settings of the application wait for a proof that holds.
    @Test func aProofThatFailsKeepsTheSettingsWhereTheyAre() throws {
        try withLive { source, target in
            try TestServer.execute("DELETE FROM pet; DELETE FROM person", in: target)
            try #require(Howdah.run(["validate", source, target.url]).exit == 4)
            let step = try #require(steps(source, ["--live"])["2.1"])
            #expect(step.detail.hasPrefix("waits for 3.4"), "\(step)")
            #expect(try Howdah.run(["step", source, "2.1", "run", "--live", "--yes"]).exit == 3)
        }
    }

    /// A proof of other rows, or of fewer, says nothing of the steps'.
    @Test(arguments: [true, false])
    func aProofOfAnotherSchemaOrByAnotherPlanLeavesTheStepFailed(isPlan: Bool) throws {
        try withLive { source, target in
            try TestServer.execute(
                """
                CREATE SCHEMA other; CREATE TABLE other.person AS TABLE public.person;
                CREATE TABLE other.pet AS TABLE public.pet; UPDATE public.person SET name = 'WRONG' WHERE id = 1
                """, in: target)
            try #require(Howdah.run(["validate", source, target.url]).exit == 4)
            var more = ["--schema", "other"]
            if isPlan {
                let plan = (source as NSString).deletingLastPathComponent + "/other.yaml"
                try #require(Howdah.run(["plan", source, "-o", plan]).exit == 0)
                let text = try String(contentsOfFile: plan, encoding: .utf8)
                try text.replacing("- name: person\n", with: "- name: person\n    skip: true\n")
                    .write(toFile: plan, atomically: true, encoding: .utf8)
                more = ["--plan", plan]
            }
            let outcome = try Howdah.run(["validate", source, target.url] + more)
            try #require(outcome.exit == 0, "\(outcome.output) \(outcome.errors)")
            #expect(outcome.errors.contains("not noted"))
            #expect(try states(source, ["3.4"], ["--live"]) == ["failed"])
            guard !isPlan else { return }
            // What was found of the steps' own rows stays known, and is what the report goes by.
            let last = try Howdah.run(["diff", source, target.url, "--last"])
            #expect(last.output.contains("1 changed"), "\(last.output)")
            let report = try Howdah.run(
                ["report", source, "--json", "--live", "--target", target.url, "--offline"])
            #expect(try report.json()["verdict"] as? String == "differs", "\(report.output.prefix(300))")
        }
    }

    @Test func aTableThatDiffersFailsTheStep() throws {
        try withLive { source, target in
            try TestServer.execute("DELETE FROM pet WHERE id = 1", in: target)
            #expect(try Howdah.run(["validate", source, target.url, "--table", "person"]).exit == 0)
            #expect(try steps(source, ["--live"])["3.4"]?.state == "done")
            #expect(try Howdah.run(["validate", source, target.url, "--table", "pet"]).exit == 4)
            #expect(try steps(source, ["--live"])["3.4"]?.detail == "failed: 1 row differs in pet")
            // The report keeps what the run says of the load.
            let report = try Howdah.run(
                ["report", source, "--json", "--live", "--target", target.url, "--offline"]
            ).json()
            let timings = try #require(report["timings"] as? [[String: Any]])
            #expect(timings.contains { $0["name"] as? String == "copy" })
        }
    }

    @Test func aProofOfWhatWasWrittenSinceSaysSo() throws {
        try withLive { source, target in
            try makeDatabase(source, "INSERT INTO person VALUES (3, 'Eve')")
            #expect(try Howdah.run(["validate", source, target.url]).exit == 4)
            let detail = try steps(source, ["--live"])["3.4"]?.detail
            #expect(detail?.contains("a later state of SQLite") ?? false)
            #expect(detail?.contains("in PostgreSQL only") == false)
            try TestServer.execute("INSERT INTO pet VALUES (9, 1, 'theirs')", in: target)
            let outcome = try Howdah.run(["validate", source, target.url])
            #expect(outcome.output.contains("the target holds SQLite as of the snapshot of"))
            #expect(outcome.output.contains("SQLite has changed since"))
            let later = try steps(source, ["--live"])["3.4"]?.detail
            #expect(later?.contains("1 row is in PostgreSQL only") ?? false)
        }
    }

    /// Whoever has made the rows equal.
    @Test func aProofOfAllTablesLeavesTheDifferencesNothingToDo() throws {
        try withLive { source, target in
            try TestServer.execute("INSERT INTO pet VALUES (9, 1, 'theirs')", in: target)
            for step in ["3.4", "3.5"] {
                _ = try Howdah.run(["step", source, step, "run", "--live", "--yes"])
            }
            #expect(try states(source, ["3.4", "3.5"], ["--live"]) == ["failed", "failed"])
            try TestServer.execute("DELETE FROM pet WHERE id = 9", in: target)
            #expect(try Howdah.run(["validate", source, target.url]).exit == 0)
            #expect(try states(source, ["3.4", "3.5"], ["--live"]) == ["done", "done"])
        }
    }

    @Test func aRepairOfAllThatIsProvenMakesTheStepsDone() throws {
        try withLive { source, target in
            try TestServer.execute("UPDATE person SET name = 'B' WHERE id = 2", in: target)
            #expect(try Howdah.run(["validate", source, target.url]).exit == 4)
            #expect(try Howdah.run(["repair", source, target.url, "--all", "--yes"]).exit == 0)
            #expect(try states(source, ["3.4", "3.5"], ["--live"]) == ["done", "done"])
        }
    }

    // MARK: What was made beside the rows

    @Test func whatIsLostBesideTheRowsIsToldAndMadeAgain() throws {
        let script =
            Self.people + """
                ; CREATE INDEX by_name ON pet (name); CREATE VIEW named AS SELECT name FROM pet;
                CREATE VIEW owners AS SELECT owner FROM pet
                """
        try withLive(script) { source, target in
            try TestServer.execute(
                """
                ALTER TABLE pet DROP CONSTRAINT pet_owner_fkey; DROP INDEX by_name;
                SELECT setval(pg_get_serial_sequence('person', 'id'), 1)
                """, in: target)
            let outcome = try Howdah.run(["validate", source, target.url, "--json"])
            #expect(outcome.exit == 3)
            let missing = try #require(try outcome.json()["missing_objects"] as? [[String: Any]])
            let names = missing.map { "\($0["kind"] ?? "") \($0["name"] ?? "")" }
            #expect(
                names == ["index by_name", "foreign key pet_owner_fkey", "sequence person.id"])
            let steps = try steps(source, ["--live"])
            #expect(steps["3.3"]?.detail.contains("index by_name, foreign key pet_owner_fkey") ?? false)
            #expect(steps["3.4"]?.state == "done", "the rows are equal")
            let words = try Howdah.run(["validate", source, target.url])
            #expect(words.output.contains("step SOURCE 3.3 run makes it again"))
            let preview = try Howdah.run(["step", source, "3.3", "preview", "--live"])
            #expect(preview.output.contains("CREATE INDEX") && !preview.output.contains("PRIMARY KEY"))
            #expect(try Howdah.run(["step", source, "3.3", "run", "--live", "--yes"]).exit == 0)
            let again = try Howdah.run(["validate", source, target.url, "--json"])
            #expect(again.exit == 0, "\(again.output)")
            #expect(try (again.json()["missing_objects"] as? [Any])?.isEmpty == true)
        }
    }

    /// Its rows are compared too: without it they differ.
    @Test func aLostViewIsMadeAgain() throws {
        try withLive(Self.people + "; CREATE VIEW named AS SELECT name FROM pet") { source, target in
            try TestServer.execute("DROP VIEW named", in: target)
            #expect(try Howdah.run(["validate", source, target.url]).exit == 4)
            let run = try Howdah.run(["step", source, "3.3", "run", "--live", "--yes"])
            #expect(run.exit == 0, "\(run.output) \(run.errors)")
            #expect(try Howdah.run(["validate", source, target.url]).exit == 0)
            #expect(try states(source, ["3.3", "3.4"], ["--live"]) == ["done", "done"])
        }
    }

    @Test func aProofAloneMakesNoJournal() throws {
        try withLive { source, target in
            let journal = "\(source).howdah/journal.db"
            try FileManager.default.removeItem(atPath: journal)
            #expect(try Howdah.run(["validate", source, target.url]).exit == 0)
            #expect(!FileManager.default.fileExists(atPath: journal))
        }
    }

    /// Somebody holds the file itself: an editor for SQLite, or a backup.
    @Test func aJournalThatCannotBeWrittenStopsNoCommand() throws {
        try withLive { source, target in
            let holder = try SQLite.Connection(path: "\(source).howdah/journal.db", mode: .readWrite)
            try holder.execute("BEGIN EXCLUSIVE")
            let outcome = try Howdah.run(["validate", source, target.url])
            #expect(outcome.exit == 0)
            #expect(outcome.errors.contains("the journal of \(source).howdah cannot be written"))
            try TestServer.execute("DROP TABLE pet, person; DROP SCHEMA howdah CASCADE", in: target)
            let migrated = try Howdah.run(["migrate", source, target.url, "--yes"])
            #expect(migrated.exit == 0)
            #expect(migrated.errors.contains("cannot be written"))
        }
    }

    // MARK: The way back

    @Test(arguments: [[], ["--schema", "chat"], ["--identifiers", "snake"], ["--style", "django"]])
    func stepsThatACommandHasDoneAreUndone(options: [String]) throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.people)
            try TestServer.withDatabase { target in
                try TestServer.execute("CREATE SCHEMA chat", in: target)
                let outcome = try Howdah.run(["migrate", source, target.url, "--yes"] + options)
                try #require(outcome.exit == 0, "\(outcome.errors)")
                let schema = options.contains("chat") ? "chat" : "public"
                let undo = { (step: String) throws -> Howdah.Outcome in
                    try Howdah.run(["step", source, step, "undo", "--live", "--yes"])
                }
                let early = try undo("3.2").exit
                #expect(early == 3, "3.3 builds on it")
                for step in ["3.3", "3.2"] {
                    let undone = try undo(step)
                    #expect(undone.exit == 0, "\(step): \(undone.errors)")
                }
                #expect(try TestServer.value("SELECT count(*) FROM \(schema).person", in: target) == "0")
                for step in ["1.8", "1.7", "1.2"] {
                    let undone = try undo(step)
                    #expect(undone.exit == 0, "\(step): \(undone.errors)")
                }
                let left = "SELECT to_regclass('\(schema).person') IS NULL"
                #expect(try TestServer.value(left, in: target) == "t")
                #expect(!FileManager.default.fileExists(atPath: "\(source).howdah/plan.yaml"))
            }
        }
    }
}
