import MigrationEngine
import TerminalUI
import Testing

@testable import AppProject
@testable import HowdahUI
@testable import Playbook

/// Keys among the application's commands, in phase 5.
@Suite struct CommandsUpdateTests {
    private let update = Update(keys: Bindings.standard)

    private func press(_ names: String, _ model: inout AppModel) -> [Effect] {
        names.split(separator: " ").flatMap { name in
            Key(String(name)).map { update(&model, .event(.key($0), time: 0)) } ?? []
        }
    }

    private func model(_ size: Size = Size(100, 30)) -> AppModel {
        var model = SampleBook.model(SampleBook.tested, size)
        for feed in SampleBook.feeds { model.feeds[feed.name] = feed }
        _ = press("5 Tab", &model)
        if model.pane == .main { _ = press("Tab", &model) }
        return model
    }

    @Test func enterRunsATestAndNothingElseMeanwhile() {
        var model = model()
        #expect(model.pane == .commands)
        #expect(press("Enter", &model) == [.runCommand("test")])
        #expect(model.work?.step == "5.1")
        #expect(press("Enter", &model).isEmpty)
        #expect(model.toast?.text == "work runs: x cancels it")
        #expect(press("x", &model) == [.cancel])
    }

    @Test func liveATestRunsAfterAQuestionWhoseFocusIsOnCancel() {
        var model = model()
        model.book?.mode = .live
        #expect(press("Enter", &model) == [.feed("test")], "what it wrote there")
        #expect(press("Enter", &model).isEmpty)
        #expect(press("Enter Tab Enter", &model) == [.runCommand("test")])
    }

    @Test(arguments: ["s", "Enter"]) func liveAServiceStartsAfterAQuestionWhoseFocusIsOnCancel(_ key: String)
    {
        var model = model()
        model.book?.mode = .live
        model.feeds = [:]
        _ = press("G", &model)
        #expect(press(key, &model).isEmpty)
        #expect(press("Enter", &model).isEmpty, "the focus is on cancel")
        #expect(press("\(key) Tab Enter", &model) == [.startService("dev", replaces: false)])
        #expect(model.isBusy)
    }

    @Test func whatARehearsalCameToIsNotShownInLive() {
        var model = model()
        #expect(model.selectedFeed != nil)
        let look = Look(theme: Themes.shipped.standard, symbols: .unicode)
        let ended = CommandFeed(
            name: "test", mode: .rehearsal, isRunning: false, end: "passed in the rehearsal",
            output: .init(lines: ["of the rehearsal"]))
        _ = update(&model, .feed(ended))
        func shown() -> String {
            Screen(model, look, keys: Bindings.standard).draw().buffer.lines.joined(separator: "\n")
        }
        #expect(shown().contains("of the rehearsal"))
        model.book?.mode = .live
        #expect(model.selectedFeed == nil && !shown().contains("of the rehearsal"))
        #expect(!shown().contains("passed in the rehearsal"))
        // What runs is shown, with where.
        let runs = CommandFeed(
            name: "test", mode: .rehearsal, isRunning: true, output: .init(lines: ["goes on"]))
        _ = update(&model, .feed(runs))
        #expect(shown().contains("goes on") && shown().contains(", rehearsal"))
    }

    @Test func aServiceStartsAndStopsByTheSameKey() {
        var model = model()
        #expect(press("G x", &model) == [.stopService("dev")])
        #expect(press("s", &model) == [.stopService("dev")])
        let ended = CommandFeed(name: "dev", isRunning: false, end: "it was stopped", output: .init())
        #expect(update(&model, .feed(ended)) == [.refresh])
        #expect(press("s", &model) == [.startService("dev", replaces: false)])
        model.isBusy = false
        #expect(press("Enter", &model) == [.startService("dev", replaces: false)])
        #expect(press("g s", &model).isEmpty, "a test is no service")
        #expect(model.toast?.text == "it ends by itself: Enter runs it")
    }

