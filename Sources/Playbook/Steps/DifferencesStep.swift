import MigrationEngine
import Postgres

/// 3.5: copies rows that differ again, but for those that only the target has; then 3.4 is run anew. Once the application uses the target,
/// only rows that were never right, where none are named; then others differ because they should, and 3.4 stays what it was.
struct DifferencesStep: StepOperation {
    static let id = Phases.differences

    /// Everything that differs, where nothing else is asked for.
    var request = RepairRequest()

    private func request(_ inUse: TargetInUse?) -> RepairRequest {
        var request = request
        if inUse != nil, request.keys.isEmpty { request.onlyNeverRight = true }
        return request
    }

    /// Whether the last proof, whoever ran it, found no row that differs.
    private func isEqual(_ context: StepContext) throws -> Bool {
        guard context.book.stepState("3.4", context.mode) == .done else { return false }
        let log = try context.book.differenceLog(context.mode)
        // By the plan that lies on the disk: to prepare would read every value of the source.
        let kept = try? PlanFile(path: context.workspace.state.planPath).plan
        return try (kept ?? context.preparation().plan).tables.allSatisfy { table in
            guard let proof = try log.proof(of: table.name) else { return true }
            return proof.differences == 0 && proof.obstacle == nil
        }
    }

    func preview(_ context: StepContext) throws -> Preview {
        guard try !isEqual(context) else {
            return Preview([.init("Nothing is to be done", ["the proof, 3.4, found no row that differs"])])
        }
        let repair = try context.book.repairer(context.activity, request)
        let inUse = repair.inUse
        let preview = try repair.preview(request(inUse))
        guard !preview.tables.isEmpty else {
            return Preview([
                .init(
                    "Nothing is to be copied",
                    ["no row differs any more" + (inUse == nil ? "; 3.4 is run anew" : "")])
            ])
        }
        guard !preview.isEmpty else { return Self.nothing(preview, inUse, context) }
        let rows = preview.tables.map { table in
            [
                table.name, Format.count(table.missing), Format.count(table.changed),
                Format.count(table.extra), Self.what(table),
            ]
        }
        return Preview(
            [
                .init(
                    "Copies these rows again, in one transaction",
                    Format.table([["table", "missing", "changed", "extra", ""]] + rows, right: [1, 2, 3]),
                    .list),
                .init(
                    "And",
                    [
                        "compares every cell of them before it is committed"
                            + (inUse == nil ? ", and everything afterwards (3.4)" : ""),
                        "keeps the rows that were there before in the state folder: "
                            + (inUse == nil ? "u" : Self.command(context, "--undo")) + " puts them back",
                    ] + preview.leftWords + Self.limits(preview, inUse)),
            ],
            warning: Self.warning(preview, context),
            confirmation: removed(preview) > 0 && context.mode == .live
                ? context.book.liveTarget?["dbname"] : nil)
    }

    /// Rows differ, and none of them is copied: each stays for a reason.
    private static func nothing(
        _ preview: RepairPreview, _ inUse: TargetInUse?, _ context: StepContext
    ) -> Preview {
        let lines = preview.tables.compactMap { table -> String? in
            if let obstacle = table.obstacle { return "\(table.name) is not repaired: \(obstacle)" }
            guard table.extra > 0 else { return nil }
            return
                "\(Format.count(table.extra, "row", "rows")) of \(table.name) \(table.extra == 1 ? "is in the target only and stays" : "are in the target only and stay")"
        }
        let removal = preview.extraLeft > 0 ? ["\(removal(context)) removes what only the target has"] : []
        return Preview(
            [
                .init(
                    "Nothing is to be copied",
                    lines + removal + preview.leftWords + (inUse == nil ? ["3.4 is run anew"] : []))
            ], warning: preview.warning)
    }

    private static func limits(_ preview: RepairPreview, _ inUse: TargetInUse?) -> [String] {
        guard let inUse, preview.request.onlyNeverRight else { return [] }
        return [
            "touches only rows that were never right: \(inUse.words)",
            "leaves 3.4 as it is: rows differ because they should",
        ]
    }

    private static func what(_ table: RepairPreview.Table) -> String {
        if let obstacle = table.obstacle { return "not repaired: \(obstacle)" }
        return table.way == .whole ? table.wholeWords : ""
    }

