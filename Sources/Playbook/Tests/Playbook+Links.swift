import AppProject
import MigrationEngine

/// Items of phase 5 that the results of commands tick.
extension Playbook {
    private static let linkSubject = "link:"

    /// Items that commands can be linked to.
    public static var linkableItems: [String] { LinkRule.items }

    /// The commands that each item is linked to, in the order of the links. They hold in both modes; a command that is gone
    /// from the project stays linked, and keeps its item from being ticked.
    public var links: [String: [String]] {
        var links: [String: [String]] = [:]
        for entry in journal.entries where entry.subject.hasPrefix(Self.linkSubject) {
            let item = String(entry.subject.dropFirst(Self.linkSubject.count))
            switch entry.kind {
            case .linked where !(links[item]?.contains(entry.text) ?? false):
                links[item, default: []].append(entry.text)
            case .unlinked where entry.text.isEmpty: links[item] = nil
            case .unlinked: links[item]?.removeAll { $0 == entry.text }
            default: break
            }
        }
        return links.filter { !$0.value.isEmpty }
    }

    /// Links an item to a test command: from now on its result ticks the item.
    public func link(_ item: String, to name: String) throws {
        try checkItem(item)
        let command = try appCommand(name, .test)
        guard !(links[item]?.contains(command.name) ?? false) else { return }
        try journal.add(.linked, Self.linkSubject + item, mode, command.name)
        try settleLinks(of: [command.name], mode)
    }

    /// Takes a link away, or all of an item's. A tick that a command has made goes with its last link.
    public func unlink(_ item: String, from name: String? = nil) throws {
        try checkItem(item)
        let before = links[item] ?? []
        guard !before.isEmpty, name.map(before.contains) ?? true else {
            throw MigrationError(
                .state, name.map { "\(item) is not linked to \($0)" } ?? "\(item) is linked to no command",
                remedy: "howdah test PROJECT --list shows the links.", exit: .usage)
        }
        try journal.add(.unlinked, Self.linkSubject + item, mode, name ?? "")
        for mode in [Mode.rehearsal, .live] { try settle(item, mode) }
    }

    private func checkItem(_ item: String) throws {
        guard LinkRule.items.contains(item) else {
            throw MigrationError(
                .state, "\(item) cannot be linked to a command",
                remedy: "Items that can are: \(LinkRule.items.joined(separator: ", ")).", exit: .usage)
        }
    }

    /// Links that names propose: items with commands, in the order of the items.
    public func proposedLinks() -> [(item: String, command: String)] {
        let states = commandStates(mode)
        return LinkRule.items.flatMap { item in
            states.filter { $0.proposals.contains(item) }.map { (item, $0.command.name) }
        }
    }

    // MARK: Ticks

    /// Ticks the items that commands are linked to, or takes such ticks away, by the last results of all their commands.
    func settleLinks(of names: [String], _ mode: Mode) throws {
        for (item, linked) in links.sorted(by: { $0.key < $1.key }) where !Set(linked).isDisjoint(with: names)
        {
            try settle(item, mode)
        }
    }

    private func settle(_ item: String, _ mode: Mode) throws {
        let entry = entry(of: item, mode)
        let isOwn = entry.map { $0.kind == .ticked && $0.data == Self.tickMark } ?? false
        let results = linkedResults(item, mode)
        if !results.isEmpty, results.allSatisfy({ $0.counts && $0.result?.outcome == .passed }) {
            // What the operator has said stays: their tick has a note that says more, and what does not apply is settled.
            if let entry, [.ticked, .skipped].contains(entry.kind), !isOwn { return }
            if wasTakenAway(item, mode) != nil { return }
            let evidence = results.map { "by \($0.result?.line ?? $0.name) — \($0.when)" }
            if isOwn, entry?.evidence == evidence { return }
            try journal.add(.ticked, item, mode, evidence: evidence, data: Self.tickMark)
        } else if isOwn {
            let bad = results.filter { !($0.counts && $0.result?.outcome == .passed) }.map(\.words)
            try journal.add(
                .unticked, item, mode, Self.untickWords,
                evidence: bad.isEmpty ? ["it is linked to no command any more"] : bad, data: Self.tickMark)
        }
    }

