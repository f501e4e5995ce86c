import Foundation
import SQLite
import TestSupport
import Testing

@testable import MigrationEngine

/// The encoder's raw memory against a plain encoder of arrays, on random rows.
@Suite struct RowEncoderTests {
    private enum Value {
        case null, integer(Int64), real(Double), text(String), blob([UInt8])
    }

    private struct Column: Sendable {
        let type: String
        let make: @Sendable (inout SystemRandomNumberGenerator) -> Value
        /// The bytes of PostgreSQL's binary form.
        let plain: @Sendable (Value) -> [UInt8]
    }

    private static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static let texts = ["", "a", "naïve 東京", "😀\t\n\\", String(repeating: "long ", count: 5000)]

    private static let columns: [Column] = [
        Column(type: "bigint") {
            .integer(.random(in: .min ... .max, using: &$0))
        } plain: {
            if case .integer(let value) = $0 { bytes(value) } else { [] }
        },
        Column(type: "integer") {
            .integer(Int64(Int32.random(in: .min ... .max, using: &$0)))
        } plain: {
            if case .integer(let value) = $0 { bytes(Int32(value)) } else { [] }
        },
        Column(type: "smallint") {
            .integer(Int64(Int16.random(in: .min ... .max, using: &$0)))
        } plain: {
            if case .integer(let value) = $0 { bytes(Int16(value)) } else { [] }
        },
        Column(type: "double precision") {
            .real(Double(bitPattern: .random(in: 0...(0x7FF << 52), using: &$0)))
        } plain: {
            if case .real(let value) = $0 { bytes(value.bitPattern) } else { [] }
        },
        Column(type: "boolean") {
            .integer(.random(in: 0...1, using: &$0))
        } plain: {
            if case .integer(let value) = $0 { [UInt8(value)] } else { [] }
        },
        Column(type: "text") {
            .text(texts.randomElement(using: &$0) ?? "")
        } plain: {
            if case .text(let value) = $0 { Array(value.utf8) } else { [] }
        },
        Column(type: "bytea") { generator in
            .blob(
                (0..<Int.random(in: 0...400, using: &generator)).map { _ in
                    .random(in: 0...255, using: &generator)
                })
        } plain: {
            if case .blob(let value) = $0 { value } else { [] }
        },
        Column(type: "timestamp(3)") {
            .integer(.random(in: -8_640_000_000...8_640_000_000_000, using: &$0))
        } plain: {
            if case .integer(let value) = $0 { bytes(value * 1000 - 946_684_800_000_000) } else { [] }
        },
    ]

    private static func plainRow(_ row: [Value]) -> [UInt8] {
        zip(columns, row).reduce(bytes(Int16(columns.count))) { encoded, cell in
            if case .null = cell.1 { return encoded + bytes(Int32(-1)) }
            let field = cell.0.plain(cell.1)
            return encoded + bytes(Int32(field.count)) + field
        }
    }

    @Test func writesWhatAPlainEncoderWrites() throws {
        var generator = SystemRandomNumberGenerator()
        let codes = Self.columns.map { column in
            var plan = MigrationPlan.Column(name: "c", type: column.type)
            plan.integers = .milliseconds
            return ColumnCode(plan, enums: [])
        }
        try withTemporaryFolder { folder in
            let connection = try Connection(path: "\(folder)/a.db", mode: .create)
            let places = Self.columns.map { _ in "?" }.joined(separator: ", ")
            let statement = try connection.prepare("SELECT \(places)")
            var encoder = RowEncoder(codes)
            for _ in 0..<2000 {
                let row = Self.columns.map { column in
                    Int.random(in: 0..<8, using: &generator) == 0 ? Value.null : column.make(&generator)
                }
                for (index, value) in row.enumerated() {
                    let position = Int32(index + 1)
                    switch value {
                    case .null: try statement.bindNull(at: position)
                    case .integer(let number): try statement.bind(number, at: position)
                    case .real(let number): try statement.bind(number, at: position)
                    case .text(let text): try statement.bind(text, at: position)
                    case .blob(let blob):
                        try blob.withUnsafeBytes { try statement.bind(blob: $0, at: position) }
                    }
                }
                _ = try statement.step()
                let misfit = encoder.encodeRow(statement.handle)
                statement.reset()
                try #require(misfit == nil)
                let encoded = Array(encoder.bytes)
                encoder.removeAll()
                try #require(encoded == Self.plainRow(row))
            }
        }
    }

    @Test(arguments: [
        ("bigint", "'5'", Misfit.storageClass), ("bigint", "1.5", .storageClass),
        ("integer", "2147483648", .outOfRange),
        ("smallint", "-32769", .outOfRange), ("boolean", "2", .notBoolean),
        ("boolean", "'maybe'", .notBoolean),
        ("double precision", "9007199254740993", .outOfRange), ("double precision", "'x'", .storageClass),
        ("numeric(3,1)", "100", .digits), ("numeric(3,1)", "1.25", .digits),
        ("numeric", "-0.0", .negativeZero),
        ("numeric(5,2)", "9e999", .infinite), ("varchar(2)", "'äöü'", .tooLong),
        ("text", "x'00'", .storageClass),
        ("timestamp", "'yesterday'", .notADate), ("timestamp", "'2024-01-01 00:00:00Z'", .zone),
        ("timestamp", "5", .storageClass),
        ("timestamp(3)", "'2024-01-01 00:00:00.0001'", .finerThanColumn),
        ("timestamptz", "'2024-01-01 00:00:00'", .zone),
        ("date", "'2024-01-01 00:00'", .notADate), ("date", "'2023-02-29'", .notADate),
        ("time", "'25:00'", .notATime),
        ("json", "'{'", .json), ("jsonb", "'\"\\u0000\"'", .json), ("uuid", "'ABC'", .uuid),
        ("\"mood\"", "'sad'", .label),
    ])
    func whatDoesNotFitIsRefusedAndLeavesNothing(type: String, value: String, misfit: Misfit) throws {
        let enums = [MigrationPlan.Enumeration(name: "mood", labels: ["happy"])]
        let code = ColumnCode(
            MigrationPlan.Column(name: "c", type: type), enums: enums)
        try withTemporaryFolder { folder in
            let connection = try Connection(path: "\(folder)/a.db", mode: .create)
            let statement = try connection.prepare("SELECT \(value)")
            _ = try statement.step()
            var encoder = RowEncoder([code])
            #expect(encoder.encodeRow(statement.handle) == misfit)
            #expect(encoder.bytes.isEmpty)
        }
    }
}
