import AppProject
import Foundation
import MigrationEngine
import Testing

@testable import Playbook

/// Places in the application's code: decisions, translations, and the way back.
extension PlaybookTests {
    private static let file = "src/database/messages.ts"

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func edit(_ path: String, _ change: (String) -> String) throws {
        try change(text(path)).write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func working<T>(
        _ book: Playbook, _ step: String?, isUndo: Bool = false, _ body: (Activity) throws -> T
    ) throws -> T {
        let activity = try #require(book.begin(step, isUndo: isUndo))
        defer { book.end(activity) }
        return try body(activity)
    }

    @Test func decisionsGoByWhatStandsAtAPlaceAndNotByItsLine() throws {
        try withBook { book, folder in
            try run(["4.1"], book)
            let place = try #require(
                book.codePlaces().first {
                    $0.finding.path == Self.file && $0.finding.rule == "insert-or-replace"
                })
            try book.settle(place.id, as: .accepted, note: "only in tests")
            let path = "\(folder)/app/\(Self.file)"
            try edit(path) { "// one\n// two\n" + $0 }
            try run(["4.1"], book)
            let moved = try book.codePlace(place.id)
            #expect(moved.finding.line == place.finding.line + 2)
            #expect(moved.state == .accepted && moved.note == "only in tests")
            // What is gone from the code is fixed.
            try edit(path) { $0.replacing("INSERT OR REPLACE", with: "INSERT") }
            try run(["4.1"], book)
            #expect(try book.codePlace(place.id).state == .fixed)
            // Another process sees the same.
            let reader = try Playbook(
                Workspace("\(folder)/app", state: nil, isWriter: false), target: nil, who: nil,
                isWriter: false)
            #expect(reader.codePlaces() == book.codePlaces())
        }
    }

    @Test func theReviewIsDoneWhenNothingIsLeftToDecide() throws {
        try withBook { book, _ in
            try run(["4.1", "4.3"], book)
            let open = book.codePlaces().filter(\.isOpen)
            #expect(open.count > 10)
            #expect(book.stepState("4.3", .rehearsal) == .undecided(open.count))
            for place in open { try book.settle(place.id, as: .notApplicable, note: "") }
            #expect(book.stepState("4.3", .rehearsal) == .done)
            try book.settle(open[0].id, as: .open, note: "")
            #expect(book.stepState("4.3", .rehearsal) == .undecided(1))
            #expect(throws: MigrationError.self) { try book.settle("no such key", as: .fixed, note: "") }
            #expect(throws: MigrationError.self) { try book.settle("", as: .fixed, note: "") }
        }
    }

