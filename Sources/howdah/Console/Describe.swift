import AppProject
import Foundation
import MigrationEngine
import Playbook
import Postgres

/// The words of the commands, made from the same values as their JSON.
enum Describe {
    static func opening(_ location: SourceLocation, _ target: Target) -> [String] {
        let place: String
        let mode: String
        switch target {
        case .rehearsal:
            (place, mode) = (
                "a private PostgreSQL", "REHEARSAL: nothing of yours is touched"
            )
        case .server(let conninfo): (place, mode) = (conninfo.url, "LIVE")
        }
        return ["howdah: \(location.databasePath) → \(place)", mode]
            + location.evidence.map { "  \($0)" } + location.warnings.map { "  warning: \($0)" }
    }

    static func preparation(_ preparation: Preparation) -> [String] {
        let snapshot = preparation.snapshot
        let rows = preparation.rows.values.reduce(0, +)
        var lines = [
            "snapshot \(snapshot.time): \(Format.bytes(snapshot.bytes)), sha256 \(snapshot.sha256.prefix(16))…",
            "\(Format.count(preparation.plan.tables.count, "table", "tables")), \(Format.count(rows, "row", "rows")); style \(preparation.plan.style.rawValue): "
                + preparation.styleEvidence,
        ]
        if let path = preparation.planPath { lines.append("following the plan \(path)") }
        return lines + findings(preparation.findings)
    }

    static func findings(_ findings: [Finding]) -> [String] {
        findings.sorted { $0.blocking && !$1.blocking }.flatMap { finding -> [String] in
            let place = finding.place.isEmpty ? "" : " \(finding.place):"
            var lines = ["\(finding.blocking ? "!" : "·") \(finding.id.rawValue)\(place) \(finding.message)"]
            let samples = finding.sampleRowids.map { "\($0)" } + finding.sampleKeys
            if !samples.isEmpty { lines.append("    rows: \(samples.joined(separator: ", "))") }
            if let decision = finding.decision { lines.append("    decided: \(decision)") }
            if finding.blocking {
                lines += finding.choices.map { choice in
                    let advice = choice == finding.recommended ? " (recommended)" : ""
                    return "    --decide '\(finding.key)=\(choice.word)'\(advice): \(choice.consequence)"
                }
            }
            return lines
        }
    }

    static func leftOut(_ objects: [ObjectState]) -> [String] {
        objects.filter { $0.state != .carried }.map { object in
            let mark = object.isUnexplained ? "!" : "·"
            return "\(mark) \(object.state.rawValue): \(object.kind.rawValue) \(object.name)"
                + (object.reason.map { " (\($0))" } ?? "")
        }
    }

