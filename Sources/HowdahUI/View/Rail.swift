import Playbook
import TerminalUI

/// The phases at the left, with checklist, findings, journal, rollback and cutover under them.
struct Rail {
    let screen: Screen

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        guard let book = screen.model.book else { return }
        let look = screen.look
        let inner = Frame(Line("Plan", .title), isFocused: screen.isFocused(.rail))
            .draw(in: layout.rail, on: &buffer, look)
        for (index, phase) in book.phases.enumerated() {
            drawRow(
                inner.row(index), .phase(phase.number), "\(phase.number) \(phase.title)",
                Span(Words.sign(phase.state, look.symbols), Words.role(phase.state)),
                "\(phase.finished)/\(phase.steps.count)", &buffer)
        }
        buffer.write(
            " " + String(repeating: look.symbols.horizontal, count: max(0, inner.width - 2)),
            in: inner.row(6),
            style: look.style(.border))
        let ticked = book.checklist.count(where: \.isTicked)
        let open = book.openFindings
        let back = screen.model.undoable.count(where: \.canUndo)
        let others: [(Section, String, String, Role)] = [
            (
                .checklist, "7 Checklist", "\(ticked)/\(book.checklist.count)",
                ticked == book.checklist.count ? .ok : .text
            ),
            (.findings, "8 Findings", "\(open) open", open > 0 ? .warn : .text),
            (.journal, "9 Journal", "\(book.journal.count)", .text),
            (.rollback, "0 Rollback", back > 0 ? "ready" : "nothing", .text),
            (
                .cutover, "C Cutover",
                book.mode == .live ? "\(book.cutover.finished)/\(book.cutover.steps.count)" : "live",
                book.mode == .live ? .text : .muted
            ),
        ]
        for (index, other) in others.enumerated() {
            drawRow(inner.row(7 + index), other.0, other.1, Span(" "), other.2, &buffer, valueRole: other.3)
        }
    }

    private func drawRow(
        _ rect: Rect, _ section: Section, _ title: String, _ sign: Span, _ value: String,
        _ buffer: inout Buffer,
        valueRole: Role = .text
    ) {
        guard rect.height > 0 else { return }
        let look = screen.look
        let isHere = section == screen.model.section
        buffer.write(
            isHere ? look.symbols.cursor : " ", in: rect, style: look.style(isHere ? .phaseNow : .text))
        buffer.write(
            Line(title, isHere ? .title : .text), in: rect.splitLeft(1).rest.splitLeft(15).left, look)
        buffer.write(Line([sign]), in: rect.splitLeft(16).rest, look)
        let width = TextWidth.cells(value)
        buffer.write(
            Line(value, valueRole), in: Rect(x: rect.maxX - width - 1, y: rect.y, width: width, height: 1),
            look)
        if isHere, screen.isFocused(.rail) { buffer.restyle(rect, look.style(.selection)) }
    }
}
