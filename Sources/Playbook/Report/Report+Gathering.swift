import Foundation
import MigrationEngine

/// What the pieces come to.
extension Report {
    mutating func add(_ run: MigrationReport?) {
        guard let run else { return }
        runSnapshot = run.snapshot?.sha256 ?? ""
        source.snapshot = run.snapshot
        source.sha256 = run.sourceSHA256
        tables = run.tables
        views = run.views
        timings = run.phases.map { Timing(name: $0.name, seconds: $0.seconds) }
        findings = run.findings
        objects = run.objects.filter { $0.state != .carried }
        carriedObjects = run.objects.count { $0.state == .carried }
        notices = run.notices
        totals.seconds = run.seconds
    }

    mutating func add(_ state: BookState, journal entries: [JournalEntry]) {
        if findings.isEmpty { findings = state.findings }
        if objects.isEmpty, carriedObjects == 0 {
            objects = state.objects.filter { $0.state != .carried }
            carriedObjects = state.objects.count { $0.state == .carried }
        }
        let durations = Self.durations(entries)
        let cutover = mode == .live ? [state.cutover] : []
        phases = (state.phases + cutover).map { phase in
            Phase(
                title: phase.number == 0 ? phase.title : "\(phase.number) \(phase.title)",
                steps: phase.steps.map { Step($0, seconds: durations[$0.step]) })
        }
        checklist = state.checklist.map(Item.init)
        journal = entries.map {
            Entry(
                time: $0.time, who: $0.who, mode: $0.mode.rawValue, subject: $0.subject,
                kind: $0.kind.rawValue, text: $0.text)
        }
        signatures = Self.signatures(state)
    }

    /// From the start of a step's last work to its end.
    private static func durations(_ entries: [JournalEntry]) -> [String: Double] {
        var started: [String: Date] = [:]
        var seconds: [String: Double] = [:]
        for entry in entries {
            guard let time = try? Date(entry.time, strategy: .iso8601) else { continue }
            switch entry.kind {
            case .started: started[entry.subject] = time
            case .done, .failed, .undecided, .cancelled:
                guard let start = started.removeValue(forKey: entry.subject) else { continue }
                seconds[entry.subject] = time.timeIntervalSince(start)
            default: break
            }
        }
        return seconds
    }

    /// Who answers for what: ticks of the checklist and of steps by hand, and who had rows loaded, proven and taken into use.
    private static func signatures(_ state: BookState) -> [Signature] {
        let items = state.checklist.filter(\.isTicked).map {
            Signature(who: $0.who, when: $0.when, what: $0.title, note: $0.note)
        }
        let work: Set<String> = ["3.2", "3.4", "C.2", "C.4"]
        let steps = (state.steps + state.cutover.steps).filter { line in
            guard case .done = line.state else { return false }
            return !line.who.isEmpty && (line.isManual || work.contains(line.step))
        }
        return
            (steps.map {
                Signature(who: $0.who, when: $0.when, what: "\($0.step) \($0.title)", note: $0.note)
            } + items).sorted { $0.when < $1.when }
    }

    // MARK: The verdict

    /// `run` is the last proof, where there was one.
    mutating func conclude(_ state: BookState, run: MigrationReport?) {
        count()
        judge(state, run)
        // Digests differ as soon as the application has written.
        if inUse == nil { weighDigests() } else { judgeInUse() }
        open = openPoints(state, run)
    }

    mutating func count() {
        let columns = Dictionary(plan.map { ($0.name, $0.columns.count) }) { first, _ in first }
        totals.tables = tables.count { $0.verdict != "skipped" }
        totals.rows = tables.reduce(0) { $0 + $1.loadedRows }
        totals.quarantinedRows = tables.reduce(0) { $0 + $1.quarantinedRows }
        totals.differences = (tables + views).reduce(0) { $0 + $1.differences }
        // Of a row that differs no cell is counted, and none of a table whose rows that differ nobody has counted.
        totals.cells = tables.filter {
            ["equal", "differs"].contains($0.verdict) && !uncounted.contains($0.name)
        }
        .reduce(0) { $0 + max(0, $1.loadedRows - $1.differences) * (columns[$1.name] ?? 0) }
    }

