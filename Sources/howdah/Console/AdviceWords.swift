import MigrationEngine
import Operations
import Playbook

/// Advice in lines.
enum AdviceWords {
    static func sign(_ state: AdviceLine.State) -> String {
        switch state {
        case .chosen: "○"
        case .leftOut: "–"
        case .done: "✔"
        case .byHand: "!"
        }
    }

    static func indexes(_ book: Playbook) -> [String] {
        let lines = book.indexAdvice()
        let chosen = lines.count { $0.state == .chosen }
        var text = [
            lines.allSatisfy { $0.state == .done }
                ? "indexes of \(book.targetWords(book.mode)): nothing is missing"
                : "indexes of \(book.targetWords(book.mode)): \(Format.count(chosen, "change", "changes")) chosen, of \(lines.count)"
        ]
        for line in lines {
            let advice = line.advice
            let effect = advice.effectWords.isEmpty ? "" : "  \(advice.effectWords)"
            text.append("\(sign(line.state)) \(line.id)  \(advice.why)\(effect)")
            if !line.note.isEmpty { text.append("      note: \(line.note)") }
            text += advice.evidence.map { "      \($0)" }
            if let obstacle = advice.obstacle { text.append("      by hand: \(obstacle)") }
            if line.state != .done { text += advice.sql.map { "      \($0);" } }
        }
        return text + book.adviceNotices.map { "  \($0)" }
    }

    static func pool(_ book: Playbook) -> [String] {
        guard let report = book.poolReport else { return [] }
        let pool = report.pool
        var text = [pool.words] + pool.reasons.map { "      \($0)" }
        if !pool.parameters.isEmpty {
            text.append("○ \(AdviceSelection.url)  the URL gets \(pool.parameters.joined(separator: "&"))")
        }
        text += pool.lines.map { "      \($0)" }
        if !pool.facts.applications.isEmpty {
            let sessions = pool.facts.applications.prefix(5).map { "\($0.name) \($0.count)" }
            text.append("      connected now: \(sessions.joined(separator: ", "))")
        }
        for setting in report.settings {
            text.append("\(setting.isOwn ? "–" : "!") \(setting.id)  \(setting.present) → \(setting.advised)")
            text += [
                "      \(setting.reason)", "      \(setting.sql);  (takes effect \(setting.takesEffect))",
            ]
        }
        if report.settings.isEmpty { text.append("no setting of the server is worth changing") }
        return text
    }
}
