import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// A box over the screen; the topmost gets the keys.
public enum Overlay: Sendable, Equatable {
    case preview(PreviewBox)
    case details(step: String, top: Int)
    case failure(FailureBox)
    case confirm(ConfirmBox)
    case prompt(PromptBox)
    case help(search: TextField, top: Int)
    case themes(ListState, original: String)
    case choose(ChooseBox)
    case text(TextBox)
    case statements(table: String, top: Int)
    case proof(DifferenceBox)
    case bytes(HexBox)
}

/// What a step or its undo would do, with the buttons that let it.
public struct PreviewBox: Sendable, Equatable {
    public var step: String
    public var isUndo: Bool
    public var preview: Preview
    /// 0 runs, 1 cancels.
    public var focused: Int
    public var top = 0
    /// What must be typed, where rows would go.
    public var field: TextField?
    /// Set where statements of the code are translated.
    public var translation: TranslationSubject?
    /// Set where rows that differ are copied again.
    public var request: RepairRequest?
}

/// The statements of the code that are translated.
public enum TranslationSubject: Sendable, Equatable {
    case all
    case statement(String)

    init(_ key: String?) { self = key.map { .statement($0) } ?? .all }

    var key: String? {
        if case .statement(let key) = self { key } else { nil }
    }
}

public struct FailureBox: Sendable, Equatable {
    /// nil where it was no step.
    public var step: String?
    public var message: String
    public var remedy: String
    /// 0 tries again, 1 closes.
    public var focused: Int
    public var top = 0
}

public struct ConfirmBox: Sendable, Equatable {
    public enum Question: Sendable, Equatable {
        case quitWhileWorking
        /// Writers to SQLite are kept away until the cutover's end.
        case quitWhileHolding
        case goLive
        case goBackToRehearsal
        case untick(String)
        case skipTable(String, Bool)
        case applyFile(ProjectFile)
        case takeBackFile(ProjectFile)
        case runCommand(String)
        case startService(String)
        case replaceService(String)
        case endSession(MonitorSession, SessionEnding)
    }

    public var question: Question
    public var title: String
    public var text: [String]
    public var buttons: [String]
    public var focused: Int
    /// What must be typed first.
    public var field: TextField?
    public var expected: String?
    public var top = 0
}

public struct PromptBox: Sendable, Equatable {
    public enum Purpose: Sendable, Equatable {
        case note(String)
        case remark(String)
        case filter
        case skip(String)
        case item
        case target
        case admin
        case password(isAdmin: Bool)
        case command
        case find
        case findDifference
        case place(String, CodePlace.State)
        case leaveAdvice(String)
    }

    public var purpose: Purpose
    public var title: String
    public var text: [String]
    public var field: TextField
}

/// Lines of which one is chosen.
public struct ChooseBox: Sendable, Equatable {
    public enum Purpose: Sendable, Equatable {
        case type(table: String, column: String)
        case finding(Finding)
        case place(CodePlace)
        /// Items that a command's result ticks.
        case link(String)
        /// Which rows that differ are shown.
        case differences([DifferenceFilter])
        /// Which of them are copied again.
        case repair([RepairRequest])
        /// How a session of the server is ended.
        case ending(MonitorSession)
    }

    public var purpose: Purpose
    public var title: String
    public var text: [String]
    public var choices: [String]
    /// What comes of each choice; empty where the choices say all.
    public var details: [String] = []
    public var list = ListState()
}

public struct TextBox: Sendable, Equatable {
    public var title: String
    public var lines: [Line]
    public var top = 0
}

/// A table's proof with the rows that differ; a page of them is held at a time.
public struct DifferenceBox: Sendable, Equatable {
    static let pageRows = 60

    public var table: String
    public var differences: Int
    /// Rows that are kept and can be paged.
    public var kept: Int
    /// The number of the first row of `rows`.
    public var first = 0
    public var rows: [RowPair] = []
    public var isLoading = true
    public var filter = DifferenceFilter.all
    public var summary = DifferenceSummary()
    /// What was looked for last.
    public var search = ""
    /// The row that is selected, counted over those that the filter takes, and the cell of it.
    public var selected = 0
    public var cell = 0
    public var wraps = false
    public var showsSpaces = false

    /// What is known of the column of the selected cell.
    var column: ColumnChanges? {
        guard let row, row.difference.kind == .changed, row.cells.indices.contains(cell) else { return nil }
        return summary.columns.first { $0.column == row.cells[cell].column }
    }

    /// The selected row, where its page is at hand.
    public var row: RowPair? {
        rows.indices.contains(selected - first) ? rows[selected - first] : nil
    }
}

public struct HexBox: Sendable, Equatable {
    public var title: String
    public var left: [UInt8]?
    public var right: [UInt8]?
    public var top = 0
    /// What a side without bytes has instead.
    var leftWord = "NULL"
    var rightWord = "NULL"
    /// The byte that was gone to.
    var place = 0
}
