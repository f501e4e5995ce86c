import Playbook
import TerminalUI

/// The keys that do something here, or the last message; `?` and `q` always.
struct Footer {
    let screen: Screen

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        let (model, look) = (screen.model, screen.look)
        let contexts = model.contexts
        let shown = screen.keys.bindings(in: contexts).filter { $0.rank != nil && isUseful($0.action) }
            .sorted { $0.rank ?? 0 < $1.rank ?? 0 }
        let fixed = shown.filter { $0.rank ?? 0 >= 90 }
        var right = Line()
        for binding in fixed { right = right + item(binding) + Line("  ") }
        let width = min(right.cells, layout.footer.width)
        let (left, end) = layout.footer.splitLeft(layout.footer.width - width)
        buffer.write(right, in: end, look)
        if let toast = model.toast {
            buffer.write(Line(" " + toast.text, toast.role), in: left.splitLeft(left.width - 1).left, look)
            return
        }
        if model.isBusy {
            let words = model.work.map { "  \(Progress.words($0))  x cancels" } ?? ""
            buffer.write(Line(" a moment…\(words)", .muted), in: left, look)
            return
        }
        if case .help = model.overlays.last {
            buffer.write(Self.help, in: left, look)
            return
        }
        var line = Line(" ")
        for binding in shown where binding.rank ?? 0 < 90 {
            let next = item(binding) + Line("  ")
            if line.cells + next.cells > left.width { break }
            line = line + next
        }
        buffer.write(line, in: left, look)
    }

    /// The help's field searches while one types: nothing is taken or completed there.
    private static let help = Line(
        [("letters", "search"), ("Up Down", "scroll"), ("Esc", "close")].flatMap { key, words in
            [Span(" \(key)", .key), Span(" \(words) ")]
        })

    private func isUseful(_ action: Action) -> Bool {
        if !screen.model.overlays.isEmpty { return overlayKnows(action) }
        return Availability.reason(action, screen.model) == nil
    }

    /// In a box only its own keys are named; everywhere's do not reach through it.
    private func overlayKnows(_ action: Action) -> Bool {
        switch action {
        case .open, .nextButton, .back, .complete, .bytes, .wrap, .showSpaces, .nextDifference,
            .previousDifference, .copyAgain, .help:
            true
        case .filter, .find: if case .proof = screen.model.overlays.last { true } else { false }
        case .quit: false
        default: false
        }
    }

    private func item(_ binding: Bindings.Entry) -> Line {
        let name = binding.keys.first?.name ?? ""
        return Line([Span(name, .key), Span(" " + label(binding))])
    }

    private func label(_ binding: Bindings.Entry) -> String {
        if binding.action == .pause, screen.model.monitor?.isPaused ?? false { return "go on" }
        if binding.action == .pause, screen.model.work?.isPaused ?? false { return "go on" }
        if binding.action == .start, screen.model.selectedServiceRuns { return "stop" }
        if binding.action == .live, screen.model.book?.mode == .live { return "rehearsal" }
        return binding.label
    }
}