    @Test func quittingAsksWhileAServiceRuns() {
        var model = model()
        #expect(press("q", &model).isEmpty)
        #expect(press("Enter", &model).isEmpty, "the focus is on staying")
        #expect(press("q Tab Enter", &model) == [.quit(0)])
    }

    @Test func outputFollowsItsEndUntilItIsScrolled() {
        var model = model()
        _ = press("Tab", &model)
        #expect(model.pane == .output && model.outputTop == nil)
        _ = press("k k", &model)
        let end = SampleBook.feeds[0].output.end
        #expect(model.outputTop == end - model.outputHeight - 2)
        // What comes meanwhile does not move it.
        let top = model.outputTop
        let more = CommandFeed(
            name: "test", isRunning: true,
            output: .init(first: 0, lines: SampleBook.feeds[0].output.lines + ["one", "two"]))
        _ = update(&model, .feed(more))
        #expect(model.outputTop == top)
        _ = press("G", &model)
        #expect(model.outputTop == nil)
        _ = press("g", &model)
        #expect(model.outputTop == 0)
        _ = press("Esc j", &model)
        #expect(model.pane == .commands && model.outputTop == nil, "another command begins at its end")
    }

    @Test func aLinkIsMadeAndTakenAwayByTheSameChoice() {
        var model = model()
        _ = press("j c", &model)
        #expect(
            press("Enter", &model) == [.link(item: "5.2", command: "api:test:encryption", isLinked: false)])
        _ = press("j c", &model)
        #expect(press("Enter", &model) == [.link(item: "5.3", command: "api:test:socket", isLinked: true)])
        #expect(press("G c", &model).isEmpty)
        #expect(model.overlays.isEmpty)
    }

    @Test func spaceLeavesATestOutAndTakesItInAgain() {
        var model = model()
        #expect(press("Space", &model) == [.leaveOut("test", true)])
        #expect(press("j j j Space", &model).last == .leaveOut("e2e", false))
    }

    @Test func outputThatIsNotAtHandIsAskedForOnce() {
        var model = model()
        #expect(press("j", &model) == [.feed("api:test:encryption")])
        #expect(press("k", &model).isEmpty)
        _ = update(&model, .feed(CommandFeed(name: "api:test:encryption", isRunning: false, output: .init())))
        #expect(press("j", &model).isEmpty)
    }

    @Test func aResultIsToldWhereItStands() {
        var model = model()
        _ = press("Enter", &model)
        let result = CommandResult(
            name: "test", run: "npm run test", outcome: .failed, status: 1, seconds: 2,
            counts: TestCounts(runner: "node", passed: 1, failed: 2), reason: "exit status 1")
        _ = update(&model, .ranCommand(result, SampleBook.tested, nil))
        #expect(model.work == nil)
        #expect(model.toast?.text == "test: failed, 1 passed, 2 failed, 2.00 s, exit status 1")
        #expect(model.toast?.role == .error)
    }

    /// What a program writes is drawn as text, whatever it is, and a full tail costs no more than what is seen of it.
    @Test func hostileOutputIsOnlyText() {
        var model = model()
        let lines = (0..<2000).map { "\u{1B}[2J\u{202E}\u{7} 👨‍👩‍👧‍👦 \($0)" + String(repeating: "x", count: 2000) }
        _ = update(
            &model, .feed(CommandFeed(name: "test", isRunning: true, output: .init(first: 7, lines: lines))))
        let look = Look(theme: Themes.shipped.standard, symbols: .unicode)
        let start = ContinuousClock.now
        let shown = Screen(model, look, keys: Bindings.standard).draw().buffer.lines
        #expect(ContinuousClock.now - start < .seconds(2))
        for line in shown {
            #expect(TextWidth.cells(line) <= 100)
            #expect(
                !line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E || $0.value == 0x7F })
        }
    }
}
