import Yams

/// The words that a plan may use: a word that nobody reads would be a wish that nobody hears.
enum PlanKeys {
    private static let plan: Set = [
        "version", "snapshot", "source_schema", "style", "schema", "adopt", "enums", "decisions", "tables",
        "views",
        "triggers",
    ]
    private static let inside: [String: Set<String>] = [
        "enums": ["name", "labels"], "decisions": ["finding", "place", "choice"],
        "tables": [
            "name", "target", "skip", "make", "columns", "primary_key", "uniques", "indexes", "foreign_keys",
            "checks",
        ],
        "columns": [
            "name", "target", "type", "not_null", "default", "numbering", "integers", "generated", "reason",
        ],
        "checks": ["name", "expression", "source", "not_valid"],
        "views": ["name", "target", "columns", "select", "approximate"],
        "triggers": ["name", "table", "function", "trigger"],
        "primary_key": ["name", "columns"], "uniques": ["name", "columns"],
        "indexes": ["name", "unique", "columns", "descending", "terms", "predicate", "method"],
        "foreign_keys": [
            "name", "columns", "parent", "parent_columns", "on_delete", "on_update", "deferrable",
            "not_valid",
        ],
    ]

    /// The first word that no plan has, with its place; nil where every word is known.
    static func unknown(in node: Node?) -> String? {
        guard let node else { return nil }
        return unknown(node, known: plan, place: "the plan")
    }

    private static func unknown(_ node: Node, known: Set<String>, place: String) -> String? {
        switch node {
        case .sequence(let items):
            for (index, item) in items.enumerated() {
                let name = item.mapping?["name"]?.string.map { "\(place) \($0)" } ?? "\(place)[\(index)]"
                if let found = unknown(item, known: known, place: name) { return found }
            }
        case .mapping(let mapping):
            for (key, value) in mapping {
                let word = key.string ?? ""
                guard known.contains(word) else {
                    let line = key.mark.map { "line \($0.line): " } ?? ""
                    return "\(line)\(place) has a key \(word), and what may stand there is: "
                        + known.sorted().joined(separator: ", ")
                }
                // Keys of tables hold lists of texts under `columns`, which are no mappings.
                guard let next = inside[word] else { continue }
                if let found = unknown(value, known: next, place: word) { return found }
            }
        default: break
        }
        return nil
    }
}
