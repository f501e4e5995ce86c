import Foundation

/// A node of a plan as `EXPLAIN (FORMAT JSON, VERBOSE)` tells it
/// (https://www.postgresql.org/docs/current/sql-explain.html).
struct PlanNode: Decodable, Sendable {
    let type: String
    let relation: String?
    let schema: String?
    let alias: String?
    let index: String?
    let filter: String?
    let condition: String?
    let sortKey: [String]
    let cost: Double
    let rows: Double
    let actualRows: Double?
    let children: [PlanNode]

    private enum CodingKeys: String, CodingKey {
        case type = "Node Type"
        case relation = "Relation Name"
        case schema = "Schema"
        case alias = "Alias"
        case index = "Index Name"
        case filter = "Filter"
        case indexCondition = "Index Cond"
        case recheck = "Recheck Cond"
        case hash = "Hash Cond"
        case sortKey = "Sort Key"
        case cost = "Total Cost"
        case rows = "Plan Rows"
        case actualRows = "Actual Rows"
        case children = "Plans"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String? {
            try values.decodeIfPresent(String.self, forKey: key)
        }
        type = try values.decode(String.self, forKey: .type)
        relation = try text(.relation)
        schema = try text(.schema)
        alias = try text(.alias)
        index = try text(.index)
        filter = try text(.filter)
        condition = try text(.indexCondition) ?? text(.hash) ?? text(.recheck)
        sortKey = try values.decodeIfPresent([String].self, forKey: .sortKey) ?? []
        cost = try values.decode(Double.self, forKey: .cost)
        rows = try values.decode(Double.self, forKey: .rows)
        actualRows = try values.decodeIfPresent(Double.self, forKey: .actualRows)
        children = try values.decodeIfPresent([PlanNode].self, forKey: .children) ?? []
    }

    /// The plan, a line a node, with what its conditions are.
    var lines: [String] { lines(depth: 0) }

    private func lines(depth: Int) -> [String] {
        let indent = String(repeating: "  ", count: depth)
        var line = indent + type
        if let index { line += " using \(index)" }
        if let relation { line += " on \(relation)" }
        line += "  (cost \(IndexWords.cost(cost)), about \(IndexWords.rows(rows))"
        line += actualRows.map { ", \(IndexWords.rows($0)) in fact)" } ?? ")"
        let details = [
            condition.map { "where \($0)" }, filter.map { "filter \($0)" },
            sortKey.isEmpty ? nil : "by \(sortKey.joined(separator: ", "))",
        ].compactMap(\.self)
        return [line] + details.map { "\(indent)    \($0)" } + children.flatMap { $0.lines(depth: depth + 1) }
    }
}

/// What `EXPLAIN` says of one statement.
struct QueryPlan: Decodable, Sendable {
    let root: PlanNode
    /// Milliseconds of a run; nil where it was only planned.
    let time: Double?

    private enum CodingKeys: String, CodingKey {
        case root = "Plan"
        case time = "Execution Time"
    }

    /// Reads the one field that EXPLAIN returns.
    init?(_ json: String?) {
        guard let json, let plan = try? JSONDecoder().decode([QueryPlan].self, from: Data(json.utf8)).first
        else { return nil }
        self = plan
    }

    var figure: IndexAdvice.Effect.Figure {
        .init(cost: root.cost, milliseconds: time, plan: root.lines)
    }

    /// Whole-table reads with a filter, each with the order in which its rows are wanted.
    var filteredScans: [(node: PlanNode, order: [String])] {
        var found: [(node: PlanNode, order: [String])] = []
        func visit(_ node: PlanNode, _ order: [String]) {
            let isScan = node.type == "Seq Scan" && node.relation != nil && node.filter != nil
            if isScan { found.append((node, order)) }
            // An order holds for what is below as long as one row comes of one row.
            let passes = ["Limit", "Sort", "Gather Merge", "Gather", "Incremental Sort", "LockRows"]
            let next = node.sortKey.isEmpty ? (passes.contains(node.type) ? order : []) : node.sortKey
            for child in node.children { visit(child, next) }
        }
        visit(root, [])
        return found
    }
}
