import Foundation
import MigrationEngine
import Operations
import Postgres
import TestSupport
import Testing

@testable import AppProject
@testable import Playbook

/// What results of commands say, how long they say it, and what they tick.
@Suite struct CommandResultsTests {
    private let commands = CommandsTests()

    private func add(_ name: String, _ run: String, _ book: Playbook) throws {
        try book.addCommand(OwnCommand(name: name, run: run))
    }

    private func step(_ id: String, _ book: Playbook) throws -> BookState.StepLine {
        try #require(book.overview().step(id))
    }

    // MARK: Without counts

    /// A test command that howdah has found, whose program stands in for a runner.
    private static func found(_ script: String) -> [String: String] {
        ["app/bin/rails": "#!/bin/sh\n\(script)\n", "app/test/a_test.rb": ""]
    }

    @Test func anEndWithoutCountsIsNoPassAndTicksNothing() throws {
        try commands.withProject(Self.found("echo all is well")) { book, _ in
            try book.link("5.2", to: "rails")
            let result = try #require(try commands.run(book: book).first)
            #expect(result.outcome == .uncounted && result.status == 0)
            #expect(try step("5.1", book).state == .undecided(1))
            #expect(try step("5.2", book).state == .ready)
            // The operator looks at it, and ticks.
            try book.tick("5.2", note: "looked at its output")
            #expect(try step("5.2", book).state == .done)
            #expect(try step("5.2", book).contradiction?.contains("ended with 0, tests not counted") ?? false)
        }
    }

    @Test func oneWithCountsPassesAndOneThatFailsFails() throws {
        try commands.withProject(Self.found(CommandsTests.counts(3))) { book, _ in
            let results = try commands.run(book: book)
            #expect(results.map(\.outcome) == [.passed])
        }
        try commands.withProject(Self.found("exit 1")) { book, _ in
            let results = try commands.run(book: book)
            #expect(results.map(\.outcome) == [.failed])
        }
    }

    @Test func ofTheOperatorsOwnTheStatusIsTheAnswer() throws {
        try commands.withProject { book, _ in
            try add("smoke", "echo all is well", book)
            try book.link("5.2", to: "smoke")
            let results = try commands.run(book: book)
            #expect(results.map(\.outcome) == [.passed])
            #expect(try step("5.2", book).state == .done)
        }
    }

    // MARK: Ticks

