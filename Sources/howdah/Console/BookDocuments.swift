import MigrationEngine
import Playbook

/// What `status --json` prints.
struct StatusDocument: Encodable {
    struct Phase: Encodable {
        let number: Int
        let title: String
        let steps: [StepDocument.Step]
    }

    let command = "status"
    let outcome = "answered"
    let exit = 0
    let source: String
    let target: String
    let mode: Mode
    let phases: [Phase]
    let cutover: [StepDocument.Step]
    let cutover_open: Bool
    let checklist: [ChecklistDocument.Item]
    let open_findings: Int
    let next: String?

    init(_ state: BookState) {
        source = state.sourcePath
        target = state.target
        mode = state.mode
        phases = state.phases.map { phase in
            Phase(number: phase.number, title: phase.title, steps: phase.steps.map { .init($0) })
        }
        cutover = state.cutover.steps.map { .init($0) }
        cutover_open = state.isCutoverOpen
        checklist = state.checklist.map { .init($0) }
        open_findings = state.openFindings
        next = state.next?.step
    }
}

/// What `step --json` prints.
struct StepDocument: Encodable {
    struct Step: Encodable {
        let id: String
        let title: String
        let state: String
        let detail: String
        let evidence: [String]
        let who: String
        let when: String
        let note: String
        let manual: Bool

        init(_ line: BookState.StepLine) {
            id = line.step
            title = line.title
            state = line.state.name
            detail = line.state.words
            evidence = line.evidence
            who = line.who
            when = line.when
            note = line.note
            manual = line.isManual
        }
    }

    let command = "step"
    let outcome: String
    let exit: Int32
    let mode: Mode
    let step: Step
    /// What an undo has done, line by line; absent of other work.
    let done: [String]?

    init(_ line: BookState.StepLine, mode: Mode, exit: ExitCode, done: [String]? = nil) {
        self.done = done
        outcome = line.state.name
        self.exit = exit.rawValue
        self.mode = mode
        step = Step(line)
    }
}

/// What `step … preview --json` prints.
struct PreviewDocument: Encodable {
    struct Section: Encodable {
        let title: String
        let lines: [String]
    }

    let command = "step"
    let outcome = "answered"
    let exit = 0
    let step: String
    let preview: [Section]
    let warning: String?

    init(_ step: String, _ preview: Preview) {
        self.step = step
        self.preview = preview.sections.map { Section(title: $0.title, lines: $0.lines) }
        warning = preview.warning
    }
}

/// What `checklist --json` prints.
struct ChecklistDocument: Encodable {
    struct Item: Encodable {
        let id: String
        let title: String
        let ticked: Bool
        let proposed: Bool
        let evidence: [String]
        let waits_for: [String]
        let doubts: [String]
        let who: String
        let when: String
        let note: String

        init(_ line: Checklist.ItemLine) {
            id = line.id
            title = line.title
            ticked = line.isTicked
            proposed = line.isProposed
            evidence = line.evidence
            waits_for = line.isTicked ? [] : line.obstacles
            doubts = line.doubts
            who = line.who
            when = line.when
            note = line.note
        }
    }

    let command = "checklist"
    let outcome = "answered"
    let exit = 0
    let mode: Mode
    let items: [Item]

    init(_ state: BookState) {
        mode = state.mode
        items = state.checklist.map { Item($0) }
    }
}
