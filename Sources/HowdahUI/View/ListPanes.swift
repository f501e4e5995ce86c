import MigrationEngine
import Playbook
import TerminalUI

/// The post-migration checklist.
struct ChecklistPane {
    let screen: Screen

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        let items = screen.model.book?.checklist ?? []
        let done = items.count(where: \.isTicked)
        let inner = screen.frame("7 Checklist — \(done) of \(items.count)", layout, &buffer)
        let symbols = screen.look.symbols
        let details = screen.model.selectedItem.map(Words.itemDetails) ?? []
        let height = min(details.count, max(inner.height - items.count - 1, inner.height / 3))
        let (list, rest) = inner.splitBottom(height)
        ScrollList(
            count: items.count, state: screen.model.list(.checklist), isFocused: screen.isFocused(.main)
        ) { index in
            let item = items[index]
            return Line([
                Span(" \(item.isTicked ? symbols.tick : symbols.untick) ", Self.role(item)),
                Span(item.title + (item.isOwn ? " (own)" : "")),
                Span("   " + item.words, item.isTicked && item.doubts.isEmpty ? .muted : .warn),
            ])
        }.draw(in: list, on: &buffer, screen.look)
        TextView(Array(details.prefix(height)), wraps: false).draw(
            in: rest.inset(1, 0), on: &buffer, screen.look)
    }

    private static func role(_ item: Checklist.ItemLine) -> Role {
        !item.isTicked ? .text : item.doubts.isEmpty ? .ok : .warn
    }
}

/// What was found.
struct FindingsPane {
    let screen: Screen

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        let model = screen.model
        let findings = model.shownFindings
        let left = (model.book?.objects ?? []).filter(\.isUnexplained)
        let inner = screen.frame(
            "8 Findings — \(model.book?.openFindings ?? 0) to decide\(model.filterWords)", layout, &buffer)
        let wasProfiled = model.book?.step("1.6").map { !$0.when.isEmpty } ?? false
        let (list, rest) =
            left.isEmpty
            ? (inner, inner.splitBottom(0).bottom) : inner.splitBottom(min(inner.height / 2, left.count + 1))
        ScrollList(
            count: findings.count, state: model.list(.findings), isFocused: screen.isFocused(.main),
            empty: model.empty(
                Line(
                    wasProfiled
                        ? "nothing was found: every value arrives as it is" : "step 1.6 looks for them",
                    wasProfiled ? .ok : .muted), filtered: "finding")
        ) { index in
            let finding = findings[index]
            return Line([
                Span(
                    finding.blocking
                        ? " \(screen.look.symbols.undecided) " : " \(screen.look.symbols.waiting) ",
                    finding.blocking ? .warn : .muted),
                Span(finding.place.isEmpty ? "" : finding.place + "  ", .title), Span(finding.message),
            ])
        }.draw(in: list, on: &buffer, screen.look)
        guard !left.isEmpty else { return }
        let lines =
            [Line("Left out, since howdah cannot carry it yet:", .warn)]
            + left.map { Line("  \($0.kind.rawValue) \($0.name)  \($0.reason ?? "")") }
        TextView(lines, wraps: false).draw(in: rest.inset(1, 0), on: &buffer, screen.look)
    }
}

/// What happened, newest first.
struct JournalPane {
    let screen: Screen

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        let entries = screen.model.shownJournal
        let inner = screen.frame("9 Journal — newest first\(screen.model.filterWords)", layout, &buffer)
        Table(
            columns: [
                .init("Time", .fixed(20)), .init("Who", .fixed(8)), .init("Mode", .fixed(9)),
                .init("Step", .fixed(10)),
                .init("What", .fixed(10)), .init("", .flexible(minimum: 8, share: 1)),
            ], count: entries.count, state: screen.model.list(.journal), isFocused: screen.isFocused(.main),
            frozen: 1,
            firstColumn: screen.model.firstColumn,
            empty: screen.model.empty(Line("nothing has happened yet", .muted), filtered: "entry")
        ) { index in
            let entry = entries[index]
            let role: Role =
                switch entry.kind {
                case .failed: .error
                case .done, .ticked: .ok
                case .undecided, .cancelled, .undone, .unticked: .warn
                default: .text
                }
            return [
                Line(entry.time, .muted), Line(entry.who),
                Line(entry.mode.rawValue, entry.mode == .live ? .live : .muted),
                Line(entry.subject), Line(entry.kind.rawValue, role),
                Line(entry.text.isEmpty ? entry.evidence.first ?? "" : entry.text),
            ]
        }.draw(in: inner, on: &buffer, screen.look)
    }
}

/// The way back: what was done and can be undone, the last first.
struct RollbackPane {
    let screen: Screen

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        let model = screen.model
        let steps = model.rollbackSteps
        let inner = screen.frame("0 Rollback — all of it, or the last step first", layout, &buffer)
        let (list, rest) = inner.splitBottom(min(5, inner.height / 3))
        ScrollList(
            count: steps.count, state: model.list(.rollback), isFocused: screen.isFocused(.main)
        ) { index in
            let step = steps[index]
            if index == 0 {
                return Line([
                    Span(" \(Words.sign(step.state, screen.look.symbols)) ", Words.role(step.state)),
                    Span("Everything", .title), Span("   " + (Phases.step(step.step)?.purpose ?? "")),
                ])
            }
            let undo = Phases.step(step.step)?.undo ?? ""
            return Line([
                Span(step.canUndo ? " u " : "   ", .key), Span("\(step.step) \(step.title)", .title),
                Span("   " + undo, step.canUndo ? .text : .muted),
                Span(step.undoObstacle.map { "  (\($0))" } ?? "", .muted),
            ])
        }.draw(in: list, on: &buffer, screen.look)
        let words = [
            Line("The SQLite file was never written to: it is your way back.", .ok),
            Line("Enter goes the way back that is selected, after a preview.", .muted),
        ]
        TextView(words).draw(in: rest.inset(1, 0), on: &buffer, screen.look)
    }
}

/// Projects to open, where none was named.
struct PickerPane {
    let screen: Screen

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        let rect = Rect(x: 0, y: 1, width: layout.size.width, height: layout.size.height - 2)
        let inner = Frame(Line("Open a project", .title), isFocused: screen.model.overlays.isEmpty)
            .draw(in: rect, on: &buffer, screen.look)
        let projects = screen.model.projects
        let entries = projects?.entries ?? []
        ScrollList(
            count: entries.count, state: screen.model.list(.projects), isFocused: screen.isFocused(.main),
            empty: Line(
                projects?.isSearching ?? true
                    ? "looking for SQLite files…"
                    : "no SQLite file below this folder: Enter lets you name one, howdah demo makes one",
                .muted)
        ) { index in
            Line([Span(" " + entries[index].path), Span("   " + entries[index].note, .muted)])
        }.draw(in: inner, on: &buffer, screen.look)
    }
}