    private func removed(_ preview: RepairPreview) -> Int {
        preview.repairable.filter { $0.way == .rows }.reduce(0) { $0 + preview.repaired($1).removed }
    }

    private static func warning(_ preview: RepairPreview, _ context: StepContext) -> String? {
        if let warning = preview.warning { return warning.prefix(1).uppercased() + warning.dropFirst() }
        if preview.request.removesExtra {
            return "Rows that only the target has are removed: the application may have written them."
        }
        guard preview.extraLeft > 0 else { return nil }
        return
            "\(Format.count(preview.extraLeft, "row is", "rows are")) in the target only, and stay: \(removal(context)) removes them."
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        guard try !isEqual(context) else {
            return Self.nothing
        }
        let repair = try context.book.repairer(context.activity, request)
        let preview = try repair.preview(request(repair.inUse))
        let record = try repair.replace(preview)
        if repair.inUse == nil { try context.book.run("3.4", context.activity) }
        var outcome = record.map(Self.outcome) ?? StepOutcome(evidence: [Phases.nothingCopied])
        outcome.evidence += preview.leftWords
        guard repair.inUse == nil else { return outcome }
        if case .failed(let why) = context.book.stepState("3.4", context.mode) {
            outcome.failure = Self.failure(why, preview, context)
        }
        return outcome
    }

    static func outcome(_ record: RepairRecord) -> StepOutcome {
        StepOutcome(evidence: [record.doneWords, "repair \(record.id)"], data: record.id)
    }

    /// What is there to do after a proof that has found no row that differs.
    static let nothing = StepOutcome(evidence: ["the proof, 3.4, found no row that differs"])

    /// Running the step again leaves what only the target has: the command that removes it is said.
    private static func failure(_ why: String, _ preview: RepairPreview, _ context: StepContext) -> String {
        let isLeft = preview.extraLeft > 0 || preview.tables.contains { $0.obstacle != nil && $0.isGoing }
        guard isLeft, !preview.request.removesExtra else { return why }
        return why + "; \(Phases.extraStays): \(removal(context)) removes them"
    }

    /// The command that removes what only the target has, for a shell.
    private static func removal(_ context: StepContext) -> String {
        let isInUse = context.book.targetInUse(context.mode) != nil
        return command(context, "--all --extra" + (isInUse ? " --never-right" : ""))
    }

    private static func command(_ context: StepContext, _ options: String) -> String {
        let book = context.book
        let target = context.mode == .live ? book.liveURL ?? "TARGET" : "rehearsal"
        return "howdah repair \(shell(book.workspace.openPath)) \(shell(target)) \(options)"
    }

    private static func shell(_ word: String) -> String {
        let isPlain = word.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "/._-:@=,+".contains($0))
        }
        return isPlain
            ? word
            : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        guard let record = try record(context) else { return nil }
        return Preview(
            [.init("Puts back the rows that the repair \(record.id) has replaced", [record.words])],
            warning: "Where somebody has written to one of them since, nothing is put back.")
    }

    func undo(_ context: StepContext) throws -> [String] {
        guard let record = try record(context) else { return [Phases.nothingCopied] }
        _ = try context.book.repairer(context.activity).undo(record)
        do {
            try context.book.run("3.4", context.activity)
        } catch {
            // Its own entry says so; the rows are back whatever it comes to.
            return [
                "put back: \(record.words)",
                "step 3.4 could not be run: \(Playbook.explained(error).message)",
            ]
        }
        return ["put back: \(record.words)", Self.proofWords(context)]
    }

    /// What the proof, run anew, has come to: a step that was done may have failed by this.
    private static func proofWords(_ context: StepContext) -> String {
        switch context.book.stepState("3.4", context.mode) {
        case .failed(let why): "step 3.4, run anew, has failed: \(why)"
        case .done: "step 3.4, run anew, found no row that differs"
        default: "step 3.4 says what differs now"
        }
    }

    /// What the step did last, where it is not undone yet.
    private func record(_ context: StepContext) throws -> RepairRecord? {
        guard let id = context.book.journal.last(Self.id, context.mode, where: { $0.data != nil })?.data
        else {
            return nil
        }
        return try context.book.repairs(context.activity).first { $0.id == id && $0.state == .done }
    }
}
