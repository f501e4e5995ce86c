import MigrationEngine

extension PrismaSchema {
    /// The tables of implicit many-to-many relations, sorted.
    ///
    /// Such a relation is two lists of models without fields of their own; its table is `_` and the relation's name,
    /// which by default joins the models' names in order (https://www.prisma.io/docs/orm/prisma-schema/data-model/relations/many-to-many-relations).
    public var joinTables: [String] {
        let byName = Dictionary(models.map { ($0.name, $0) }) { first, _ in first }
        var tables: Set<String> = []
        for model in models {
            for field in model.fields where field.isList && !field.holdsForeignKey {
                guard let other = byName[field.type] else { continue }
                let name = field.relationName(in: model)
                let hasOpposite = other.fields.contains { opposite in
                    opposite.isList && !opposite.holdsForeignKey && opposite.type == model.name
                        && opposite.relationName(in: other) == name
                        && !(other.name == model.name && opposite.name == field.name)
                }
                if hasOpposite { tables.insert("_" + name) }
            }
        }
        return tables.sorted()
    }

    /// What the planner takes from the schema.
    ///
    /// `source` is the schema's path as the operator is told it; `joinsHaveKeys` says whether this Prisma makes the
    /// pair of columns of a join table its primary key on PostgreSQL, as 6 and later do.
    func hints(source: String, joinsHaveKeys: Bool) -> SchemaHints {
        let typeNames = Dictionary(enums.map { ($0.name, $0.databaseName) }) { first, _ in first }
        let tables = models.filter { !$0.isView }
        var columns: [String: [String: SchemaHints.Column]] = [:]
        for model in tables {
            for field in model.fields where !field.isList {
                let isNumber = field.type == "Int" || field.type == "BigInt"
                let hint = SchemaHints.Column(
                    enumeration: typeNames[field.type],
                    isAutoincrement: field.isID && isNumber ? field.isAutoincrement : nil)
                if hint != SchemaHints.Column() { columns[model.table, default: [:]][field.column] = hint }
            }
        }
        var names = SchemaHints.CodeNames()
        for model in tables {
            if model.name != model.table { names.tables[model.table] = model.name }
            for field in model.fields where field.name != field.column {
                names.columns[model.table, default: [:]][field.column] = field.name
            }
        }
        let joins = joinTables
        return SchemaHints(
            style: .prisma, source: source,
            enums: Dictionary(enums.map { ($0.databaseName, $0.labels) }) { first, _ in first },
            columns: columns,
            joinTables: joinsHaveKeys ? Set(joins) : [], tableOrder: tables.map(\.table) + joins,
            codeNames: names)
    }
}

extension PrismaSchema.Field {
    fileprivate func relationName(in model: PrismaSchema.Model) -> String {
        relationName ?? [model.name, type].sorted().joined(separator: "To")
    }
}
