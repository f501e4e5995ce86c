import Foundation
import MigrationEngine
import Operations
import Playbook

/// What `advise` does with steps 6.1 and 6.2, one after the other.
struct AdviseWork {
    let book: Playbook
    let place: TargetOptions
    let common: CommonOptions
    let selection: AdviceSelection
    let options: PoolOptions
    let editsSchema: Bool
    let cancellation: Cancellation

    private static let (indexes, pool) = ("6.1", "6.2")

    func run(leaving: [String], note: String, undoing: Bool, previewing: Bool) throws -> ExitCode {
        try working(nil) { activity in
            try place.askForPassword(book, activity)
            book.lookAtTarget(activity, always: true)
            if !leaving.isEmpty {
                try book.lookAtIndexes(activity)
                for id in leaving { try book.choose(advice: id, false, note: note) }
            }
        }
        if undoing { return try undo(previewing) }
        if previewing { return try preview() }
        guard selection.hasIndexes || selection.hasPool else {
            try working(nil) { activity in
                try book.lookAtIndexes(activity)
                try book.lookAtPool(options, activity)
            }
            return show([], outcome: "answered", .success)
        }
        var steps: [String] = []
        if selection.hasIndexes {
            try working(Self.indexes) {
                try book.followAdvice(selection.indexes, editsSchema: editsSchema, $0)
            }
            steps.append(Self.indexes)
        }
        if selection.hasPool {
            try working(Self.pool) {
                try book.followPool(
                    options, settings: selection.settings, editsURL: selection.editsURL, $0)
            }
            steps.append(Self.pool)
        }
        return changed(steps)
    }

    /// Runs `body` with progress shown on stderr.
    private func working(_ step: String?, isUndo: Bool = false, _ body: (Activity) throws -> Void) throws {
        guard let activity = book.begin(step, isUndo: isUndo, cancellation: cancellation) else {
            throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
        }
        defer { book.end(activity) }
        let reporter = ProgressReporter(activity.progress)
        defer { reporter.stop() }
        try body(activity)
    }

    // MARK: Previews

    private func preview() throws -> ExitCode {
        // Without a selection: what would be done where one says recommended.
        let isAll = !selection.hasIndexes && !selection.hasPool
        var previews: [Preview] = []
        if selection.hasIndexes || isAll {
            try working(nil) { activity in
                previews.append(
                    try book.previewAdvice(
                        isAll ? nil : selection.indexes, editsSchema: editsSchema, activity))
            }
        }
        if selection.hasPool || isAll {
            try working(nil) { activity in
                previews.append(
                    try book.previewPool(
                        options, settings: selection.settings, editsURL: selection.editsURL || isAll, activity
                    )
                )
            }
        }
        return show(previews)
    }

    private func show(_ previews: [Preview]) -> ExitCode {
        let all = Preview(
            previews.flatMap(\.sections),
            warning: previews.compactMap(\.warning).isEmpty
                ? nil : previews.compactMap(\.warning).joined(separator: "\n"))
        if common.json {
            Console.json(PreviewDocument("advise", all))
        } else {
            BookWords.preview(all).forEach(Console.result)
        }
        return .success
    }

    private func undo(_ previewing: Bool) throws -> ExitCode {
        let steps = [Self.pool, Self.indexes].filter {
            book.overview(isQuick: true).step($0)?.undoObstacle == nil
        }
        guard !steps.isEmpty else {
            throw MigrationError(
                .state, "nothing of 6.1 and 6.2 is to be taken back", remedy: "Nothing was changed.",
                exit: .undecided)
        }
        if previewing {
            var previews: [Preview] = []
            for step in steps {
                try working(nil) { previews.append(try book.undoPreview(step, $0)) }
            }
            return show(previews)
        }
        for step in steps {
            try working(step, isUndo: true) { activity in
                // What the preview shows is what it overwrites: nothing that was edited since.
                try book.undo(step, activity)
            }
        }
        // A step that was taken back has no evidence any more; the journal has what was done.
        let done = steps.flatMap { step in
            book.journal.entries.last { $0.subject == step && $0.kind == .undone }?.evidence ?? []
        }
        return changed(steps, done: done)
    }

    // MARK: What came of it

    private func changed(_ steps: [String], done: [String] = []) -> ExitCode {
        let overview = book.overview(isQuick: true)
        let lines = steps.compactMap { overview.step($0) }
        let codes = lines.map { line -> ExitCode in
            switch line.state {
            case .done, .ready, .skipped: .success
            case .undecided: .undecided
            default: .failure
            }
        }
        let exit = codes.first { $0 == .failure } ?? codes.first { $0 != .success } ?? .success
        return show(lines, done: done, outcome: lines.first?.state.name ?? "done", exit)
    }

    private func show(
        _ lines: [BookState.StepLine], done: [String] = [], outcome: String, _ exit: ExitCode
    ) -> ExitCode {
        if common.json {
            Console.json(
                AdviceDocument(book, outcome: outcome, exit: exit, evidence: lines.flatMap(\.evidence) + done)
            )
        } else if lines.isEmpty {
            Console.results(AdviceWords.indexes(book) + [""] + AdviceWords.pool(book))
        } else {
            (lines.flatMap(BookWords.step) + done.map { "      \($0)" }).forEach(Console.result)
        }
        return exit
    }
}

/// What `advise --json` prints.
struct AdviceDocument: Encodable {
    struct Line: Encodable {
        let state: String
        let note: String
        let advice: IndexAdvice
    }

    let command = "advise"
    let outcome: String
    let exit: Int32
    let target: String
    let indexes: [Line]
    let notices: [String]
    let pool: PoolAdvice?
    let settings: [SettingAdvice]
    let evidence: [String]

    init(_ book: Playbook, outcome: String, exit: ExitCode, evidence: [String]) {
        self.outcome = outcome
        self.exit = exit.rawValue
        target = book.targetWords(book.mode)
        indexes = book.indexAdvice().map {
            Line(state: $0.state.rawValue, note: $0.note, advice: $0.advice)
        }
        notices = book.adviceNotices
        pool = book.poolReport?.pool
        settings = book.poolReport?.settings ?? []
        self.evidence = evidence
    }
}
