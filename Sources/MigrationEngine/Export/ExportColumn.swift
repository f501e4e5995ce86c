import Postgres
import SQLDialect
import SQLite

/// One column of an export: what it was declared as, and how its values are written.
public struct ExportColumn: Codable, Sendable, Equatable {
    /// The plain way of writing a column's values. A value for which decoding it would not give back the very same
    /// storage class and bytes is written with its class instead: see `ValueTag`.
    public enum Encoding: String, Codable, Sendable, CaseIterable {
        case number, text, base64, boolean, date

        var description: String {
            switch self {
            case .number:
                "an integer without a point, beyond 2^53 - 1 as a string; a real with a point or an exponent"
            case .text: "a string"
            case .base64: "the bytes of a BLOB in base64"
            case .boolean: "the integers 0 and 1 as false and true"
            case .date:
                "ISO 8601 in UTC; \"dates\" says what is stored: integers since 1970 of a unit, or texts with "
                    + "\"separator\" between day and time and \"zone\" at their end"
            }
        }

        static var descriptions: [String: String] {
            var all = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0.description) })
            all["tagged"] =
                "any other value, with its storage class: {\"$integer\": \"5\"}, $real, $text, $blob (base64), "
                + "$text64 (text that is no UTF-8, base64); in CSV $integer:5 and the like, and a text that begins with $ has one more"
            all["null"] = "null; in CSV nothing between the commas, where the empty text is \"\""
            return all
        }
    }

    /// How the dates of a column are stored.
    struct Dates: Codable, Sendable, Equatable {
        /// What integers count since 1970; nil where texts are stored.
        var unit: EpochUnit?
        var separator: String?
        /// What ends a text: nothing, or a way to say UTC.
        var zone: String?
    }

    public let name: String
    /// The type as declared; empty without one.
    public let declared: String
    /// The type of the plan; nil where the plan leaves the table out.
    public let postgresql: String?
    public internal(set) var encoding: Encoding
    var dates: Dates?
    /// Whether SQLite computes it: exported to be read, and computed anew by an import.
    public let isGenerated: Bool

    enum CodingKeys: String, CodingKey {
        case name, declared, postgresql, encoding, dates
        case isGenerated = "generated"
    }
}

/// The storage class of a value that its column's encoding does not hold.
enum ValueTag: String, CaseIterable {
    case integer, real, text, blob, text64
}

extension ExportColumn {
    /// The field of a rowid that is no column.
    static func rowid(_ name: String) -> ExportColumn {
        ExportColumn(
            name: name, declared: "", postgresql: nil, encoding: .number, dates: nil, isGenerated: false)
    }

    /// The columns of a stored table, by the plan's types where it has the table and by their affinities elsewhere.
    static func columns(
        of table: Catalog.Table, plan: MigrationPlan.Table?, profile: TableProfile?,
        _ connection: borrowing SQLite.Connection
    ) throws -> [ExportColumn] {
        var columns: [ExportColumn] = []
        for (index, column) in table.columns.enumerated() {
            let planned = plan?.column(named: column.name)
            var exported = ExportColumn(
                name: column.name, declared: column.declaredType, postgresql: planned?.type,
                encoding: encoding(planned?.postgresType, column.affinity), dates: nil,
                isGenerated: column.generation != nil)
            if exported.encoding == .date, let planned {
                let values = profile.flatMap { index < $0.columns.count ? $0.columns[index] : nil }
                exported.dates = try dates(of: column, table, planned, values, connection)
                if exported.dates == nil {
                    exported.encoding = (values?.texts ?? 0) > 0 ? .text : .number
                }
            }
            columns.append(exported)
        }
        return columns
    }

    private static func encoding(_ type: PostgresType?, _ affinity: Affinity) -> Encoding {
        switch type {
        case .boolean: return .boolean
        case .smallint, .integer, .bigint, .real, .double, .numeric: return .number
        case .bytea: return .base64
        case .timestamp, .timestamptz: return .date
        case .text, .varchar, .char, .json, .jsonb, .uuid, .enumeration, .date, .time: return .text
        case .other, nil: break
        }
        switch affinity {
        case .text: return .text
        case .blob: return .base64
        default: return .number
        }
    }

    private static func dates(
        of column: Catalog.Column, _ table: Catalog.Table, _ planned: MigrationPlan.Column,
        _ values: ColumnProfile?, _ connection: borrowing SQLite.Connection
    ) throws -> Dates? {
        let (integers, texts) = (values?.integers ?? 0, values?.texts ?? 0)
        if let unit = planned.integers, integers >= texts { return Dates(unit: unit) }
        guard texts > 0 else { return nil }
        let name = quoteIdentifier(column.name)
        let sample = try connection.prepare(
            "SELECT \(name) FROM \(quoteIdentifier(table.name)) NOT INDEXED WHERE typeof(\(name)) = 'text' LIMIT 100"
        )
        var counts = [Int](repeating: 0, count: DateForm.all.count)
        while try sample.step() {
            let value = SourceValue(sample.handle, 0)
            guard let text = value.text, let form = DateForm.all.firstIndex(where: { $0.reads(text) }) else {
                continue
            }
            counts[form] += 1
        }
        guard let most = counts.max(), most > 0, let form = counts.firstIndex(of: most) else { return nil }
        return Dates(separator: DateForm.all[form].separatorText, zone: DateForm.all[form].zoneText)
    }
}
