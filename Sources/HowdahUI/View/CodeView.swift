import AppProject
import Playbook
import TerminalUI

/// What was found in the code: places at the left, the selected one's source and PostgreSQL's equal at the right.
struct CodeView {
    /// Narrower than this, only the list is drawn: Enter shows the rest.
    private static let widthForBoth = 60

    let screen: Screen

    private var model: AppModel { screen.model }
    private var look: Look { screen.look }

    static func listWidth(_ width: Int) -> Int { width < widthForBoth ? width : min(42, width * 2 / 5) }

    func draw(in rect: Rect, _ buffer: inout Buffer) {
        let (left, rest) = rect.splitLeft(Self.listWidth(rect.width))
        drawList(in: left, &buffer)
        guard rest.width > 1 else { return }
        let (bar, right) = rest.splitLeft(1)
        for y in 0..<bar.height {
            buffer.write(look.symbols.vertical, in: bar.row(y), style: look.style(.border))
        }
        if let place = model.selectedPlace { draw(place, in: right.inset(1, 0), &buffer) }
    }

    private func drawList(in rect: Rect, _ buffer: inout Buffer) {
        let places = model.shownPlaces
        ScrollList(
            count: places.count, state: model.list(.places), isFocused: screen.isFocused(.places),
            empty: model.empty(Line("nothing was found in the code", .muted), filtered: "place in the code")
        ) { index in
            let place = places[index]
            let (sign, role) = CodeWords.sign(place, look.symbols)
            let file = place.finding.path.split(separator: "/").last.map(String.init) ?? place.finding.path
            return Line([
                Span(" \(sign) ", role),
                Span("\(file):\(place.finding.line) ", place.isOpen ? .title : .muted),
                Span(place.title, place.isOpen ? .text : .muted),
            ])
        }.draw(in: rect, on: &buffer, look)
    }

    private func draw(_ place: CodePlace, in rect: Rect, _ buffer: inout Buffer) {
        let words = TextView(CodeWords.explained(place)).laidOut(width: rect.width - 1)
        let (top, bottom) = rect.splitBottom(min(words.count, rect.height * 2 / 3))
        drawSource(place, in: top, &buffer)
        TextView(words, wraps: false).draw(in: bottom, on: &buffer, look)
    }

    /// The lines around the place, that of the place in their middle.
    private func drawSource(_ place: CodePlace, in rect: Rect, _ buffer: inout Buffer) {
        let (head, rest) = rect.splitTop(1)
        buffer.write(
            Line([
                Span("\(place.finding.path):\(place.finding.line)", .title),
                Span("  " + CodeWords.state(place), .muted),
            ]),
            in: head, look)
        guard let source = model.source, source.key == place.id else { return }
        for (row, line) in CodeWords.lines(source, of: place, count: rest.height, look.symbols).enumerated() {
            buffer.write(line, in: rest.row(row), look)
        }
    }
}

/// Places in the code, in words.
enum CodeWords {
    static func sign(_ place: CodePlace, _ symbols: Symbols) -> (String, Role) {
        switch place.state {
        case .fixed: return (symbols.done, .ok)
        case .accepted, .notApplicable: return (symbols.skipped, .muted)
        case .open: break
        }
        switch place.finding.severity {
        case .breaks: return (symbols.failed, .error)
        case .silent: return (symbols.undecided, .warn)
        case .performance: return (symbols.stale, .warn)
        case .info: return (symbols.waiting, .muted)
        }
    }

    static func state(_ place: CodePlace) -> String {
        guard place.state == .open else {
            return place.state.words + (place.note.isEmpty ? "" : ": \(place.note)")
        }
        switch place.finding.severity {
        case .breaks: return "fails on PostgreSQL"
        case .silent: return "goes on, with another result"
        case .performance: return "gets slow"
        case .info: return "to know"
        }
    }

    /// What it is, PostgreSQL's equal, why, and what the server said.
    static func explained(_ place: CodePlace) -> [Line] {
        var lines = [
            Line([Span(place.title, .warn), Span(" → "), Span(place.equal, .ok)]), Line(place.why),
            Line(place.link, .muted),
        ]
        switch place.verdict {
        case .prepared?: lines.append(Line("the server prepares this statement", .ok))
        case .refused(let reason)?: lines.append(Line("the server: \(reason)", .error))
        case nil: break
        }
        if !place.note.isEmpty { lines.append(Line("note: \(place.note)")) }
        return lines
    }

    /// As many lines of a source, each with its number.
    static func lines(_ source: CodeSource, of place: CodePlace, count: Int, _ symbols: Symbols) -> [Line] {
        let index = place.finding.line - source.first
        let shown = source.lines.map { $0.replacing("\t", with: "    ") }
        let start = max(0, min(index - count / 2, source.lines.count - count))
        let width = "\(source.first + source.lines.count)".count
        // What all of them are indented by tells nothing.
        let window = shown.dropFirst(start).prefix(max(0, count))
        let indent =
            window.filter { !$0.allSatisfy { $0 == " " } }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return shown.enumerated().dropFirst(start).prefix(max(0, count)).map { offset, text in
            let number = "\(source.first + offset)"
            let isHere = offset == index
            let padding = String(repeating: " ", count: width - number.count)
            return Line([
                Span(padding + number + (isHere ? " \(symbols.closed) " : "   "), isHere ? .key : .muted),
                Span(String(text.dropFirst(indent)), isHere ? .diffChanged : .text),
            ])
        }
    }

    /// All of a place, to be read.
    static func box(_ place: CodePlace, _ source: CodeSource?) -> TextBox {
        let lines = source.map { self.lines($0, of: place, count: 15, .unicode) } ?? []
        return TextBox(
            title: "\(place.finding.path):\(place.finding.line) — \(state(place))",
            lines: lines + (lines.isEmpty ? [] : [Line()]) + explained(place) + [
                Line(),
                Line(
                    "In the list Space settles it, t translates its statement, e opens the editor; key \(place.id)",
                    .muted),
            ])
    }
}