    private static let untickWords = "by a command"

    /// The entry by which somebody took an item's tick away, as long as nobody has linked the item anew since: they have seen
    /// what no result tells.
    private func wasTakenAway(_ item: String, _ mode: Mode) -> JournalEntry? {
        guard let entry = entry(of: item, mode), entry.kind == .unticked, entry.data != Self.tickMark,
            entry.text != Self.untickWords
        else { return nil }
        let linked = journal.entries.last { $0.subject == Self.linkSubject + item && $0.kind == .linked }
        return (linked?.id ?? 0) > entry.id ? nil : entry
    }

    // MARK: What results are about

    /// The target and the load that results of commands are about, as they are now.
    func resultBasis(_ mode: Mode) -> [String: String] {
        var basis = basis(of: TestsStep.id, mode)
        // That there is no load is an answer too: tests that were run before one say nothing of its rows.
        if case .some(.none) = status(mode) { basis[Step.Basis.run.rawValue] = "none" }
        return basis
    }

    /// Whether a result is about the target and the load of now; where it cannot be told now, nothing speaks against it.
    func isPresent(_ entry: JournalEntry, _ mode: Mode) -> Bool {
        let now = resultBasis(mode)
        return !entry.basis.isEmpty
            && entry.basis.allSatisfy { key, value in now[key].map { $0 == value } ?? true }
    }

    /// What tells a tick of a command's from the operator's.
    private static let tickMark = "command"

    private struct LinkedResult {
        let name: String
        /// nil before a run.
        let result: CommandResult?
        let when: String
        /// Whether it is about the target and the load of now.
        let counts: Bool

        var words: String {
            guard let result else { return "\(name): not run yet" }
            return counts
                ? result.line
                : "\(name): its last run was against another target, or before the rows were loaded anew"
        }
    }

    /// The last results; a run that was cancelled has said nothing, so the one before stands.
    private func linkedResults(_ item: String, _ mode: Mode) -> [LinkedResult] {
        (links[item] ?? []).map { name in
            let entry = journal.last(Self.commandSubject + name, mode) {
                $0.kind == .ran && $0.text != CommandResult.Outcome.cancelled.words
            }
            return LinkedResult(
                name: name, result: entry?.data.flatMap { Journal.decode(CommandResult.self, $0) },
                when: entry?.time ?? "", counts: entry.map { isPresent($0, mode) } ?? false)
        }
    }

    /// What an item's commands say, line by line, and where that contradicts a tick, how.
    func linkWords(_ item: String, _ mode: Mode) -> (lines: [String], contradiction: String?) {
        guard LinkRule.items.contains(item) else { return ([], nil) }
        let results = linkedResults(item, mode)
        guard !results.isEmpty else { return ([], nil) }
        var lines = results.map {
            "linked to \($0.words)" + ($0.result != nil && $0.counts ? " — \($0.when)" : "")
        }
        if let entry = wasTakenAway(item, mode) {
            lines.append(
                "left alone: \(entry.who) took its tick away at \(entry.time); tick it by hand, or link it anew"
            )
        }
        let entry = entry(of: item, mode)
        if let entry, entry.kind == .ticked, entry.data == Self.tickMark {
            // A command's own tick has its evidence.
            guard let old = results.first(where: { !$0.counts }) else { return ([], nil) }
            return (
                lines, "ticked by \(old.name), against another target or before the rows were loaded anew"
            )
        }
        guard let entry, entry.kind == .ticked,
            let bad = results.first(where: { $0.counts && $0.result.map { $0.outcome != .passed } ?? false })
        else { return (lines, nil) }
        return (lines, "ticked by \(entry.who), though \(bad.name) \(bad.result?.outcome.words ?? "")")
    }
}
