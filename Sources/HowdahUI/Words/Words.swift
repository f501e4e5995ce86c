import AppProject
import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// What boxes say.
enum Words {
    /// What has become of rows that differ.
    static func kind(_ kind: RowDifference.Kind) -> String {
        switch kind {
        case .changed: "changed"
        case .missing: "missing in PostgreSQL"
        case .extra: "only in PostgreSQL"
        }
    }

    /// Which rows that differ are shown; empty where all are.
    static func filter(_ filter: DifferenceFilter) -> String {
        [filter.kind.map(kind), filter.column.map { "in \($0)" }].compactMap(\.self).joined(separator: ", ")
    }

    static func sign(_ state: StepState, _ symbols: Symbols) -> String {
        switch state {
        case .waiting: symbols.waiting
        case .ready: symbols.ready
        case .running: symbols.running
        case .undecided: symbols.undecided
        case .done: symbols.done
        case .failed: symbols.failed
        case .stale: symbols.stale
        case .skipped: symbols.skipped
        }
    }

    static func role(_ state: StepState) -> Role {
        switch state {
        case .waiting, .skipped: .muted
        case .ready: .text
        case .running: .phaseNow
        case .undecided, .stale: .warn
        case .done: .ok
        case .failed: .error
        }
    }

    /// Minutes and seconds, hours before them where there are any.
    static func clock(_ seconds: Double) -> String {
        let whole = max(0, Int(seconds.rounded()))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let short = "\(two(whole / 60 % 60)):\(two(whole % 60))"
        return whole >= 3600 ? "\(two(whole / 3600)):\(short)" : short
    }

    /// 214000 as 214 k.
    static func short(_ number: Double) -> String {
        switch number {
        case ..<1000: "\(Int(number))"
        case ..<1_000_000: "\(Int(number / 1000)) k"
        default: "\(Int(number / 1_000_000)).\(Int(number / 100_000) % 10) M"
        }
    }

    // MARK: Steps

    static func details(_ line: BookState.StepLine) -> TextBox {
        let step = Phases.step(line.step)
        var lines = [Line(step?.purpose ?? "")]
        if !line.state.words.isEmpty { lines += [Line(), Line(line.state.words, role(line.state))] }
        if !line.when.isEmpty {
            lines += [Line(), Line("\(line.state.name) by \(line.who), \(line.when)", .muted)]
        }
        if !line.note.isEmpty { lines.append(Line("note: \(line.note)")) }
        if let contradiction = line.contradiction { lines += [Line(), Line(contradiction, .warn)] }
        if !line.evidence.isEmpty { lines += [Line()] + line.evidence.map { Line($0) } }
        if line.isManual {
            lines += [Line(), Line("By hand:", .title)] + line.byHand.map { Line($0) }
            if line.state == .ready {
                lines += [
                    Line(),
                    Line("Space ticks it, with a note; - settles it, where it does not apply.", .muted),
                ]
            }
        }
        if let undo = step?.undo, line.canUndo, !line.isManual {
            lines += [Line(), Line("u undoes it: \(undo).", .muted)]
        }
        return TextBox(title: "\(line.step) \(line.title)", lines: lines)
    }

    /// Whether a step that failed may come to something else when it is run again as things are.
    static func mayTryAgain(_ reason: String) -> Bool { !reason.contains(Phases.extraStays) }

    static func remedy(_ line: BookState.StepLine) -> String {
        if case .failed(let reason) = line.state,
            reason.contains("interrupted") || reason.hasPrefix("cancelled")
        {
            return "Nothing is lost: the step goes on from what is there."
        }
        if line.step == "3.4" { return "Phase 3 lists the tables; Enter on one that differs shows its rows." }
        return line.evidence.first ?? "Look at the message, then try again."
    }

    static func welcome(_ book: BookState) -> TextBox {
        TextBox(
            title: "Welcome",
            lines: [
                Line("From SQLite to PostgreSQL, in six phases, with every cell proven equal."), Line(),
                Line(
                    "This is the rehearsal: a private PostgreSQL that howdah makes for the purpose. Your application "
                        + "and \(book.sourcePath) stay as they are: the file is only read."), Line(),
                Line([
                    Span("Enter", .key), Span(" shows what the selected step would do; "),
                    Span("Enter", .key),
                    Span(
                        " there does it, and the next one is selected. A dozen such steps lead to the proof."),
                ]), Line(),
                Line([
                    Span("?", .key), Span(" shows every key, "), Span("u", .key), Span(" undoes, "),
                    Span("q", .key),
                    Span(" leaves; opened again, it goes on from there."),
                ]),
            ])
    }

    static func undecided(_ line: BookState.StepLine, _ count: Int) -> TextBox {
        TextBox(
            title: "\(line.step) \(line.title): \(count) to decide",
            lines: [
                Line(
                    "\(count) findings would lose or change something, so nothing moves until they are decided.",
                    .warn),
                Line(),
                Line("8 shows them: Enter reads one, o decides it. Then run \(line.step) again."),
                Line("Rows that are wrong can also be corrected in the source; then begin with 1.2 again."),
            ])
    }

