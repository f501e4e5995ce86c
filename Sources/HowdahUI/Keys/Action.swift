/// What keys do, by the names that a user's key file uses.
public enum Action: String, Hashable, Sendable, CaseIterable {
    case phase1 = "phase-1"
    case phase2 = "phase-2"
    case phase3 = "phase-3"
    case phase4 = "phase-4"
    case phase5 = "phase-5"
    case phase6 = "phase-6"
    case checklist, findings, journal, rollback
    case up, down, left, right, top, bottom
    case pageUp = "page-up"
    case pageDown = "page-down"
    case nextPane = "next-pane"
    case scrollLeft = "scroll-left"
    case scrollRight = "scroll-right"
    case filter, sort, note
    case open, tick, settle, decide, add, undo, diff, pause, cancel, again, edit, copy, find
    case findNext = "find-next"
    case findPrevious = "find-previous"
    case live, cutover, command, help, back, redraw, suspend, interrupt, quit
    case bytes, wrap
    /// Copies rows that differ again.
    case copyAgain = "copy-again"
    case translate
    case translateAll = "translate-all"
    case rescan
    /// Lets a command's result tick an item; starts or stops a service.
    case link, start
    case showSpaces = "show-spaces"
    case previousDifference = "previous-difference"
    case nextDifference = "next-difference"
    /// In a box: the next button, and complete what is being typed.
    case nextButton = "next-button"
    case previousButton = "previous-button"
    case complete
    /// The live monitor, and its lists.
    case monitor, waiting, readings, tables
}

/// Where keys are looked up.
public enum KeyContext: String, Hashable, Sendable, CaseIterable {
    case everywhere, steps, tables, columns, places, files, advice, commands, output, checklist, findings,
        journal, rollback, picker, monitor
    /// A box with text and buttons; a box with a field; a list to choose from; the rows that differ; bytes.
    case box, field, choice, difference, bytes, reading

    public var title: String {
        switch self {
        case .everywhere: "Everywhere"
        case .steps: "Steps"
        case .tables: "Tables"
        case .columns: "Columns"
        case .places: "Places in the code"
        case .files: "Files of the project"
        case .advice: "Advice about indexes"
        case .commands: "Commands of the application"
        case .output: "Output of a command"
        case .checklist: "Checklist"
        case .findings: "Findings"
        case .journal: "Journal"
        case .rollback: "Rollback"
        case .picker: "Projects"
        case .monitor: "Live monitor"
        case .box: "In a box"
        case .field: "While typing"
        case .choice: "In a list to choose from"
        case .difference: "Rows that differ"
        case .bytes: "Bytes"
        case .reading: "While reading"
        }
    }
}
