import MigrationEngine
import Playbook
import TerminalUI

/// Draws one box over the screen; gives where the cursor of its field stands.
struct OverlayView {
    let screen: Screen
    let overlay: Overlay

    private var model: AppModel { screen.model }
    private var look: Look { screen.look }
    /// Boxes leave header and footer to be seen.
    private var area: Rect {
        Rect(x: 0, y: 1, width: model.size.width, height: model.size.height - 2)
    }

    func draw(_ buffer: inout Buffer) -> (x: Int, y: Int)? {
        switch overlay {
        case .preview(let box): return draw(box, &buffer)
        case .details(let step, let top):
            let text = model.book?.step(step).map { Words.details($0) }
            return dialog(text?.title ?? step, text?.lines ?? [], top: top, &buffer)
        case .failure(let box): return draw(box, &buffer)
        case .confirm(let box):
            return dialog(
                box.title, box.text.map { Line($0) }, buttons: box.buttons, focused: box.focused,
                top: box.top,
                field: box.field, &buffer)
        case .prompt(let box):
            return dialog(box.title, box.text.map { Line($0, .muted) }, field: box.field, &buffer)
        case .help(let search, let top): drawHelp(search, top, &buffer)
        case .themes(let list, _):
            drawChoices(
                "Theme", ["Moving shows it, Enter takes it, Esc goes back."], model.themes, [], list,
                &buffer)
        case .choose(let box):
            drawChoices(box.title, box.text, box.choices, box.details, box.list, &buffer)
        case .text(let box): return dialog(box.title, box.lines, top: box.top, &buffer)
        case .statements(let table, let top): drawStatements(table, top, &buffer)
        case .proof(let box): ProofView(screen: screen, box: box).draw(in: area, &buffer)
        case .bytes(let box): draw(box, &buffer)
        }
        return nil
    }

    private func dialog(
        _ title: String, _ lines: [Line], buttons: [String] = [], focused: Int = 0, top: Int = 0,
        field: TextField? = nil, _ buffer: inout Buffer
    ) -> (x: Int, y: Int)? {
        Dialog(Line(title, .title), lines, buttons: buttons, focused: focused, top: top, field: field)
            .draw(on: area, &buffer, look)
    }

    private func draw(_ box: PreviewBox, _ buffer: inout Buffer) -> (x: Int, y: Int)? {
        let title = Phases.step(box.step)?.title ?? ""
        let isLive = model.book?.mode == .live
        let verb = box.isUndo ? "undo" : box.translation == nil ? "run" : "translate"
        let subject =
            switch box.translation {
            case .all: "every statement that can be"
            case .statement: "the statement"
            case nil: "\(box.step) \(title)"
            }
        return dialog(
            "\(isLive ? "LIVE: " : "")\(verb) \(subject)?", Words.preview(box, model.book),
            buttons: [verb, "cancel"], focused: box.focused, top: box.top, field: box.field, &buffer)
    }

    private func draw(_ box: FailureBox, _ buffer: inout Buffer) -> (x: Int, y: Int)? {
        let name =
            box.step.flatMap { Phases.step($0) }.map { "\($0.id) \($0.title) failed" } ?? "That did not work"
        var lines =
            [Line(box.message, .error), Line()] + box.remedy.split(separator: "\n").map { Line(String($0)) }
        if let state = box.step.flatMap({ model.book?.step($0) }), let there = onTarget(state) {
            lines += [Line(), Line("There now: \(there)", .muted)]
        }
        return dialog(
            name, lines, buttons: box.step == nil ? [] : ["try again", "close"], focused: box.focused,
            top: box.top,
            &buffer)
    }

    /// What is on the target, after a failure.
    private func onTarget(_ line: BookState.StepLine) -> String? {
        guard ["1.8", "3.2", "3.3", "3.4"].contains(line.step), let tables = model.book?.tables else {
            return nil
        }
        let rows = tables.reduce(0) { $0 + $1.loaded }
        return rows > 0
            ? "\(Format.count(rows, "row", "rows")) in "
                + Format.count(tables.count { $0.loaded > 0 }, "table", "tables") : "no rows"
    }

