/// What a Prisma schema says: its models, enums and datasource, with the names that they have in the database.
///
/// The reader never throws: what it does not understand is passed over and told in `warnings`, with file and line.
public struct PrismaSchema: Sendable {
    public struct Model: Sendable, Equatable {
        public let name: String
        /// The name in the database: `@@map`, else the model's own.
        public let table: String
        public let isView: Bool
        /// In the order of the file.
        public let fields: [Field]
    }

    public struct Field: Sendable, Equatable {
        public let name: String
        /// The name in the database: `@map`, else the field's own. A relation's field has no column.
        public let column: String
        /// A scalar type, or the name of an enum or a model.
        public let type: String
        public let isOptional: Bool
        public let isList: Bool
        /// Whether this field alone is the primary key.
        public let isID: Bool
        public let isAutoincrement: Bool
        /// The name that `@relation` gives.
        public let relationName: String?
        /// Whether `@relation` names fields: then this side holds the foreign key.
        public let holdsForeignKey: Bool
    }

    public struct Enumeration: Sendable, Equatable {
        public let name: String
        /// The type's name in the database: `@@map`, else the enum's own.
        public let databaseName: String
        /// As the database holds them, in order.
        public let labels: [String]
    }

    public struct Datasource: Sendable, Equatable {
        public let provider: String?
        public let url: Setting?
        /// The file that has it, as given to the reader.
        public let file: String
    }

    /// A setting that is written there, or read from the environment.
    public enum Setting: Sendable, Equatable {
        case literal(String)
        case environment(String)
    }

    /// In the order of the files, and of each file.
    public let models: [Model]
    public let enums: [Enumeration]
    public let datasource: Datasource?
    public let warnings: [String]

    /// So many are told of each file: a file that is no schema is told by less.
    private static let mostProblems = 10

    /// Reads schema files, which count as one; `name` is the one that warnings tell.
    public init(files: [(name: String, text: String)]) {
        var models: [Model] = []
        var enums: [Enumeration] = []
        var datasource: Datasource?
        var warnings: [String] = []
        var seen: Set<String> = []
        for file in files {
            let parser = PrismaParser(file.text)
            warnings += parser.problems.prefix(Self.mostProblems).map {
                "\(file.name):\($0.line): \($0.text)"
            }
            let rest = parser.problems.count - Self.mostProblems
            if rest > 0 { warnings.append("\(file.name): \(rest) more lines are not understood") }
            for block in parser.blocks {
                let isType = ["model", "view", "enum"].contains(block.keyword)
                if isType, !seen.insert(block.name).inserted {
                    warnings.append("\(file.name):\(block.line): a second \(block.name) is passed over")
                    continue
                }
                switch block.keyword {
                case "model", "view": models.append(Model(block))
                case "enum": enums.append(Enumeration(block))
                case "datasource" where datasource == nil: datasource = Datasource(block, file: file.name)
                case "datasource":
                    warnings.append("\(file.name):\(block.line): a second datasource is passed over")
                default: break
                }
            }
        }
        self.models = models
        self.enums = enums
        self.datasource = datasource
        self.warnings = warnings
    }
}

extension PrismaSchema.Model {
    fileprivate init(_ block: PrismaBlock) {
        let key = block.attributes.named("id")?.argument("fields")?.names ?? []
        let soleKey = key.count == 1 ? key.first : nil
        name = block.name
        table = block.attributes.mappedName ?? block.name
        isView = block.keyword == "view"
        fields = block.entries.compactMap { entry in
            entry.type.map { PrismaSchema.Field(entry, $0, isSoleKey: entry.name == soleKey) }
        }
    }
}

extension PrismaSchema.Field {
    fileprivate init(_ entry: PrismaEntry, _ type: PrismaType, isSoleKey: Bool) {
        let relation = entry.attributes.named("relation")
        name = entry.name
        column = entry.attributes.mappedName ?? entry.name
        self.type = type.name
        isOptional = type.isOptional
        isList = type.isList
        isID = isSoleKey || entry.attributes.named("id") != nil
        isAutoincrement = entry.attributes.named("default")?.argument("value") == .call("autoincrement", [])
        relationName = relation?.argument("name")?.string
        holdsForeignKey = relation.map { $0.has("fields") || $0.has("references") } ?? false
    }
}

extension PrismaSchema.Enumeration {
    fileprivate init(_ block: PrismaBlock) {
        name = block.name
        databaseName = block.attributes.mappedName ?? block.name
        labels = block.entries.map { $0.attributes.mappedName ?? $0.name }
    }
}

extension PrismaSchema.Datasource {
    fileprivate init(_ block: PrismaBlock, file: String) {
        func value(_ name: String) -> PrismaValue? { block.entries.first { $0.name == name }?.value }
        provider = value("provider")?.string
        url = value("url").flatMap(PrismaSchema.Setting.init)
        self.file = file
    }
}

extension PrismaSchema.Setting {
    fileprivate init?(_ value: PrismaValue) {
        switch value {
        case .string(let text): self = .literal(text)
        case .call("env", let arguments):
            guard let name = arguments.first?.value.string else { return nil }
            self = .environment(name)
        default: return nil
        }
    }
}
