import MigrationEngine
import Playbook

/// Steps, previews and checklist in words.
enum BookWords {
    static func sign(_ state: StepState) -> String {
        switch state {
        case .waiting: "·"
        case .ready: "○"
        case .running: "▸"
        case .undecided: "!"
        case .done: "✔"
        case .failed: "✘"
        case .stale: "~"
        case .skipped: "–"
        }
    }

    static func status(_ state: BookState) -> [String] {
        var lines = [
            "\(state.title)  \(state.sourcePath) → \(state.target)",
            state.mode == .live ? "LIVE" : "REHEARSAL", "",
        ]
        for phase in state.phases {
            lines.append("\(phase.number) \(phase.title)  \(phase.finished)/\(phase.steps.count)")
            for step in phase.steps { lines += self.step(step).map { "  " + $0 } }
        }
        if state.mode == .live {
            lines.append("C \(state.cutover.title)  \(state.cutover.finished)/\(state.cutover.steps.count)")
            for step in state.cutover.steps { lines += self.step(step).map { "  " + $0 } }
        } else if state.isCutoverOpen {
            lines += [
                "", "! the application was switched over, and the cutover has not ended: --live shows it",
            ]
        }
        let ticked = state.checklist.count(where: \.isTicked)
        lines += ["", "checklist \(ticked)/\(state.checklist.count), findings \(state.openFindings) open"]
        if let next = state.next { lines.append("next: \(next.step) \(next.title)") }
        return lines
    }

    static func step(_ line: BookState.StepLine) -> [String] {
        let words = line.state.words.isEmpty ? "" : "  \(line.state.words)"
        let who = line.when.isEmpty ? "" : "  (\(line.who), \(line.when))"
        return ["\(sign(line.state)) \(line.step) \(line.title)\(words)\(who)"]
            + (line.note.isEmpty ? [] : ["      note: \(line.note)"]) + line.evidence.map { "      \($0)" }
    }

    /// Prints a step's preview, as a document or in words.
    static func show(_ shown: Preview, of step: String, _ common: CommonOptions) {
        if common.json {
            Console.json(PreviewDocument(step, shown))
        } else {
            preview(shown).forEach(Console.result)
        }
    }

    static func preview(_ preview: Preview) -> [String] {
        var lines: [String] = []
        for section in preview.sections {
            lines.append(section.title)
            lines += section.lines.map { "  " + $0 + (section.style == .sql ? ";" : "") }
        }
        return lines + (preview.warning.map { ["! \($0)"] } ?? [])
    }

    static func checklist(_ state: BookState) -> [String] {
        let done = state.checklist.count(where: \.isTicked)
        return ["checklist \(done)/\(state.checklist.count)"]
            + state.checklist.flatMap { item -> [String] in
                let proposal = item.isProposed && !item.isTicked ? "  (its steps are done: tick it?)" : ""
                let who = item.isTicked ? "  \(item.who), \(item.when)" : ""
                return ["\(item.isTicked ? "[✔]" : "[ ]") \(item.id)  \(item.title)\(proposal)\(who)"]
                    + (item.note.isEmpty ? [] : ["      note: \(item.note)"])
                    + item.doubts.map { "    ! \($0)" }
                    + (item.isTicked ? [] : item.obstacles.map { "    ! \($0)" })
                    + item.evidence.map { "      \($0)" }
            }
    }
}
