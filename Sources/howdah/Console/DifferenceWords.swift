import Foundation
import MigrationEngine

/// Rows that differ, in lines for people.
enum DifferenceWords {
    static func heading(_ heading: DifferenceHeading) -> [String] {
        guard heading.isKnown else { return ["\(heading.table): not compared yet"] }
        let rows = heading.rows.map { "of \(Format.count($0)) " } ?? ""
        let time = heading.provenAt.map { ", as the proof of \($0) found it" } ?? ""
        guard heading.summary.rows > 0 else {
            let reason = heading.reason.map { "cannot be compared: \($0)" }
            return ["\(heading.table): \(reason ?? "equal")\(time)"]
        }
        return ["\(heading.table): \(Format.count(heading.summary.rows)) \(rows)rows differ\(time)"]
            + heading.summary.lines.map { "  \($0)" } + (heading.reason.map { ["  \($0)"] } ?? [])
    }

    static func row(_ row: RowPair) -> [String] {
        let difference = row.difference
        switch difference.kind {
        case .missing:
            return ["  - \(difference.key): missing in PostgreSQL"]
                + one(row.cells.map { ($0.column, $0.source, $0.meaning) })
        case .extra:
            return ["  + \(difference.key): only in PostgreSQL"]
                + one(row.cells.map { ($0.column, $0.target, nil) })
        case .changed:
            return row.cells.flatMap { cell -> [String] in
                // What was read now may have been put right since the proof.
                let isRight = cell.source != nil && cell.source == cell.target
                let place = isRight ? "equal by now" : place(cell.source, cell.target)
                return ["  ~ \(difference.key)  \(cell.column)\(place.map { "  \($0)" } ?? "")"]
                    + zip(["SQLite    ", "PostgreSQL"], shown(cell)).map {
                        "      \($0)  \($1)"
                    }
            }
        }
    }

    /// The columns of a row that one side has.
    private static func one(_ cells: [(column: String, value: CellValue?, meaning: String?)]) -> [String] {
        let width = min(24, cells.map(\.column.count).max() ?? 0)
        return cells.map { column, value, meaning in
            let name = column + String(repeating: " ", count: max(0, width - column.count))
            return "      \(name)  \(shown(value, nil)[0])\(meaning.map { " = \($0)" } ?? "")"
        }
    }

    /// Where two values begin to differ.
    private static func place(_ source: CellValue?, _ target: CellValue?) -> String? {
        switch (source, target) {
        case (.bytes(let one)?, .bytes(let other)?):
            let byte = zip(one, other).prefix { $0 == $1 }.count
            return "first difference at byte \(byte)"
        case (.text(let one)?, .text(let other)?):
            let scalars = (Array(one.unicodeScalars), Array(other.unicodeScalars))
            let index = zip(scalars.0, scalars.1).prefix { $0 == $1 }.count
            func code(_ scalars: [Unicode.Scalar]) -> String {
                guard index < scalars.count else { return "end" }
                let digits = String(scalars[index].value, radix: 16, uppercase: true)
                return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            }
            return "first difference at character \(index): \(code(scalars.0)), \(code(scalars.1))"
        default: return nil
        }
    }

    private static func shown(_ cell: RowPair.Cell) -> [String] {
        let both = shown(cell.source, cell.target)
        return [both[0] + (cell.meaning.map { " = \($0)" } ?? ""), both[1]]
    }

    /// Both values, cut about the place where they begin to differ.
    private static func shown(_ source: CellValue?, _ target: CellValue?) -> [String] {
        if case .bytes(let one)? = source, case .bytes(let other)? = target {
            let start = zip(one, other).prefix { $0 == $1 }.count / 16 * 16
            return [hex(one, against: other, from: start), hex(other, against: one, from: start)]
        }
        if case .text(let one)? = source, case .text(let other)? = target {
            let index = zip(one.unicodeScalars, other.unicodeScalars).prefix { $0 == $1 }.count
            return [quoted(one, from: index), quoted(other, from: index)]
        }
        return [source, target].map { value in
            switch value {
            case nil: "(cannot be read again)"
            case .null?: "NULL"
            case .number(let text)?: text
            case .text(let text)?: quoted(text, from: 0)
            case .bytes(let bytes)?: hex(bytes, against: bytes, from: 0)
            }
        }
    }

    /// One line of bytes; those that differ in brackets.
    private static func hex(_ bytes: [UInt8], against other: [UInt8], from start: Int) -> String {
        let cells = bytes.dropFirst(start).prefix(16).enumerated().map { index, byte in
            let isSame = start + index < other.count && other[start + index] == byte
            let digits = [byte].hexadecimal
            return isSame ? " \(digits) " : "[\(digits)]"
        }
        let more = bytes.count > start + 16 ? " …" : ""
        return "\(Format.count(bytes.count, "byte", "bytes")), from \(start):\(cells.joined())\(more)"
    }

    private static let mostCharacters = 100

    /// A text between quotes, with what cannot be seen as escapes, from a little before a place.
    private static func quoted(_ text: String, from index: Int) -> String {
        let scalars = text.unicodeScalars
        let start = max(0, index - mostCharacters / 4)
        let part = scalars.dropFirst(start).prefix(mostCharacters)
        var shown = ""
        for scalar in part {
            switch scalar {
            case "\n": shown += "\\n"
            case "\r": shown += "\\r"
            case "\t": shown += "\\t"
            case "\"", "\\": shown += "\\\(scalar)"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return (start > 0 ? "…" : "") + "\"\(shown)\"" + (scalars.count > start + mostCharacters ? "…" : "")
    }
}
