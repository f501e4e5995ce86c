import MigrationEngine

/// The parts of the report for who checks it.
extension Report {
    // MARK: Digests

    var digestPart: [Document.Block] {
        var blocks: [Document.Block] = [.heading(2, "Digests")]
        guard let digests else {
            return blocks + [
                .paragraph(
                    .init(
                        "None were computed: howdah digest prints them, and this report with the target at hand.",
                        .quiet))
            ]
        }
        blocks.append(
            .paragraph(
                .init(
                    "SHA-256 of every table and of every column that holds bytes, as of \(Self.shown(digests.time)) UTC, computed on either side "
                        + "by the database’s own SQL. Both sides print the same lines where they are equal."))
        )
        var rows: [[Document.Cell]] = []
        for table in digests.tables {
            rows += Self.digest(
                table.name, table.digests,
                table.obstacle
                    ?? (table.digestedColumns == 0
                        ? "no column has a digest"
                        : [table.order, table.scope].compactMap(\.self).joined(separator: "; ")))
            for column in table.columns {
                rows += Self.digest("\(table.name).\(column.name)", column.digests, "the column alone")
            }
        }
        blocks.append(
            .table(.init("Digests of both sides", ["Of", "Side", "SHA-256", "", "Lines"], rows)))
        let leftOut =
            digests.tables.flatMap { table in
                table.leftOut.map { [Document.Cell("\(table.name).\($0.column)"), .init($0.reason)] }
            } + digests.leftOutTables.map { [.init($0), "left out by the plan"] }
        if !leftOut.isEmpty {
            blocks.append(
                .table(
                    .init(
                        "In no digest, by name; the proof compares these columns all the same",
                        ["What", "Why"],
                        leftOut)))
        }
        return blocks + recomputing(digests)
    }

    private static func digest(
        _ name: String, _ pair: TableDigest.Pair, _ words: String
    ) -> [[Document.Cell]] {
        if pair.isEqual, let digest = pair.source {
            return [[.init(name), "both", .init(digest, .code), .init("equal", .good), .init(words, .quiet)]]
        }
        guard pair.source != nil || pair.target != nil else {
            return [[.init(name), "–", "–", .init("none", .quiet), .init(words, .quiet)]]
        }
        return [
            [
                .init(name), "SQLite", .init(pair.source ?? "none", .code), .init("differs", .bad),
                .init(words, .quiet),
            ],
            [.init(name), "PostgreSQL", .init(pair.target ?? "none", .code), .init("differs", .bad), ""],
        ]
    }

    private func recomputing(_ digests: DigestReport) -> [Document.Block] {
        let live = digests.target.map { " \(shellQuoted($0))" } ?? ""
        let named = (naming.isEmpty ? [source.path] : naming).map(shellQuoted)
        let (source, options) = (named[0], named.dropFirst().map { " \($0)" }.joined())
        let snapshot = shellQuoted(digests.snapshot.path)
        return [
            .heading(3, "Computing them again without howdah"),
            .paragraph(
                "The first line writes every query into a folder; the others need only sqlite3, psql and sha256sum, and are to print the digests above. NAME is a table, or TABLE.COLUMN."
            ),
            .commands([
                "howdah digest \(source)\(mode == .live ? live : "")\(options) --sql queries && cd queries",
                "sqlite3 -readonly \(snapshot) < NAME.sqlite.sql | sha256sum",
                "psql\(live.isEmpty ? " URL" : live) -XqAt -f NAME.psql.sql | sha256sum",
                "sha256sum \(snapshot)",
            ]),
        ]
    }

    // MARK: Steps

    var stepsPart: [Document.Block] {
        let inLines =
            "The rows were carried by a run in lines, which does the work of steps 1.1 to 3.4 in one; these are the steps that were "
            + "run one by one."
        return [.heading(2, "Steps")] + (isRunInLines ? [.paragraph(.init(inLines))] : [])
            + phases.flatMap { phase -> [Document.Block] in
                [
                    .heading(3, phase.title),
                    .table(
                        .init(
                            "Steps of \(phase.title)",
                            ["Step", "State", "When (UTC)", "Who", "Took", "Evidence"],
                            phase.steps.map(Self.row), right: [4])),
                ]
            }
    }

    private static func row(_ step: Step) -> [Document.Cell] {
        let tone: Document.Tone =
            switch step.state {
            case "done": .good
            case "failed": .bad
            case "stale", "undecided": .warning
            default: .quiet
            }
        let evidence = (step.note.isEmpty ? [] : ["note: \(step.note)"]) + step.evidence
        return [
            .init("\(step.id) \(step.title)"),
            .init(step.words.isEmpty ? step.state : step.words, tone), .init(shown(step.when)),
            .init(step.who), .init(step.seconds.map(Format.seconds) ?? ""),
            .init(evidence.joined(separator: "; ")),
        ]
    }

    // MARK: Decisions, findings, quarantine

    var decisionPart: [Document.Block] {
        var blocks: [Document.Block] = [.heading(2, "Decisions")]
        let taken = findings.filter { $0.decision != nil }
        if decisions.isEmpty, taken.isEmpty {
            blocks.append(.paragraph(.init("Nobody had to decide anything.", .quiet)))
        }
        if !decisions.isEmpty {
            blocks.append(
                .table(
                    .init(
                        "Decisions that the plan keeps", ["Finding", "Place", "Choice"],
                        decisions.map {
                            [.init($0.finding.rawValue), .init($0.place ?? "everywhere"), .init($0.choice)]
                        })))
        }
        if !taken.isEmpty {
            blocks.append(
                .table(
                    .init(
                        "What was decided of each finding", ["Finding", "Choice", "What comes of it", "By"],
                        taken.map { finding in
                            let choice = finding.choices.first { $0.word == finding.decision }
                            return [
                                .init(finding.key), .init(finding.decision ?? ""),
                                .init(choice?.consequence ?? ""), .init(finding.source.rawValue),
                            ]
                        })))
        }
        return blocks
    }

