import Postgres

extension VirtualTable {
    /// What may be decided about it, the one that loses nothing first.
    var choices: [Choice] {
        let carry: Choice
        switch kind {
        case .search:
            carry = Choice(
                Choice.Word.asTable.rawValue,
                "\(name) becomes a table with its rows, and a GIN index over to_tsvector of its texts; what the application "
                    + "asks with MATCH, it asks with @@ then")
        case .spatial:
            carry = Choice(
                Choice.Word.asTable.rawValue,
                "\(name) becomes a table with its rows, and a GiST index over its boxes where it has two dimensions"
            )
        }
        return kind == .search(holdsText: false)
            ? [.leaveOut("the virtual table \(name)"), carry]
            : [carry, .leaveOut("the virtual table \(name)")]
    }

    /// The index that takes the place of the virtual table's own; nil where PostgreSQL has none of that kind by itself.
    func index(columns plan: [MigrationPlan.Column]) -> MigrationPlan.Index? {
        func quoted(_ column: Catalog.Column) -> String {
            let target = plan.first { $0.name == column.name }?.targetName ?? column.name
            return quoteIdentifier(target)
        }
        let data = columns.filter { $0.name != key }
        switch kind {
        case .search:
            // A tsvector holds 1 MB at most; texts beyond are found by their beginning.
            let texts = data.map { "coalesce(\(quoted($0)), '')" }.joined(separator: " || ' ' || ")
            return .init(
                name: Naming.cut(name, suffix: "_search"), unique: nil, columns: data.map(\.name),
                terms: ["to_tsvector('simple'::regconfig, left(\(texts), 250000))"], method: "gin")
        case .spatial:
            let coordinates = data.filter { !$0.declaredType.isEmpty }
            guard coordinates.count == 4 else { return nil }
            let names = coordinates.map { "\(quoted($0))::double precision" }
            return .init(
                name: Naming.cut(name, suffix: "_box"), unique: nil, columns: coordinates.map(\.name),
                terms: ["box(point(\(names[0]), \(names[2])), point(\(names[1]), \(names[3])))"],
                method: "gist")
        }
    }
}
