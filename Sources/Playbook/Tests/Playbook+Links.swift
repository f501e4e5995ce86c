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
        if !results.isEmpty, results.allSatisfy({ $0.result?.outcome == .passed }) {
            // What the operator has said stays: their tick has a note that says more, and what does not apply is settled.
            if let entry, [.ticked, .skipped].contains(entry.kind), !isOwn { return }
            let evidence = results.map { "by \($0.result?.line ?? $0.name) — \($0.when)" }
            if isOwn, entry?.evidence == evidence { return }
            try journal.add(.ticked, item, mode, evidence: evidence, data: Self.tickMark)
        } else if isOwn {
            let bad = results.filter { $0.result?.outcome != .passed }.map {
                $0.result?.line ?? "\($0.name): not run yet"
            }
            try journal.add(
                .unticked, item, mode, "by a command",
                evidence: bad.isEmpty ? ["it is linked to no command any more"] : bad)
        }
    }

    /// What tells a tick of a command's from the operator's.
    private static let tickMark = "command"

    private func linkedResults(_ item: String, _ mode: Mode) -> [(
        name: String, result: CommandResult?, when: String
    )] {
        (links[item] ?? []).map { name in
            let entry = journal.last(Self.commandSubject + name, mode) { $0.kind == .ran }
            return (name, entry?.data.flatMap { Journal.decode(CommandResult.self, $0) }, entry?.time ?? "")
        }
    }

    /// What an item's commands say, line by line, and where that contradicts a tick of the operator's, how.
    func linkWords(_ item: String, _ mode: Mode) -> (lines: [String], contradiction: String?) {
        guard LinkRule.items.contains(item) else { return ([], nil) }
        let results = linkedResults(item, mode)
        guard !results.isEmpty else { return ([], nil) }
        let lines = results.map { name, result, when in
            result.map { "linked to \($0.line) — \(when)" } ?? "linked to \(name): not run yet"
        }
        let entry = entry(of: item, mode)
        // A command's own tick has its evidence.
        if let entry, entry.kind == .ticked, entry.data == Self.tickMark { return ([], nil) }
        guard let entry, entry.kind == .ticked,
            let bad = results.first(where: {
                ($0.result.map { ![.passed, .cancelled].contains($0.outcome) }) ?? false
            })
        else { return (lines, nil) }
        return (lines, "ticked by \(entry.who), though \(bad.name) \(bad.result?.outcome.words ?? "")")
    }
}