    var findingPart: [Document.Block] {
        guard !findings.isEmpty else {
            return [.heading(2, "Findings"), .paragraph(.init("None.", .quiet))]
        }
        return [
            .heading(2, "Findings"),
            .table(
                .init(
                    "What was found in the source, and which rows",
                    ["Finding", "State", "What", "Rows", "Such as"],
                    findings.map { finding in
                        [
                            .init(finding.key),
                            finding.blocking
                                ? .init("open", .bad) : .init(finding.decision ?? "noted", .quiet),
                            .init(finding.message), .init(Format.count(finding.count)),
                            .init(finding.sampleRowids.map { "\($0)" }.joined(separator: ", ")),
                        ]
                    }, right: [3])),
        ]
    }

    var quarantinePart: [Document.Block] {
        var blocks: [Document.Block] = [.heading(2, "Quarantine")]
        let groups = kept?.groups ?? []
        if groups.isEmpty {
            let rows = totals.quarantinedRows
            let words =
                rows > 0
                ? "\(Format.count(rows, "row is", "rows are")) kept in howdah.quarantine of the target, which was not read for this report."
                : "No row was kept out, and no value replaced."
            return blocks + [.paragraph(.init(words, .quiet))]
        }
        blocks.append(
            .paragraph(
                "These rows and values are kept byte for byte in the target, in howdah.quarantine and howdah.replaced, and can be brought back. They are named by their rowids; no value is shown here."
            ))
        blocks.append(
            .table(
                .init(
                    "Kept out by decision", ["Table", "What", "Reason", "Count", "Rowids, the first ones"],
                    groups.map {
                        [
                            .init($0.table), .init($0.column.map { "values of \($0)" } ?? "whole rows"),
                            .init($0.reason), .init(Format.count($0.count)),
                            .init($0.rowids.map { "\($0)" }.joined(separator: ", ")),
                        ]
                    }, right: [3])))
        return blocks
    }

    // MARK: Objects, checklist, plan, journal

    var objectPart: [Document.Block] {
        let carried = "\(Format.count(carriedObjects, "object is", "objects are")) carried as they were."
        let blocks: [Document.Block] = [.heading(2, "Changed and left out"), .paragraph(.init(carried))]
        guard !objects.isEmpty else {
            return blocks + [.paragraph(.init("Nothing is changed, nothing is left out.", .quiet))]
        }
        return blocks + [
            .table(
                .init(
                    "What is not in PostgreSQL as it was in SQLite, and why",
                    ["Kind", "Name", "State", "Why"],
                    objects.map { object in
                        let tone: Document.Tone =
                            object.isUnexplained ? .bad : object.state == .leftOut ? .warning : .plain
                        return [
                            .init(object.kind.rawValue), .init(object.name),
                            .init(object.state.rawValue, tone), .init(object.reason ?? ""),
                        ]
                    }))
        ]
    }

    var checklistPart: [Document.Block] {
        [
            .heading(2, "Checklist"),
            .table(
                .init(
                    "\(checklist.count(where: \.isTicked)) of \(checklist.count) ticked",
                    ["Item", "State", "Who, when, note", "Evidence"],
                    checklist.map { item in
                        let who =
                            item.isTicked
                            ? [item.who, Self.shown(item.when), item.note].filter { !$0.isEmpty }.joined(
                                separator: ", ") : ""
                        return [
                            .init(item.title + (item.isOwn ? " (own)" : "")),
                            !item.isTicked
                                ? .init("open", .quiet)
                                : item.doubts.isEmpty ? .init("ticked", .good) : .init("in doubt", .warning),
                            .init(who), .init((item.doubts + item.evidence).joined(separator: "; ")),
                        ]
                    })),
        ]
    }

    var planPart: [Document.Block] {
        guard !plan.isEmpty else { return [] }
        let style = Document.Block.paragraph(
            .init(
                "How the application uses SQLite: \(planStyle). Each column with the type that it gets, and why."
            ))
        return [.heading(2, "The plan, column by column"), style]
            + plan.flatMap { table -> [Document.Block] in
                let name =
                    table.target == table.name ? table.name : "\(table.name), in PostgreSQL \(table.target)"
                if table.isSkipped {
                    return [.heading(3, name), .paragraph(.init("Left out by the plan.", .warning))]
                }
                return [
                    .heading(3, name),
                    .table(
                        .init(
                            "Columns of \(table.name)", ["Column", "Declared", "PostgreSQL", "NULL", "Why"],
                            table.columns.map {
                                [
                                    .init($0.name), .init($0.declared, .code), .init($0.type, .code),
                                    $0.isNotNull ? "no" : "yes", .init($0.reason),
                                ]
                            })),
                ]
            }
    }

    /// Entries that a report shows; the journal itself has all.
    private static let mostEntries = 2000

    var journalPart: [Document.Block] {
        guard !journal.isEmpty else { return [] }
        let shown = journal.suffix(Self.mostEntries)
        let all = "Everything that happened, the oldest first"
        let caption =
            shown.count < journal.count
            ? "The last \(Format.count(shown.count)) of \(Format.count(journal.count)) entries" : all
        return [
            .heading(2, "Journal"),
            .table(
                .init(
                    caption, ["When (UTC)", "Who", "What", "", "Words"],
                    shown.map {
                        [
                            .init(Self.shown($0.time)), .init($0.who), .init($0.subject), .init($0.kind),
                            .init($0.text),
                        ]
                    })),
        ]
    }
}
