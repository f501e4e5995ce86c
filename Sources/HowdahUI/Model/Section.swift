/// What the main pane shows.
public enum Section: Hashable, Sendable {
    /// One of the six phases; 0 is the cutover.
    case phase(Int)
    case checklist, findings, journal, rollback

    static let cutover = Section.phase(0)

    static let all: [Section] =
        (1...6).map { .phase($0) } + [.checklist, .findings, .journal, .rollback, .cutover]

    /// The key that leads to it.
    var key: String {
        switch self {
        case .cutover: "C"
        case .phase(let number): "\(number)"
        case .checklist: "7"
        case .findings: "8"
        case .journal: "9"
        case .rollback: "0"
        }
    }
}

/// The part of the main pane where the keys go.
public enum Pane: Hashable, Sendable {
    /// The list of phases at the left, on wide screens.
    case rail
    /// Steps, or the one list of a section.
    case main
    /// Tables under the steps.
    case tables
    /// Columns beside the tables.
    case columns
    /// Places in the code, under the steps.
    case places
    /// Files of the project, under the steps.
    case files
    /// Advice about indexes, under the steps.
    case advice
    /// Commands of the application, under the steps.
    case commands
    /// What the selected one writes, beside them.
    case output
}

/// The lists, each with its own selection.
enum ListID: Hashable, Sendable {
    case rail, tables, columns, places, files, advice, commands, checklist, findings, journal, rollback
    case projects, monitor
    case steps(Int)
}
