import TerminalUI

/// The help, made from the table of keys: those of the pane first, and why what does not work does not.
enum HelpText {
    static func lines(_ keys: KeyTable<KeyContext, Action>, _ search: String, _ model: AppModel) -> [Line] {
        let wanted = search.lowercased()
        var lines: [Line] = []
        for context in order(model) {
            let bindings = keys.bindings.filter { binding in
                binding.context == context && !binding.keys.isEmpty
                    && (wanted.isEmpty || binding.help.lowercased().contains(wanted)
                        || binding.label.contains(wanted)
                        || binding.keys.contains { $0.name.lowercased() == wanted })
            }
            guard !bindings.isEmpty else { continue }
            if !lines.isEmpty { lines.append(Line()) }
            lines.append(Line(context.title, .title))
            for binding in bindings { lines.append(line(binding, model)) }
        }
        if wanted.isEmpty {
            lines += [Line(), Line("Commands, after :", .title)]
            lines += CommandLine.all.map { command in
                Line([
                    Span(padded("  \(command.name) \(command.argument)", 18), .key), Span(command.help),
                ])
            }
        }
        return lines.isEmpty ? [Line("no key does “\(search)”", .muted)] : lines
    }

    private static func line(_ binding: Bindings.Entry, _ model: AppModel) -> Line {
        let names = padded("  " + binding.keys.map(\.name).joined(separator: " "), 18)
        let reason =
            binding.context == .everywhere || model.contextsUnder.contains(binding.context)
            ? Availability.reason(binding.action, model) : nil
        return Line(
            [Span(names, .key), Span(binding.help)] + (reason.map { [Span("  (now: \($0))", .muted)] } ?? []))
    }

    /// The contexts of the pane first, then all others.
    private static func order(_ model: AppModel) -> [KeyContext] {
        let first = model.contextsUnder
        return first + KeyContext.allCases.filter { !first.contains($0) }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(2, width - TextWidth.cells(text)))
    }
}

extension AppModel {
    /// The contexts of what lies under the help.
    var contextsUnder: [KeyContext] {
        var model = self
        while case .help = model.overlays.last { model.overlays.removeLast() }
        return model.contexts
    }
}
