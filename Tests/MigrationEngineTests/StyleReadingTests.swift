import SQLite
import TestSupport
import Testing

@testable import MigrationEngine

/// What the encoder and the proof read only in a style, and what both refuse.
@Suite struct StyleReadingTests {
    private func stepped<T>(_ value: String, _ body: (OpaquePointer) throws -> T) throws -> T {
        try withTemporaryFolder { folder in
            let connection = try Connection(path: "\(folder)/a.db", mode: .create)
            let statement = try connection.prepare("SELECT \(value)")
            _ = try statement.step()
            return try body(statement.handle)
        }
    }

    private func code(_ type: String, _ style: Style) -> ColumnCode {
        ColumnCode(
            MigrationPlan.Column(name: "c", type: type), enums: [],
            dates: DateReading(style: style, isDecided: false))
    }

    static let bytes: [UInt8] = [
        0x0f, 0x8f, 0xad, 0x5b, 0xd9, 0xcb, 0x46, 0x9f, 0xa1, 0x65, 0x70, 0x86, 0x77, 0x28, 0x95, 0x0e,
    ]

    @Test(
        arguments: [
            ("uuid", "'0f8fad5bd9cb469fa16570867728950e'", Style.django, bytes),
            ("uuid", "'0f8fad5b-d9cb-469f-a165-70867728950e'", .django, bytes),
            ("uuid", "'0f8fad5b-d9cb-469f-a165-70867728950e'", .plain, bytes),
            ("time", "'2000-01-01 00:00:01.5'", .rails, [0, 0, 0, 0, 0, 0x16, 0xe3, 0x60]),
            ("time", "'00:00:01.5'", .rails, [0, 0, 0, 0, 0, 0x16, 0xe3, 0x60]),
            ("timestamptz", "'2000-01-01 00:00:01'", .django, [0, 0, 0, 0, 0, 0x0f, 0x42, 0x40]),
            ("timestamptz", "'2000-01-01 00:00:01Z'", .django, [0, 0, 0, 0, 0, 0x0f, 0x42, 0x40]),
            ("timestamptz", "'2000-01-01'", .django, [0, 0, 0, 0, 0, 0, 0, 0]),
        ] as [(String, String, Style, [UInt8])])
    func aValueIsEncodedAndTheProofAgrees(type: String, value: String, style: Style, field: [UInt8]) throws {
        try stepped(value) { handle in
            var encoder = RowEncoder([code(type, style)])
            #expect(encoder.encodeRow(handle) == nil)
            #expect(Array(encoder.bytes).suffix(field.count) == field[...])
            #expect(isEqual(handle, type, style, field))
        }
    }

    private func isEqual(_ handle: OpaquePointer, _ type: String, _ style: Style, _ field: [UInt8]) -> Bool {
        // As ProofRun reads: every type of the target is a fact there.
        let code = ColumnCode(
            MigrationPlan.Column(name: "c", type: type), enums: [],
            dates: DateReading(style: style, isDecided: true))
        let relation = Relation([code])
        var scratch = Relation.Scratch()
        return field.withUnsafeBytes { bytes in
            relation.isEqual(
                handle, 0, BinaryRow.Field(start: bytes.baseAddress, count: bytes.count), &scratch)
        }
    }

    @Test(arguments: [
        ("uuid", "'0f8fad5bd9cb469fa16570867728950'", Style.django, Misfit.uuid),
        ("uuid", "'0f8fad5bd9cb469fa16570867728950g'", .django, .uuid),
        ("uuid", "'0F8FAD5BD9CB469FA1657086772895OE'", .django, .uuid),
        ("uuid", "'0f8fad5bd-9cb-469f-a165-70867728950e'", .django, .uuid),
        ("uuid", "'0f8fad5b-d9cb-469f-a165-7086772895-e'", .django, .uuid),
        ("uuid", "5", .django, .uuid),
        ("time", "'2000-01-02 00:00:01'", .rails, .notATime), ("time", "'2000-01-01'", .rails, .notATime),
        ("time", "'1999-12-31 23:59:59'", .rails, .notATime),
        ("time", "'2000-01-01 00:00:01Z'", .rails, .notATime),
        ("time", "'2000-01-01 00:00:01'", .plain, .notATime),
        ("time", "'2000-01-01 00:00:01'", .django, .notATime),
        ("time", "'2000-01-01 00:00:00.1234567'", .rails, .finerThanColumn),
        ("timestamptz", "'2000-01-01 00:00:01+02:00'", .django, .zone),
        ("timestamptz", "'2000-01-01 00:00:01'", .plain, .zone),
        ("timestamptz", "'2000-01-01 00:00:01'", .rails, .zone),
        ("timestamptz", "'soon'", .django, .notADate),
        ("timestamptz", "'2000-01-01 00:00:00.1234567'", .django, .finerThanColumn),
    ])
    func aWrongValueIsRefused(type: String, value: String, style: Style, misfit: Misfit) throws {
        try stepped(value) { handle in
            var encoder = RowEncoder([code(type, style)])
            #expect(encoder.encodeRow(handle) == misfit)
            #expect(encoder.bytes.isEmpty)
        }
    }

    /// The proof reads for itself: what is not the value is a difference.
    @Test(
        arguments: [
            ("uuid", "'0f8fad5bd9cb469fa16570867728950f'", Style.django, bytes),
            ("uuid", "'0f8fad5b-d9cb-469fa165-70867728950e'", .django, bytes),
            ("uuid", "'0f8fad5bd9cb469fa16570867728950'", .django, bytes),
            ("time", "'2000-01-02 00:00:00'", .rails, [0, 0, 0, 0, 0, 0, 0, 0]),
            ("time", "'2000-01-01 00:00:00'", .plain, [0, 0, 0, 0, 0, 0, 0, 0]),
            ("time", "'2000-01-01 00:00:01'", .rails, [0, 0, 0, 0, 0, 0, 0, 0]),
            ("timestamptz", "'2000-01-01 01:00:00'", .django, [0, 0, 0, 0, 0, 0, 0, 0]),
        ] as [(String, String, Style, [UInt8])])
    func theProofSeesAnotherValue(type: String, value: String, style: Style, field: [UInt8]) throws {
        try stepped(value) { handle in
            #expect(!isEqual(handle, type, style, field))
        }
    }

    @Test(arguments: [
        ("10.0.0.1", true), ("::", true), ("2001:db8::1", true), ("fe80::1", true), ("010.0.0.1", false),
        ("10.0.0", false), ("2001:0db8::1", false), ("::1%eth0", false), ("", false), ("10.0.0.1 ", false),
    ])
    func anAddressIsSpelledAsPostgreSQLSpellsIt(text: String, isCanonical: Bool) {
        #expect(withBytes(text) { AddressText.isCanonical($0) } == isCanonical)
    }
}
