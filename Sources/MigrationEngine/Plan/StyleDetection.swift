extension Style {
    /// A sign by which a style is known, with its words for the operator.
    private struct Sign: Sendable {
        let style: Style
        let evidence: String
        let isThere: @Sendable (Catalog) -> Bool
    }

    /// Read from top to bottom; the first sign that is there decides.
    private static let signs: [Sign] = [
        Sign(style: .prisma, evidence: "the table _prisma_migrations is there") {
            $0.has("_prisma_migrations")
        },
        // https://docs.djangoproject.com/en/5.2/topics/migrations/ and ref/contrib/contenttypes
        Sign(style: .django, evidence: "the table django_migrations is there, with app, name and applied") {
            $0.has("django_migrations", columns: ["app", "name", "applied"])
        },
        Sign(style: .django, evidence: "the table django_content_type is there, with app_label and model") {
            $0.has("django_content_type", columns: ["app_label", "model"])
        },
        // Ecto, dbmate and golang-migrate keep a schema_migrations of their own: its columns count, and a second sign.
        Sign(style: .rails, evidence: "the tables schema_migrations and ar_internal_metadata are there") {
            $0.hasRailsMigrations && $0.has("ar_internal_metadata", columns: ["key", "value"])
        },
        Sign(
            style: .rails,
            evidence: "the table schema_migrations is there, and indexes are named as Rails names them"
        ) {
            $0.hasRailsMigrations && $0.hasRailsIndexes
        },
        Sign(style: .prisma, evidence: "constraints and indexes are named as Prisma names them") {
            $0.hasPrismaNames
        },
    ]

    /// The style that a catalog shows, with the sign that gives it away. A schema file comes before every sign.
    public static func detect(_ catalog: Catalog, hints: SchemaHints?) -> (style: Style, evidence: String) {
        if let hints { return (hints.style, "\(hints.source) says so") }
        if let sign = signs.first(where: { $0.isThere(catalog) }) { return (sign.style, sign.evidence) }
        return (.plain, "nothing shows another convention")
    }
}

extension Catalog {
    fileprivate func has(_ table: String, columns: [String] = []) -> Bool {
        tables.contains { candidate in
            candidate.name == table && columns.allSatisfy { candidate.column(named: $0) != nil }
        }
    }

    /// One column, `version varchar` (https://guides.rubyonrails.org/active_record_migrations.html).
    fileprivate var hasRailsMigrations: Bool {
        tables.contains { table in
            table.name == "schema_migrations" && table.columns.map(\.name) == ["version"]
                && table.columns.allSatisfy { $0.declaredType.lowercased().hasPrefix("varchar") }
        }
    }

    /// `index_<table>_on_<columns>` or, for the migrations alone, `unique_schema_migrations`.
    fileprivate var hasRailsIndexes: Bool {
        tables.contains { table in
            table.indexes.contains {
                $0.name == "unique_schema_migrations" || $0.name.hasPrefix("index_\(table.name)_on_")
            }
        }
    }

    fileprivate var hasPrismaNames: Bool {
        let tables = tables.filter { Bookkeeping.reason($0.name) == nil }
        let keys = tables.flatMap { table in
            table.foreignKeys.map { $0.name == "\(table.name)_\($0.columns.joined(separator: "_"))_fkey" }
        }
        let indexes = tables.flatMap { table in
            table.indexes.filter { $0.origin == .createIndex }.map { $0.name.hasPrefix("\(table.name)_") }
        }
        return !keys.isEmpty && keys.allSatisfy(\.self) && indexes.allSatisfy(\.self)
    }
}
