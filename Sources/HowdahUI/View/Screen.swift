import MigrationEngine
import Playbook
import TerminalUI

/// Draws a model: header, phases, the pane of the section, footer, and boxes over them.
public struct Screen {
    let model: AppModel
    let look: Look
    let keys: KeyTable<KeyContext, Action>

    public init(_ model: AppModel, _ look: Look, keys: KeyTable<KeyContext, Action>) {
        self.model = model
        self.look = look
        self.keys = keys
    }

    /// The screen, and where the cursor of a field stands.
    public func draw() -> (buffer: Buffer, cursor: (x: Int, y: Int)?) {
        var buffer = Buffer(model.size)
        let layout = model.layout
        guard !layout.isTooSmall else {
            let least = ScreenLayout.least
            buffer.write(
                "howdah needs \(least.width)×\(least.height), this is \(model.size.width)×\(model.size.height); q quits",
                in: buffer.bounds.row(0))
            return (buffer, nil)
        }
        if let monitor = model.monitor {
            MonitorPane(screen: self, monitor: monitor).draw(&buffer, layout)
        } else {
            drawHeader(&buffer, layout)
            drawSections(&buffer, layout)
        }
        Footer(screen: self).draw(&buffer, layout)
        var cursor: (x: Int, y: Int)?
        let last = model.overlays.count - 1
        for (index, overlay) in model.overlays.enumerated() where index >= last - 1 {
            let place = OverlayView(screen: self, overlay: overlay).draw(&buffer)
            cursor = index == last ? place : nil
        }
        return (buffer, cursor)
    }

    private func drawSections(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        if model.book == nil {
            PickerPane(screen: self).draw(&buffer, layout)
        } else {
            if layout.hasRail { Rail(screen: self).draw(&buffer, layout) } else { drawTabs(&buffer, layout) }
            drawPane(&buffer, layout)
        }
    }

    // MARK: Header and tabs

    private func drawHeader(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        guard let book = model.book else {
            buffer.write(Line(" howdah", .title), in: layout.header, look)
            return
        }
        let words = book.isSourceHeld ? " LIVE, SQLite held " : " LIVE "
        let mode = book.mode == .live ? Span(words, .live) : Span("REHEARSAL", .title)
        let clock = model.work.map { "  \(Words.clock($0.elapsed)) " } ?? " "
        let right = Line([mode, Span(clock)])
        let (left, end) = layout.header.splitLeft(layout.header.width - right.cells)
        buffer.write(right, in: end, look)
        let file = (book.sourcePath as String).split(separator: "/").suffix(2).joined(separator: "/")
        let size = Format.bytes(book.sourceBytes)
        let arrow = look.symbols.arrow
        let short = book.mode == .rehearsal ? "rehearsal" : book.liveDatabase ?? book.target
        let candidates = [
            " \(book.title)   \(file) \(size) \(arrow) \(book.target)",
            " \(book.title)   \(file) \(arrow) \(short)",
            " \(book.title) \(arrow) \(short)", " \(book.title)",
        ]
        let room = left.width - 10
        let text = candidates.first { TextWidth.cells($0) <= room } ?? candidates.last ?? ""
        buffer.write(
            Line([Span(" howdah  ", .title), Span(text)]), in: left.splitLeft(left.width - 1).left, look)
    }

    private func drawTabs(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        guard let book = model.book else { return }
        var spans: [Span] = [Span(" ")]
        for phase in book.phases {
            let isHere = model.section == .phase(phase.number)
            // What has not begun needs no sign, and the line is narrow.
            let sign = phase.state == .ready ? "" : Words.sign(phase.state, look.symbols)
            let name = layout.isCompact ? String(phase.shortTitle.prefix(1)) : " " + phase.shortTitle
            let gap = layout.isCompact || sign.isEmpty ? "" : " "
            spans.append(
                Span("\(phase.number)\(name)\(gap)\(sign)", isHere ? .selection : Words.role(phase.state)))
            spans.append(Span(layout.isCompact ? " " : " \(look.symbols.separator) ", .border))
        }
        let open = book.openFindings
        let others: [(Section, String)] =
            [
                (.checklist, "7" + (look.symbols.isASCII ? "v" : "✓")),
                (.findings, open > 0 ? "8!\(open)" : "8!"),
                (.journal, "9" + (look.symbols.isASCII ? "=" : "≡")),
                (.rollback, "0" + (look.symbols.isASCII ? "<" : "↺")),
            ] + (book.mode == .live ? [(.cutover, "C")] : [])
        for (section, name) in others {
            let role: Role =
                section == model.section ? .selection : section == .findings && open > 0 ? .warn : .muted
            spans += [Span(name, role), Span(" ")]
        }
        spans.removeLast()
        buffer.write(Line(spans), in: layout.tabs, look)
    }

    // MARK: Panes

    private func drawPane(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        switch model.section {
        case .phase: PhasePane(screen: self).draw(&buffer, layout)
        case .checklist: ChecklistPane(screen: self).draw(&buffer, layout)
        case .findings: FindingsPane(screen: self).draw(&buffer, layout)
        case .journal: JournalPane(screen: self).draw(&buffer, layout)
        case .rollback: RollbackPane(screen: self).draw(&buffer, layout)
        }
    }

    /// A frame around a section; returns its inside.
    func frame(_ title: String, _ layout: ScreenLayout, footer: Line = Line(), _ buffer: inout Buffer) -> Rect
    {
        Frame(Line(title, .title), footer: footer, isFocused: model.pane != .rail && model.overlays.isEmpty)
            .draw(in: layout.pane, on: &buffer, look)
    }

    func isFocused(_ pane: Pane) -> Bool { model.pane == pane && model.overlays.isEmpty }
}
