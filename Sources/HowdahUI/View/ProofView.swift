import MigrationEngine
import Playbook
import TerminalUI

/// The rows of a table that differ: key, column, and both values.
struct ProofView {
    let screen: Screen
    let box: DifferenceBox

    private var look: Look { screen.look }

    /// One line of the view: a row that differs, and one of its cells; nil for a row without cells.
    private struct Place {
        let row: Int
        let cell: Int?
    }

    func draw(in area: Rect, _ buffer: inout Buffer) {
        buffer.clear(area)
        let table = screen.model.book?.tables.first { $0.name == box.table }
        let rows = table?.rows ?? 0
        let title =
            "\(box.table) — \(Format.count(box.differences)) of \(Format.count(rows)) rows differ"
            + (box.filter == .all ? "" : ", " + Words.filter(box.filter))
        let place = "\(Format.count(min(box.selected + 1, box.kept))) of \(Format.count(box.kept))"
        let inner = Frame(Line(title, .title), footer: Line(place, .muted), isFocused: true)
            .draw(in: area, on: &buffer, look)
        guard !box.rows.isEmpty else {
            buffer.write(
                Line(box.isLoading ? " reading both sides…" : " no row was kept: run 3.4 again", .muted),
                in: inner.row(0), look)
            return
        }
        let widths = self.widths(inner.width)
        drawLine(
            ["key", "column", "SQLite", "PostgreSQL"].map { Line($0, .muted) }, widths, in: inner.row(0),
            &buffer)
        var body = inner.splitTop(1).rest
        if body.height > 6 {
            // What the selected cell has in common with others.
            let words = box.column?.words ?? box.summary.lines.first ?? ""
            buffer.write(Line(" " + words, .muted), in: body.row(body.height - 1), look)
            body = body.splitTop(body.height - 1).top
        }
        if let digest = table?.digest { drawDigests(DigestWords(digest: digest).rows, &body, &buffer) }
        let places = self.places
        let selected = places.firstIndex { $0.row == box.selected && ($0.cell ?? 0) == box.cell } ?? 0
        var top = max(0, selected - body.height / 2)
        top = min(top, max(0, places.count - body.height))
        var y = 0
        for index in top..<places.count where y < body.height {
            let lines = cells(
                places[index], isFirst: index == top || places[index - 1].row != places[index].row,
                widths)
            let pieces = zip(lines, widths).map { box.wraps ? $0.cut(to: $1) : [$0] }
            let height = min(pieces.map(\.count).max() ?? 1, body.height - y)
            for row in 0..<height {
                let shown = pieces.map { $0.indices.contains(row) ? $0[row] : Line() }
                drawLine(shown, widths, in: body.row(y + row), &buffer)
            }
            if index == selected {
                for row in 0..<height { buffer.restyle(body.row(y + row), look.style(.selection)) }
            }
            y += height
        }
    }

    /// Below the rows, where there is room for both.
    private func drawDigests(_ lines: [Line], _ body: inout Rect, _ buffer: inout Buffer) {
        guard body.height > 10 + lines.count else { return }
        let (rows, digests) = body.splitTop(body.height - lines.count)
        for (index, line) in lines.enumerated() {
            buffer.write(Line([Span(" ")] + line.spans), in: digests.row(index), look)
        }
        body = rows
    }

    private var places: [Place] {
        box.rows.enumerated().flatMap { index, row in
            row.cells.isEmpty
                ? [Place(row: box.first + index, cell: nil)]
                : row.cells.indices.map { Place(row: box.first + index, cell: $0) }
        }
    }

    private func widths(_ width: Int) -> [Int] {
        let key = min(18, max(6, width / 6))
        let column = min(22, max(8, width / 5))
        let rest = max(8, width - key - column - 4)
        return [key, column, rest / 2, rest - rest / 2]
    }

    private func cells(_ place: Place, isFirst: Bool, _ widths: [Int]) -> [Line] {
        let row = box.rows[place.row - box.first]
        let difference = row.difference
        let key = Line(isFirst ? difference.key : "")
        guard let index = place.cell else {
            return [
                key, Line(sign(difference.kind), .diffChanged), Line("this row cannot be read again", .muted),
                Line(),
            ]
        }
        let cell = row.cells[index]
        let role: Role =
            switch difference.kind {
            case .missing: .diffRemoved
            case .extra: .diffAdded
            case .changed: .diffChanged
            }
        let column = Line([Span(sign(difference.kind) + " ", role), Span(cell.column)])
        return [
            key, column,
            source(cell, difference.kind == .extra ? "no such row" : "", widths[2]),
            value(
                cell.target, other: cell.source, difference.kind == .missing ? "missing in PostgreSQL" : "",
                widths[3]),
        ]
    }

    /// SQLite's value; of a count that stands for a time the time comes first, as PostgreSQL's does.
    private func source(_ cell: RowPair.Cell, _ absent: String, _ width: Int) -> Line {
        let line = value(cell.source, other: cell.target, absent, width)
        guard let meaning = cell.meaning else { return line }
        return Line([Span(meaning), Span(" = \(line.text)", .muted)])
    }

    private func sign(_ kind: RowDifference.Kind) -> String {
        switch kind {
        case .missing: "-"
        case .extra: "+"
        case .changed: "~"
        }
    }

    /// NULL is no text, bytes are digits, and what is long is cut by the column.
    private func value(
        _ value: CellValue?, other: CellValue?, _ absent: String, _ width: Int
    ) -> Line {
        switch value {
        case nil: return Line(absent, .muted)
        case .null: return Line("NULL", .null)
        case .number(let text): return Line(text)
        case .text(let text): return shown(text, other, width)
        case .bytes(let bytes):
            let difference = HexView(left: bytes, right: other?.bytes ?? []).firstDifference
            let place = other == nil ? "" : difference.map { " @ byte \($0)" } ?? ""
            let words = " \(Format.count(bytes.count)) bytes\(place)"
            // As many bytes as leave room for the words.
            let fit = max(1, min(16, (width - TextWidth.cells(words) - 1) / 3))
            let start = bytes.prefix(fit).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
                .joined(separator: " ")
            return Line([
                Span(start + (bytes.count > fit ? look.symbols.more : "")),
                Span(words, .muted),
            ])
        }
    }

    /// A text from a little before the place where it differs, with its white space where nothing else tells the two apart.
    private func shown(_ text: String, _ other: CellValue?, _ width: Int) -> Line {
        guard case .text(let second)? = other else {
            return Line([Span(String(text.prefix(4000)), .text, showsSpaces: box.showsSpaces)])
        }
        let common = zip(text, second).prefix { $0 == $1 }.count
        let start = box.wraps || common < width * 2 / 3 ? 0 : common - width / 3
        let isAlike = text.filter { !$0.isWhitespace } == second.filter { !$0.isWhitespace }
        let part = Span(
            String(text.dropFirst(start).prefix(4000)), .text, showsSpaces: box.showsSpaces || isAlike)
        return Line((start > 0 ? [Span(look.symbols.more, .muted)] : []) + [part])
    }

    private func drawLine(_ lines: [Line], _ widths: [Int], in rect: Rect, _ buffer: inout Buffer) {
        var rest = rect.splitLeft(1).rest
        for (index, line) in lines.enumerated() where index < widths.count {
            let (cell, after) = rest.splitLeft(widths[index])
            buffer.write(line, in: cell, look)
            if index < lines.count - 1 {
                buffer.write(look.symbols.vertical, in: after.row(0), style: look.style(.border))
            }
            rest = after.splitLeft(1).rest
        }
    }
}
