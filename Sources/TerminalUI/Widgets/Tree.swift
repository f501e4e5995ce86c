/// Items under items, of which some are open.
public struct Tree<ID: Hashable & Sendable>: Sendable {
    public struct Node: Sendable {
        public var id: ID
        public var line: Line
        public var children: [Node]

        public init(_ id: ID, _ line: Line, children: [Node] = []) {
            self.id = id
            self.line = line
            self.children = children
        }
    }

    public var roots: [Node]
    public var open: Set<ID>

    public init(_ roots: [Node], open: Set<ID>) {
        self.roots = roots
        self.open = open
    }

    /// The nodes that are to be seen, with their depth, from the top.
    public var visible: [(node: Node, depth: Int)] {
        func walk(_ nodes: [Node], _ depth: Int) -> [(node: Node, depth: Int)] {
            nodes.flatMap { node in
                [(node, depth)] + (open.contains(node.id) ? walk(node.children, depth + 1) : [])
            }
        }
        return walk(roots, 0)
    }

    public func line(_ row: (node: Node, depth: Int), _ symbols: Symbols) -> Line {
        let sign =
            row.node.children.isEmpty ? " " : open.contains(row.node.id) ? symbols.open : symbols.closed
        return Line(String(repeating: "  ", count: row.depth) + sign + " ", .muted) + row.node.line
    }
}
