import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// What reaches `update`.
public enum Message: Sendable, Equatable {
    case event(Event, time: Double)
    /// The project as it is now.
    case book(BookState)
    /// A step has ended; the project as it is now.
    case ended(step: String?, isUndo: Bool, BookState, Problem?)
    case work(WorkView?)
    case previewed(step: String, isUndo: Bool, Preview)
    case page(DifferencePage)
    /// The number of the row that was looked for; nil where there is none.
    case foundDifference(table: String, Int?)
    case source(CodeSource)
    case files([ProjectFile])
    /// What the translation of a statement would change; of all statements where there is no key.
    case translation(statement: String?, Preview)
    /// What copying rows that differ again would do.
    case copying(RepairRequest, Preview)
    /// What a command of the application writes, and whether it runs.
    case feed(CommandFeed)
    /// A command that was run alone has ended.
    case ranCommand(CommandResult?, BookState, Problem?)
    case problem(Problem)
    /// What the watch of a server tells.
    case monitor(MonitorNews)
    /// There is nothing to watch.
    case noMonitor(Problem)
    case projects([ProjectList.Entry], isSearching: Bool)
    case askPassword(url: String, isAdmin: Bool)
    case toast(String, Role)
}

/// What went wrong, and what to do.
public struct Problem: Error, Sendable, Equatable {
    public var step: String?
    public var message: String
    public var remedy: String
    public var isCancelled: Bool

    public init(step: String?, _ error: MigrationError) {
        self.step = step
        message = error.message
        remedy = error.remedy
        isCancelled = error.code == .cancelled
    }

    public init(step: String?, message: String, remedy: String) {
        self.step = step
        self.message = message
        self.remedy = remedy
        isCancelled = false
    }
}

/// What `update` asks the runtime to do.
public enum Effect: Sendable, Equatable {
    case open(String)
    case preview(String, isUndo: Bool)
    case run(String)
    case undo(String)
    case pause, cancel
    case tick(String, note: String)
    case untick(String)
    case note(String, String)
    case skip(String, reason: String)
    case addItem(String)
    case editPlan(PlanEdit)
    case page(table: String, DifferenceFilter, first: Int)
    case findDifference(table: String, DifferenceFilter, text: String, after: Int, isBackward: Bool)
    /// Copies rows that differ again.
    case previewCopyAgain(RepairRequest)
    case copyAgain(RepairRequest)
    /// The lines around a place in the code; the editor at it.
    case source(String)
    case editSource(String)
    /// The project's files that phase 2 changes; one of them alone.
    case files
    case applyFile(ProjectFile)
    case takeBackFile(ProjectFile)
    case settle(place: String, CodePlace.State, note: String)
    case previewTranslation(statement: String?)
    case translate(statement: String?)
    /// Commands of the application, by their names.
    case runCommand(String)
    case startService(String, replaces: Bool)
    case stopService(String)
    case feed(String)
    case link(item: String, command: String, isLinked: Bool)
    case leaveOut(String, Bool)
    case findCommands
    /// Looks at the target's indexes; follows a piece of advice when the step runs, or not.
    case lookAtAdvice
    case choose(advice: String, Bool, note: String)
    case setTarget(String)
    /// How the application is stopped, started and tried; what is nil stays.
    case setApplication(ApplicationCommands)
    case setAdmin(String)
    case setPassword(String, isAdmin: Bool)
    case setMode(Mode)
    case theme(String)
    case mouse(Bool)
    case copy(String)
    case editFile
    case exportChecklist(String)
    case writeReport(String, overwrites: Bool)
    /// The live monitor of the target.
    case openMonitor
    case closeMonitor
    case pauseMonitor(Bool)
    case lookAtServer
    case endSession(MonitorSession, SessionEnding)
    case refresh
    case redraw, suspend
    /// Ends the screens with this exit code.
    case quit(Int32)
}