    static func report(_ report: MigrationReport, planPath: String?) -> [String] {
        var lines: [String] = []
        // What nobody asked for was not compared.
        let tables = report.tables.filter(\.isAskedFor)
        if !tables.isEmpty {
            let hasQuarantine = tables.contains { $0.quarantinedRows > 0 }
            let head = [
                ["Table", "Rows", "Loaded"] + (hasQuarantine ? ["Quarantined"] : []) + ["Proof"]
            ]
            let rows = tables.map { table in
                [table.name, Format.count(table.sourceRows), Format.count(table.loadedRows)]
                    + (hasQuarantine ? [Format.count(table.quarantinedRows)] : [])
                    + [
                        table.verdict == "differs" && table.differences > 0
                            ? "differs: \(Format.count(table.differences, "row", "rows"))" : table.verdict
                    ]
            }
            lines += Format.table(head + rows, right: hasQuarantine ? [1, 2, 3] : [1, 2])
            for table in tables {
                if let reason = table.reason {
                    lines.append("  \(table.name): \(reason)")
                }
                lines += (table.notes ?? []).map { "  · \(table.name): \($0.text)" }
                for sample in table.samples {
                    let columns =
                        sample.columns.isEmpty ? "" : " in \(sample.columns.joined(separator: ", "))"
                    lines.append("  \(table.name) \(sample.key): \(sample.kind.rawValue)\(columns)")
                }
                let rest = table.differences - table.samples.count
                if !table.samples.isEmpty, rest > 0 {
                    lines.append(
                        "  \(table.name): \(Format.count(rest, "more row", "more rows")); howdah diff shows them"
                    )
                }
            }
        }
        for view in report.views {
            let verdict =
                view.verdict == "equal"
                ? "\(Format.count(view.sourceRows, "row", "rows")) equal" : view.verdict
            lines.append("  view \(view.name): \(verdict)\(view.reason.map { ", \($0)" } ?? "")")
        }
        let carried = Dictionary(
            grouping: report.objects.filter { $0.state == .carried }, by: \.kind.rawValue
        )
        .mapValues(\.count).sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        if !carried.isEmpty, !report.tables.isEmpty {
            lines.append("carried: \(carried.joined(separator: ", "))")
        }
        lines += leftOut(report.objects) + report.notices.map { "· \($0)" }
        if !report.settings.isEmpty {
            let settings = report.settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            lines.append("settings: \(settings.joined(separator: ", "))")
        }
        lines.append(
            report.phases.map { "\($0.name) \(Format.seconds($0.seconds))" }.joined(separator: " · ")
                + (["validate", "repair"].contains(report.command)
                    ? "" : "; tables are compared while others are still loaded"))
        return lines + conclusion(report, planPath: planPath)
    }

    private static func conclusion(_ report: MigrationReport, planPath: String?) -> [String] {
        let rows = Format.count(report.tables.reduce(0) { $0 + $1.loadedRows })
        switch report.outcome {
        case .proven:
            let proven = report.tables.filter { $0.verdict == "equal" }.count
            let skipped = report.tables.count { $0.verdict != "equal" && $0.isAskedFor }
            return [
                "proven: \(Format.count(proven, "table", "tables")), \(rows) rows, every cell equal"
                    + (skipped > 0 ? "; \(skipped) left out by the plan" : "")
            ]
        case .quarantined:
            let kept = report.tables.reduce(0) { $0 + $1.quarantinedRows }
            let loaded = Format.count(
                report.tables.reduce(0) { $0 + $1.loadedRows }, "row is", "rows are")
            return [
                "proven: \(loaded) loaded, every cell equal; \(Format.count(kept, "row is", "rows are")) "
                    + "kept whole in howdah.quarantine by decision (exit 5)"
            ]
        case .differs: return ["differs: the target does not hold what the source holds (exit 4)"]
        case .stale:
            return [
                "stale: the rows are proven, and the source has changed since the snapshot (exit 3); howdah cutover carries what has"
            ]
        case .undecided where report.tables.isEmpty:
            let count = report.findings.filter(\.blocking).count
            return [
                "undecided: \(Format.count(count, "finding stops", "findings stop")) the run; no data has moved (exit 3)",
                "Decide them with --decide, all as recommended with --decide recommended, or in the plan"
                    + (planPath.map { ": edit \($0)" } ?? "") + "; then run this again",
            ]
        case .undecided where !report.findings.isEmpty && report.command == "validate":
            return findings(report.findings) + [
                "what was compared is equal, and the plan does not mention everything that the source has (exit 3)"
            ]
        case .undecided where !(report.missingObjects ?? []).isEmpty:
            return [
                "every row is equal, and \(Format.count(report.missingObjects?.count ?? 0, "object", "objects")) that howdah had made beside the rows "
                    + "is not as it was left (exit 3)",
                "howdah step SOURCE 3.3 run makes it again, and sets sequences past their maximum",
            ]
        case .undecided:
            return [
                "every row that was loaded is proven equal, and \(report.unexplained.count) objects were left out (exit 3)"
            ]
        default: return ["\(report.outcome.rawValue) (exit \(report.exit))"]
        }
    }
}
