import MigrationEngine
import TerminalUI
import Testing

@testable import HowdahUI
@testable import Playbook

/// Keys among the advice on indexes, in phase 6.
@Suite struct AdviceUpdateTests {
    private let update = Update(keys: Bindings.standard)

    private func press(_ names: String, _ model: inout AppModel) -> [Effect] {
        names.split(separator: " ").flatMap { name in
            Key(String(name)).map { update(&model, .event(.key($0), time: 0)) } ?? []
        }
    }

    private func model() -> AppModel {
        var model = SampleBook.model(SampleBook.advised, Size(80, 24))
        _ = press("6 Tab", &model)
        if model.pane == .main { _ = press("Tab", &model) }
        return model
    }

    @Test func spaceLeavesOutWithAReasonAndChoosesAgain() {
        var model = model()
        #expect(model.pane == .advice)
        #expect(press("Space", &model).isEmpty)
        #expect(
            press("n o Enter", &model) == [
                .choose(advice: "index:Message.conversationId+timestamp", false, note: "no")
            ])
        #expect(press("j Space", &model) == [.choose(advice: "index:PostQuantumKey.userId", true, note: "")])
    }

    @Test func whatIsDoneIsNeitherChosenNorLeftOut() {
        var model = model()
        #expect(press("G Space", &model).isEmpty)
        #expect(model.toast?.text == "it is done: u on the step takes it back")
    }

    @Test func enterShowsBothPlansAndRLooksAgain() {
        var model = model()
        _ = press("Enter", &model)
        guard case .text(let box)? = model.overlays.last else {
            Issue.record("nothing was shown")
            return
        }
        #expect(box.title == "index:Message.conversationId+timestamp")
        #expect(box.lines.map(\.text).contains("Before") && box.lines.map(\.text).contains("After"))
        #expect(press("Esc r", &model) == [.lookAtAdvice])
    }

    @Test func otherStepsOfThePhaseShowTheirOwnDetails() {
        var model = model()
        _ = press("Esc j", &model)
        #expect(!model.showsAdvice)
    }
}
