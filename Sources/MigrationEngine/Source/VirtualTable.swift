import SQLDialect

/// A virtual table whose rows can be carried as those of a plain table: full-text and R*Tree.
///
/// https://sqlite.org/fts5.html, https://sqlite.org/fts3.html, https://sqlite.org/rtree.html
struct VirtualTable: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// `holdsText` is false where the texts are in another table, or nowhere.
        case search(holdsText: Bool)
        case spatial
    }

    let name: String
    let kind: Kind
    let columns: [Catalog.Column]
    /// The column that is the rowid.
    let key: String

    /// nil where another module keeps the table, or its words cannot be followed.
    init?(_ object: Catalog.SchemaObject) {
        var tokens = SQLLexer.tokens(of: object.sql)[...]
        guard let using = tokens.firstIndex(where: { $0.isWord("USING") }), using + 1 < tokens.endIndex else {
            return nil
        }
        let module = tokens[using + 1].value.lowercased()
        tokens = tokens[(using + 2)...]
        let arguments = Self.arguments(tokens)
        name = object.name
        switch module {
        case "fts5", "fts4", "fts3":
            let options = arguments.filter { $0.contains { $0.isSymbol("=") } }
            let columns = arguments.filter { argument in
                !argument.contains { $0.isSymbol("=") } && argument.first?.isWord("TOKENIZE") != true
            }.compactMap { $0.first?.value }
            guard !columns.isEmpty else { return nil }
            let isElsewhere = options.contains { $0.first?.isWord("CONTENT") ?? false }
            kind = .search(holdsText: !isElsewhere)
            key = "rowid"
            self.columns =
                [Self.column("rowid", "INTEGER")] + columns.map { Self.column($0, "TEXT") }
        case "rtree", "rtree_i32":
            let names = arguments.map { argument in
                (argument.first { !$0.isSymbol("+") }?.value ?? "", argument.first?.isSymbol("+") ?? false)
            }
            guard names.count >= 3, let first = names.first?.0 else { return nil }
            kind = .spatial
            key = first
            let coordinate = module == "rtree" ? "REAL" : "INTEGER"
            self.columns =
                [Self.column(first, "INTEGER")]
                + names.dropFirst().map { Self.column($0.0, $0.1 ? "" : coordinate) }
        default: return nil
        }
    }

    private static func column(_ name: String, _ type: String) -> Catalog.Column {
        Catalog.Column(
            name: name, declaredType: type, isNotNull: false, defaultSQL: nil, collation: "BINARY")
    }

    /// The arguments between the parentheses, cut at the commas.
    private static func arguments(_ tokens: ArraySlice<SQLToken>) -> [[SQLToken]] {
        var arguments: [[SQLToken]] = [[]]
        var depth = 0
        for token in tokens {
            if token.isSymbol("(") {
                depth += 1
                if depth == 1 { continue }
            } else if token.isSymbol(")") {
                depth -= 1
                if depth == 0 { break }
            } else if token.isSymbol(","), depth == 1 {
                arguments.append([])
                continue
            }
            arguments[arguments.count - 1].append(token)
        }
        return arguments.filter { !$0.isEmpty }
    }

    /// As a table of the catalog, to be read and planned like others.
    func table(_ object: Catalog.SchemaObject) -> Catalog.Table {
        var table = Catalog.Table(name: name, sql: object.sql)
        table.columns = columns
        table.rowidAlias = key
        table.primaryKey = [key]
        table.virtual = kind
        return table
    }
}

extension Catalog {
    /// Takes virtual tables for plain ones, so that their rows are read through their modules and carried.
    mutating func materialise(_ isWanted: (SchemaObject, VirtualTable) -> Bool) {
        for object in virtualTables {
            guard let virtual = VirtualTable(object), isWanted(object, virtual) else { continue }
            tables.append(virtual.table(object))
            virtualTables.removeAll { $0.name == object.name }
        }
    }
}
