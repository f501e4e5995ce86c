/// What an application's own schema file says and a SQLite file cannot: read by AppProject, used by the planner.
///
/// Names are those in the database, exactly as the schema file spells them.
public struct SchemaHints: Codable, Sendable, Equatable {
    public struct Column: Codable, Sendable, Equatable {
        /// The enum type that the column holds, a key of `enums`.
        public var enumeration: String?
        /// Whether the database numbers the rows; nil where the schema file does not say.
        public var isAutoincrement: Bool?

        public init(enumeration: String? = nil, isAutoincrement: Bool? = nil) {
            self.enumeration = enumeration
            self.isAutoincrement = isAutoincrement
        }
    }

    /// The convention that the schema file follows.
    public var style: Style
    /// The file that says it, for reasons shown to the operator.
    public var source: String
    /// Enum types by name, with their labels in order.
    public var enums: [String: [String]]
    /// Columns by table, then by column name.
    public var columns: [String: [String: Column]]
    /// Tables of an implicit many-to-many relation whose unique pair of columns is the primary key on PostgreSQL.
    public var joinTables: Set<String>
    /// Tables in the order of the schema file; the target gets them in this order.
    public var tableOrder: [String]
    /// What code calls tables and columns where the database has another name for them.
    public var codeNames: CodeNames

    /// Names in code: by table, and by table and column.
    public struct CodeNames: Codable, Sendable, Equatable {
        public var tables: [String: String]
        public var columns: [String: [String: String]]

        public init(tables: [String: String] = [:], columns: [String: [String: String]] = [:]) {
            self.tables = tables
            self.columns = columns
        }
    }

    public init(
        style: Style, source: String, enums: [String: [String]] = [:],
        columns: [String: [String: Column]] = [:],
        joinTables: Set<String> = [], tableOrder: [String] = [], codeNames: CodeNames = CodeNames()
    ) {
        self.style = style
        self.source = source
        self.enums = enums
        self.columns = columns
        self.joinTables = joinTables
        self.tableOrder = tableOrder
        self.codeNames = codeNames
    }
}

/// The convention by which an application uses SQLite, which decides types, names and keys.
public enum Style: String, Sendable, CaseIterable, Codable {
    case prisma
    case django
    case rails
    case plain
}