    /// What follows a step of the cutover, or a rollback; nil where the list says enough.
    static func cutover(_ line: BookState.StepLine) -> TextBox? {
        let next: [String]
        switch line.step {
        case "C.2":
            next = [
                "The settings lead to PostgreSQL, and nobody can write to SQLite.",
                "Start the application now, unless that was done for you; then Enter on C.3 tries it.",
                "u on C.2 goes back to SQLite, until C.4.",
            ]
        case "C.4":
            next = [
                "The application is on PostgreSQL. 0, rollback, is still the way back.",
                "7 is the checklist; :finish removes what howdah has left.",
            ]
        case Phases.rollback.id:
            next = ["Everything is back. Start the application on SQLite, unless that was done for you."]
        default: return nil
        }
        return TextBox(
            title: "\(line.step) \(line.title)",
            lines: line.evidence.map { Line($0) } + [Line()] + next.map { Line($0, .ok) })
    }

    static func proven(_ book: BookState) -> TextBox {
        let rows = book.tables.reduce(0) { $0 + $1.loaded }
        let equal = book.tables.count { $0.verdict == "equal" }
        var lines = [
            Line(
                "\(Format.count(equal, "table", "tables")), \(Format.count(rows, "row", "rows")): every cell is equal.",
                .ok), Line(),
        ]
        let left = book.objects.filter(\.isUnexplained)
        if !left.isEmpty {
            lines += [
                Line("\(left.count) objects of the source were left out: 8 names them.", .warn), Line(),
            ]
        }
        if book.mode == .rehearsal {
            lines += [
                Line("This was the rehearsal, in a private PostgreSQL; your application is as it was."),
                Line(),
                Line("Next: look around in phase 3, Enter on a table shows its proof."),
                Line("      Try your application on it, while these screens are open, at"),
                Line("      \(book.rehearsalURL ?? "what howdah rehearsal url prints")", .key),
                Line("      After you leave, howdah rehearsal start \(book.openPath) brings it up again."),
                Line("      Phases 2, 4 and 5 say what to change and to try; tick what you have done."),
                Line("      L goes live, when you are ready."),
            ]
        } else {
            lines += [
                Line("Next: phase 2, so that the application uses the new database; then phases 4 to 6."),
                Line("      The SQLite file and its snapshot stay: they are your way back."),
            ]
        }
        return TextBox(title: "Proven", lines: lines)
    }

    static func role(of line: Substring, in style: Preview.Style) -> Role {
        switch (style, line.first) {
        case (.sql, _): .key
        case (.diff, "+"): .diffAdded
        case (.diff, "-"): .diffRemoved
        case (.diff, "@"): .muted
        default: .text
        }
    }

    static func preview(_ box: PreviewBox, _ book: BookState?) -> [Line] {
        var lines: [Line] = []
        if !box.isUndo, box.translation == nil, let purpose = Phases.step(box.step)?.purpose {
            lines += [Line(purpose), Line()]
        }
        for (index, section) in box.preview.sections.enumerated() {
            if index > 0 { lines.append(Line()) }
            lines.append(Line(section.title + ":", .title))
            for line in section.lines.flatMap({ $0.split(separator: "\n", omittingEmptySubsequences: false) })
            {
                lines.append(Line("  " + line, role(of: line, in: section.style)))
            }
        }
        if let warning = box.preview.warning { lines += [Line(), Line("! " + warning, .warn)] }
        if let wanted = box.preview.confirmation {
            lines += [Line(), Line("Type “\(wanted)” to go on:", .warn)]
        }
        return lines
    }

    static func goingLive(_ target: String, _ book: BookState) -> [String] {
        let proven = book.isProven
        return [
            "Target: \(target)",
            "Source: \(book.sourcePath)",
            "",
            proven
                ? "The rehearsal is proven."
                : "The rehearsal is not proven yet: it is wise to finish it first.",
            "Live, every step is run anew, each with its preview: first the snapshot, which is a new one where the source has "
                + "changed.",
            "The plan and your decisions are shared. Nothing happens before you run a step.",
            "",
            "Type the database's name to go on: \(book.liveDatabase ?? "")",
        ]
    }

    // MARK: Findings, journal, checklist, tables, columns

    static func finding(_ finding: Finding) -> TextBox {
        var lines = [
            Line(finding.message, finding.blocking ? .warn : .text), Line(),
            Line("\(finding.id.rawValue), \(Format.count(finding.count)) of them", .muted),
            Line(
                finding.decision.map { "It is decided: \($0)." }
                    ?? (finding.blocking
                        ? "It stops the migration until it is decided." : "It is for your information."),
                .muted),
        ]
        let samples = finding.sampleRowids.map { "\($0)" } + finding.sampleKeys
        if !samples.isEmpty { lines.append(Line("rows: \(samples.joined(separator: ", "))")) }
        if !finding.choices.isEmpty {
            lines += [Line(), Line("Choices; o decides:", .title)]
            lines += finding.choices.map { Line("  \($0.word): \($0.consequence)") }
        }
        return TextBox(title: finding.place.isEmpty ? finding.id.rawValue : finding.place, lines: lines)
    }

