import ArgumentParser
import Foundation
import MigrationEngine

/// How `diff` writes.
enum DifferenceFormat: String, ExpressibleByArgument, CaseIterable {
    case text, csv, json
}

/// What is said of a table before its rows.
struct DifferenceHeading {
    let table: String
    let summary: DifferenceSummary
    /// Rows that the filter takes.
    let matching: Int
    /// Rows of the table in SQLite; nil where no proof tells.
    let rows: Int?
    /// When the last proof was, where it is that one's rows that are shown.
    let provenAt: String?
    /// Why the table's rows could not be compared.
    let reason: String?
    /// Whether the table was compared.
    let isKnown: Bool
}

/// What a diff comes to.
struct DifferenceOutcome {
    var differs = false
    /// Tables that no proof has compared.
    var unknown = 0

    mutating func note(_ heading: DifferenceHeading) {
        if heading.summary.rows > 0 || heading.reason != nil { differs = true }
        if !heading.isKnown { unknown += 1 }
    }

    var exit: ExitCode { differs ? .differs : unknown > 0 ? .undecided : .success }
    var word: String { differs ? "differs" : unknown > 0 ? "undecided" : "proven" }

    var line: String {
        if differs { return "differs (exit 4)" }
        guard unknown > 0 else { return "equal: no row differs" }
        return
            "\(Format.count(unknown, "table was", "tables were")) never compared: run this without --last (exit 3)"
    }
}

/// Writes rows that differ as they come, so that memory does not grow with their number.
struct DifferenceOutput {
    private let format: DifferenceFormat
    private var isFirstTable = true
    private var isFirstRow = true

    init(_ format: DifferenceFormat) {
        self.format = format
    }

    func begin() {
        switch format {
        case .text: break
        case .csv:
            Console.raw(
                CSV.line(["table", "key", "kind", "column", "source_type", "source", "target_type", "target"])
            )
        case .json: Console.raw("{\"command\": \"diff\", \"tables\": [")
        }
    }

    mutating func begin(_ heading: DifferenceHeading) {
        switch format {
        case .text: Console.results(DifferenceWords.heading(heading))
        case .csv: break
        case .json:
            Console.raw((isFirstTable ? "\n" : ",\n") + DifferenceDocument.opening(heading))
            isFirstTable = false
            isFirstRow = true
        }
    }

    mutating func row(_ row: RowPair, of table: String) {
        switch format {
        case .text: Console.results(DifferenceWords.row(row))
        case .csv: Console.document(CSV.lines(row, of: table))
        case .json:
            Console.raw((isFirstRow ? "\n  " : ",\n  ") + DifferenceDocument.row(row))
            isFirstRow = false
        }
    }

    func remark(_ text: String) {
        if format == .text { Console.result(text) }
    }

    /// `of` is how many there are.
    func end(_ heading: DifferenceHeading, shown: Int, of matching: Int) {
        switch format {
        case .text:
            let rest = matching - shown
            if matching == 0, heading.summary.rows > 0 { Console.result("  no row that differs is of these") }
            if rest > 0 {
                Console.result("  … \(Format.count(rest, "more row", "more rows")); --limit 0 shows all")
            }
        case .csv: break
        case .json: Console.raw("]}")
        }
    }

    func end(_ outcome: DifferenceOutcome) {
        switch format {
        case .text: Console.result(outcome.line)
        case .csv: break
        case .json:
            Console.raw("],\n\"outcome\": \"\(outcome.word)\", \"exit\": \(outcome.exit.rawValue)}\n")
        }
    }
}

/// A row that differs, as lines of a table.
private enum CSV {
    static func line(_ fields: [String]) -> String {
        fields.map { field in
            field.contains { ",\"\r\n".contains($0) } || field.contains("\r\n")
                ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
        }.joined(separator: ",") + "\r\n"
    }

    static func lines(_ row: RowPair, of table: String) -> String {
        let head = [table, row.difference.key, row.difference.kind.rawValue]
        guard !row.cells.isEmpty else { return line(head + ["", "", "", "", ""]) }
        return row.cells.map { cell in
            line(head + [cell.column] + fields(cell.source) + fields(cell.target))
        }.joined()
    }

    private static func fields(_ value: CellValue?) -> [String] {
        [value?.typeName ?? "absent", value?.plainText ?? ""]
    }
}

extension CellValue {
    /// The word of a document for what it is.
    var typeName: String {
        switch self {
        case .null: "null"
        case .number: "number"
        case .text: "text"
        case .bytes: "bytes"
        }
    }

    /// For a document; of bytes as PostgreSQL writes them. nil for NULL.
    var plainText: String? {
        switch self {
        case .null: nil
        case .number(let text), .text(let text): text
        case .bytes(let bytes): "\\x" + bytes.hexadecimal
        }
    }
}

/// A row that differs, as a part of a JSON document.
private enum DifferenceDocument {
    private struct Table: Encodable {
        let name: String
        let rows: Int?
        let differences: Int
        let missing: Int
        let extra: Int
        let changed: Int
        let matching: Int
        let columns: [Column]
        let reason: String?
        let proven_at: String?

        struct Column: Encodable {
            let name: String
            let rows: Int
            let words: String
            let changes: [ColumnChanges.Group]
        }
    }

    private struct Row: Encodable {
        let key: String
        let kind: String
        let cells: [Cell]

        struct Cell: Encodable {
            let column: String
            let source: Value?
            let target: Value?
        }

        struct Value: Encodable {
            let type: String
            let value: String?
        }
    }

    /// The table's document, left open for its rows.
    static func opening(_ heading: DifferenceHeading) -> String {
        let summary = heading.summary
        let table = Table(
            name: heading.table, rows: heading.rows, differences: summary.rows, missing: summary.missing,
            extra: summary.extra, changed: summary.changed, matching: heading.matching,
            columns: summary.columns.map {
                .init(name: $0.column, rows: $0.rows, words: $0.words, changes: $0.groups)
            }, reason: heading.reason, proven_at: heading.provenAt)
        return text(table).dropLast() + ",\"differing\":["
    }

    static func row(_ row: RowPair) -> String {
        func value(_ value: CellValue?) -> Row.Value? {
            value.map { .init(type: $0.typeName, value: $0.plainText) }
        }
        return text(
            Row(
                key: row.difference.key, kind: row.difference.kind.rawValue,
                cells: row.cells.map {
                    .init(column: $0.column, source: value($0.source), target: value($0.target))
                }))
    }

    private static func text(_ document: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: (try? encoder.encode(document)) ?? Data("{}".utf8), as: UTF8.self)
    }
}