    @Test func whatAPersonTookAwayNoRunTicksAgain() throws {
        try commands.withProject { book, _ in
            try add("good", "true", book)
            try book.link("5.2", to: "good")
            try commands.run("good", book: book)
            #expect(try step("5.2", book).state == .done)
            try book.untick("5.2")
            try commands.run("good", book: book)
            #expect(try step("5.2", book).state == .ready)
            #expect(
                try step("5.2", book).evidence.contains { $0.hasPrefix("left alone: ann took its tick away") }
            )
            // Who links it anew wants its results again.
            try book.unlink("5.2")
            try book.link("5.2", to: "good")
            #expect(try step("5.2", book).state == .done)
        }
    }

    @Test func aRunThatIsCancelledTakesNoTickAway() throws {
        try commands.withProject { book, project in
            try add("good", "[ ! -e \(project)/slow ] || { touch \(project)/runs; sleep 600; }", book)
            try book.link("5.2", to: "good")
            try commands.run("good", book: book)
            #expect(FileManager.default.createFile(atPath: "\(project)/slow", contents: nil))
            let cancellation = Cancellation()
            Thread {
                _ = waitUntil { access("\(project)/runs", F_OK) == 0 }
                cancellation.cancel()
            }.start()
            _ = try? commands.run("good", book: book, cancellation: cancellation)
            #expect(book.commandStates(.live).first?.last?.outcome == .cancelled)
            #expect(try step("5.2", book).state == .done)
            #expect(book.journal.last("5.2", .live)?.kind == .ticked)
        }
    }

    @Test func resultsOfAnotherTargetTickNothing() throws {
        try commands.withProject { book, _ in
            try add("good", "true", book)
            try book.link("5.2", to: "good")
            try commands.run(book: book)
            #expect(try step("5.2", book).state == .done)
            #expect(book.commandStates(.live).first?.isOutdated == false)
            try TestServer.withDatabase { other in
                try book.setTarget(other.url)
                #expect(book.commandStates(.live).first?.isOutdated == true)
                #expect(try step("5.2", book).contradiction?.contains("another target") ?? false)
                try book.link("5.3", to: "good")
                #expect(try step("5.3", book).state == .ready)
                #expect(try step("5.3", book).evidence.contains { $0.contains("another target") })
                // Run here, it counts here.
                try commands.run("good", book: book)
                #expect(try step("5.3", book).state == .done)
                #expect(try step("5.2", book).contradiction == nil)
            }
        }
    }

    @Test func resultsOfBeforeALoadTickNothingAfterIt() throws {
        try commands.withProject { book, _ in
            try add("good", "true", book)
            try commands.run("good", book: book)
            let entry = try #require(book.journal.last("command:good", .live))
            #expect(entry.basis["run"] == "none" && entry.basis["target"] == book.liveTarget?.url)
            for (run, counts) in [("none", true), ("another", false)] {
                var basis = entry.basis
                basis["run"] = run
                let old = try book.journal.add(
                    .ran, "command:good", .live, entry.text, basis: basis, data: entry.data)
                #expect(book.isPresent(old, .live) == counts)
                #expect(book.commandStates(.live).first?.isOutdated == !counts)
            }
            try book.link("5.2", to: "good")
            #expect(try step("5.2", book).state == .ready)
        }
    }

    // MARK: Secrets and places

    @Test func secretsInACommandsOwnTextAreShownNowhere() throws {
        let text =
            "SESSION_KEY=swordfish true --password=hunter3 --token tr0ub4dor && echo postgresql://u:hunter2@127.0.0.1:1/h"
        try commands.withProject { book, _ in
            try add("smoke", text, book)
            try book.addCommand(OwnCommand(name: "dev", run: "exit 0; \(text)", kind: .service))
            let result = try #require(try commands.run("smoke", book: book).first)
            #expect(result.outcome == .passed)
            let activity = try #require(book.begin(nil))
            try book.startService("dev", activity)
            book.end(activity)
            _ = book.waitForService("dev", Cancellation())
            let other = try #require(book.begin("5.1"))
            let preview = try book.preview("5.1", other)
            book.end(other)
            let state = book.workspace.state.path
            let journal = try ["journal.db", "journal.db-wal"].compactMap { name -> String? in
                guard access("\(state)/\(name)", F_OK) == 0 else { return nil }
                return String(
                    decoding: try Data(contentsOf: URL(fileURLWithPath: "\(state)/\(name)")), as: UTF8.self)
            }
            let shown =
                journal + [
                    "\(book.journal.entries)", "\(preview)",
                    "\(book.commandStates(.live).map(\.command.run))",
                ]
            for text in shown {
                #expect(text.contains("true --password=••••"))
                for secret in ["swordfish", "hunter2", "hunter3", "tr0ub4dor"] {
                    #expect(!text.contains(secret), "\(secret)")
                }
            }
        }
    }

    @Test func aFolderThatHasTheProjectInItIsRefused() throws {
        try commands.withProject(["app/api/x": "", "beside/x": ""]) { book, project in
            symlink("..", "\(project)/up")
            for folder in ["..", "../..", "api/../..", "../beside/..", "up", "../../../../../../../.."] {
                let error = #expect(throws: MigrationError.self, "\(folder)") {
                    try book.addCommand(OwnCommand(name: "x", run: "true", folder: folder))
                }
                #expect(error?.exit == .usage)
            }
            let inside: [(String, CommandPlace)] = [
                ("", .inside("")), (".", .inside("")), ("api", .inside("api")),
                ("../app/api", .inside("api")),
                ("api/..", .inside("")),
                ("../beside", .beside((project as NSString).deletingLastPathComponent + "/beside")),
            ]
            for (folder, place) in inside { #expect(CommandPlace(folder, of: project) == place, "\(folder)") }
            try book.addCommand(OwnCommand(name: "x", run: "true", folder: "../beside"))
        }
    }

    // MARK: Copies for a load

    @Test func theJournalKnowsTheCopiesThatWereLeft() throws {
        try commands.withProject { book, project in
            let ledger = book.scratchLedger("5.10", "postgresql://one", .live)
            #expect(ledger.left.isEmpty)
            try ledger.begin("howdah_load_a")
            try ledger.begin("howdah_load_b")
            try ledger.end("howdah_load_a")
            let reader = try Playbook(
                Workspace(project, state: nil, isWriter: false), target: nil, who: nil, isWriter: false)
            #expect(reader.scratchLedger("5.10", "postgresql://one", .live).left == ["howdah_load_b"])
            #expect(reader.scratchLedger("5.10", "postgresql://other", .live).left.isEmpty)
        }
    }
}
