import AppProject
import Foundation
import MigrationEngine

/// 5.11: follows the paths in the data to their files.
struct PathsStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let folders = folders(context)
        let (taken, passedOver) = try check(context, folders).columns()
        var sections = [
            Preview.Section(
                "Looks for files in",
                folders.words.isEmpty ? ["no upload folder was found in the project"] : folders.words, .list),
            Preview.Section(
                "Follows every value of", taken.isEmpty ? ["no column holds paths"] : taken, .list),
        ]
        if !passedOver.isEmpty { sections.append(.init("Passes over", passedOver, .list)) }
        return Preview(sections)
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let report = try check(context, folders(context)).run()
        var outcome = StepOutcome(evidence: Self.evidence(report), data: Journal.encode(report))
        if let snapshot = try context.book.snapshot(context.mode) {
            outcome.evidence.append(
                "as of the snapshot of \(snapshot.time), which step 3.4 holds equal to the target")
        }
        guard !report.columns.isEmpty else {
            outcome.skipped = "no column holds paths"
            return outcome
        }
        if report.broken > 0 {
            let tables = Set(
                report.columns.filter { $0.missing + $0.otherCase > 0 }.map { "\($0.table).\($0.column)" })
            outcome.failure =
                "\(Format.count(report.broken, "path leads", "paths lead")) to no file: \(tables.sorted().joined(separator: ", "))"
        }
        return outcome
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        Preview([
            .init(
                "Forgets what was found", ["The journal keeps that it was there. Files were only looked for."]
            )
        ])
    }

    func undo(_ context: StepContext) throws -> [String] {
        unlink(try list(context))
        return ["what was found no longer counts"]
    }

    /// Where all that is missing is listed.
    private func list(_ context: StepContext) throws -> String {
        "\(try context.workspace.state.folder("reports"))/missing-files-\(context.mode.rawValue).tsv"
    }

    /// A rehearsal looks for the project's own files too: its copy of the project leaves large ones behind.
    private func folders(_ context: StepContext) -> UploadFolders {
        let location = context.workspace.location
        return UploadFolders(
            project: location.projectDirectory
                ?? (location.databasePath as NSString).deletingLastPathComponent)
    }

    private func check(_ context: StepContext, _ folders: UploadFolders) throws -> PathCheck {
        guard let snapshot = try context.book.snapshot(context.mode) else {
            throw MigrationError(
                .state, "there is no snapshot to read", remedy: "Run step 1.2 first.", exit: .undecided)
        }
        return PathCheck(
            snapshot: snapshot, folders: folders, file: try list(context), cancellation: context.cancellation)
    }

    /// The most telling first.
    static func evidence(_ report: PathReport) -> [String] {
        let values = report.columns.reduce(0) { $0 + $1.values }
        var lines: [String] = []
        if !report.columns.isEmpty {
            lines.append(
                "\(Format.count(values, "value", "values")) of \(Format.count(report.columns.count, "column", "columns")), "
                    + "\(Format.count(report.broken, "path leads", "paths lead")) to no file")
        }
        lines += report.columns.map(\.words) + report.misses.map(\.words)
        if let file = report.file {
            lines.append(
                "and \(Format.count(report.missesInAll - report.misses.count)) more: all are in \(file)")
        }
        if !report.folders.isEmpty { lines.append("looked in \(report.folders.joined(separator: ", "))") }
        return lines + report.passedOver.map { "passed over: \($0)" }
    }
}
