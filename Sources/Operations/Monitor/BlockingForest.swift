/// Who keeps whom waiting: at the roots those that wait for nobody, below them all that wait for them.
///
/// A session that waits for several stands below the first of them alone. Where sessions wait in a ring, which the server
/// ends within `deadlock_timeout`, one of them is taken for the root.
public struct BlockingForest: Sendable, Equatable {
    public struct Node: Sendable, Equatable, Identifiable {
        public let id: Int
        /// nil for a prepared transaction, and for one that was gone when the sessions were read.
        public let session: MonitorSession?
        public let children: [Node]

        /// Sessions that wait below it.
        public var waiting: Int { children.reduce(0) { $0 + 1 + $1.waiting } }

        public var name: String { id == 0 ? "a prepared transaction" : "session \(id)" }
    }

    /// Those that hold up most go first.
    public let roots: [Node]

    public init(_ sessions: [MonitorSession]) {
        let known = Dictionary(sessions.map { ($0.process, $0) }) { first, _ in first }
        var below: [Int: [MonitorSession]] = [:]
        for session in sessions {
            // Parallel workers of one query may be named beside it, and a session may be named by itself.
            guard let blocker = session.blockers.first(where: { $0 != session.process }) else { continue }
            below[blocker, default: []].append(session)
        }
        var placed: Set<Int> = []
        func node(_ id: Int) -> Node {
            placed.insert(id)
            let waiting = (below[id] ?? []).sorted {
                ($0.waitSeconds ?? 0, $1.process) > ($1.waitSeconds ?? 0, $0.process)
            }
            return Node(
                id: id, session: known[id],
                children: waiting.compactMap { placed.contains($0.process) ? nil : node($0.process) })
        }
        // A root waits for nobody but, perhaps, itself.
        let starts = below.keys.sorted().filter { id in known[id]?.blockers.allSatisfy { $0 == id } ?? true }
        var roots = starts.map(node)
        for id in below.keys.sorted() where !placed.contains(id) { roots.append(node(id)) }
        self.roots = roots.sorted { ($0.waiting, $1.id) > ($1.waiting, $0.id) }
    }

    /// Every node with its depth, from the top.
    public var rows: [(node: Node, depth: Int)] {
        func walk(_ nodes: [Node], _ depth: Int) -> [(node: Node, depth: Int)] {
            nodes.flatMap { [($0, depth)] + walk($0.children, depth + 1) }
        }
        return walk(roots, 0)
    }
}
