import MigrationEngine

/// The report as a document: a first page for who decides, then everything for who checks.
extension Report {
    public var document: Document {
        let kind = mode == .live ? "Migration" : "Rehearsal of a migration"
        return Document(
            "\(kind) of \(title) to PostgreSQL",
            subtitle: "Written by howdah on \(Self.shown(time)), for \(who).",
            firstPage + [.contents] + results + throughputPart + digestPart + stepsPart + decisionPart
                + findingPart + quarantinePart + objectPart + checklistPart + planPart + journalPart)
    }

    // MARK: Page one

    private var firstPage: [Document.Block] {
        var blocks: [Document.Block] = [
            .verdict(.init(sentence, verdict.tone)),
            .numbers([
                .init("rows in PostgreSQL", Format.count(totals.rows > 0 ? totals.rows : target.rows ?? 0)),
                .init(
                    uncounted.isEmpty
                        ? totals.differences > 0 ? "cells of equal rows" : "cells equal"
                        : "cells equal in other tables",
                    Format.count(totals.cells), totals.cells > 0 && uncounted.isEmpty ? .good : .plain),
                .init(
                    isChangedSince ? "rows changed since" : "rows that differ", differencesWords,
                    (totals.differences > 0 || !uncounted.isEmpty) && !isChangedSince ? .bad : .plain),
                .init(
                    "rows in quarantine", Format.count(totals.quarantinedRows),
                    totals.quarantinedRows > 0 ? .warning : .plain),
                .init("tables", Format.count(totals.tables)),
                .init("duration", totals.seconds > 0 ? Format.seconds(totals.seconds) : "–"),
            ]),
            .facts(facts),
        ]
        blocks.append(.heading(2, "What is open"))
        blocks.append(
            open.isEmpty
                ? .paragraph(.init("Nothing.", .good))
                : .list(
                    open.prefix(Self.mostOpen).map { .init($0) }
                        + (open.count > Self.mostOpen
                            ? [.init("and \(open.count - Self.mostOpen) more, further down", .quiet)] : [])))
        blocks.append(.heading(2, "Who signed what"))
        blocks.append(
            signatures.isEmpty
                ? .paragraph(.init("Nobody has signed anything yet.", .quiet))
                : .table(
                    .init(
                        nil, ["What", "Who", "When (UTC)", "Note"],
                        signatures.map {
                            [.init($0.what), .init($0.who), .init(Self.shown($0.when)), .init($0.note)]
                        })))
        return blocks
    }

    private static let mostOpen = 12

    private var facts: [Document.Fact] {
        var facts: [Document.Fact] = [
            .init("From", "\(source.path), \(Format.bytes(source.bytes))"),
            .init("To", [target.url, target.version].compactMap(\.self).joined(separator: ", ")),
            .init(
                "Mode",
                mode == .live
                    ? "live" : "rehearsal: tried in a private PostgreSQL, nothing of yours was changed"),
        ]
        if let snapshot = source.snapshot {
            facts.append(.init("Snapshot", "\(Self.shown(snapshot.time)) UTC"))
            facts.append(.init("its sha256", snapshot.sha256, .code))
        }
        if let sha256 = source.sha256 { facts.append(.init("SQLite file’s sha256", sha256, .code)) }
        if let provenAt { facts.append(.init("Proof ended", "\(Self.shown(provenAt)) UTC")) }
        if let run = target.run {
            let outcome = target.outcome.map { ", \(runWords($0))" } ?? ""
            facts.append(
                .init(
                    "Run",
                    "\(run) of the target’s ledger, begun \(Self.shown(target.started ?? "")) UTC\(outcome)"))
        }
        return facts
    }

    /// 2026-11-27T20:50:00Z as people read it.
    static func shown(_ time: String) -> String {
        time.replacing("T", with: " ").replacing("Z", with: "")
    }

    // MARK: Results

    private var results: [Document.Block] {
        var blocks: [Document.Block] = [.heading(2, "Tables")]
        if tables.isEmpty {
            blocks.append(
                .paragraph(.init("No table has been migrated, or no proof of it is kept here.", .quiet)))
        } else {
            blocks.append(
                .table(
                    table(
                        "Every table: rows read, loaded and kept out, and the proof’s verdict on every cell",
                        tables)))
        }
        if !views.isEmpty {
            blocks.append(.table(table("Views, whose rows are compared on both sides", views)))
        }
        if !proofs.isEmpty {
            blocks.append(
                .paragraph(
                    .init(
                        "The verdicts are those of the newest proof of each table, of a run or of howdah validate or diff: the last one ended \(Self.shown(proofs.map(\.time).max() ?? "")) UTC.",
                        .quiet)))
        }
        let samples = (tables + views).flatMap { table in
            table.samples.map {
                [
                    Document.Cell(table.name), .init($0.kind.rawValue), .init($0.key),
                    .init($0.columns.joined(separator: ", ")),
                ]
            }
        }
        if !samples.isEmpty {
            let all = Format.count(totals.differences, "row that differs", "rows that differ")
            let caption =
                samples.count < totals.differences
                ? "The first \(Format.count(samples.count)) of \(all), by their keys"
                : "\(all), by their keys"
            blocks.append(
                .table(
                    .init(
                        caption, ["Table", "Kind", "Key", "Columns"],
                        samples)))
        }
        blocks += notices.map { .paragraph(.init($0)) }
        return blocks
    }