    @Test func translationsAreTriedOnTheTargetAndWrittenIntoTheCopyOfARehearsal() throws {
        try withBook { book, folder in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "4.1"], book)
            let original = try text("\(folder)/app/\(Self.file)")
            let before = book.codePlaces()
            let preview = try working(book, nil) { try book.previewTranslation(nil, $0) }
            #expect(preview.sections.contains { $0.title == "Changes \(Self.file)" && $0.style == .diff })
            #expect(preview.sections.contains { $0.title == "The server refuses the translation of" })
            try working(book, "4.3") { try book.translate(nil, $0) }
            #expect(try text("\(folder)/app/\(Self.file)") == original)
            let copy = "\(book.rehearsalFolder)/\(Self.file)"
            #expect(try text(copy).contains("ON CONFLICT (\"conversationId\", \"userId\") DO UPDATE SET"))
            // The scan reads the copy, and the server prepares what is in it.
            #expect(book.codePlaces().count(where: \.isOpen) < before.count(where: \.isOpen))
            #expect(
                book.codePlaces().contains { $0.finding.rule == "insert-or-replace" && $0.state == .fixed })
            #expect(throws: Never.self) { try run(["4.2"], book) }
            let verdicts = book.codePlaces().filter { $0.finding.path == Self.file }.compactMap(\.verdict)
            #expect(verdicts.allSatisfy { $0 == .prepared })

            try undo("4.3", book)
            #expect(try text(copy) == original)
            try run(["4.1"], book)
            #expect(book.codePlaces().count(where: \.isOpen) == before.count(where: \.isOpen))
        }
    }

    @Test func oneStatementIsTranslatedAlone() throws {
        try withBook { book, folder in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "4.1"], book)
            let place = try #require(
                book.codePlaces().first {
                    $0.finding.path == Self.file && $0.finding.rule == "insert-or-replace"
                })
            let key = try #require(place.finding.statement)
            try working(book, "4.3") { try book.translate([key], $0) }
            let copy = try text("\(book.rehearsalFolder)/\(Self.file)")
            #expect(copy.contains("ON CONFLICT") && copy.contains("FROM Message WHERE content LIKE"))
            // There is nothing left to translate of it, which makes no failure of the review.
            try working(book, "4.3") { try book.translate([key], $0) }
            let line = book.overview().step("4.3")
            #expect(line?.evidence.first == "nothing is left that can be translated")
            #expect(line?.state == .undecided(book.codePlaces().count(where: \.isOpen)))
            #expect(try text("\(book.rehearsalFolder)/\(Self.file)") == copy)
        }
    }

    @Test func anUndoOverwritesWhatItsPreviewHasShownAndNothingElse() throws {
        try withBook { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "4.1"], book)
            try working(book, "4.3") { try book.translate(nil, $0) }
            let copy = "\(book.rehearsalFolder)/\(Self.file)"
            try edit(copy) { $0 + "// mine\n" }
            // Nobody was shown that it would be overwritten.
            #expect(throws: MigrationError.self) { try undo("4.3", book) }
            let preview = try working(book, nil) { try book.undoPreview("4.3", $0) }
            #expect(preview.confirmation == "overwrite")
            try edit(copy) { $0 + "// and more, since then\n" }
            #expect(throws: MigrationError.self) { try undo("4.3", book) }
            #expect(try text(copy).hasSuffix("// mine\n// and more, since then\n"))
            _ = try working(book, nil) { try book.undoPreview("4.3", $0) }
            try undo("4.3", book)
            #expect(try !text(copy).contains("mine"))
        }
    }

    @Test func aPlanThatCannotBeReadIsNoAbsentPlan() throws {
        try withBook { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "4.1"], book)
            try "tables: [".write(toFile: book.workspace.state.planPath, atomically: true, encoding: .utf8)
            for step in ["2.2", "4.2"] {
                #expect(throws: MigrationError.self) { try working(book, nil) { try book.preview(step, $0) } }
            }
            #expect(throws: MigrationError.self) { try run(["4.1"], book) }
        }
    }

    /// Prisma's place is taken by a program that writes down how it was called.
    @Test func prismaIsRunWithTheTargetsURLAndItsFailureIsTheSteps() throws {
        try withBook { book, folder in
            let program = "\(folder)/app/node_modules/.bin/prisma"
            try FileManager.default.createDirectory(
                atPath: "\(folder)/app/node_modules/.bin", withIntermediateDirectories: true)
            func install(_ script: String) throws {
                try "#!/bin/sh\n\(script)\n".write(toFile: program, atomically: true, encoding: .utf8)
                chmod(program, 0o755)
            }
            try install("echo \"$1 $2 in $(basename $PWD), $DATABASE_URL\" >> \(folder)/calls")
            let reopened = try reopen(book, folder)
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "2.2", "2.4"], reopened)
            // A rehearsal makes no client in node_modules, which is the application's own.
            let calls = try text("\(folder)/calls").split(separator: "\n")
            #expect(calls.count == 1)
            #expect(calls[0].hasPrefix("validate  in project, postgresql://"))
            try run(["2.1", "2.3", "2.4"], reopened)
            #expect(try text("\(folder)/calls").contains("migrate status in project"))
            #expect(
                reopened.overview().step("2.4")?.evidence.contains { $0.contains("prisma generate waits") }
                    ?? false)
            try install("echo 'P1012: the schema is wrong' >&2; exit 1")
            #expect(throws: MigrationError.self) { try run(["2.4"], reopened) }
            guard case .failed(let reason) = reopened.stepState("2.4", .rehearsal) else {
                Issue.record("\(reopened.stepState("2.4", .rehearsal))")
                return
            }
            #expect(reason == "npx prisma validate ended with 1")
        }
    }

    @Test func filesOfThePlanAreListedAndChangedOneByOne() throws {
        try withBook { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7"], book)
            func files() throws -> [ProjectFile] { try working(book, nil) { try book.projectFiles($0) } }
            let planned = try files()
            #expect(planned.allSatisfy { $0.state == .planned })
            let schema = try #require(planned.first { $0.path == "prisma/schema.prisma" })
            #expect(schema.step == "2.2" && schema.diff.contains("+  provider = \"postgresql\""))
            #expect(planned.contains { $0.path == ".env" && !$0.diff.joined().contains("demo-secret") })
            let copy = "\(book.rehearsalFolder)/prisma/schema.prisma"
            let before = try text(copy)

            try working(book, nil) { try book.apply(schema, $0) }
            #expect(try text(copy).contains("provider = \"postgresql\""))
            var changed = try #require(try files().first { $0.path == schema.path })
            #expect(changed.state == .changed && changed.diff == schema.diff)
            #expect(book.changedSteps == ["2.2"])

            try edit(copy) { $0 + "// mine\n" }
            #expect(throws: MigrationError.self) {
                try working(book, nil) { try book.takeBack(changed, isConfirmed: false, $0) }
            }
            changed = try #require(try files().first { $0.path == schema.path })
            #expect(changed.state == .edited)
            try working(book, nil) { try book.takeBack(changed, isConfirmed: true, $0) }
            #expect(try text(copy) == before)
            #expect(try files().map(\.state) == planned.map(\.state))
            // The step as a whole goes on from there, and back.
            try run(["2.2"], book)
            try undo("2.2", book)
            #expect(try text(copy) == before)
        }
    }

    /// A file that was changed alone is part of the way back, though its step was never run.
    @Test func aFileThatWasChangedAloneComesBackWithItsStep() throws {
        try withBook { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7"], book)
            let planned = try working(book, nil) { try book.projectFiles($0) }
            let schema = try #require(planned.first { $0.path == "prisma/schema.prisma" })
            let copy = "\(book.rehearsalFolder)/prisma/schema.prisma"
            let before = try text(copy)
            try working(book, nil) { try book.apply(schema, $0) }
            try undo("2.2", book)
            #expect(try text(copy) == before)
            #expect(book.changedSteps.isEmpty)
        }
    }

    /// The copy follows the project, but what somebody has written into it stays.
    @Test func theCopyFollowsTheProjectAndKeepsWhatIsWrittenIntoIt() throws {
        try withBook { book, folder in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "4.1"], book)
            let copy = "\(book.rehearsalFolder)/src/services/errors.ts"
            try edit(copy) { $0 + "// by hand\n" }
            try edit("\(folder)/app/src/services/errors.ts") { "// newer\n" + $0 }
            try working(book, "4.3") { try book.translate(nil, $0) }
            #expect(try text(copy).hasSuffix("// by hand\n"))
            // A translated file whose source changes in the project is copied anew, and found again.
            let own = "\(folder)/app/\(Self.file)"
            #expect(try text("\(book.rehearsalFolder)/\(Self.file)").contains("ILIKE"))
            try edit(own) {
                $0 + "export const late = prisma.$queryRaw`SELECT ifnull(content, '') AS c FROM Message`;\n"
            }
            try run(["4.1"], book)
            #expect(try text("\(book.rehearsalFolder)/\(Self.file)") == text(own))
            #expect(book.codePlaces().contains { $0.finding.excerpt.contains("late") && $0.state == .open })
            try working(book, "4.3") { try book.translate(nil, $0) }
            #expect(
                try text("\(book.rehearsalFolder)/\(Self.file)").contains(
                    "coalesce(content, '') AS c FROM \"Message\""))
            try undo("4.3", book)
            #expect(try text("\(book.rehearsalFolder)/\(Self.file)") == text(own))
        }
    }

    @Test func whatWasSettledStaysSoThroughATranslation() throws {
        try withBook { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "4.1"], book)
            let places = book.codePlaces()
            let found = places.first { $0.finding.rule == "round" }
            let rounded = try #require(found)
            let replaced = places.filter { $0.finding.path == Self.file && $0.finding.line > 20 }
            try book.settle(rounded.id, as: .accepted, note: "cents are enough")
            for place in replaced { try book.settle(place.id, as: .accepted, note: "as it is") }
            try working(book, "4.3") { try book.translate(nil, $0) }
            let now = book.codePlaces().filter {
                $0.finding.rule == "round" && !$0.isGone
            }
            #expect(now.contains { $0.state == .accepted && $0.note == "cents are enough" })
            // A statement that somebody wants as it is stays.
            #expect(try text("\(book.rehearsalFolder)/\(Self.file)").contains("INSERT OR REPLACE"))
        }
    }

    /// A move is one change: neither half of it goes alone.
    @Test func aFileThatMovesIsOneEntry() throws {
        try withBook { book, folder in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7"], book)
            let files = try working(book, nil) { try book.projectFiles($0) }
            let move = try #require(files.first { $0.destination != nil })
            #expect(!files.contains { $0.path == move.destination })
            try working(book, nil) { try book.apply(move, $0) }
            let original = try text("\(folder)/app/\(move.path)")
            #expect(try text("\(book.rehearsalFolder)/\(move.destination ?? "")") == original)
            let moved = try #require(
                try working(book, nil) { try book.projectFiles($0) }.first { $0.path == move.path })
            #expect(moved.state == .changed && moved.destination == move.destination)
            try working(book, nil) { try book.takeBack(moved, isConfirmed: false, $0) }
            #expect(try text("\(book.rehearsalFolder)/\(move.path)") == original)
            try run(["2.3"], book)
            try undo("2.3", book)
            #expect(try text("\(book.rehearsalFolder)/\(move.path)") == original)
        }
    }

    /// What a project has is looked at when its playbook opens.
    private func reopen(_ book: Playbook, _ folder: String) throws -> Playbook {
        book.close()
        return try Playbook(book.workspace, target: nil, who: "ann")
    }
}
