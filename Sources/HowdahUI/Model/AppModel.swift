import MigrationEngine
import Playbook
import TerminalUI

/// All that the screens show: a value that `update` changes and `Screen` draws.
public struct AppModel: Sendable, Equatable {
    public var size: Size
    /// nil shows the picker of projects.
    public var book: BookState?
    public var projects: ProjectList?
    public var section = Section.phase(1)
    public var pane = Pane.main
    public var overlays: [Overlay] = []
    public var work: WorkView?
    /// The live monitor, where it lies over everything but boxes.
    public var monitor: MonitorView?
    /// What is being fetched: a preview, a page, a look at the target.
    public var isBusy = false
    public var toast: Toast?
    public var themes: [String]
    public var theme: String
    public var isMouseOn = true
    public var search = ""
    /// What lists are narrowed to; empty shows all.
    public var filter = ""
    public var tableOrder = TableOrder.plan
    /// Columns of a wide table that are scrolled out.
    public var firstColumn = 0
    /// Files of the project that phase 2 changes; nil before they were looked at.
    public var files: [ProjectFile]?
    var hasAskedForFiles = false
    /// The lines around a place in the code, as they were read last.
    public var source: CodeSource?
    /// The place whose lines were asked for.
    var wantedSource: String?
    /// What commands of the application write, by their names.
    public var feeds: [String: CommandFeed] = [:]
    /// The first line of the output that is shown, counted over all; nil follows its end.
    var outputTop: Int?
    /// The command whose output was asked for.
    var wantedFeed: String?
    /// A target was asked for in order to go live.
    var wantsLive = false
    /// The rows that differ from which some are copied again at this moment: they are shown anew afterwards.
    var repairing: DifferenceBox?
    /// Waits for the work's end, and then leaves.
    public var isQuitting = false
    /// A session that ends with the connection: a long copy should not run in it.
    public var isBareRemote = false
    /// When Ctrl-C was pressed last, in seconds.
    var lastInterrupt = -10.0
    /// A preview that was asked for, in case the work in front of it fails.
    var lists: [ListID: ListState] = [:]

    public init(size: Size, book: BookState?, themes: [String], theme: String) {
        self.size = size
        self.book = book
        self.themes = themes
        self.theme = theme
        if let book { goToNext(book) }
    }

    // MARK: What is selected

    func list(_ id: ListID) -> ListState { lists[id] ?? ListState() }

    var phaseNumber: Int? {
        if case .phase(let number) = section { number } else { nil }
    }

    var phase: BookState.PhaseLine? {
        phaseNumber.flatMap { book?.phase($0) }
    }

    /// The list that the main pane of the section shows.
    var mainList: ListID {
        if book == nil { return .projects }
        return switch section {
        case .phase(let number): .steps(number)
        case .checklist: .checklist
        case .findings: .findings
        case .journal: .journal
        case .rollback: .rollback
        }
    }

    /// The list that the keys move in.
    var focusedList: ListID {
        if monitor != nil { return .monitor }
        return switch pane {
        case .rail: .rail
        case .main: mainList
        case .tables: .tables
        case .columns: .columns
        case .places: .places
        case .files: .files
        case .advice: .advice
        case .commands, .output: .commands
        }
    }

    var selectedStep: BookState.StepLine? {
        guard let phase else { return nil }
        let index = list(.steps(phase.number)).selected
        return phase.steps.indices.contains(index) ? phase.steps[index] : nil
    }

    var selectedTable: String? {
        let plan = shownPlan
        let index = list(.tables).selected
        return plan.indices.contains(index) ? plan[index].name : nil
    }

    var planTable: BookState.PlanTable? {
        selectedTable.flatMap { name in book?.plan.first { $0.name == name } }
    }

    var selectedItem: Checklist.ItemLine? {
        let items = book?.checklist ?? []
        let index = list(.checklist).selected
        return items.indices.contains(index) ? items[index] : nil
    }

    var selectedFinding: Finding? {
        let findings = shownFindings
        let index = list(.findings).selected
        return findings.indices.contains(index) ? findings[index] : nil
    }

    var selectedFile: ProjectFile? {
        let files = shownFiles
        let index = list(.files).selected
        return files.indices.contains(index) ? files[index] : nil
    }

    var selectedAdvice: AdviceLine? {
        let advice = shownAdvice
        let index = list(.advice).selected
        return advice.indices.contains(index) ? advice[index] : nil
    }

    var selectedPlace: CodePlace? {
        let places = shownPlaces
        let index = list(.places).selected
        return places.indices.contains(index) ? places[index] : nil
    }

    /// Steps that have something to undo, the last first.
    var undoable: [BookState.StepLine] {
        (book?.steps ?? []).filter { line in
            !line.isManual && Phases.step(line.step)?.undo != nil && !line.when.isEmpty
        }.reversed()
    }

