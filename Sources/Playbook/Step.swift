/// One step of the plan, as the table in `Phases` lists it.
public struct Step: Sendable, Identifiable {
    public enum Kind: Sendable {
        /// Run by howdah on the operator's word, after a preview.
        case automatic
        /// So run in projects that howdah understands, done by hand in others.
        case assisted
        /// Done by the operator, who ticks it with a note.
        case manual
    }

    /// What a step looks at; when that has changed since, the step is stale.
    public enum Basis: String, Codable, Sendable, CaseIterable {
        case source, snapshot, target, plan, run
    }

    public let id: String
    public let title: String
    /// What it does, in one sentence.
    public let purpose: String
    public let kind: Kind
    /// Steps that must be settled before.
    public let needs: [String]
    /// Further ones on the live target, where the application itself is changed.
    public let liveNeeds: [String]
    public let basis: [Basis]
    /// What to do by hand, line by line.
    public let byHand: [String]
    /// What an undo does; nil where nothing is to undo.
    public let undo: String?
    /// Whether nothing is missing without it: nobody is led to it.
    public let isOptional: Bool

    init(
        _ id: String, _ title: String, _ purpose: String, needs: [String] = [], basis: [Basis] = [],
        undo: String? = nil
    ) {
        self.id = id
        self.title = title
        self.purpose = purpose
        kind = .automatic
        self.needs = needs
        liveNeeds = []
        self.basis = basis
        byHand = []
        self.undo = undo
        isOptional = false
    }

    /// With a word for its undo, howdah does it where it can.
    init(
        _ id: String, _ title: String, _ purpose: String, needs: [String] = [], liveNeeds: [String] = [],
        byHand: [String], basis: [Basis] = [], undo: String? = nil, isOptional: Bool = false
    ) {
        self.id = id
        self.title = title
        self.purpose = purpose
        kind = undo == nil ? .manual : .assisted
        self.needs = needs
        self.liveNeeds = liveNeeds
        self.basis = basis
        self.byHand = byHand
        self.undo = undo ?? "takes the tick away"
        self.isOptional = isOptional
    }

    public var phase: Int { Int(id.prefix { $0 != "." }) ?? 0 }
}

/// One of the six phases.
public struct Phase: Sendable {
    public let number: Int
    public let title: String
    /// For narrow screens.
    public let shortTitle: String
    public let steps: [Step]
}
