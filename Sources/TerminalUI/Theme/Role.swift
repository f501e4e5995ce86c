/// What a piece of text is; a theme says how it looks.
public enum Role: String, CaseIterable, Sendable {
    case text, muted, title, border
    case focusedBorder = "border.focus"
    case selection, key, ok, warn, error, live, null
    case diffAdded = "diff.added"
    case diffRemoved = "diff.removed"
    case diffChanged = "diff.changed"
    case progressDone = "progress.done"
    case progressTodo = "progress.todo"
    case phaseDone = "phase.done"
    case phaseNow = "phase.now"
    case phaseTodo = "phase.todo"
}
