import Foundation
import MigrationEngine
import SQLite
import TestSupport
import Testing

/// How an export is written.
struct ExportWay: Sendable, Equatable, CustomTestStringConvertible {
    let form: ExportForm
    let isCompressed: Bool

    var testDescription: String { form.rawValue + (isCompressed ? ", compressed" : "") }

    static let all = ExportForm.allCases.flatMap { form in
        [false, true].map { ExportWay(form: form, isCompressed: $0) }
    }
    static let plain = ExportWay(form: .ndjson, isCompressed: false)
}

/// An export of a SQLite file, made as the command makes it.
struct TestExport {
    let folder: String
    let source: String
    var migration = TestMigration()
    var cancellation = Cancellation()

    var path: String { "\(folder)/export" }

    func write(_ way: ExportWay = .plain, to path: String? = nil) throws -> ExportManifest {
        let preparation = try migration.prepare(source, state: "\(folder)/source-state")
        return try Exporter(
            preparation, hints: migration.hints, form: way.form, isCompressed: way.isCompressed, workers: 2,
            cancellation: cancellation, progress: RunProgress()
        ).write(to: path ?? self.path).manifest
    }

    /// Rebuilds the database in a state folder of its own; returns where it and the plan lie.
    func rebuild(_ state: String = "import-state") throws -> ImportedSource {
        let export = try ExportFolder(path: path)
        let state = try StateFolder.open(
            source: "", project: nil, override: "\(folder)/\(state)", environment: [:])
        return try ImportedSource(
            export, state: state, cancellation: cancellation, progress: RunProgress())
    }

    /// The files of the export with their bytes.
    func files() throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        return Dictionary(
            uniqueKeysWithValues: try names.map {
                ($0, try Data(contentsOf: URL(fileURLWithPath: "\(path)/\($0)")))
            })
    }
}

/// Makes a file from a script, and gives it with a folder to export it into.
func withExport(
    _ script: String, migration: TestMigration = TestMigration(), _ body: (TestExport) throws -> Void
) throws {
    try withTemporaryFolder { folder in
        let source = "\(folder)/source.db"
        try makeDatabase(source, script)
        try body(TestExport(folder: folder, source: source, migration: migration))
    }
}

/// Everything that a SQLite file holds, read by SQLite alone: each row of each stored table with rowid, storage classes and bytes.
func content(of path: String) throws -> [String] {
    let connection = try SQLite.Connection(path: path, mode: .readOnly)
    var lines: [String] = []
    let schema = try connection.prepare(
        "SELECT type, name, tbl_name, sql, rootpage > 0 FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name"
    )
    var tables: [String] = []
    while try schema.step() {
        lines.append((0..<5).map { schema.text($0) }.joined(separator: "|"))
        if schema.text(0) == "table", schema.int64(4) == 1 { tables.append(schema.text(1)) }
    }
    for pragma in ["encoding", "user_version", "application_id"] {
        let statement = try connection.prepare("PRAGMA \(pragma)")
        if try statement.step() { lines.append("\(pragma) \(statement.text(0))") }
    }
    for table in tables {
        let quoted = "\"\(table.replacing("\"", with: "\"\""))\""
        let info = try connection.prepare("SELECT name FROM pragma_table_xinfo(?1)")
        try info.bind(table, at: 1)
        var columns: [String] = []
        while try info.step() { columns.append("\"\(info.text(0).replacing("\"", with: "\"\""))\"") }
        let isKeyed = try connection.prepare("SELECT wr FROM pragma_table_list(?1)")
        try isKeyed.bind(table, at: 1)
        let hasRowid = try isKeyed.step() && isKeyed.int64(0) == 0
        let names = (hasRowid ? ["rowid"] : []) + columns
        let rows = try connection.prepare(
            "SELECT \(names.joined(separator: ", ")) FROM \(quoted) NOT INDEXED")
        while try rows.step() {
            lines.append(table + (0..<Int32(rows.columnCount)).map { " " + value(rows, $0) }.joined())
        }
    }
    return lines
}

/// A value's storage class with every bit of it.
private func value(_ row: borrowing SQLite.Statement, _ column: Int32) -> String {
    switch row.storageClass(column) {
    case .integer: "integer \(row.int64(column))"
    case .real: "real \(row.double(column).bitPattern)"
    case .text: "text \(row.bytes(column).hexadecimal)"
    case .blob: "blob \(row.bytes(column).hexadecimal)"
    case .null: "null"
    }
}