    private func table(_ caption: String, _ tables: [MigrationReport.Table]) -> Document.Table {
        .init(
            caption, ["Table", "Rows in SQLite", "Loaded", "Quarantine", "Differ", "Verdict", "Compared in"],
            tables.map { table in
                [
                    .init(table.name), .init(Format.count(table.sourceRows)),
                    .init(Format.count(table.loadedRows)), .init(Format.count(table.quarantinedRows)),
                    .init(uncounted.contains(table.name) ? "–" : Format.count(table.differences)),
                    isChangedSince && table.verdict == "differs"
                        ? .init("changed since", .quiet)
                        : .init(
                            table.verdict + (table.reason.map { ": \($0)" } ?? ""),
                            Self.tone(table.verdict)),
                    .init(table.seconds > 0 ? Format.seconds(table.seconds) : "–"),
                ]
            }, right: [1, 2, 3, 4, 6])
    }

    private static func tone(_ verdict: String) -> Document.Tone {
        switch verdict {
        case "equal": .good
        case "differs": .bad
        case MigrationReport.Table.unproven: .warning
        default: .quiet
        }
    }

    // MARK: Throughput

    private static let mostBars = 20

    private var throughputPart: [Document.Block] {
        var blocks: [Document.Block] = [.heading(2, "Throughput and durations")]
        for recording in throughput.recordings where recording.points.count > 1 {
            let series = [
                Picture.Series(name: "loaded", points: recording.rates(\.loaded)),
                Picture.Series(name: "compared", points: recording.rates(\.compared)),
            ].filter { $0.points.contains { $0.y > 0 } }
            guard !series.isEmpty, let last = recording.points.last else { continue }
            let words =
                "\(recording.name), begun \(Self.shown(recording.started)): \(Format.count(last.loaded, "row", "rows")) loaded, "
                + "\(Format.count(last.compared)) compared in \(Format.seconds(last.seconds)); at most "
                + series.map { "\(Format.count(Int($0.points.map(\.y).max() ?? 0))) rows/s \($0.name)" }
                .joined(separator: ", ")
            blocks.append(
                .picture(.curves(series, unit: "rows/s"), caption: "Rows per second, \(words)", words: words))
        }
        let largest = tables.filter { $0.loadedRows > 0 }.sorted { $0.loadedRows > $1.loadedRows }
            .prefix(Self.mostBars)
        if !largest.isEmpty {
            let words = largest.map { "\($0.name) \(Format.count($0.loadedRows))" }.joined(separator: ", ")
            blocks.append(
                .picture(
                    .bars(
                        largest.map { table in
                            let rate =
                                table.seconds > 0.005
                                ? ", compared at \(Format.count(Int(Double(table.loadedRows) / table.seconds)))/s"
                                : ""
                            return (
                                table.name, Double(table.loadedRows), Format.count(table.loadedRows) + rate
                            )
                        }), caption: "Rows by table", words: words))
        }
        if !timings.isEmpty {
            blocks.append(
                .table(
                    .init(
                        "How long the parts of the last run took", ["Part", "Duration"],
                        timings.map { [.init($0.name), .init(Format.seconds($0.seconds))] }, right: [1])))
        }
        return blocks.count > 1 ? blocks : []
    }
}

extension Report.Verdict {
    fileprivate var tone: Document.Tone {
        switch self {
        case .proven: .good
        case .differs: .bad
        case .quarantined, .stale, .undecided, .unproven: .warning
        case .nothing: .quiet
        }
    }
}

extension Throughput.Recording {
    /// Rows per second between each two points, at the later one.
    fileprivate func rates(_ count: KeyPath<Throughput.Point, Int>) -> [(x: Double, y: Double)] {
        zip(points, points.dropFirst()).map { one, next in
            let seconds = max(next.seconds - one.seconds, 0.001)
            return (next.seconds, max(0, Double(next[keyPath: count] - one[keyPath: count]) / seconds))
        }
    }
}
