/// Exactly what a migration does: the engine runs this and nothing else.
///
/// Kept as `plan.yaml`, see `PlanFile`.
public struct MigrationPlan: Codable, Sendable, Equatable {
    public var version = 1
    public var snapshot: String
    /// Digest of the source's own schema: under the same one, what the plan lacks was taken out of it.
    public var sourceSchema: String?
    public var style: Style
    public var schema: String
    /// Loads into tables that are there already: see `Adoption`.
    public var adopt: Bool?
    public var enums: [Enumeration]
    /// What was decided about findings, beside what the lines below say themselves.
    public var decisions: [Decision]?
    public var tables: [Table]
    /// In the order in which they are made.
    public var views: [View]?
    public var triggers: [Trigger]?

    enum CodingKeys: String, CodingKey {
        case version, snapshot, style, schema, adopt, enums, decisions, tables, views, triggers
        case sourceSchema = "source_schema"
    }

    public struct Enumeration: Codable, Sendable, Equatable {
        public var name: String
        public var labels: [String]
    }

    public struct Table: Codable, Sendable, Equatable {
        /// As the source spells it.
        public var name: String
        /// Its name in the target, where that is another.
        public var target: String?
        /// Leaves the table out, on the operator's word.
        public var skip: Bool?
        /// Makes the table although the others are adopted.
        public var make: Bool?
        public var columns: [Column]
        public var primaryKey: Key?
        public var uniques: [Key]?
        public var indexes: [Index]?
        public var foreignKeys: [ForeignKey]?
        public var checks: [Check]?

        enum CodingKeys: String, CodingKey {
            case name, target, skip, make, columns, uniques, indexes, checks
            case primaryKey = "primary_key"
            case foreignKeys = "foreign_keys"
        }

        public var isSkipped: Bool { skip ?? false }
        public var targetName: String { target ?? name }

        public func column(named name: String) -> Column? { columns.first { $0.name == name } }

        /// The target's names of columns, which keys name by the source's.
        func targetNames(_ names: [String]) -> [String] {
            names.map { column(named: $0)?.targetName ?? $0 }
        }
    }

    public struct Column: Codable, Sendable, Equatable {
        /// As the source spells it.
        public var name: String
        /// Its name in the target, where that is another.
        public var target: String?
        /// As PostgreSQL spells it.
        public var type: String
        public var notNull: Bool?
        /// SQL of PostgreSQL's.
        public var defaultValue: String?
        public var numbering: Numbering?
        /// What integers in a date column count.
        public var integers: EpochUnit?
        /// The expression of a column that PostgreSQL computes and stores; its values are compared all the same.
        public var generated: String?
        public var reason: String?

        enum CodingKeys: String, CodingKey {
            case name, target, type, numbering, integers, generated, reason
            case notNull = "not_null"
            case defaultValue = "default"
        }

        public var targetName: String { target ?? name }
        public var isGenerated: Bool { generated != nil }

        public var postgresType: PostgresType { PostgresType(type) }

        /// Whether integers of the source count a length of time, as Django's DurationField does.
        var isCountedInterval: Bool { postgresType == .interval && integers != nil }

        /// Whether only the server can read the values.
        var isForeign: Bool { foreignForm != nil }

        /// How its values go to the server and come back; nil where howdah encodes and reads them itself.
        var foreignForm: ForeignForm? {
            guard case .other(let type) = postgresType, !isCountedInterval else { return nil }
            return ForeignForm(type)
        }
    }

    /// Who gives a new row its number.
    public enum Numbering: String, Codable, Sendable, CaseIterable {
        case identity
        case serial
    }

    public struct Key: Codable, Sendable, Equatable {
        public var name: String
        public var columns: [String]
    }

    public struct Index: Codable, Sendable, Equatable {
        public var name: String
        public var unique: Bool?
        public var columns: [String]
        /// Those of `columns` that sort from the largest to the smallest.
        public var descending: [String]?
        /// SQL of PostgreSQL's, in place of the columns: expressions, collations, orders.
        public var terms: [String]?
        /// The condition of a partial index, SQL of PostgreSQL's.
        public var predicate: String?
        /// btree where nothing is said.
        public var method: String?
    }

    /// A CHECK constraint, in SQL of PostgreSQL's.
    public struct Check: Codable, Sendable, Equatable {
        public var name: String
        public var expression: String
        /// The condition as SQLite has it, by which rows that break it are found.
        public var source: String?
        /// Whether rows that break it stay, and only new ones are checked.
        public var notValid: Bool?

        enum CodingKeys: String, CodingKey {
            case name, expression, source
            case notValid = "not_valid"
        }
    }

    /// A view, in SQL of PostgreSQL's.
    public struct View: Codable, Sendable, Equatable {
        /// As the source spells it.
        public var name: String
        /// Its name in the target, where that is another.
        public var target: String?
        /// With the names that SQLite gives them, and their types in the target.
        public var columns: [Column]
        public var select: String
        /// Columns that are a sum or mean of doubles: their last digits depend on the order of the rows, so that the proof
        /// leaves them out.
        public var approximate: [String]?

        public var targetName: String { target ?? name }
    }

    /// A trigger with its function, in SQL of PostgreSQL's.
    public struct Trigger: Codable, Sendable, Equatable {
        public var name: String
        /// The table or view that it is on, as the source spells it.
        public var table: String
        public var function: String
        public var trigger: String
    }

    public struct ForeignKey: Codable, Sendable, Equatable {
        public var name: String
        public var columns: [String]
        public var parent: String
        public var parentColumns: [String]
        public var onDelete: String?
        public var onUpdate: String?
        /// `immediate` or `deferred`: checked when a transaction asks; nil is never deferred.
        public var deferrable: String?
        /// Whether rows that break it stay, and only new ones are checked.
        public var notValid: Bool?

        enum CodingKeys: String, CodingKey {
            case name, columns, parent, deferrable
            case parentColumns = "parent_columns"
            case notValid = "not_valid"
            case onDelete = "on_delete"
            case onUpdate = "on_update"
        }
    }
}

extension MigrationPlan {
    /// Says what integers count in columns that an operator has made an interval, where the style knows it.
    mutating func countDurations() {
        guard let unit = EpochUnit.ofDurations(style: style) else { return }
        for table in tables.indices {
            for column in tables[table].columns.indices
            where tables[table].columns[column].postgresType == .interval {
                tables[table].columns[column].integers = tables[table].columns[column].integers ?? unit
            }
        }
    }
}

/// What an integer in a date column counts from 1970-01-01 00:00:00 UTC.
public enum EpochUnit: String, Codable, Sendable, CaseIterable {
    case seconds, milliseconds, microseconds

    /// Microseconds in one.
    var microseconds: Int64 {
        switch self {
        case .seconds: 1_000_000
        case .milliseconds: 1000
        case .microseconds: 1
        }
    }

    /// What integers that are lengths of time count, where a style has such: Django's DurationField, microseconds
    /// (https://docs.djangoproject.com/en/5.2/ref/models/fields/#durationfield).
    static func ofDurations(style: Style) -> EpochUnit? { style == .django ? .microseconds : nil }

    /// The only unit in which every value of a range lies between 1980 and 2100; nil where there is none.
    static func plausible(min: Int64, max: Int64) -> EpochUnit? {
        let earliest: Int64 = 315_532_800
        let latest: Int64 = 4_102_444_800
        return allCases.first { unit in
            let perSecond = 1_000_000 / unit.microseconds
            return min >= earliest * perSecond && max <= latest * perSecond
        }
    }
}
