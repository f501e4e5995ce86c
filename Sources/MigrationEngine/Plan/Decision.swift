/// What the operator decided about one finding, or about all of a kind.
public struct Decision: Codable, Sendable, Equatable {
    public var finding: Finding.ID
    /// A table, or a place in one, as `Finding.place` has it; nil decides every finding of the kind.
    public var place: String?
    /// A choice's word.
    public var choice: String

    public init(finding: Finding.ID, place: String? = nil, choice: String) {
        self.finding = finding
        self.place = place
        self.choice = choice
    }

    /// Reads `orphan-rows=quarantine` and `orphan-rows:Message.senderId=set-null`; nil where no finding is called so.
    public init?(_ text: String) {
        guard let equals = text.lastIndex(of: "=") else { return nil }
        let name = text[..<equals].split(separator: ":", maxSplits: 1)
        guard let first = name.first, let id = Finding.ID(rawValue: String(first)) else { return nil }
        let choice = text[text.index(after: equals)...]
        guard !choice.isEmpty else { return nil }
        self.init(finding: id, place: name.count > 1 ? String(name[1]) : nil, choice: String(choice))
    }

    public var description: String { finding.rawValue + (place.map { ":\($0)" } ?? "") + "=\(choice)" }

    /// How closely the decision speaks of a finding: 3 of this very one, 2 of its table, 1 of its kind, nil of others.
    func closeness(to finding: Finding) -> Int? {
        guard self.finding == finding.id else { return nil }
        guard let place else { return 1 }
        return place == finding.place ? 3 : place == finding.table ? 2 : nil
    }
}

/// The decisions that a preparation follows: those of the plan, and those that a command brings.
public struct Decisions: Sendable, Equatable {
    /// Whether every finding that has a recommended choice takes it.
    public var takesRecommended: Bool
    /// From the command; they win over the plan's.
    public var given: [Decision]

    public static let none = Decisions()

    public init(given: [Decision] = [], takesRecommended: Bool = false) {
        self.given = given
        self.takesRecommended = takesRecommended
    }

    var isEmpty: Bool { given.isEmpty && !takesRecommended }

    /// The choice that is decided for a finding, and by whom; one that the finding does not offer decides nothing.
    func choice(for finding: Finding, plan: [Decision]) -> (choice: Choice, source: Finding.Source)? {
        func best(_ decisions: [Decision]) -> Choice? {
            // Of two that are equally close the later one holds.
            let ranked = decisions.enumerated().compactMap { order, decision in
                decision.closeness(to: finding).map { ($0, order, decision.choice) }
            }
            return ranked.sorted { ($0.0, $0.1) > ($1.0, $1.1) }.lazy
                .compactMap { _, _, word in finding.choices.first { $0.word == word } }.first
        }
        if let choice = best(given) { return (choice, .operator) }
        if let choice = best(plan) { return (choice, .plan) }
        if takesRecommended, let choice = finding.recommended { return (choice, .operator) }
        return nil
    }

    /// Throws where a decision names a finding that is there with a choice that it does not have.
    func check(against findings: [Finding]) throws {
        for decision in given {
            let meant = findings.filter { decision.closeness(to: $0) != nil }
            guard let first = meant.first, decision.place != nil || meant.count == 1,
                !meant.contains(where: { $0.choices.contains { $0.word == decision.choice } })
            else { continue }
            throw MigrationError(
                .plan, "\(first.key) has no choice \(decision.choice)",
                remedy: "Its choices are: \(first.choices.map(\.word).joined(separator: ", ")).", exit: .usage
            )
        }
    }
}
