/// What a step, or its undo, would do: shown before it is done.
public struct Preview: Sendable, Equatable {
    public enum Style: Sendable, Equatable {
        case plain, sql, list, diff
    }

    public struct Section: Sendable, Equatable {
        public let title: String
        public let lines: [String]
        public let style: Style

        public init(_ title: String, _ lines: [String], _ style: Style = .plain) {
            self.title = title
            self.lines = lines
            self.style = style
        }
    }

    public var sections: [Section]
    /// What should be known before.
    public var warning: String?
    /// A text that must be typed first.
    public var confirmation: String?

    public init(_ sections: [Section], warning: String? = nil, confirmation: String? = nil) {
        self.sections = sections
        self.warning = warning
        self.confirmation = confirmation
    }
}

/// What a step came to.
struct StepOutcome {
    var evidence: [String]
    /// Findings that wait for a decision; the step is then undecided.
    var open = 0
    /// What did not go well, though the step went to its end: it counts as failed.
    var failure: String?
    /// Why there is nothing to do here: the step counts as settled.
    var skipped: String?
    /// A document to keep with it.
    var data: String?
}

/// What a step of howdah's does. Called from a thread that may block.
protocol StepOperation: Sendable {
    /// Throws where it must not be run, of which nothing is written down.
    func refuse(_ context: StepContext) throws
    func preview(_ context: StepContext) throws -> Preview
    func run(_ context: StepContext) throws -> StepOutcome
    /// What the undo would take away; nil where there is nothing.
    func undoPreview(_ context: StepContext) throws -> Preview?
    /// Takes back what the step did; returns what was done.
    func undo(_ context: StepContext) throws -> [String]
}

extension StepOperation {
    func refuse(_ context: StepContext) throws {}
    func undoPreview(_ context: StepContext) throws -> Preview? { nil }
    func undo(_ context: StepContext) throws -> [String] { [] }
}
