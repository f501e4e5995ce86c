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

    /// To the last byte: Swift compares texts by what they stand for.
    public static func == (one: CellValue, other: CellValue) -> Bool {
        switch (one, other) {
        case (.null, .null): true
        case (.number(let one), .number(let other)), (.text(let one), .text(let other)):
            one.utf8.elementsEqual(other.utf8)
        case (.bytes(let one), .bytes(let other)): one == other
        default: false
        }
    }
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
    /// Bytes of values of one page, where each is as long as may be.
    private static let pageBytes = 16 << 20

    private let snapshot: Snapshot
    private let catalog: Catalog
    private let plan: MigrationPlan
    /// Bytes of the largest row of each table, where that is known.
    private let rowBytes: [String: Int]
    private let server: TargetServer

    public init(preparation: Preparation, server: TargetServer) {
        snapshot = preparation.snapshot
        catalog = preparation.catalog
        plan = preparation.plan
        rowBytes = preparation.profiles.mapValues(\.maxRowBytes)
        self.server = server
    }

    /// Without a preparation, which reads every value once: names and keys are enough to find rows.
    public init(snapshot: Snapshot, plan: MigrationPlan, server: TargetServer) throws {
        self.snapshot = snapshot
        self.plan = plan
        self.server = server
        catalog = try snapshot.catalog()
        rowBytes = [:]
    }

    /// The values of the columns that differ; of rows that one side lacks, of all columns.
    public func read(_ differences: [RowDifference], of table: String) throws -> [RowPair] {
        try server.withConnection(purpose: "differences") { target in
            let source = try snapshot.open()
            return try read(differences, of: table, source, target)
        }
    }

    /// Calls `body` with every row of a log that the filter takes, `limit` at most; memory does not grow with their number.
    public func forEachRow(
        of table: String, in log: DifferenceLog, filter: DifferenceFilter = .all, limit: Int = .max,
        _ body: (RowPair) throws -> Void
    ) throws {
        try server.withConnection(purpose: "differences") { target in
            let source = try snapshot.open()
            // Of wide rows few are held at a time.
            let pageRows = max(
                1, min(200, Self.pageBytes / max(1, min(rowBytes[table] ?? 0, Self.mostBytes))))
            var first = 0
            while first < limit {
                let page = try log.page(
                    table, filter: filter, from: first, count: min(pageRows, limit - first))
                for row in try read(page, of: table, source, target) { try body(row) }
                first += page.count
                if page.count < pageRows { return }
            }
        }
    }

    /// The same by connections that are open, for one page after the other.
    private func read(
        _ differences: [RowDifference], of table: String, _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection
    ) throws -> [RowPair] {
        guard let catalog = catalog.tables.first(where: { $0.name == table }),
            let planned = plan.tables.first(where: { $0.name == table })
        else { return differences.map { RowPair(difference: $0, cells: []) } }
        let theirs = try TargetRows(table: catalog, planned: planned, schema: plan.schema)
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
                if column?.affinity == .blob, key.hasPrefix("\\x"),
                    let bytes = [UInt8](hexadecimal: key.dropFirst(2))
                {
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
        let keyNames = planned.targetNames(table.primaryKey)
        let matches = keyNames.enumerated().map { index, name in
            "t.\(quoteIdentifier(name)) = (w.place ->> \(index))::\(castType(types[name]))"
        }
        var rows: [Int: [String: CellValue]] = [:]
        // Those that differ in the same columns together: no other column is read.
        for (columns, group) in Dictionary(grouping: differences, by: \.difference.columns) {
            let wanted = planned.columns.filter {
                types[$0.targetName] != nil && (columns.isEmpty || columns.contains($0.name))
            }
            let keyed = group.filter { $0.difference.place?.keys?.count == table.primaryKey.count }
            let placed = group.filter { $0.difference.place?.ctid != nil }
            if !keyed.isEmpty, !keyNames.isEmpty, keyNames.allSatisfy({ types[$0] != nil }) {
                try read(
                    wanted, keyed.map { ($0.difference.place?.keys ?? []) + ["\($0.number)"] },
                    where: matches.joined(separator: " AND "), types, target, &rows)
            }
            if !placed.isEmpty {
                try read(
                    wanted, placed.map { [$0.difference.place?.ctid ?? "", "\($0.number)"] },
                    where: "t.ctid = (w.place ->> 0)::tid", types, target, &rows)
            }
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

    /// A column as it is asked for: the server sends no more of it than is kept.
    private static func term(_ column: MigrationPlan.Column, _ type: PostgresType?) -> String {
        let name = "t.\(quoteIdentifier(column.targetName))"
        switch type {
        case .bytea?: return "substring(\(name) FROM 1 FOR \(RowPairReader.mostBytes))"
        case .text?, .varchar?: return "left(\(name), \(RowPairReader.mostBytes))"
        default: return name
        }
    }

    /// The last text of each place is the row's number.
    private func read(
        _ columns: [MigrationPlan.Column], _ places: [[String]], where condition: String,
        _ types: [String: PostgresType], _ target: borrowing Postgres.Connection,
        _ rows: inout [Int: [String: CellValue]]
    ) throws {
        let json = String(decoding: try JSONEncoder().encode(places), as: UTF8.self)
        let terms = ["w.place ->> -1"] + columns.map { Self.term($0, types[$0.targetName]) }
        let result = try target.query(
            """
            SELECT \(terms.joined(separator: ", "))
            FROM json_array_elements($1::json) AS w (place) JOIN \(quoteIdentifier(schema, planned.targetName)) AS t
                ON \(condition)
            """, [json])
        for row in 0..<result.count {
            guard let number = result.text(row, 0).flatMap(Int.init), rows[number] == nil else { continue }
            var cells: [String: CellValue] = [:]
            for (index, column) in columns.enumerated() {
                cells[column.name] = Self.value(result.text(row, index + 1), types[column.targetName])
            }
            rows[number] = cells
        }
    }

    private static func value(_ text: String?, _ type: PostgresType?) -> CellValue {
        guard let text else { return .null }
        switch type {
        case .bytea?: return .bytes([UInt8](hexadecimal: text.dropFirst(2)) ?? [])
        case .smallint?, .integer?, .bigint?, .real?, .double?, .numeric?: return .number(text)
        default: return .text(RowPairReader.cut(text))
        }
    }
}
