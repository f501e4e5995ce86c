import Foundation
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
        /// What a number of the source stands for, where its column holds dates.
        public var meaning: String?

        public init(column: String, source: CellValue?, target: CellValue?, meaning: String? = nil) {
            self.meaning = meaning
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
        try server.withConnection(purpose: "differences") { target in
            let source = try preparation.snapshot.open()
            return try read(differences, of: table, source, target)
        }
    }

    /// Calls `body` with every row of a log that the filter takes, `limit` at most; memory does not grow with their number.
    public func forEachRow(
        of table: String, in log: DifferenceLog, filter: DifferenceFilter = .all, limit: Int = .max,
        _ body: (RowPair) throws -> Void
    ) throws {
        try server.withConnection(purpose: "differences") { target in
            let source = try preparation.snapshot.open()
            var first = 0
            while first < limit {
                let page = try log.page(
                    table, filter: filter, from: first, count: min(Self.pageRows, limit - first))
                for row in try read(page, of: table, source, target) { try body(row) }
                first += page.count
                if page.count < Self.pageRows { return }
            }
        }
    }

    private static let pageRows = 200

    /// The same by connections that are open, for one page after the other.
    private func read(
        _ differences: [RowDifference], of table: String, _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection
    ) throws -> [RowPair] {
        guard let catalog = preparation.catalog.tables.first(where: { $0.name == table }),
            let planned = preparation.plan.tables.first(where: { $0.name == table })
        else { return differences.map { RowPair(difference: $0, cells: []) } }
        let theirs = try TargetRows(table: catalog, planned: planned, schema: preparation.plan.schema)
            .read(differences.enumerated().filter { $1.kind != .missing }.map { ($0, $1) }, target)
        return try differences.enumerated().map { number, difference in
            let columns = difference.columns.isEmpty ? planned.columns.map(\.name) : difference.columns
            let ours =
                difference.kind == .extra
                ? nil : try Self.sourceRow(difference, catalog, columns, source)
            let cells = columns.enumerated().map { index, column in
                RowPair.Cell(
                    column: column, source: ours?[index], target: theirs[number]?[column],
                    meaning: Self.meaning(ours?[index], of: planned.column(named: column)))
            }
            return RowPair(difference: difference, cells: cells)
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
            case .integer: return .number("\(statement.int64(column))")
            // As many digits as give the value back: SQLite's own text has fewer.
            case .real: return .number("\(statement.double(column))")
            case .text: return .text(Self.cut(statement.text(column)))
            case .blob: return .bytes(Array(statement.bytes(column).prefix(mostBytes)))
            }
        }
    }

    /// The time that a count stands for.
    private static func meaning(_ value: CellValue?, of column: MigrationPlan.Column?) -> String? {
        guard case .number(let text)? = value, let count = Int64(text),
            let unit = column?.integers, column?.isCountedInterval == false
        else { return nil }
        let (microseconds, overflow) = count.multipliedReportingOverflow(by: unit.microseconds)
        return overflow ? nil : CivilTime(microseconds: microseconds).text
    }

    fileprivate static func cut(_ text: String) -> String {
        text.utf8.count <= mostBytes ? text : String(decoding: text.utf8.prefix(mostBytes), as: UTF8.self)
    }
}

/// Rows of the target, found by their keys, or by where they lie, in one query for all of them.
private struct TargetRows {
    let table: Catalog.Table
    let planned: MigrationPlan.Table
    let schema: String

    /// By number, and by the source's name of the column. Rows that are not found again are absent.
    func read(
        _ differences: [(number: Int, difference: RowDifference)], _ target: borrowing Postgres.Connection
    ) throws -> [Int: [String: CellValue]] {
        guard !differences.isEmpty,
            let types = try TargetColumns.read(planned.targetName, schema: schema, target)?.types
        else { return [:] }
        let keyed = differences.filter { $0.difference.place?.keys?.count == table.primaryKey.count }
        let placed = differences.filter { $0.difference.place?.ctid != nil }
        let keyNames = planned.targetNames(table.primaryKey)
        var rows: [Int: [String: CellValue]] = [:]
        if !keyed.isEmpty, !keyNames.isEmpty, keyNames.allSatisfy({ types[$0] != nil }) {
            let matches = keyNames.enumerated().map { index, name in
                "t.\(quoteIdentifier(name)) = (w.place ->> \(index))::\(castType(types[name]))"
            }
            try read(
                keyed.map { [$0.difference.place?.keys ?? [], ["\($0.number)"]].flatMap(\.self) },
                numberAt: keyNames.count, where: matches.joined(separator: " AND "), types, target, &rows)
        }
        if !placed.isEmpty {
            try read(
                placed.map { [$0.difference.place?.ctid ?? "", "\($0.number)"] }, numberAt: 1,
                where: "t.ctid = (w.place ->> 0)::tid", types, target, &rows)
        }
        return rows
    }

    /// An enum's own name would need its schema; its labels compare as texts.
    private func castType(_ type: PostgresType?) -> String {
        switch type {
        case .enumeration?, .text?, .varchar?, .char?, nil: "text"
        case let type?: type.sql
        }
    }

    private func read(
        _ places: [[String]], numberAt: Int, where condition: String, _ types: [String: PostgresType],
        _ target: borrowing Postgres.Connection, _ rows: inout [Int: [String: CellValue]]
    ) throws {
        let present = planned.columns.filter { types[$0.targetName] != nil }
        let json = String(decoding: try JSONEncoder().encode(places), as: UTF8.self)
        let names = present.map { "t.\(quoteIdentifier($0.targetName))" }
        let result = try target.query(
            """
            SELECT \((["w.place ->> \(numberAt)"] + names).joined(separator: ", "))
            FROM json_array_elements($1::json) AS w (place) JOIN \(quoteIdentifier(schema, planned.targetName)) AS t
                ON \(condition)
            """, [json])
        for row in 0..<result.count {
            guard let number = result.text(row, 0).flatMap(Int.init), rows[number] == nil else { continue }
            var cells: [String: CellValue] = [:]
            for (index, column) in present.enumerated() {
                cells[column.name] = Self.value(result.text(row, index + 1), types[column.targetName])
            }
            rows[number] = cells
        }
    }

    private static func value(_ text: String?, _ type: PostgresType?) -> CellValue {
        guard let text else { return .null }
        switch type {
        case .bytea:
            return .bytes([UInt8](hexadecimal: text.dropFirst(2).prefix(2 * RowPairReader.mostBytes)) ?? [])
        case .smallint, .integer, .bigint, .real, .double, .numeric: return .number(text)
        default: return .text(RowPairReader.cut(text))
        }
    }
}
