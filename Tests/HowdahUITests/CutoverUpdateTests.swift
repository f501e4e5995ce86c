import MigrationEngine
import TerminalUI
import Testing

@testable import HowdahUI
@testable import Playbook

/// Keys of the cutover and of the way back.
@Suite struct CutoverUpdateTests {
    private let update = Update(keys: Bindings.standard)

    private func press(_ names: String, _ model: inout AppModel) -> [Effect] {
        names.split(separator: " ").flatMap { name in
            Key(String(name)).map { update(&model, .event(.key($0), time: 0)) } ?? []
        }
    }

    private func type(_ command: String, _ model: inout AppModel) -> [Effect] {
        _ = press(":", &model)
        _ = update(&model, .event(.paste(command), time: 0))
        return press("Enter", &model)
    }

    private func model(_ book: BookState) -> AppModel { SampleBook.model(book, Size(100, 30)) }

    @Test func theCutoverIsOfTheLiveTarget() {
        var rehearsal = model(SampleBook.made)
        #expect(press("C", &rehearsal).isEmpty)
        #expect(rehearsal.section != .cutover)
        #expect(rehearsal.toast?.text.contains("L goes live first") ?? false)
        var live = model(SampleBook.live)
        _ = press("C", &live)
        #expect(live.section == .cutover)
        #expect(live.selectedStep?.step == "C.1")
        #expect(live.phase?.steps.map(\.step) == ["C.1", "C.2", "C.3", "C.4"])
    }

    @Test func theFirstLineOfTheRollbackIsAllOfIt() {
        var model = model(SampleBook.live)
        _ = press("0 g", &model)
        #expect(press("Enter", &model) == [.preview("R", isUndo: false)])
        var other = self.model(SampleBook.live)
        _ = press("0 g u", &other)
        #expect(other.toast?.text == "Enter shows the whole way back")
    }

    @Test func leavingWhileWritersAreKeptAwayIsAskedAbout() {
        var book = SampleBook.live
        book.isSourceHeld = true
        var model = model(book)
        #expect(press("q", &model).isEmpty)
        guard case .confirm(let box) = model.overlays.last else {
            Issue.record("nobody asks")
            return
        }
        #expect(box.question == .quitWhileHolding && box.focused == 0)
        #expect(press("Enter", &model).isEmpty)
        #expect(press("q Tab Enter", &model) == [.quit(0)])
        #expect(press("L", &model).isEmpty)
        #expect(model.toast?.text.contains("a cutover is under way") ?? false)
    }

    @Test(arguments: [
        ("stop systemctl stop chat", ApplicationCommands(stop: "systemctl stop chat")),
        ("start ./up -d", ApplicationCommands(start: "./up -d")),
        ("smoke curl x", ApplicationCommands(smoke: "curl x")),
        ("stop -", ApplicationCommands(stop: "")),
    ]) func theApplicationsCommandsAreNamedOnTheCommandLine(_ words: String, _ commands: ApplicationCommands)
    {
        var model = model(SampleBook.live)
        #expect(type(words, &model) == [.setApplication(commands)])
    }

    @Test func finishAsksForItsPreview() {
        var model = model(SampleBook.live)
        #expect(type("finish", &model) == [.preview("F", isUndo: false)])
    }
}
