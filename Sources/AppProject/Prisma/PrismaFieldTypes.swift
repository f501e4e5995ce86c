import MigrationEngine

/// How a field is written in a Prisma schema for PostgreSQL, where the plan gives its column another type than Prisma
/// gives it by itself (https://www.prisma.io/docs/orm/overview/databases/postgresql#type-mappings).
enum PrismaFieldTypes {
    /// Fields of these types have columns; others are enums, or relations to models.
    static let scalars: Set = [
        "String", "Boolean", "Int", "BigInt", "Float", "Decimal", "DateTime", "Json", "Bytes",
    ]

    /// A field's own type, and the attribute that names the column's where that is not the type's first.
    struct Spelling: Equatable {
        let type: String
        /// Without its at sign: `db.Timestamptz(3)`.
        var native: String?
    }

    /// The spelling of a column's type; nil where Prisma has none. `field` is the type that the field has now: it stays
    /// wherever it can hold the values, since application code is written for it.
    static func spelling(of type: PostgresType, field: String) -> Spelling? {
        let candidates = spellings(of: type)
        return candidates.first { $0.type == field } ?? candidates.first
    }

    /// The likeliest first.
    private static func spellings(of type: PostgresType) -> [Spelling] {
        switch type {
        case .boolean: [.init(type: "Boolean")]
        case .smallint: [.init(type: "Int", native: "db.SmallInt")]
        case .integer: [.init(type: "Int")]
        case .bigint: [.init(type: "BigInt")]
        case .real: [.init(type: "Float", native: "db.Real")]
        case .double: [.init(type: "Float")]
        case .numeric(nil, _): [.init(type: "Decimal", native: "db.Decimal")]
        case .numeric(65, 30): [.init(type: "Decimal")]
        case .numeric(let precision?, let scale):
            [.init(type: "Decimal", native: "db.Decimal(\(precision), \(scale ?? 0))")]
        case .text: [.init(type: "String")]
        case .varchar(nil): [.init(type: "String", native: "db.VarChar")]
        case .varchar(let length?): [.init(type: "String", native: "db.VarChar(\(length))")]
        case .char(let length): [.init(type: "String", native: "db.Char(\(length))")]
        case .bytea: [.init(type: "Bytes")]
        case .timestamp(3): [.init(type: "DateTime")]
        case .timestamp(let digits): [.init(type: "DateTime", native: "db.Timestamp(\(digits ?? 6))")]
        case .timestamptz(let digits): [.init(type: "DateTime", native: "db.Timestamptz(\(digits))")]
        case .date: [.init(type: "DateTime", native: "db.Date")]
        case .time(let digits): [.init(type: "DateTime", native: "db.Time(\(digits))")]
        case .json: [.init(type: "Json", native: "db.Json")]
        case .jsonb: [.init(type: "Json")]
        case .uuid: [.init(type: "String", native: "db.Uuid")]
        // An enum's field names the enum, which stays.
        case .enumeration: []
        case .other("citext"): [.init(type: "String", native: "db.Citext")]
        case .other("inet"): [.init(type: "String", native: "db.Inet")]
        case .other("xml"): [.init(type: "String", native: "db.Xml")]
        case .other("money"): [.init(type: "Decimal", native: "db.Money")]
        case .other: []
        }
    }
}
