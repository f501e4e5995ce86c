import MigrationEngine
import Playbook
import TerminalUI

/// The tables with how much of each is copied, and what the proof says.
struct TablesView {
    let screen: Screen

    func draw(in rect: Rect, _ buffer: inout Buffer) {
        let (model, look) = (screen.model, screen.look)
        let tables = model.shownTables
        let bar = rect.width >= 60 ? 10 : 5
        let columns = [
            Table.Column("Table", .flexible(minimum: 12, share: 1)),
            Table.Column("Rows", .fixed(11), isRight: true),
            // What was loaded: rows that went since are the proof's to tell.
            Table.Column(bar < 6 ? "Load" : "Loaded", .fixed(bar)),
            Table.Column("", .fixed(11), isRight: true),
            Table.Column("Proof", .fixed(rect.width >= 72 ? 18 : 11), isRight: false),
        ]
        Table(
            columns: columns, count: tables.count, state: model.list(.tables),
            isFocused: screen.isFocused(.tables),
            empty: model.empty(Line("the plan has no table yet", .muted), filtered: "table’s name")
        ) { index in
            let table = tables[index]
            let loaded = model.work.flatMap { $0.loaded[table.name] } ?? table.loaded
            let fraction =
                table.rows == 0
                ? (loaded >= 0 && table.verdict != nil ? 1 : 0) : Double(loaded) / Double(table.rows)
            return [
                Line(table.name, table.isSkipped ? .muted : .text), Line(Format.count(table.rows)),
                table.isSkipped ? Line("left out", .muted) : Gauge.line(fraction, width: bar, look.symbols),
                table.isSkipped ? Line() : Line(Format.count(loaded)), verdict(table),
            ]
        }.draw(in: rect, on: &buffer, look)
    }

    private func verdict(_ table: BookState.TableLine) -> Line {
        let symbols = screen.look.symbols
        if let work = screen.model.work, work.phase == "proof", !table.isSkipped {
            let compared = work.compared[table.name] ?? 0
            if compared >= table.rows { return Line("compared", .muted) }
            return compared == 0
                ? Line("waits", .muted)
                : Line("comparing \(compared * 100 / max(1, table.rows)) %", .phaseNow)
        }
        return switch table.verdict {
        case "equal": Line("\(symbols.done) equal", .ok)
        case "differs": Line("\(symbols.failed) \(Format.count(table.differences)) differ", .error)
        case "skipped": Line("left out", .muted)
        default: Line("–", .muted)
        }
    }
}

/// The plan: tables at the left, the columns of the selected one at the right.
struct PlanView {
    let screen: Screen

    func draw(in rect: Rect, _ buffer: inout Buffer) {
        let (model, look) = (screen.model, screen.look)
        let plan = model.shownPlan
        if rect.width < 60 {
            if model.pane == .columns {
                drawColumns(in: rect, &buffer)
            } else {
                drawTables(plan, in: rect, &buffer)
            }
            return
        }
        let (left, rest) = rect.splitLeft(min(26, rect.width / 3))
        drawTables(plan, in: left, &buffer)
        let (bar, right) = rest.splitLeft(1)
        for y in 0..<bar.height {
            buffer.write(look.symbols.vertical, in: bar.row(y), style: look.style(.border))
        }
        drawColumns(in: right, &buffer)
    }

    private func drawTables(_ plan: [BookState.PlanTable], in rect: Rect, _ buffer: inout Buffer) {
        ScrollList(
            count: plan.count, state: screen.model.list(.tables), isFocused: screen.isFocused(.tables),
            empty: screen.model.empty(Line("no table", .muted), filtered: "table’s name")
        ) { index in
            let table = plan[index]
            return Line([
                Span(table.name, table.isSkipped ? .muted : .text),
                Span(table.isSkipped ? "  left out" : "", .muted),
            ])
        }.draw(in: rect, on: &buffer, screen.look)
    }

    private func drawColumns(in rect: Rect, _ buffer: inout Buffer) {
        let model = screen.model
        let columns = model.planTable?.columns ?? []
        let widths = [
            Table.Column("Column", .flexible(minimum: 10, share: 2)), Table.Column("SQLite", .fixed(9)),
            Table.Column("Holds", .fixed(5)), Table.Column("PostgreSQL", .flexible(minimum: 10, share: 2)),
            Table.Column("Why", .flexible(minimum: 8, share: 3)),
        ]
        Table(
            columns: widths, count: columns.count, state: model.list(.columns),
            isFocused: screen.isFocused(.columns),
            frozen: 1, firstColumn: model.firstColumn, empty: Line("no column", .muted)
        ) { index in
            let column = columns[index]
            return [
                Line(column.name), Line(column.declared, .muted), histogram(column.held),
                Line(column.type + (column.isNotNull ? " not null" : "")), Line(column.reason, .muted),
            ]
        }.draw(in: rect, on: &buffer, screen.look)
    }

    /// One cell a storage class: integers, reals, texts, BLOBs, NULLs.
    private func histogram(_ held: [Int]?) -> Line {
        guard let held else { return Line("?", .muted) }
        let total = max(1, held.reduce(0, +))
        let bars = screen.look.symbols.spark
        let letters = ["i", "r", "t", "b", "n"]
        return Line(
            held.enumerated().map { index, count in
                guard count > 0 else { return Span(" ") }
                if screen.look.symbols.isASCII { return Span(letters[index]) }
                let step = min(bars.count - 1, count * bars.count / total)
                return Span(bars[step], .progressDone)
            })
    }
}
