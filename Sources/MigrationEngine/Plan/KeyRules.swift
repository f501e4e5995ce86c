import SQLDialect

/// Rules for key columns whose type SQLite's declaration does not tell, and other tables do.
///
/// SQLite numbers rows only in a column declared `integer`, so Django's three kinds of numbered key look alike there,
/// and Rails' references look like integers.
enum KeyRules {
    static func rules(_ tables: [Catalog.Table], style: Style) -> [LinkedTypes.Place: TypeRule] {
        switch style {
        case .django: django(tables)
        case .rails: rails(tables)
        case .prisma, .plain: [:]
        }
    }

    // MARK: Django

    /// Tables of Django's own apps, each of which says `default_auto_field = AutoField` in its apps.py.
    private static let autoFieldTables: Set = [
        "auth_user", "auth_group", "auth_permission", "django_admin_log", "django_content_type",
        "django_flatpage", "django_redirect", "django_site",
    ]

    /// A foreign key is declared with its key's true type: `bigint` refers to a BigAutoField, `integer` to an
    /// AutoField, `smallint` to a SmallAutoField. A key that nothing refers to is what DEFAULT_AUTO_FIELD says
    /// (https://docs.djangoproject.com/en/5.2/ref/settings/#default-auto-field): as the application's other keys.
    private static func django(_ tables: [Catalog.Table]) -> [LinkedTypes.Place: TypeRule] {
        let widths: [String: PostgresType] = ["SMALLINT": .smallint, "INTEGER": .integer, "BIGINT": .bigint]
        var referred: [LinkedTypes.Place: PostgresType] = [:]
        for link in LinkedTypes.links(of: tables) {
            let declared = tables.first { $0.name == link.child.table }?.column(named: link.child.column)?
                .declaredType
            guard let type = widths[declared?.uppercased() ?? ""] else { continue }
            referred[link.parent] = LinkedTypes.wider(referred[link.parent] ?? type, type)
        }
        let own = referred.filter { !autoFieldTables.contains($0.key.table) }.values
        let usual: PostgresType = own.isEmpty || own.contains(.bigint) ? .bigint : .integer
        var rules: [LinkedTypes.Place: TypeRule] = [:]
        for table in tables {
            guard let key = table.numberedKey(style: .django) else { continue }
            let place = LinkedTypes.Place(table: table.name, column: key)
            let (type, why): (PostgresType, String) =
                if let type = referred[place] {
                    (type, "as the foreign keys that refer to it are declared")
                } else if autoFieldTables.contains(table.name) {
                    (.integer, "as Django's own app has it")
                } else {
                    (
                        usual,
                        usual == .bigint ? "the default since Django 3.2" : "as the application's other keys"
                    )
                }
            let kinds: [PostgresType: String] = [
                .smallint: "SmallAutoField", .integer: "AutoField", .bigint: "BigAutoField",
            ]
            let candidates = [PostgresType.smallint, .integer, .bigint].drop { $0 != type }
            rules[place] = TypeRule(
                .django, .affinity(.integer), candidates.map { .type($0) },
                "Django's \(kinds[type] ?? "key"), \(why)")
        }
        return rules
    }

    // MARK: Rails

    /// Primary keys are bigint in PostgreSQL since Rails 5.1, and so is what `t.references` makes, which SQLite has
    /// as `integer` (https://guides.rubyonrails.org/active_record_migrations.html#references).
    private static func rails(_ tables: [Catalog.Table]) -> [LinkedTypes.Place: TypeRule] {
        let numbered = Set(
            tables.compactMap { table in
                table.numberedKey(style: .rails).map { LinkedTypes.Place(table: table.name, column: $0) }
            })
        var rules: [LinkedTypes.Place: TypeRule] = [:]
        func add(_ place: LinkedTypes.Place, _ reason: String) {
            rules[place] = TypeRule(.rails, .affinity(.integer), [.type(.bigint)], reason)
        }
        for place in numbered { add(place, "Rails' primary key") }
        for link in LinkedTypes.links(of: tables) where numbered.contains(link.parent) {
            add(link.child, "Rails' reference to \(link.parent.table)")
        }
        let names = Set(tables.map { $0.name.lowercased() })
        for table in tables {
            for column in table.columns where column.declaredType.uppercased() == "INTEGER" {
                let place = LinkedTypes.Place(table: table.name, column: column.name)
                guard rules[place] == nil, let sign = reference(column.name, of: table, names) else {
                    continue
                }
                add(place, "Rails' reference: \(sign)")
            }
        }
        return rules
    }

    /// Why a column without a foreign key is a reference of Rails' all the same; nil where nothing says so.
    private static func reference(
        _ column: String, of table: Catalog.Table, _ tables: Set<String>
    ) -> String? {
        guard column.hasSuffix("_id"), column.count > 3 else { return nil }
        let stem = column.dropLast(3)
        if table.column(named: "\(stem)_type") != nil { return "\(stem)_type is beside it" }
        let isIndexed = table.indexes.contains { index in
            index.name.hasPrefix("index_") && index.terms.first?.column == column
        }
        if isIndexed { return "it has the index that t.references makes" }
        let word = stem.lowercased()
        let plurals = [word + "s", word + "es", word.hasSuffix("y") ? word.dropLast() + "ies" : word]
        return plurals.first(where: tables.contains).map { "there is a table \($0)" }
    }
}

extension Catalog.Table {
    /// The key that the database numbers for the application.
    ///
    /// Django and Rails write AUTOINCREMENT on it; a rowid alias without that word is an application's own number, or
    /// the key of a child model. One with the usual name is numbered in any case, as old versions wrote it.
    func numberedKey(style: Style) -> String? {
        guard let rowidAlias, style == .django || style == .rails else { return rowidAlias }
        let isChild = foreignKeys.contains { $0.columns == [rowidAlias] }
        return isAutoincrement || (rowidAlias == "id" && !isChild) ? rowidAlias : nil
    }
}
