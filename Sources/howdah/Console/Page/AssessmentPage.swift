import AppProject
import MigrationEngine

extension Page {
    /// An assessment for people.
    init(_ preparation: Preparation, _ location: SourceLocation) {
        let assessment = Assessment(preparation)
        title = "\(location.databasePath)"
        sections =
            [
                Self.file(assessment, preparation, location), Self.verdict(assessment),
                Self.kinds(assessment),
                Self.estimates(assessment),
            ] + Self.findings(preparation) + Self.observations(assessment) + Self.tables(preparation)
            + Self.others(preparation)
    }

    private static func file(
        _ assessment: Assessment, _ preparation: Preparation, _ location: SourceLocation
    ) -> Section {
        Section(
            title: "The source",
            lines: location.evidence + [
                "\(Format.bytes(assessment.fileBytes)), \(assessment.encoding), user_version \(assessment.userVersion)",
                "snapshot \(preparation.snapshot.time), sha256 \(preparation.snapshot.sha256)",
                "\(Format.count(preparation.plan.tables.count, "table", "tables")), "
                    + "\(Format.count(assessment.rows, "row", "rows")), \(Format.bytes(Int64(assessment.valueBytes))) of values",
                "style \(preparation.plan.style.rawValue): \(preparation.styleEvidence)",
            ])
    }

    private static func verdict(_ assessment: Assessment) -> Section {
        let open = assessment.openFindings
        let line =
            open == 0
            ? "Nothing stands in the way: howdah migrate rehearses it."
            : "\(Format.count(open, "finding waits", "findings wait")) for a decision before any row moves; "
                + "howdah migrate --decide recommended takes the advice below."
        return Section(title: "What stands in the way", lines: [line])
    }

    private static func kinds(_ assessment: Assessment) -> Section {
        Section(
            title: "Objects",
            table: Table(
                head: ["Kind", "All", "Carried", "Changed", "To decide", "Left out"],
                rows: assessment.kinds.map { kind in
                    [kind.kind]
                        + [kind.total, kind.carried, kind.changed, kind.open, kind.leftOut].map {
                            Format.count($0)
                        }
                }, right: [1, 2, 3, 4, 5]))
    }

    private static func estimates(_ assessment: Assessment) -> Section {
        let estimates = assessment.estimates
        return Section(
            title: "Time and size, by the rates of the benchmark",
            lines: [
                "copy \(Format.seconds(estimates.copySeconds)), keys and indexes \(Format.seconds(estimates.keysSeconds)), "
                    + "proof of every cell \(Format.seconds(estimates.proofSeconds))",
                "in PostgreSQL about \(Format.bytes(estimates.tableBytes)) of tables and \(Format.bytes(estimates.indexBytes)) of keys and indexes",
                "a snapshot of \(Format.bytes(assessment.fileBytes)) beside the source",
            ])
    }

    private static func findings(_ preparation: Preparation) -> [Section] {
        let findings = preparation.findings.sorted { $0.blocking && !$1.blocking }
        guard !findings.isEmpty else { return [] }
        return [
            Section(
                title: "Findings",
                table: Table(
                    head: ["", "Finding", "What", "Rows", "Choices, the recommended one first"],
                    rows: findings.map { finding in
                        let samples = finding.sampleRowids.map { "\($0)" } + finding.sampleKeys
                        return [
                            finding.blocking ? "!" : "·", finding.key, finding.message,
                            samples.joined(separator: ", "),
                            finding.choices.map { "\($0.word): \($0.consequence)" }.joined(separator: "; "),
                        ]
                    }))
        ]
    }

    private static func observations(_ assessment: Assessment) -> [Section] {
        guard !assessment.observations.isEmpty else { return [] }
        return [
            Section(
                title: "Seen in the values; nothing is changed for it",
                table: Table(
                    head: ["Column", "What"],
                    rows: assessment.observations.map { ["\($0.table).\($0.column)", $0.words] }))
        ]
    }

    private static func tables(_ preparation: Preparation) -> [Section] {
        InspectDocument(preparation, evidence: []).tables.map { table in
            Section(
                title:
                    "\(table.name): \(Format.count(table.rows, "row", "rows")), \(Format.bytes(Int64(table.bytes)))",
                table: Table(
                    head: ["Column", "Declared", "PostgreSQL", "Holds"],
                    rows: table.columns.map { column in
                        let held = [
                            (column.integers, "integer"), (column.reals, "real"), (column.texts, "text"),
                            (column.blobs, "blob"), (column.nulls, "null"),
                        ].filter { $0.0 > 0 }.map { "\(Format.count($0.0)) \($0.1)" }.joined(separator: ", ")
                        return [column.name, column.declared, column.type, held]
                    }))
        }
    }

    private static func others(_ preparation: Preparation) -> [Section] {
        let lines = Describe.leftOut(preparation.objects)
        return lines.isEmpty ? [] : [Section(title: "What is changed or left out", lines: lines)]
    }
}
