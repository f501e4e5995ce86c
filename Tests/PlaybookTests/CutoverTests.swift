import DemoProject
import Foundation
import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

@testable import Playbook

/// The live application's last way, and back.
@Suite struct CutoverTests {
    static let loaded = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"]

    /// A demo project that was loaded into a live target and proven.
    private func withLoaded(
        journal: String = "WAL", _ body: (Playbook, _ project: String, Conninfo) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            _ = try DemoProject.make(in: project, options: .init(messages: 300))
            try application(project, "PRAGMA journal_mode = \(journal)")
            try TestServer.withDatabase { target in
                let book = try Playbook(Workspace(project, state: nil), target: target, who: "ann")
                try book.setMode(.live)
                for step in Self.loaded { try run(step, book) }
                try body(book, project, target)
                book.close()
            }
        }
    }

    private func run(_ step: String, _ book: Playbook) throws {
        let activity = try #require(book.begin(step))
        defer { book.end(activity) }
        try book.run(step, activity)
    }

    private func preview(_ step: String, _ book: Playbook) throws -> Preview {
        let activity = try #require(book.begin(nil))
        defer { book.end(activity) }
        return try book.preview(step, activity)
    }

    private func undo(_ step: String, _ book: Playbook) throws {
        let activity = try #require(book.begin(step, isUndo: true))
        defer { book.end(activity) }
        _ = try book.undoPreview(step, activity)
        try book.undo(step, activity)
    }

    private func database(_ project: String) -> String { "\(project)/prisma/dev.db" }

    /// Runs statements as the application does: in another process, since a process's own locks are let go of with any of its
    /// descriptors.
    @discardableResult
    private func application(_ project: String, _ sql: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sqlite3", "-bail", database(project), sql]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func files(_ project: String) -> [String: Data] {
        var files: [String: Data] = [:]
        let names = FileManager.default.enumerator(atPath: project)
        while let name = names?.nextObject() as? String {
            guard !name.hasPrefix(".howdah"), !name.contains("dev.db") else { continue }
            files[name] = FileManager.default.contents(atPath: "\(project)/\(name)")
        }
        return files
    }

    private func content(_ project: String) throws -> [String] {
        let connection = try SQLite.Connection(path: database(project), mode: .readOnly)
        return try ["User", "Message", "_StarredMessages"].flatMap { table in
            let statement = try connection.prepare("SELECT * FROM \"\(table)\" ORDER BY rowid")
            var rows: [String] = []
            while try statement.step() {
                rows.append((0..<3).map { statement.text(Int32($0)) }.joined(separator: "|"))
            }
            return rows
        }
    }

    private static let changes = """
        UPDATE Message SET content = 'changed' WHERE id % 10 = 0; DELETE FROM _StarredMessages WHERE rowid < 5;
        INSERT INTO Message (conversationId, iv, content) SELECT id, x'00ff', 'new' FROM Conversation LIMIT 3
        """

    @Test(arguments: ["WAL", "DELETE"]) func anApplicationIsTakenOverWithEverythingThatItWroteMeanwhile(
        _ journal: String
    ) throws {
        try withLoaded(journal: journal) { book, project, target in
            try application(project, Self.changes)
            try run("C.1", book)
            try application(
                project,
                "DELETE FROM Message WHERE id = 7; UPDATE User SET isOnline = 1 - isOnline WHERE id < 9")
            try run("C.2", book)
            #expect(book.overview().isSourceHeld)
            #expect(
                try application(project, "UPDATE User SET isOnline = 0") != 0,
                "nobody writes while it is held")
            let environment = String(decoding: files(project)[".env"] ?? Data(), as: UTF8.self)
            #expect(environment.contains("DATABASE_URL=\"postgresql://"))
            try run("C.3", book)
            try run("C.4", book)
            let state = book.overview()
            #expect(
                state.cutover.steps.allSatisfy { $0.state == .done }, "\(state.cutover.steps.map(\.state))")
            #expect(!state.isSourceHeld)
            let record = try #require(book.cutoverRecord())
            #expect(
                record.standstill > 0
                    && record.parts.map(\.name) == ["hold", "carry and compare", "settings"])
            #expect(record.carried.deleted == 1)
            // What the steps looked at is the last snapshot now.
            #expect(["1.2", "1.6", "1.7", "3.2", "3.3", "3.4"].allSatisfy { state.step($0)?.state == .done })
            #expect(
                try TestServer.value("SELECT count(*) FROM \"Message\" WHERE content = 'new'", in: target)
                    == "3")
            #expect(
                try TestServer.value("SELECT count(*) FROM pg_constraint WHERE NOT convalidated", in: target)
                    == "0")
        }
    }

    /// SQLite is what it was at the switch, though its log is folded into it since: rows may be removed that it never had.
    @Test(arguments: ["WAL", "DELETE"]) func afterTheSwitchARepairLeavesTheApplicationsRowsAlone(
        _ journal: String
    ) throws {
        try withLoaded(journal: journal) { book, project, target in
            try run("C.1", book)
            for step in ["C.2", "C.4"] {
                if step == "C.4" { try run("C.3", book) }
                try run(step, book)
                try TestServer.execute(
                    "UPDATE \"Message\" SET content = 'theirs \(step)' WHERE id = 5", in: target)
                let activity = try #require(book.begin(nil))
                defer { book.end(activity) }
                let error = #expect(throws: MigrationError.self) {
                    try book.previewRepair(RepairRequest(), activity)
                }
                #expect(error?.exit == .undecided)
                let request = RepairRequest(removesExtra: true, onlyNeverRight: true)
                let preview = try book.previewRepair(request, activity)
                #expect(preview.isEmpty)
                #expect(preview.tables.map(\.written) == [1])
                let key = RepairRequest(tables: ["Message"], keys: ["5"])
                #expect(try book.previewRepair(key, activity).warning?.contains("the cutover") ?? false)
                #expect(book.overview().isSourceHeld == (step == "C.2"))
                let isRefused = try application(project, "UPDATE User SET isOnline = 0 WHERE 0") != 0
                #expect(isRefused == (step == "C.2"), "writers are kept away from SQLite until the end")
            }
            // Once it was taken back, the rows are SQLite's again.
            try run("R", book)
            #expect(book.targetInUse(.live) == nil)
        }
    }

    private func watch(_ book: Playbook, _ target: Conninfo) throws -> Watch.Report {
        let activity = try #require(book.begin(nil))
        defer { book.end(activity) }
        return try Watch(
            preparation: book.preparation(.live, activity: activity),
            server: TargetServer(target, cancellation: activity.cancellation), workers: 2,
            cancellation: activity.cancellation, progress: activity.progress, log: book.differenceLog(.live)
        ).run(tables: [])
    }

    /// As howdah validate does.
    private func prove(_ book: Playbook, _ target: Conninfo) throws {
        let activity = try #require(book.begin(nil))
        defer { book.end(activity) }
        _ = try Validation(
            preparation: book.preparation(.live, activity: activity),
            server: TargetServer(target, cancellation: activity.cancellation), workers: 2,
            cancellation: activity.cancellation, progress: activity.progress,
            differences: book.differenceLog(.live)
        ).run(tables: [])
    }

    /// The steps find what the application has changed: what it is told apart from stays the proof of what was loaded.
    @Test func aProofAfterTheSwitchDoesNotCallTheApplicationsRowsWrong() throws {
        try withLoaded { book, project, target in
            for step in ["C.1", "C.2", "C.3", "C.4"] { try run(step, book) }
            try TestServer.execute(
                """
                UPDATE "Message" SET content = 'theirs' WHERE id IN (5, 6); DELETE FROM "Message" WHERE id = 9
                """, in: target)
            let error = #expect(throws: MigrationError.self) { try run("3.4", book) }
            #expect(error?.exit == .undecided)
            #expect(book.stepState("3.4", .live) == .done, "it was proven for the cutover")
            for look in ["the cutover", "a proof by itself", "3.5"] {
                if look == "3.5" { try run("3.5", book) }
                if look == "a proof by itself" { try prove(book, target) }
                let report = try watch(book, target)
                let message = try #require(report.tables.first { $0.name == "Message" })
                #expect(report.isRight, "after \(look)")
                #expect((message.changed, message.went, message.neverRight) == (2, 1, 0))
            }
            // What the application has written is no verdict on the migration.
            let report = try book.report()
            #expect(report.verdict == .proven)
            let inUse = try #require(report.inUse)
            #expect(inUse.changed == 3 && inUse.rows ?? 0 > 300)
            for words in [
                "has used PostgreSQL since the switch of", "the proof that counts is the cutover's",
                "3 rows have changed since, in Message",
            ] {
                #expect(report.sentence.contains(words), "\(words) in \(report.sentence)")
            }
            #expect(!report.open.contains { $0.contains("Message") }, "\(report.open)")
        }
    }

    /// A row that was mended before the switch was right at the switch.
    @Test func whatTheCutoverHasProvenWasRight() throws {
        try withLoaded { book, project, target in
            try TestServer.execute("DELETE FROM \"Message\" WHERE id = 9", in: target)
            try run("3.4", book)
            try run("3.5", book)
            for step in ["C.1", "C.2", "C.3", "C.4"] { try run(step, book) }
            try TestServer.execute("DELETE FROM \"Message\" WHERE id = 9", in: target)
            #expect(try watch(book, target).isRight)
        }
    }

    @Test func everythingComesBackAndWhatPostgreSQLGotIsExported() throws {
        try withLoaded { book, project, target in
            let before = files(project)
            for step in ["C.1", "C.2", "C.3", "C.4"] { try run(step, book) }
            let rows = try content(project)
            #expect(files(project) != before)
            try TestServer.execute(
                """
                INSERT INTO "Message" ("conversationId", iv, content) SELECT id, '\\x01', E'late\\t"\\\\ \u{1F600}' FROM "Conversation" LIMIT 2;
                UPDATE "User" SET "isOnline" = NOT "isOnline" WHERE id = 3; DELETE FROM "Message" WHERE id = 9
                """, in: target)
            let preview = try preview("R", book)
            #expect(preview.confirmation == nil)
            try run("R", book)
            #expect(files(project) == before)
            #expect(try content(project) == rows)
            let folder = "\(book.workspace.state.path)/rollback"
            let exported = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(exported)").sorted()
            #expect(names == ["1-User.ndjson", "2-Message.ndjson", "manifest.json"])
            let lines = try String(contentsOfFile: "\(folder)/\(exported)/2-Message.ndjson", encoding: .utf8)
                .split(separator: "\n").map { line in
                    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                }
            #expect(
                lines.compactMap { $0["kind"] as? String }.sorted() == ["deleted", "inserted", "inserted"])
            let inserted = lines.compactMap { $0["row"] as? [String: Any] }
            #expect(inserted.allSatisfy { $0["content"] as? String == "late\t\"\\ \u{1F600}" })
            let state = book.overview()
            #expect(state.rollback.state == .done)
            #expect(state.cutover.steps.allSatisfy { $0.state != .done })
            // And forward again: what the target has got since is in the way, and is told.
            let error = #expect(throws: MigrationError.self) { try run("C.1", book) }
            #expect(error?.remedy.contains("from an earlier cutover") ?? false, "\(error?.remedy ?? "")")
        }
    }

    @Test func aSwitchThatFailsBringsBackWhatItHasChanged() throws {
        try withLoaded { book, project, target in
            try ApplicationCommands(stop: "echo stop >> calls", start: "echo start >> calls").merge(
                into: book.workspace.state)
            try run("C.1", book)
            // In the way of the folder that the third setting makes.
            try Data().write(to: URL(fileURLWithPath: "\(project)/prisma/migrations_sqlite"))
            let before = files(project)
            #expect(throws: MigrationError.self) { try run("C.2", book) }
            var after = files(project)
            #expect(
                after.removeValue(forKey: "calls").map { String(decoding: $0, as: UTF8.self) }
                    == "stop\nstart\n",
                "the application runs on SQLite again")
            #expect(after == before)
            #expect(!book.overview().isSourceHeld)
            #expect(book.cutoverRecord() == nil)
            #expect(try application(project, "UPDATE User SET isOnline = 0") == 0, "writers go on")
            try FileManager.default.removeItem(atPath: "\(project)/prisma/migrations_sqlite")
            try run("C.2", book)
            #expect(book.overview().step("C.2")?.state == .done)
        }
    }

    @Test func whatIsSwitchedStaysSoWhereTheApplicationDoesNotStart() throws {
        try withLoaded { book, project, target in
            try ApplicationCommands(start: "echo secret-\(UUID()) postgresql://u:pa55word@h/d; exit 7").merge(
                into: book.workspace.state)
            try run("C.1", book)
            try run("C.2", book)
            let line = try #require(book.overview().step("C.2"))
            #expect(line.state == .done)
            #expect(
                line.evidence.contains { $0.hasPrefix("! ") && $0.contains("ended with 7") },
                "\(line.evidence)")
            let written = book.journal.entries.map { "\($0.text) \($0.evidence)" }.joined()
            #expect(!written.contains("pa55word"))
            // What SQLite gets from here on is not carried any more.
            #expect(throws: MigrationError.self) { try run("C.1", book) }
            try run("C.3", book)
            try run("C.4", book)
        }
    }

    @Test func rowsThatSomebodyElseHasChangedInTheTargetAreNotOverwritten() throws {
        try withLoaded { book, project, target in
            try run("C.1", book)
            for change in [
                "UPDATE \"Message\" SET content = 'theirs' WHERE id = 3",
                "DELETE FROM \"_StarredMessages\" WHERE \"A\" = (SELECT min(\"A\") FROM \"_StarredMessages\")",
            ] {
                try TestServer.execute(change, in: target)
                let error = #expect(throws: MigrationError.self) { try run("C.2", book) }
                #expect(
                    error?.message.contains("somebody else has written to the target") ?? false,
                    "\(error?.message ?? "")")
                #expect(!book.overview().isSourceHeld)
            }
            #expect(
                try TestServer.value("SELECT content FROM \"Message\" WHERE id = 3", in: target) == "theirs")
        }
    }

    @Test func aPreparationThatWasStoppedInItsProofIsRunAgain() throws {
        try withLoaded { book, project, target in
            try application(project, Self.changes)
            try run("C.1", book)
            // As a kill leaves it: carried, and not proven.
            try TestServer.execute("UPDATE howdah.run SET finished = NULL, outcome = NULL", in: target)
            #expect(throws: MigrationError.self) { try run("C.2", book) }
            try run("C.1", book)
            try run("C.2", book)
            #expect(book.overview().step("C.2")?.state == .done)
        }
    }

    @Test func theSmokeTestTakesARoleOfTheApplicationsOwn() throws {
        try withLoaded { book, project, target in
            for step in ["C.1", "C.2"] { try run(step, book) }
            let role = "app_" + UUID().uuidString.prefix(8).lowercased()
            try TestServer.execute(
                "CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA public TO \(role)", in: target)
            defer { try? TestServer.execute("DROP OWNED BY \(role); DROP ROLE \(role)", in: target) }
            let path = "\(project)/.env"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let user = target["user"] ?? ""
            try text.replacing("postgresql://\(user)@", with: "postgresql://\(role)@")
                .write(toFile: path, atomically: true, encoding: .utf8)
            let error = #expect(throws: MigrationError.self) { try run("C.3", book) }
            #expect(
                error?.message.contains("lacks SELECT, INSERT, UPDATE, DELETE") ?? false,
                "\(error?.message ?? "")")
            try TestServer.execute(
                """
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \(role);
                GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO \(role)
                """, in: target)
            try run("C.3", book)
            #expect(book.overview().step("C.3")?.evidence.first?.contains(" as \(role)") ?? false)
        }
    }

    @Test func snapshotsOfEarlierRoundsGoAndTheFirstStays() throws {
        try withLoaded { book, project, target in
            let folder = "\(book.workspace.state.path)/snapshots"
            func snapshots() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".db") }
                    .sorted()
            }
            let first = try snapshots()
            for number in 1...3 {
                try application(
                    project, "UPDATE Message SET content = 'round \(number)' WHERE id = \(number)")
                try run("C.1", book)
            }
            #expect(try snapshots().first == first.first)
            #expect(try snapshots().count == 2)
            try run("C.2", book)
            try run("R", book)
        }
    }

    @Test func theWayBackNeedsNoLedger() throws {
        try withLoaded { book, project, target in
            for step in ["C.1", "C.2", "C.3", "C.4", "F"] { try run(step, book) }
            try TestServer.execute("UPDATE \"Message\" SET content = 'after' WHERE id = 3", in: target)
            try run("R", book)
            let folder = "\(book.workspace.state.path)/rollback"
            let exported = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
            let text = try String(contentsOfFile: "\(folder)/\(exported)/1-Message.ndjson", encoding: .utf8)
            #expect(text.contains("\"after\""))
        }
    }

    @Test func nothingIsExportedWhileSomebodyMayStillWrite() throws {
        try withLoaded { book, project, target in
            for step in ["C.1", "C.2", "C.3", "C.4"] { try run(step, book) }
            let before = files(project)
            let connection = try TestServer.connect(target)
            let error = #expect(throws: MigrationError.self) { try run("R", book) }
            #expect(error?.message.contains("connection of others") ?? false, "\(error?.message ?? "")")
            #expect(files(project) == before)
            try connection.execute("SELECT 1")
        }
    }

    @Test func untilTheEndOneStepLeadsBack() throws {
        try withLoaded { book, project, target in
            let before = files(project)
            try ApplicationCommands(stop: "echo stop >> calls", start: "echo start >> calls").merge(
                into: book.workspace.state)
            try run("C.1", book)
            try run("C.2", book)
            try undo("C.2", book)
            var after = files(project)
            #expect(
                after.removeValue(forKey: "calls").map { String(decoding: $0, as: UTF8.self) }
                    == "stop\nstart\nstop\nstart\n")
            #expect(after == before)
            #expect(try application(project, "UPDATE User SET isOnline = 0") == 0, "writers go on")
            // What a switch has carried is howdah's own when it is prepared anew.
            for number in 1...2 {
                try run("C.1", book)
                try application(project, "UPDATE Message SET content = 'round \(number)' WHERE id < 40")
                try run("C.2", book)
                #expect(book.cutoverRecord()?.carried.updated == 39)
                try undo("C.2", book)
            }
            try run("C.1", book)
        }
    }

    @Test func aWriterThatNobodyStoppedIsToldAndItsRowsAreKept() throws {
        try withLoaded { book, project, target in
            let rows = try content(project)
            for step in ["C.1", "C.2", "C.3"] { try run(step, book) }
            // As after a crash: the hold is gone, and the old process goes on.
            book.close()
            try application(project, "DELETE FROM Message WHERE id = 11")
            let error = #expect(throws: MigrationError.self) { try run("C.4", book) }
            #expect(error?.message.contains("was written to after the switch") ?? false)
            let preview = try preview("R", book)
            #expect(preview.confirmation == "restore")
            try run("R", book)
            #expect(try content(project) == rows)
            let header = [UInt8](try Data(contentsOf: URL(fileURLWithPath: database(project))).prefix(20))
            #expect(Array(header[18...19]) == [2, 2], "it has a log, as before")
            let aside = try FileManager.default.contentsOfDirectory(
                atPath: "\(book.workspace.state.path)/rollback"
            )
            .filter { $0.hasPrefix("sqlite-") }
            #expect(aside.count == 1)
        }
    }

    @Test func whatSQLiteGotAfterTheSwitchIsKeptWhereThatIsAskedFor() throws {
        try withLoaded { book, project, target in
            let before = files(project)
            for step in ["C.1", "C.2", "C.3"] { try run(step, book) }
            book.close()
            try application(project, "DELETE FROM Message WHERE id = 11")
            let rows = try content(project)
            book.keepSource()
            #expect(try preview("R", book).confirmation == nil)
            try run("R", book)
            #expect(try content(project) == rows)
            #expect(files(project) == before)
        }
    }

    @Test func whatTheApplicationRunsOnIsNotUndoneStepByStep() throws {
        try withLoaded { book, project, target in
            for step in ["C.1", "C.2"] { try run(step, book) }
            for id in ["3.3", "2.1", "2.3"] {
                let obstacle = book.overview().step(id)?.undoObstacle
                #expect(obstacle?.contains("the application runs on it") ?? false, "\(id): \(obstacle ?? "")")
                #expect(throws: MigrationError.self) { try undo(id, book) }
            }
            #expect(book.overview().step("C.2")?.canUndo ?? false)
        }
    }

    @Test func theWayBackNeedsNoServerWhereThatIsAskedFor() throws {
        try withLoaded { book, project, target in
            let before = files(project)
            try ApplicationCommands(stop: "echo stop >> calls", start: "echo start >> calls").merge(
                into: book.workspace.state)
            for step in ["C.1", "C.2", "C.3", "C.4"] { try run(step, book) }
            let admin = try TestServer.connect(TestServer.conninfo())
            try admin.execute("DROP DATABASE \(target["dbname"] ?? "") WITH (FORCE)")
            #expect(throws: MigrationError.self) { try run("R", book) }
            book.ignoreTarget()
            try run("R", book)
            var after = files(project)
            let calls = after.removeValue(forKey: "calls").map { String(decoding: $0, as: UTF8.self) }
            #expect(
                calls == "stop\nstart\nstop\nstart\n" || calls == "stop\nstart\nstop\nstart\nstop\nstart\n",
                "\(calls ?? "")")
            #expect(after == before)
            // And there is nothing more to bring back.
            try run("R", book)
            #expect(
                book.overview().rollback.evidence.first
                    == "nothing to bring back: no file is changed, and nothing was switched")
        }
    }

    @Test func whereNothingWasSwitchedThePreviewOfTheWayBackPromisesNothingThatIsNotDone() throws {
        try withLoaded { book, project, target in
            try TestServer.execute("UPDATE \"Message\" SET content = 'theirs' WHERE id = 3", in: target)
            let preview = try preview("R", book)
            try run("R", book)
            #expect(book.overview().rollback.evidence == preview.sections.flatMap(\.lines))
            #expect(!FileManager.default.fileExists(atPath: "\(book.workspace.state.path)/rollback"))
        }
    }

    @Test func whatWritersCommitDuringTheCutoverIsAllThere() throws {
        try withLoaded { book, project, target in
            let script = (1...4000).map { number in
                """
                BEGIN; INSERT INTO Message (id, conversationId, iv, content) SELECT \(100_000 + number), id, x'00', 'w\(number)' FROM Conversation LIMIT 1;
                UPDATE Message SET content = 'u\(number)' WHERE id = \(100_000 + number / 2); DELETE FROM _StarredMessages WHERE A = \(number % 300);
                COMMIT; SELECT \(number);
                """
            }.joined(separator: "\n")
            let writer = Process()
            let (input, output) = (Pipe(), Pipe())
            writer.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            writer.arguments = ["sqlite3", "-bail", database(project)]
            writer.standardInput = input
            writer.standardOutput = output
            writer.standardError = FileHandle.nullDevice
            try writer.run()
            let feeding = Thread {
                // A reader that is gone is the end of it.
                signal(SIGPIPE, SIG_IGN)
                try? input.fileHandleForWriting.write(contentsOf: Data((".timeout 300\n" + script).utf8))
                try? input.fileHandleForWriting.close()
            }
            feeding.start()
            #expect(!output.fileHandleForReading.availableData.isEmpty, "it has begun")
            try run("C.1", book)
            try run("C.2", book)
            let rest = try output.fileHandleForReading.readToEnd() ?? Data()
            writer.waitUntilExit()
            let last =
                String(decoding: rest, as: UTF8.self).split(separator: "\n").compactMap { Int($0) }.last ?? 0
            // The hold was in the way of the writer before its end.
            #expect(last > 1 && last < 4000, "\(last)")
            let arrived = try TestServer.value(
                "SELECT count(*) FROM \"Message\" WHERE id > 100000", in: target)
            #expect(arrived == "\(last)")
            let changed = try TestServer.value(
                "SELECT count(*) FROM \"Message\" WHERE content ~ '^u'", in: target)
            #expect(changed == "\(last / 2)")
            book.close()
            #expect(
                try content(project).count
                    == Int(
                        TestServer.value(
                            "SELECT (SELECT count(*) FROM \"User\") + (SELECT count(*) FROM \"Message\") + (SELECT count(*) FROM \"_StarredMessages\")",
                            in: target) ?? ""))
        }
    }

    @Test func aCutoverThatHasNotEndedIsToldInEitherMode() throws {
        try withLoaded { book, _, _ in
            #expect(!book.overview().isCutoverOpen)
            for step in ["C.1", "C.2"] { try run(step, book) }
            try book.setMode(.rehearsal)
            #expect(book.overview().isCutoverOpen)
            try book.setMode(.live)
            for step in ["C.3", "C.4"] { try run(step, book) }
            #expect(!book.overview().isCutoverOpen)
        }
    }

    @Test func withoutATargetItIsSaidThatNoneIsNamed() throws {
        try withTemporaryFolder { folder in
            _ = try DemoProject.make(in: "\(folder)/app", options: .init(messages: 10))
            let book = try Playbook(Workspace("\(folder)/app", state: nil), target: nil, who: "ann")
            try book.setMode(.live)
            #expect(book.stepState("C.1", .live) == .waiting("no live target is named yet"))
        }
    }

    @Test func inARehearsalNothingIsCutOver() throws {
        try withLoaded { book, _, _ in
            try book.setMode(.rehearsal)
            #expect(throws: MigrationError.self) { try run("C.1", book) }
            guard case .waiting = book.overview().step("C.2")?.state else {
                Issue.record("C.2 would run")
                return
            }
        }
    }

    /// Digests, a repair and an export as the program leaves them, and a folder of another's beside that; returns what is to go.
    private func leaveFiles(in state: String, _ book: Playbook) throws -> [String] {
        try run("3.1", book)
        let exports = "\(state)/exports"
        let export = try #require(try FileManager.default.contentsOfDirectory(atPath: exports).first)
        var left = ["\(exports)/\(export)", "\(state)/repairs", "\(state)/differences"]
        for name in [
            "reports/digests-rehearsal.json", "reports/digests-target-0123456789ab.json",
            "repairs/20260101T000000Z/1-before.copy", "today/snapshots/2026-01-01T00-00-00Z.db",
        ] {
            let path = "\(state)/\(name)"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try "row".write(toFile: path, atomically: true, encoding: .utf8)
            left.append(path)
        }
        try FileManager.default.createDirectory(
            atPath: "\(state)/exports/live-none", withIntermediateDirectories: true)
        try "theirs".write(toFile: "\(state)/exports/live-none/theirs", atomically: true, encoding: .utf8)
        return left
    }

    @Test func whatHowdahLeftGoesOnTheOperatorsWordAndTheStateOfTheStepsStays() throws {
        try withLoaded { book, project, target in
            for step in ["C.1", "C.2", "C.3", "C.4"] { try run(step, book) }
            try application(project, "SELECT 1")
            let folder = book.workspace.state.path
            let left = try leaveFiles(in: folder, book)
            let preview = try preview("F", book).sections
            for words in [
                "the digests of 2 targets, 6 bytes",
                "the rows that 1 repair has replaced, whose undo needs them",
                "the copy of the database that a repair has left: \(folder)/today, 3 bytes",
                "the export \(folder)/exports/",
            ] { #expect(preview[0].lines.contains { $0.contains(words) }, "\(words) \(preview[0].lines)") }
            let kept = preview[1].lines
            #expect(kept.contains { $0.hasPrefix("\(folder)/exports/live-none: ") }, "\(kept)")
            let rows = try TestServer.value("SELECT count(*) FROM \"Message\"", in: target)
            try run("F", book)
            #expect(
                try TestServer.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'howdah'", in: target)
                    == "0")
            #expect(try TestServer.value("SELECT count(*) FROM \"Message\"", in: target) == rows)
            let snapshots = try FileManager.default.contentsOfDirectory(
                atPath: "\(book.workspace.state.path)/snapshots")
            #expect(snapshots.count { $0.hasSuffix(".db") } == 1)
            for path in left { #expect(!FileManager.default.fileExists(atPath: path), "\(path)") }
            #expect(FileManager.default.fileExists(atPath: "\(folder)/exports/live-none/theirs"))
            let activity = try #require(book.begin(nil))
            book.lookAtTarget(activity)
            book.end(activity)
            let state = book.overview()
            #expect(["1.8", "3.2", "3.3", "3.4"].allSatisfy { state.step($0)?.state == .done })
            // The way back stays, without the rows that nobody can tell any more.
            try run("R", book)
            #expect(
                String(decoding: files(project)[".env"] ?? Data(), as: UTF8.self).contains("file:./dev.db"))
        }
    }

    /// What lies in the state folder, and stays because howdah has not made it, or not as it is.
    private static let strangers = [
        "plans/mine.yaml", "plans/0123456789abcdef0123456789abcdef.yaml", "reports/digests-mine.json",
        "differences/mine.db", "catchup/mine", "repairs/mine/1-before.copy", "repairs/20260101T000000Z/mine",
        "exports/live-2026-01-01T00-00-00Z",
    ]

    /// Finishing follows no link out of the state folder, and removes nothing that only looks like its own.
    @Test func finishingRemovesOnlyWhatHowdahHasMade() throws {
        try withLoaded { book, project, _ in
            try run("3.1", book)
            let state = book.workspace.state.path
            let files = FileManager.default
            let export = try #require(try files.contentsOfDirectory(atPath: "\(state)/exports").first)
            // Another export, written elsewhere, and one of another's beside the step's own.
            try files.copyItem(atPath: "\(state)/exports/\(export)", toPath: "\(project)/elsewhere")
            try files.copyItem(atPath: "\(state)/exports/\(export)", toPath: "\(state)/exports/mine")
            try files.createSymbolicLink(
                atPath: "\(state)/exports/link", withDestinationPath: "\(project)/elsewhere")
            try files.createSymbolicLink(
                atPath: "\(state)/exports/live-2026-01-01T00-00-00Z",
                withDestinationPath: "\(project)/elsewhere")
            for name in Self.strangers where !name.hasPrefix("exports") {
                let path = "\(state)/\(name)"
                try files.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try "theirs".write(toFile: path, atomically: true, encoding: .utf8)
            }
            let before = try files.subpathsOfDirectory(atPath: "\(project)/elsewhere").sorted()
            let kept = try preview("F", book).sections[1].lines
            try run("F", book)
            for name in Self.strangers + ["exports/mine", "exports/link"] {
                let path = "\(state)/\(name)"
                #expect(files.fileExists(atPath: path), "\(name)")
                #expect(
                    kept.contains { line in path.hasPrefix(line.prefix { $0 != ":" }) },
                    "\(name) \(kept)")
            }
            #expect(try files.subpathsOfDirectory(atPath: "\(project)/elsewhere").sorted() == before)
            #expect(
                try files.contentsOfDirectory(atPath: "\(state)/exports/mine").count == before.count)
            #expect(!files.fileExists(atPath: "\(state)/exports/\(export)"))
        }
    }

    /// As the undo of step 3.1 does.
    @Test func anExportOfWhichAFileWasChangedStays() throws {
        try withLoaded { book, project, _ in
            try run("3.1", book)
            let exports = "\(book.workspace.state.path)/exports"
            let export = try #require(try FileManager.default.contentsOfDirectory(atPath: exports).first)
            let file = try #require(
                try FileManager.default.contentsOfDirectory(atPath: "\(exports)/\(export)").first {
                    $0.hasSuffix(".gz")
                })
            let path = "\(exports)/\(export)/\(file)"
            try Data("changed".utf8).write(to: URL(fileURLWithPath: path))
            let kept = try preview("F", book).sections[1].lines
            #expect(kept.contains { $0.contains(export) && $0.contains("it was changed") }, "\(kept)")
            try run("F", book)
            #expect(FileManager.default.contents(atPath: path) == Data("changed".utf8))
        }
    }
}
