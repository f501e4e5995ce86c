import Playbook
import TerminalUI

/// The project's files that phase 2 changes: the list at the left, the selected one's diff at the right.
struct FilesView {
    let screen: Screen

    private var model: AppModel { screen.model }
    private var look: Look { screen.look }

    func draw(in rect: Rect, _ buffer: inout Buffer) {
        let (left, rest) = rect.splitLeft(CodeView.listWidth(rect.width))
        drawList(in: left, &buffer)
        guard rest.width > 1 else { return }
        let (bar, right) = rest.splitLeft(1)
        for y in 0..<bar.height {
            buffer.write(look.symbols.vertical, in: bar.row(y), style: look.style(.border))
        }
        guard let file = model.selectedFile else { return }
        TextView(Self.lines(file), wraps: false).draw(in: right.inset(1, 0), on: &buffer, look)
    }

    private func drawList(in rect: Rect, _ buffer: inout Buffer) {
        let files = model.shownFiles
        ScrollList(
            count: files.count, state: model.list(.files), isFocused: screen.isFocused(.files),
            empty: model.empty(Line("no such file", .muted), filtered: "file")
        ) { index in
            let file = files[index]
            let (sign, role): (String, Role) =
                switch file.state {
                case .planned: (look.symbols.ready, .text)
                case .changed: (look.symbols.done, .ok)
                case .edited: (look.symbols.undecided, .warn)
                }
            return Line([
                Span(" \(sign) ", role), Span(name(file), .title),
                Span("  \(file.step) \(file.state.words)  \(folder(file))", .muted),
            ])
        }.draw(in: rect, on: &buffer, look)
    }

    /// The name first: of a long path the end tells more than the beginning.
    private func name(_ file: ProjectFile) -> String {
        let parts = file.path.split(separator: "/")
        let name = parts.last.map(String.init) ?? file.path
        return file.destination == nil ? name : "\(name) (moves)"
    }

    private func folder(_ file: ProjectFile) -> String {
        file.path.split(separator: "/").dropLast().joined(separator: "/")
    }

    static func lines(_ file: ProjectFile) -> [Line] {
        file.diff.map { Line($0.replacing("\t", with: "    "), Words.role(of: $0[...], in: .diff)) }
    }
}
