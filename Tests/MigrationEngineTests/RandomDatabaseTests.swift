import Foundation
import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

/// Random schemas with random dirt: every row of the source is in the target with equal values, or whole in quarantine.
///
/// The oracle reads both sides itself and shares no code with the engine but the drivers.
@Suite struct RandomDatabaseTests {
    enum Cell: Hashable {
        case null, integer(Int64), real(UInt64), text([UInt8]), blob([UInt8])
    }

    @Test(arguments: 1...40)
    func noRowIsLost(seed: Int) throws {
        let database = RandomDatabase(seed: UInt64(seed))
        try TestMigration(decide: ["recommended"]).migrated(database.script) { report, conninfo, folder in
            #expect(
                [.proven, .quarantined].contains(report.outcome), "\(report.findings)\n\(database.script)")
            let source = try SQLite.Connection(path: "\(folder)/source.db", mode: .readOnly)
            let target = try TestServer.connect(conninfo)
            for table in database.tables {
                let rows = try sourceRows(table, source)
                let kept = try quarantined(table, target)
                let types = try columnTypes(table, target)
                var loaded: [String: Int] = [:]
                for row in try targetRows(table, types, target) { loaded[row, default: 0] += 1 }
                var lost: [[Cell]] = []
                var quarantine = kept
                for row in rows {
                    let words = zip(row, types).map(normal).joined(separator: "|")
                    if let count = loaded[words], count > 0 {
                        loaded[words] = count - 1
                    } else if let index = quarantine.firstIndex(of: row) {
                        quarantine.remove(at: index)
                    } else {
                        lost.append(row)
                    }
                }
                #expect(lost.isEmpty, "lost from \(table.name) \(types)\n\(database.script)")
                #expect(
                    loaded.values.allSatisfy { $0 == 0 },
                    "made up in \(table.name): \(loaded.filter { $0.value > 0 })")
                #expect(quarantine.isEmpty, "twice in \(table.name)")
            }
        }
    }

    // MARK: The source

    private func sourceRows(_ table: RandomDatabase.Table, _ source: borrowing SQLite.Connection) throws
        -> [[Cell]]
    {
        let columns = table.columns.map(quoteIdentifier).joined(separator: ", ")
        let statement = try source.prepare("SELECT \(columns) FROM \(quoteIdentifier(table.name))")
        var rows: [[Cell]] = []
        while try statement.step() {
            rows.append(
                table.columns.indices.map { index in
                    let column = Int32(index)
                    switch statement.storageClass(column) {
                    case .integer: return .integer(statement.int64(column))
                    case .real: return .real(statement.double(column).bitPattern)
                    case .text: return .text(statement.bytes(column))
                    case .blob: return .blob(statement.bytes(column))
                    case .null: return .null
                    }
                })
        }
        return rows
    }

    // MARK: The target

    private func columnTypes(_ table: RandomDatabase.Table, _ target: borrowing Postgres.Connection) throws
        -> [String]
    {
        try table.columns.map { column in
            let result = try target.query(
                "SELECT data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 AND column_name = $2",
                [table.name, column])
            return result.text(0, 0) ?? "?"
        }
    }

    private func targetRows(
        _ table: RandomDatabase.Table, _ types: [String], _ target: borrowing Postgres.Connection
    ) throws -> [String] {
        let columns = table.columns.map(quoteIdentifier).joined(separator: ", ")
        let result = try target.query("SELECT \(columns) FROM \(quoteIdentifier(table.name))")
        return (0..<result.count).map { row in
            types.indices.map { normal(result.text(row, $0), types[$0]) }.joined(separator: "|")
        }
    }

    /// The rows of `howdah.quarantine`, by the layout that the README documents.
    private func quarantined(_ table: RandomDatabase.Table, _ target: borrowing Postgres.Connection) throws
        -> [[Cell]]
    {
        let isThere = try target.query("SELECT to_regclass('howdah.quarantine') IS NOT NULL").bool(0, 0)
        guard isThere else { return [] }
        let result = try target.query(
            "SELECT encode(row, 'hex') FROM howdah.quarantine WHERE source_table = $1", [table.name])
        return (0..<result.count).map { decode(result.text($0, 0) ?? "") }
    }

    private func decode(_ hex: String) -> [Cell] {
        var bytes: [UInt8] = []
        var rest = Substring(hex)
        while rest.count >= 2 {
            bytes.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        var position = 1
        func number(_ count: Int) -> UInt64 {
            defer { position += count }
            return bytes[position..<position + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
        var cells: [Cell] = []
        for _ in 0..<number(2) {
            position += Int(number(2))
            let storage = number(1)
            let length = Int(number(4))
            let value = Array(bytes[position..<position + length])
            switch storage {
            case 1: cells.append(.integer(Int64(bitPattern: number(8))))
            case 2: cells.append(.real(number(8)))
            default:
                position += length
                cells.append(storage == 3 ? .text(value) : storage == 4 ? .blob(value) : .null)
            }
        }
        return cells
    }

    // MARK: One form for both

    private func normal(_ cell: Cell, _ type: String) -> String {
        switch (cell, type) {
        case (.null, _): "NULL"
        case (.integer(let value), "boolean"): value == 1 ? "true" : value == 0 ? "false" : "?\(value)"
        case (.text(let bytes), "boolean"):
            ["t": "true", "true": "true", "f": "false", "false": "false"][string(bytes).lowercased()] ?? "?"
        case (.integer(let value), "bigint"), (.integer(let value), "integer"),
            (.integer(let value), "smallint"):
            "\(value)"
        case (.integer(let value), "double precision"): Double(value).description
        case (.real(let bits), "double precision"): Double(bitPattern: bits).description
        case (.integer(let value), "numeric"): decimal("\(value)")
        case (.real(let bits), "numeric"): decimal(Double(bitPattern: bits).description)
        case (.text(let bytes), "text"), (.text(let bytes), "character varying"): "'\(bytes)"
        // A column of text holds numbers as they are written, one of bytes holds the bytes of texts.
        case (.integer(let value), "text"): "'\(Array("\(value)".utf8))"
        case (.real(let bits), "text"): "'\(Array(Double(bitPattern: bits).description.utf8))"
        case (.text(let bytes), "bytea"): "x\(bytes)"
        case (.text(let bytes), "timestamp without time zone"): string(bytes)
        case (.blob(let bytes), "bytea"): "x\(bytes)"
        default: "?\(cell)"
        }
    }

    private func normal(_ text: String?, _ type: String) -> String {
        guard let text else { return "NULL" }
        switch type {
        case "boolean": return text == "t" ? "true" : "false"
        case "double precision": return (Double(text) ?? .nan).description
        case "numeric": return decimal(text)
        case "text", "character varying": return "'\(Array(text.utf8))"
        case "bytea":
            var bytes: [UInt8] = []
            var rest = text.dropFirst(2)
            while rest.count >= 2 {
                bytes.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            }
            return "x\(bytes)"
        default: return text
        }
    }

    private func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Digits without zeros at either end, and the power of ten of the last one.
    private func decimal(_ text: String) -> String {
        if text.lowercased().contains("inf") { return text.hasPrefix("-") ? "-infinite" : "infinite" }
        let parts = text.lowercased().split(separator: "e")
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let sign = parts[0].hasPrefix("-") ? "-" : ""
        let halves = parts[0].drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        if halves.count > 1 { exponent -= halves[1].count }
        var digits = halves.joined().drop { $0 == "0" }
        while digits.last == "0" {
            digits.removeLast()
            exponent += 1
        }
        return digits.isEmpty ? "0" : "\(sign)\(digits)e\(exponent)"
    }
}
