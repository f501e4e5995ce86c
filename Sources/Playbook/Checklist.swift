/// The post-migration checklist: the plan's eight items and the operator's own. Evidence proposes, the operator decides.
public enum Checklist {
    struct Item {
        let id: String
        let title: String
        /// Steps whose evidence speaks for it.
        let links: [String]
    }

    static let items = [
        Item(id: "tests", title: "All tests passing", links: ["5.1"]),
        Item(id: "messaging", title: "Real-time messaging working", links: ["5.3"]),
        Item(id: "files", title: "File uploads and downloads functional", links: ["5.4", "5.11"]),
        Item(id: "encryption", title: "Encryption services operational", links: ["5.2", "5.9"]),
        Item(id: "performance", title: "Performance benchmarks acceptable", links: ["6.3", "5.10"]),
        Item(id: "backups", title: "Backup system configured", links: ["6.4", "6.5"]),
        Item(id: "monitoring", title: "Monitoring in place", links: ["6.7"]),
        Item(id: "documentation", title: "Documentation updated", links: [Playbook.reportSubject]),
    ]

    /// A step that speaks for an item, as it stands.
    public struct Link: Sendable, Equatable {
        public let step: String
        public let title: String
        public let state: StepState
        public let isManual: Bool
        /// What it left behind, the most telling first.
        public let evidence: [String]
        public let note: String
        public let who: String
        public let when: String

        init(_ line: BookState.StepLine) {
            step = line.step
            title = line.title
            state = line.state
            isManual = line.isManual
            evidence = line.evidence
            note = line.note
            who = line.who
            when = line.when
        }

        public var words: String { "\(step) \(title): \(state.name)" + (note.isEmpty ? "" : " — \(note)") }

        /// What keeps a tick from being proposed; nil where nothing does.
        var obstacle: String? {
            let name = "\(step) \(title)"
            return switch state {
            case .done, .skipped: nil
            case .ready: "waits for \(name): " + (isManual ? "by hand, not done" : "not run yet")
            case .waiting(let reason): "waits for \(name), which \(reason)"
            case .running: "\(name) runs"
            case .undecided(let count): "\(name): \(count) open"
            case .failed(let reason): "\(name) failed: \(reason)"
            case .stale(let reason, _): "\(name) is stale: \(reason)"
            }
        }

        /// Whether it speaks against the item: a step that was not run yet does not.
        var isAgainst: Bool {
            switch state {
            case .failed, .stale, .undecided: true
            default: false
            }
        }
    }

    /// An item with all that speaks for it and against it.
    public struct ItemLine: Sendable, Equatable, Identifiable {
        public let id: String
        public let title: String
        public let isTicked: Bool
        public let isOwn: Bool
        public let links: [Link]
        /// What has become of the evidence since the tick, or what it was ticked against.
        public let doubts: [String]
        public let who: String
        public let when: String
        public let note: String

        /// Whether every linked step is done, or does not apply, so that a tick is proposed.
        public var isProposed: Bool {
            links.contains { $0.state == .done } && links.allSatisfy(\.state.isFinished)
        }

        /// What a tick waits for, or what speaks against it.
        public var obstacles: [String] { links.compactMap(\.obstacle) }

        /// What speaks against a tick: it then needs a note.
        public var objections: [String] { links.filter(\.isAgainst).compactMap(\.obstacle) }

        /// Linked steps with their states, and the first lines of what they left behind.
        public var evidence: [String] {
            links.flatMap { link in
                [link.words] + link.evidence.prefix(Checklist.shownEvidence).map { "  \($0)" }
            }
        }

        /// The tick, the proposal, or what it waits for, in a few words.
        public var words: String {
            if isTicked { return doubts.first ?? (note.isEmpty ? who : "\(who): \(note)") }
            return isProposed ? "its steps are done: tick it?" : obstacles.first ?? ""
        }
    }

    /// Lines of a step's evidence that stand with an item.
    static let shownEvidence = 9

    /// Works out an item from its steps and from the tick that was given to it. Pure: the same facts give the same line.
    ///
    /// `newest` is the number of each step's newest entry in the journal, by which what came after the tick is told.
    static func line(
        _ item: Item, isOwn: Bool, steps: [BookState.StepLine], entry: JournalEntry?, newest: [String: Int]
    ) -> ItemLine {
        let links = item.links.compactMap { id in steps.first { $0.step == id }.map { Link($0) } }
        guard let entry, entry.kind == .ticked else {
            return ItemLine(
                id: item.id, title: item.title, isTicked: false, isOwn: isOwn, links: links, doubts: [],
                who: "",
                when: "", note: "")
        }
        let doubts = links.compactMap { doubt($0, entry, newest[$0.step]) }
        return ItemLine(
            id: item.id, title: item.title, isTicked: true, isOwn: isOwn, links: links, doubts: doubts,
            who: entry.who, when: entry.time, note: entry.text)
    }

    private static func doubt(_ link: Link, _ tick: JournalEntry, _ newest: Int?) -> String? {
        guard let obstacle = link.obstacle else { return nil }
        let then = tick.basis[link.step]
        if link.isAgainst {
            let isOld = newest.map { $0 < tick.id } ?? true
            let wasSo = then == link.state.name || then == nil
            return isOld && wasSo ? "ticked although \(obstacle)" : "since the tick \(obstacle)"
        }
        // What was not done when it was ticked, the operator has answered for.
        guard then == "done" else { return nil }
        return "since the tick \(link.step) \(link.title) was taken back"
    }
}