    static func entry(_ entry: JournalEntry) -> TextBox {
        TextBox(
            title: "\(entry.subject) \(entry.kind.rawValue)",
            lines: [
                Line("\(entry.time), \(entry.who), \(entry.mode.rawValue)", .muted), Line(),
            ] + (entry.text.isEmpty ? [] : [Line(entry.text), Line()]) + entry.evidence.map { Line($0) })
    }

    static func item(_ item: Checklist.ItemLine) -> TextBox {
        TextBox(
            title: item.title,
            lines: [
                item.isTicked
                    ? Line("ticked by \(item.who), \(item.when)", .ok) : Line("not ticked yet", .muted)
            ] + itemDetails(item).dropFirst() + [
                Line(),
                Line(item.isTicked ? "Space takes the tick away." : "Space ticks it, with a note.", .muted),
            ])
    }

    /// What stands under the checklist about the selected item: its title, its note, what is against it, its evidence.
    static func itemDetails(_ item: Checklist.ItemLine) -> [Line] {
        var lines = [Line(item.title, .title)]
        if !item.note.isEmpty { lines.append(Line("note: \(item.note)")) }
        lines += (item.isTicked ? item.doubts : item.obstacles).map { Line($0, .warn) }
        return lines
            + (item.links.isEmpty ? [Line("no step speaks for it", .muted)] : item.evidence.map { Line($0) })
    }

    static func table(_ table: BookState.TableLine, _ book: BookState?) -> TextBox {
        var lines: [Line]
        switch table.verdict {
        case "equal":
            lines = [
                Line(
                    "equal: every cell of \(Format.count(table.rows, "row", "rows")) is the same on both sides.",
                    .ok),
                Line("as of the snapshot, in \(Format.seconds(table.seconds))", .muted),
            ]
        case "skipped",
            nil where table.isSkipped:
            lines = [Line("left out, by the plan", .muted)]
        default: lines = [Line("not proven yet: step 3.4 does it.", .muted)]
        }
        if let reason = table.reason { lines.append(Line(reason, .warn)) }
        lines += [
            Line(), Line("rows in the source  \(Format.count(table.rows))"),
            Line("rows loaded         \(Format.count(table.loaded))"),
        ]
        if let digest = table.digest { lines += [Line()] + DigestWords(digest: digest).lines }
        return TextBox(title: table.name, lines: lines)
    }

    static func column(_ column: BookState.ColumnLine, _ table: String) -> TextBox {
        var lines = [
            Line(
                "\(column.declared.isEmpty ? "no type" : column.declared) in SQLite, \(column.type) in PostgreSQL"
            ),
            Line(column.reason, .muted),
        ]
        if let held = column.held {
            let names = ["integers", "reals", "texts", "BLOBs", "NULLs"]
            let parts = zip(names, held).filter { $0.1 > 0 }.map { "\(Format.count($0.1)) \($0.0)" }
            lines += [Line(), Line("It holds \(parts.isEmpty ? "nothing" : parts.joined(separator: ", ")).")]
        }
        return TextBox(title: "\(table).\(column.name)", lines: lines)
    }

    // MARK: Find

    /// The lines of a list as they are looked through.
    static func searchable(_ id: ListID, _ model: AppModel) -> [String] {
        if let monitor = model.monitor { return monitor.texts(model.filter) }
        guard let book = model.book else { return model.projects?.entries.map(\.path) ?? [] }
        return switch id {
        case .rail: book.phases.map(\.title) + ["Checklist", "Findings", "Journal", "Rollback"]
        case .steps:
            model.phase?.steps.map {
                "\($0.step) \($0.title) \($0.state.words) \($0.evidence.joined(separator: " "))"
            } ?? []
        case .tables: model.shownPlan.map(\.name)
        case .columns:
            model.planTable?.columns.map { "\($0.name) \($0.declared) \($0.type) \($0.reason)" } ?? []
        case .places: model.shownPlaces.map { "\($0.finding.path) \($0.title) \($0.finding.excerpt)" }
        case .files: model.shownFiles.map(\.path)
        case .advice: model.shownAdvice.map { "\($0.advice.words) \($0.advice.why)" }
        case .commands: model.shownCommands.map { "\($0.command.name) \($0.command.run)" }
        case .checklist: book.checklist.map(\.title)
        case .findings: model.shownFindings.map { "\($0.place) \($0.message)" }
        case .journal: model.shownJournal.map { "\($0.subject) \($0.kind.rawValue) \($0.text)" }
        case .rollback: model.rollbackSteps.map(\.title)
        case .projects, .monitor: []
        }
    }
}

extension CellValue {
    /// As the hex view shows it; nil for NULL.
    var bytes: [UInt8]? {
        switch self {
        case .null: nil
        case .number(let text), .text(let text): Array(text.utf8)
        case .bytes(let bytes): bytes
        }
    }
}
