import Foundation
import MigrationEngine
import Operations
import TerminalUI

/// Sessions and readings in words.
enum MonitorText {
    /// A statement as one line, as far as a list shows it.
    static func oneLine(_ query: String) -> String {
        query.prefix(600).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// A state in a word that a narrow column holds.
    static func short(_ session: MonitorSession) -> String {
        if !session.blockers.isEmpty { return "waiting" }
        return switch session.state {
        case .active: session.isClient ? "active" : "at work"
        case .idle: "idle"
        case .inTransaction: "idle in t"
        case .failedTransaction: "failed t"
        case .other: session.isClient ? "other" : "at work"
        case .hidden: "hidden"
        }
    }

    static func role(_ session: MonitorSession) -> Role {
        if !session.blockers.isEmpty { return .error }
        return switch session.state {
        case .active: .ok
        case .inTransaction, .failedTransaction: .warn
        default: .muted
        }
    }

    static func role(_ verdict: MonitorVerdict) -> Role {
        switch verdict {
        case .ok: .ok
        case .warn: .warn
        case .critical: .error
        case .unknown: .muted
        }
    }

    static func sign(_ verdict: MonitorVerdict, _ symbols: Symbols) -> String {
        switch verdict {
        case .ok: symbols.done
        case .warn: symbols.undecided
        case .critical: symbols.failed
        case .unknown: "?"
        }
    }

    static func time(_ seconds: Double?) -> String { seconds.map(MonitorWords.duration) ?? "" }

    /// A state with how long it has lasted.
    static func state(_ session: MonitorSession) -> String {
        if session.state == .hidden { return "its state is hidden: pg_read_all_stats is missing" }
        return "\(session.state.rawValue)"
            + (session.seconds.map { " for \(MonitorWords.duration($0))" } ?? "")
            + (session.wait.isEmpty ? "" : ", waits for \(session.wait)")
    }

    /// All of a session, with its whole statement.
    static func box(_ session: MonitorSession) -> TextBox {
        var lines = [Line(session.who, .title), Line(state(session), role(session))]
        if let seconds = session.transactionSeconds {
            lines.append(Line("its transaction has lasted \(MonitorWords.duration(seconds))"))
        }
        if !session.blockers.isEmpty {
            let names = session.blockers.map { $0 == 0 ? "a prepared transaction" : "session \($0)" }
            lines.append(
                Line(
                    "held up by \(names.joined(separator: ", "))"
                        + (session.waitSeconds.map { " for \(MonitorWords.duration($0))" } ?? ""), .error))
        }
        lines += [Line("connected since \(session.start)", .muted), Line()]
        let isRunning = session.state == .active
        if session.query.isEmpty {
            lines.append(
                Line(session.state == .hidden ? "its statement is hidden" : "it has run no statement", .muted)
            )
        } else {
            lines.append(Line(isRunning ? "It runs:" : "It ran last:", .muted))
            lines += session.query.split(separator: "\n", omittingEmptySubsequences: false).map {
                Line(String($0).replacing("\t", with: "    "))
            }
        }
        return TextBox(title: "Session \(session.process)", lines: lines)
    }

    static func box(_ reading: MonitorReading) -> TextBox {
        let limit = reading.limit
        var lines = [
            Line("\(limit.words): \(MonitorWords.value(reading))", role(reading.verdict)),
            Line(reading.gap ?? reading.detail, .muted), Line(),
            Line("limits: \(MonitorWords.limits(limit)), or \(limit.direction == .above ? "more" : "less")"),
            Line(limit.reason),
            Line("https://www.postgresql.org/docs/current/\(limit.source)", .muted),
        ]
        lines.removeAll { $0.text.isEmpty && $0.spans.count == 1 && $0.spans[0].role == .muted }
        return TextBox(title: limit.id.rawValue, lines: lines)
    }

    static func box(_ failure: MonitorFailure) -> TextBox {
        let lines = failure.message.split(separator: "\n").map { Line(String($0), .error) }
        return TextBox(
            title: "No answer",
            lines: lines + [Line()] + failure.remedy.split(separator: "\n").map { Line(String($0)) })
    }

    static func box(_ table: MonitorSample.Table) -> TextBox {
        TextBox(
            title: table.name,
            lines: [
                Line("about \(Format.bytes(table.bytes)) with its indexes, as of the last VACUUM or ANALYZE"),
                Line("\(Format.count(table.live)) rows, \(Format.count(table.dead)) dead"),
                Line(table.vacuumed.isEmpty ? "never vacuumed" : "vacuumed \(table.vacuumed) UTC"),
            ])
    }

    // MARK: Ending

    /// What can be done to a session: only one at work has a statement to cancel.
    static func endings(_ session: MonitorSession) -> [SessionEnding] {
        session.state == .active ? [.cancel, .terminate] : [.terminate]
    }

    static func choice(_ ending: SessionEnding) -> String {
        ending == .cancel ? "cancel its statement" : "end the session"
    }

    static func consequence(_ ending: SessionEnding) -> String {
        switch ending {
        case .cancel: "The statement ends with an error; its transaction is rolled back, the session stays."
        case .terminate:
            "The session ends; its transaction is rolled back, and the application connects anew or fails."
        }
    }
}