    private mutating func judge(_ state: BookState, _ run: MigrationReport?) {
        let cells = Format.count(totals.cells, "cell", "cells")
        let tableCount = Format.count(totals.tables, "table", "tables")
        let when = snapshotWords
        let equal = "all \(cells) of \(tableCount) in PostgreSQL are equal to SQLite's\(when)"
        let differing = (tables + views).filter { $0.verdict == "differs" }.map(\.name)
        let outcome = outcome(after: run?.outcome)
        if outcome != .differs, !unproven.isEmpty {
            let names = unproven.joined(separator: ", ")
            (verdict, sentence) = (
                .unproven, "Not proven: there is no verdict on \(names); howdah validate gives one."
            )
            return
        }
        guard let outcome else {
            judgeWithoutProof(state)
            return
        }
        switch outcome {
        case _ where isOtherRun:
            (verdict, sentence) = (
                .stale,
                "Not proven any more: the target does not hold the run that was proven\(when)\(otherRunWords)."
            )
        case .proven: (verdict, sentence) = (.proven, "Proven: \(equal).")
        case .quarantined:
            let rows = Format.count(totals.quarantinedRows, "row is", "rows are")
            (verdict, sentence) = (.quarantined, "Proven: \(equal); \(rows) in quarantine by decision.")
        case .differs:
            let rows = Format.count(totals.differences, "row differs", "rows differ")
            (verdict, sentence) = (.differs, "Not equal: \(rows), in \(differing.joined(separator: ", ")).")
        case .stale:
            (verdict, sentence) = (.stale, "Proven: \(equal). SQLite has been written to since.")
        case .undecided where tables.isEmpty || totals.rows == 0:
            let count = Format.count(findings.count(where: \.blocking), "finding waits", "findings wait")
            (verdict, sentence) = (.undecided, "Not migrated: \(count) for a decision.")
        case .undecided:
            let count = Format.count(objects.count(where: \.isUnexplained), "object", "objects")
            (verdict, sentence) = (
                .undecided, "Rows proven, and \(count) left out that nobody has decided about: \(equal)."
            )
        case .failed, .cancelled: judgeWithoutProof(state)
        }
        if [.proven, .quarantined].contains(verdict), isUnread {
            (verdict, sentence) = (.stale, "\(sentence) The target could not be read for this report.")
        }
        let step = state.step("3.4")?.state
        if [.proven, .quarantined].contains(verdict), case .stale(let why, _)? = step {
            (verdict, sentence) = (.stale, "Proven, and changed since (\(why)): \(equal).")
        }
    }

    private mutating func judgeWithoutProof(_ state: BookState) {
        let isRead = target.version != nil && target.obstacle == nil
        let known = isRead || otherTarget != nil ? 0 : state.tables.reduce(0) { $0 + $1.loaded }
        let loaded = target.rows ?? known
        if isOfOtherSource {
            (verdict, sentence) = (
                .unproven,
                "Not proven: the target's ledger tells of a run whose snapshot is none of this source's."
            )
        } else if let otherTarget, target.run == nil {
            (verdict, sentence) = (
                .unproven,
                "Not proven: nothing is known of this target; the last run went into \(otherTarget)."
            )
        } else if target.outcome == "proven" || target.outcome == "quarantined" {
            let rows = Format.count(loaded, "row", "rows")
            (verdict, sentence) = (
                .proven,
                "Proven, says the target's ledger of its run \(target.run ?? 0) with \(rows); the proof's own record is not here."
            )
        } else if loaded > 0 {
            let rows = Format.count(loaded, "row is", "rows are")
            (verdict, sentence) = (.unproven, "Not proven yet: \(rows) loaded, and nothing is compared.")
        } else {
            (verdict, sentence) = (.nothing, "Nothing has been migrated yet.")
        }
    }

    private func openPoints(_ state: BookState, _ run: MigrationReport?) -> [String] {
        var points: [String] = []
        for table in tables + views
        where table.verdict == "differs" && !uncounted.contains(table.name) && !isChangedSince {
            let rows = Format.count(table.differences, "row differs", "rows differ")
            points.append("\(table.name): \(rows)" + (table.reason.map { ", \($0)" } ?? ""))
        }
        points += (tables + views).filter { $0.verdict == MigrationReport.Table.unproven }.map {
            "\($0.name): \($0.reason ?? "not proven")"
        }
        if inUse == nil { points += digestPoints }
        points += findings.filter(\.blocking).map { "to be decided: \($0.key)" }
        points += objects.filter(\.isUnexplained).map {
            "left out, undecided: \($0.kind.rawValue) \($0.name)"
        }
        for step in state.steps + state.cutover.steps {
            switch step.state {
            case .failed where step.step == "3.4" && isChangedSince: break
            case .failed, .stale, .undecided:
                points.append("step \(step.step) \(step.title): \(step.state.words)")
            default: break
            }
        }
        points += checklist.flatMap { item in item.doubts.map { "\(item.title): \($0)" } }
        let waiting = checklist.filter { !$0.isTicked }.map(\.title)
        if !waiting.isEmpty { points.append("not ticked: \(waiting.joined(separator: ", "))") }
        if mode == .rehearsal { points.append("this was a rehearsal: the live target is still to come") }
        return points + missing
    }
}

extension Report.Step {
    init(_ line: BookState.StepLine, seconds: Double?) {
        self.init(
            id: line.step, title: line.title, state: line.state.name, words: line.state.words, who: line.who,
            when: line.when, seconds: seconds, evidence: line.evidence, note: line.note)
    }
}

extension Report.Item {
    init(_ line: Checklist.ItemLine) {
        self.init(
            title: line.title, isTicked: line.isTicked, isOwn: line.isOwn, who: line.who, when: line.when,
            note: line.note, doubts: line.doubts, obstacles: line.isTicked ? [] : line.obstacles,
            evidence: line.evidence)
    }
}