    private func drawHelp(_ search: TextField, _ top: Int, _ buffer: inout Buffer) {
        let rect = area.centered(Size(min(84, area.width), area.height))
        buffer.clear(rect)
        let inner = Frame(
            Line("Help", .title), footer: Line("type to search, arrows scroll, Esc closes", .muted),
            isFocused: true
        ).draw(in: rect, on: &buffer, look).inset(1, 0)
        let (field, rest) = inner.splitTop(1)
        buffer.write(Line([Span("/", .key), Span(search.text)]), in: field, look)
        TextView(HelpText.lines(screen.keys, search.text, model), top: top).draw(in: rest, on: &buffer, look)
    }

    /// Under the choices stands what comes of the selected one.
    private func drawChoices(
        _ title: String, _ text: [String], _ choices: [String], _ details: [String], _ list: ListState,
        _ buffer: inout Buffer
    ) {
        let widest = (text + choices + details).map { TextWidth.cells($0) }.max() ?? 0
        let width = min(area.width - 2, max(44, min(widest + 6, 90)))
        func laidOut(_ texts: [String]) -> [Line] {
            TextView(texts.map { Line($0, .muted) }).laidOut(width: width - 5)
        }
        let lines = TextView(text.map { Line($0) }).laidOut(width: width - 5)
        let detailHeight = details.map { laidOut([$0]).count }.max().map { $0 + 1 } ?? 0
        let height = min(area.height, lines.count + choices.count + detailHeight + 3)
        let rect = area.centered(Size(width, height))
        buffer.clear(rect)
        var inner = Frame(Line(title, .title), isFocused: true).draw(in: rect, on: &buffer, look).inset(1, 0)
        if details.indices.contains(list.selected), inner.height > detailHeight + 3 {
            let (rest, bottom) = inner.splitBottom(detailHeight)
            TextView(laidOut([details[list.selected]]), wraps: false)
                .draw(in: bottom.splitTop(1).rest, on: &buffer, look)
            inner = rest
        }
        let (top, rest) = inner.splitTop(max(0, min(lines.count, inner.height - min(choices.count, 4) - 1)))
        TextView(lines, wraps: false).draw(in: top, on: &buffer, look)
        ScrollList(count: choices.count, state: list, isFocused: true) { Line(" " + choices[$0]) }
            .draw(in: rest.splitTop(1).rest, on: &buffer, look)
    }

    private func drawStatements(_ name: String, _ top: Int, _ buffer: inout Buffer) {
        guard let table = model.book?.plan.first(where: { $0.name == name }) else { return }
        buffer.clear(area)
        let inner = Frame(
            Line("\(name): SQLite at the left, PostgreSQL at the right", .title), isFocused: true
        ).draw(in: area, on: &buffer, look)
        let changes = (0..<max(table.sourceSQL.count, table.targetSQL.count)).map { index in
            (
                left: Line(table.sourceSQL.indices.contains(index) ? table.sourceSQL[index] : ""),
                right: Line(table.targetSQL.indices.contains(index) ? table.targetSQL[index] : "")
            )
        }
        SideBySide(changes, top: top).draw(in: inner, on: &buffer, look)
    }

    private func draw(_ box: HexBox, _ buffer: inout Buffer) {
        buffer.clear(area)
        var view = HexView(left: box.left, right: box.right, top: box.top)
        (view.leftWord, view.rightWord) = (box.leftWord, box.rightWord)
        let place = view.firstDifference.map { "first difference at byte \($0)" } ?? "equal"
        let inner = Frame(Line(box.title, .title), footer: Line(place, .muted), isFocused: true)
            .draw(in: area, on: &buffer, look)
        let (head, body) = inner.inset(1, 0).splitTop(1)
        let side = HexView.bytesPerRow(width: body.width) * 3
        let left = "SQLite" + String(repeating: " ", count: max(1, side - 6))
        buffer.write(Line("offset  \(left) \(look.symbols.vertical) PostgreSQL", .muted), in: head, look)
        view.draw(in: body, on: &buffer, look)
    }
}
