import MigrationEngine

extension SchemaHints {
    /// What a Prisma schema says of a database.
    ///
    /// `joinTablesHaveKeys` is so since Prisma 6: the pair of columns of an implicit relation is a primary key on
    /// PostgreSQL.
    init(_ schema: PrismaSchema, source: String, joinTablesHaveKeys: Bool) {
        let models = Dictionary(schema.models.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let enums = Dictionary(schema.enums.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var columns: [String: [String: Column]] = [:]
        for model in schema.models {
            for field in model.fields where models[field.type] == nil && !field.isList {
                var column = Column()
                column.enumeration = enums[field.type]?.databaseName
                if field.attribute("@id") != nil, field.type == "Int" || field.type == "BigInt" {
                    let value = field.attribute("@default")?.arguments.first?.text
                    column.isAutoincrement = value == "autoincrement"
                }
                if column != Column() { columns[model.table, default: [:]][field.column] = column }
            }
        }
        let joins = Self.joinTables(schema.models, models)
        self.init(
            style: .prisma, source: source,
            enums: Dictionary(schema.enums.map { ($0.databaseName, $0.labels) }, uniquingKeysWith: { first, _ in first }),
            columns: columns, joinTables: joinTablesHaveKeys ? Set(joins) : [],
            tableOrder: schema.models.map(\.table) + joins)
    }

    /// Tables of implicit many-to-many relations: both sides are lists, and neither names fields.
    private static func joinTables(
        _ list: [PrismaSchema.Model], _ models: [String: PrismaSchema.Model]
    ) -> [String] {
        var tables: Set<String> = []
        for model in list {
            for field in model.fields where field.isList {
                guard let other = models[field.type] else { continue }
                let relation = field.attribute("@relation")
                let name = relation.flatMap { $0.text("name") ?? $0.text() }
                let hasBack = other.fields.contains { back in
                    let backRelation = back.attribute("@relation")
                    let isSelf = other.name == model.name && back.name == field.name
                    return back.isList && back.type == model.name && !isSelf
                        && backRelation.flatMap { $0.text("name") ?? $0.text() } == name
                }
                guard hasBack else { continue }
                let pair = [model.name, other.name].sorted()
                tables.insert("_" + (name ?? "\(pair[0])To\(pair[1])"))
            }
        }
        return tables.sorted()
    }
}
