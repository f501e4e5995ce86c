/// What a key does in a context: the one table that keys, footer, help and documents are made from.
public struct Binding<Context: Hashable & Sendable, Action: Hashable & Sendable>: Sendable {
    public var context: Context
    public var keys: [Key]
    public let action: Action
    /// A word for the footer.
    public let label: String
    /// A sentence for the help.
    public let help: String
    /// Whether the footer names it; the lower, the earlier.
    public let rank: Int?

    public init(
        _ context: Context, _ keys: [Key], _ action: Action, _ label: String, _ help: String,
        rank: Int? = nil
    ) {
        self.context = context
        self.keys = keys
        self.action = action
        self.label = label
        self.help = help
        self.rank = rank
    }
}

public struct KeyTable<Context: Hashable & Sendable, Action: Hashable & Sendable & RawRepresentable<String>>:
    Sendable
{
    public private(set) var bindings: [Binding<Context, Action>]

    public init(_ bindings: [Binding<Context, Action>]) {
        self.bindings = bindings
    }

    /// The action of a key, looked for in the contexts in their order.
    public func action(of key: Key, in contexts: [Context]) -> Action? {
        for context in contexts {
            if let found = bindings.first(where: { $0.context == context && $0.keys.contains(key) }) {
                return found.action
            }
        }
        return nil
    }

    /// What can be pressed in the contexts; of two that a key could mean only the first.
    public func bindings(in contexts: [Context]) -> [Binding<Context, Action>] {
        var taken: Set<Key> = []
        var found: [Binding<Context, Action>] = []
        for context in contexts {
            for var binding in bindings where binding.context == context {
                binding.keys.removeAll { taken.contains($0) }
                if !binding.keys.isEmpty { found.append(binding) }
            }
            taken.formUnion(bindings.filter { $0.context == context }.flatMap(\.keys))
        }
        return found
    }

    /// Keys that mean two things in one context: none, as a test holds.
    public var conflicts: [(context: Context, key: Key)] {
        var seen: [Context: Set<Key>] = [:]
        var found: [(Context, Key)] = []
        for binding in bindings {
            for key in binding.keys where !seen[binding.context, default: []].insert(key).inserted {
                found.append((binding.context, key))
            }
        }
        return found
    }

    /// Gives actions the keys that a user wants, by the actions' names; returns what cannot be done, in words.
    ///
    /// A key that the user gives away is taken from whatever had it in that context.
    public mutating func apply(_ wanted: [(action: String, keys: [String])]) -> [String] {
        var problems: [String] = []
        for (name, keyNames) in wanted {
            guard let action = Action(rawValue: name) else {
                problems.append("there is no action \(name)")
                continue
            }
            let keys = keyNames.compactMap { Key($0) }
            if keys.count < keyNames.count {
                problems.append("\(name): not every one of \(keyNames.joined(separator: ", ")) is a key")
            }
            guard !keys.isEmpty else { continue }
            let contexts = Set(bindings.filter { $0.action == action }.map(\.context))
            for index in bindings.indices where contexts.contains(bindings[index].context) {
                if bindings[index].action == action {
                    bindings[index].keys = keys
                } else {
                    bindings[index].keys.removeAll { keys.contains($0) }
                }
            }
        }
        return problems
    }
}
