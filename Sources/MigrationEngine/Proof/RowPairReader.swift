import Postgres
import SQLDialect
import SQLite

/// A value as it is shown: NULL apart from the text `NULL`, bytes apart from text.
public enum CellValue: Sendable, Equatable {
    case null
    case number(String)
    case text(String)
    case bytes([UInt8])
}

/// One row that differs, with what both sides hold in the columns that differ.
public struct RowPair: Sendable, Equatable {
    public struct Cell: Sendable, Equatable {
        public let column: String
        /// nil where the side has no such row, or it could not be found again.
        public let source: CellValue?
        public let target: CellValue?

        public init(column: String, source: CellValue?, target: CellValue?) {
            self.column = column
            self.source = source
            self.target = target
        }
    }

    public let difference: RowDifference
    public let cells: [Cell]

    public init(difference: RowDifference, cells: [Cell]) {
        self.difference = difference
        self.cells = cells
    }
}

/// Reads rows that differ from both sides, when they are shown. May block; called from a thread of its own.
public struct RowPairReader: Sendable {
    /// Bytes of one value that are kept: what is longer is cut.
    public static let mostBytes = 4 << 20

    private let preparation: Preparation
    private let server: TargetServer

    public init(preparation: Preparation, server: TargetServer) {
        self.preparation = preparation
        self.server = server
    }

    /// The values of the columns that differ; of rows that one side lacks, of all columns.
    public func read(_ differences: [RowDifference], of table: String) throws -> [RowPair] {
        guard let source = preparation.catalog.tables.first(where: { $0.name == table }),
            let planned = preparation.plan.tables.first(where: { $0.name == table })
        else { return differences.map { RowPair(difference: $0, cells: []) } }
        let connection = try preparation.snapshot.open()
        return try server.withConnection(purpose: "differences") { target in
            let types =
                try TargetColumns.read(planned.targetName, schema: preparation.plan.schema, target)?.types
                ?? [:]
            return try differences.map { difference in
                let columns =
                    difference.columns.isEmpty ? planned.columns.map(\.name) : difference.columns
                let ours =
                    difference.kind == .extra
                    ? nil : try Self.sourceRow(difference, source, columns, connection)
                let theirs =
                    difference.kind == .missing
                    ? nil : try targetRow(difference, source, planned, columns, types, target)
                let cells = columns.enumerated().map { index, column in
                    RowPair.Cell(column: column, source: ours?[index], target: theirs?[index])
                }
                return RowPair(difference: difference, cells: cells)
            }
        }
    }

    private static func sourceRow(
        _ difference: RowDifference, _ table: Catalog.Table, _ columns: [String],
        _ connection: borrowing SQLite.Connection
    ) throws -> [CellValue]? {
        let query = SourceQuery(table, columns: columns)
        let rowid = query.byRowid == nil ? nil : difference.place?.rowid
        let keys = difference.place?.keys ?? []
        guard rowid != nil || (!keys.isEmpty && keys.count == table.primaryKey.count) else { return nil }
        let statement = try connection.prepare(rowid == nil ? query.byKey : query.byRowid ?? query.byKey)
        if let rowid {
            try statement.bind(rowid, at: 1)
        } else {
            for (index, key) in keys.enumerated() {
                let column = table.column(named: table.primaryKey[index])
                if column?.affinity == .blob, let bytes = [UInt8](hexadecimal: key.dropFirst(2)) {
                    try bytes.withUnsafeBytes { try statement.bind(blob: $0, at: Int32(index + 1)) }
                } else {
                    try statement.bind(key, at: Int32(index + 1))
                }
            }
        }
        guard try statement.step() else { return nil }
        return columns.indices.map { index in
            let column = Int32(index)
            switch statement.storageClass(column) {
            case .null: return .null
            case .integer, .real: return .number(statement.text(column))
            case .text: return .text(Self.cut(statement.text(column)))
            case .blob: return .bytes(Array(statement.bytes(column).prefix(mostBytes)))
            }
        }
    }

    private func targetRow(
        _ difference: RowDifference, _ table: Catalog.Table, _ planned: MigrationPlan.Table,
        _ columns: [String], _ types: [String: PostgresType], _ target: borrowing Postgres.Connection
    ) throws -> [CellValue]? {
        guard let keys = difference.place?.keys, keys.count == table.primaryKey.count else { return nil }
        let present = planned.targetNames(columns).filter { types[$0] != nil }
        let condition = planned.targetNames(table.primaryKey).enumerated().map {
            "\(quoteIdentifier($1)) = $\($0 + 1)"
        }
        let result = try target.query(
            """
            SELECT \(present.map(quoteIdentifier).joined(separator: ", "))
            FROM \(quoteIdentifier(preparation.plan.schema, planned.targetName))
            WHERE \(condition.joined(separator: " AND ")) LIMIT 1
            """, keys)
        guard result.count > 0 else { return nil }
        return planned.targetNames(columns).map { name in
            guard let index = present.firstIndex(of: name), let text = result.text(0, index) else {
                return .null
            }
            switch types[name] {
            case .bytea:
                return .bytes([UInt8](hexadecimal: text.dropFirst(2).prefix(2 * Self.mostBytes)) ?? [])
            case .smallint, .integer, .bigint, .double, .numeric: return .number(text)
            default: return .text(Self.cut(text))
            }
        }
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= mostBytes ? text : String(decoding: text.utf8.prefix(mostBytes), as: UTF8.self)
    }
}