    /// What the rollback's pane lists: the whole way back, and then single steps.
    var rollbackSteps: [BookState.StepLine] { (book.map { [$0.rollback] } ?? []) + undoable }

    var selectedRollback: BookState.StepLine? {
        let index = list(.rollback).selected
        return rollbackSteps.indices.contains(index) ? rollbackSteps[index] : nil
    }

    func count(_ id: ListID) -> Int {
        switch id {
        case .rail: Section.all.count
        case .steps(let number): book?.phase(number)?.steps.count ?? 0
        case .tables: shownPlan.count
        case .columns: planTable?.columns.count ?? 0
        case .places: shownPlaces.count
        case .files: shownFiles.count
        case .advice: shownAdvice.count
        case .commands: shownCommands.count
        case .checklist: book?.checklist.count ?? 0
        case .findings: shownFindings.count
        case .journal: shownJournal.count
        case .rollback: rollbackSteps.count
        case .projects: projects?.entries.count ?? 0
        case .monitor: monitorCount
        }
    }

    // MARK: Layout that keys must know of

    var layout: ScreenLayout { ScreenLayout(size) }

    /// Whether the tables of the plan are drawn under the steps.
    var showsTables: Bool {
        guard let book, !book.plan.isEmpty else { return false }
        switch section {
        case .phase(3): return true
        case .phase(1): return ["1.6", "1.7", "1.8"].contains(selectedStep?.step ?? "")
        default: return false
        }
    }

    /// Whether places in the code are drawn under the steps.
    var showsPlaces: Bool { section == .phase(4) && !(book?.places.isEmpty ?? true) }

    /// Whether the project's files are drawn under the steps.
    var showsFiles: Bool { section == .phase(2) && !(files?.isEmpty ?? true) }

    /// Whether advice about indexes is drawn under the steps.
    var showsAdvice: Bool {
        section == .phase(6) && selectedStep?.step == "6.1" && !(book?.advice.isEmpty ?? true)
    }

    /// The panes that there are, from the left and from the top.
    var panes: [Pane] {
        var panes: [Pane] = layout.hasRail ? [.rail, .main] : [.main]
        if showsTables { panes.append(.tables) }
        if showsTables, section == .phase(1) { panes.append(.columns) }
        if showsPlaces { panes.append(.places) }
        if showsFiles { panes.append(.files) }
        if showsAdvice { panes.append(.advice) }
        if showsCommands { panes += [.commands, .output] }
        return panes
    }

    // MARK: Changes

    mutating func setList(_ id: ListID, _ change: (inout ListState, _ count: Int) -> Void) {
        var state = list(id)
        change(&state, count(id))
        lists[id] = state
    }

    mutating func go(to section: Section) {
        self.section = section
        if !panes.contains(pane) || pane != .rail { pane = .main }
        firstColumn = 0
        lists[.rail] = ListState(selected: Section.all.firstIndex(of: section) ?? 0)
    }

    /// Selects a step, in its phase.
    mutating func select(step id: String) {
        guard let step = Phases.step(id), let phase = book?.phase(step.phase),
            let index = phase.steps.firstIndex(where: { $0.step == id })
        else { return }
        go(to: .phase(step.phase))
        pane = .main
        lists[.steps(step.phase)] = ListState(selected: index)
    }

    /// Selects the step to go on with; stays where there is none.
    mutating func goToNext(_ book: BookState) {
        if let next = book.next {
            select(step: next.step)
        } else if section == .phase(1), book.step("3.4")?.state == .done {
            select(step: "3.4")
        }
    }

    /// Keeps every selection within its list.
    mutating func clampLists() {
        for id in lists.keys { setList(id) { $0.select($0.selected, count: $1) } }
        if !panes.contains(pane) { pane = .main }
    }
}

/// Work that is under way, as it is at this moment.
public struct WorkView: Sendable, Equatable {
    public var step: String?
    public var isUndo: Bool
    public var isPaused = false
    public var isCancelling = false
    /// The engine's own phase: snapshot, profile, copy, …
    public var phase = ""
    /// Why it waits, as after a lost connection.
    public var waiting: String?
    public var done = 0
    public var total = 0
    /// Queries of a load test that failed.
    public var errors = 0
    public var rate = 0.0
    public var secondsLeft: Double?
    public var elapsed = 0.0
    /// Rows a second, oldest first.
    public var samples: [Double] = []
    public var loaded: [String: Int] = [:]
    public var compared: [String: Int] = [:]

    public init(step: String?, isUndo: Bool = false) {
        self.step = step
        self.isUndo = isUndo
    }
}

/// Projects to choose from.
public struct ProjectList: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public var path: String
        /// Why it is here.
        public var note: String

        public init(path: String, note: String) {
            self.path = path
            self.note = note
        }
    }

    public var entries: [Entry]
    public var isSearching: Bool

    public init(entries: [Entry], isSearching: Bool) {
        self.entries = entries
        self.isSearching = isSearching
    }
}
