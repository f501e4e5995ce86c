import AppProject
import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// What the lists show: filtered by the operator's words, in the order that was chosen.
extension AppModel {
    /// How the tables are ordered.
    public enum TableOrder: CaseIterable, Sendable {
        case plan, rows, differences

        var words: String {
            switch self {
            case .plan: "as the plan has them"
            case .rows: "the largest first"
            case .differences: "those that differ first"
            }
        }

        var next: TableOrder {
            switch self {
            case .plan: .rows
            case .rows: .differences
            case .differences: .plan
            }
        }
    }

    private func isShown(_ text: String) -> Bool {
        filter.isEmpty || text.lowercased().contains(filter.lowercased())
    }

    var shownTables: [BookState.TableLine] {
        let tables = (book?.tables ?? []).filter { isShown($0.name) }
        return switch tableOrder {
        case .plan: tables
        case .rows: tables.sorted { $0.rows > $1.rows }
        case .differences: tables.sorted { ($0.differences, $0.rows) > ($1.differences, $1.rows) }
        }
    }

    /// The plan's tables in the same order.
    var shownPlan: [BookState.PlanTable] {
        let plan = book?.plan ?? []
        if filter.isEmpty, tableOrder == .plan { return plan }
        let byName = Dictionary(plan.map { ($0.name, $0) }) { first, _ in first }
        return shownTables.compactMap { byName[$0.name] }
    }

    /// Those that stop the run first.
    var shownFindings: [Finding] {
        let all = (book?.findings ?? []).filter { isShown("\($0.place) \($0.message) \($0.id.rawValue)") }
        return all.filter(\.blocking) + all.filter { !$0.blocking }
    }

    var shownFiles: [ProjectFile] {
        (files ?? []).filter { isShown("\($0.path) \($0.step) \($0.state.words)") }
    }

    var shownAdvice: [AdviceLine] {
        (book?.advice ?? []).filter { isShown("\($0.id) \($0.advice.why) \($0.state.words)") }
    }

    /// Places in the code: those that wait for a decision, the worst first, and then those that are settled.
    var shownPlaces: [CodePlace] {
        let all = (book?.places ?? []).filter {
            isShown("\($0.finding.path) \($0.title) \($0.finding.severity.rawValue) \($0.state.words)")
        }
        return all.filter { $0.state == .open } + all.filter { $0.state != .open }
    }

    /// Tests first, then services.
    var shownCommands: [CommandState] {
        let all = (book?.commands ?? []).filter {
            isShown("\($0.command.name) \($0.command.run) \($0.command.place)")
        }
        return all.filter { $0.command.kind == .test } + all.filter { $0.command.kind == .service }
    }

    var shownJournal: [JournalEntry] {
        (book?.journal ?? []).filter { isShown("\($0.subject) \($0.kind.rawValue) \($0.text) \($0.who)") }
    }

    /// What stands where a list is empty: because of the filter, or because there is nothing, which `words` say.
    func empty(_ words: Line, filtered kind: String) -> Line {
        filter.isEmpty
            ? words : Line("no \(kind) has “\(filter)” in it: Esc clears the filter, f sets another", .warn)
    }

    /// The filter in words, beside a list's title; empty without one.
    var filterWords: String { filter.isEmpty ? "" : " — only “\(filter)”, Esc shows all" }
}
