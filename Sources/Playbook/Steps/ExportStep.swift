import AppProject
import Foundation
import MigrationEngine

/// 3.1: writes every table to files, where the operator wants that.
struct ExportStep: StepOperation {
    private func folder(_ context: StepContext) throws -> String {
        let time = try context.book.snapshot(context.mode)?.time.replacing(":", with: "-") ?? "none"
        return "\(context.workspace.state.path)/exports/\(context.mode.rawValue)-\(time)"
    }

    /// The folder that was written last, or would be.
    private func known(_ context: StepContext) throws -> String {
        try context.book.entry(of: "3.1", context.mode)?.data ?? folder(context)
    }

    /// The export that is there; nil where none is, or one that did not end.
    private func export(_ context: StepContext) throws -> ExportFolder? {
        let folder = try known(context)
        return access(folder, F_OK) == 0 && !Self.isUnended(folder) ? try ExportFolder(path: folder) : nil
    }

    /// What a crash has left of the step's own export: its digests are written last.
    private static func isUnended(_ folder: String) -> Bool {
        access(folder, F_OK) == 0 && !ExportFolder.isEnded(folder)
    }

    func preview(_ context: StepContext) throws -> Preview {
        let preparation = try context.preparation()
        let rows = preparation.catalog.tables.map { [$0.name, Format.count(preparation.rows[$0.name] ?? 0)] }
        return Preview([
            .init("Writes, compressed, a JSON document a row", [try folder(context)]),
            .init("Every row of the snapshot", Format.table([["table", "rows"]] + rows, right: [1]), .list),
            .init(
                "Not needed for the migration",
                [
                    "It is for keeping, for other programs, or for a machine that reaches the target:",
                    "howdah import FOLDER TARGET loads it there. Settle this with - where you want none.",
                ]),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let folder = try folder(context)
        let preparation = try context.preparation()
        if access(folder, F_OK) == 0, let there = try? ExportFolder(path: folder),
            there.manifest.source.snapshotSHA256 == preparation.snapshot.sha256
        {
            try there.checkFiles(cancellation: context.cancellation)
            return StepOutcome(
                evidence: evidence(there.manifest, folder, there.sha256) + [
                    "it was there, as it was written"
                ],
                data: folder)
        }
        if Self.isUnended(folder) { try FileManager.default.removeItem(atPath: folder) }
        let written = try Exporter(
            preparation, hints: context.workspace.location.hints, form: .ndjson, isCompressed: true,
            workers: Playbook.workers, cancellation: context.cancellation, progress: context.progress
        ).write(to: folder)
        return StepOutcome(evidence: evidence(written.manifest, folder, written.sha256), data: folder)
    }

    private func evidence(_ manifest: ExportManifest, _ folder: String, _ sha256: String) -> [String] {
        [
            "\(Format.count(manifest.rows, "row", "rows")) in \(Format.count(manifest.tables.count, "table", "tables"))",
            folder, "manifest.json has sha256 \(sha256)",
        ]
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        let folder = try known(context)
        if Self.isUnended(folder) {
            return Preview([.init("Deletes what is there of an export that did not end", [folder])])
        }
        guard let export = try export(context) else { return nil }
        return Preview(
            [.init("Deletes", [export.path, "\(Format.count(export.manifest.tables.count + 3)) files"])],
            warning: "Where one of them was changed since, none is deleted.")
    }

    func undo(_ context: StepContext) throws -> [String] {
        let folder = try known(context)
        if Self.isUnended(folder) {
            try FileManager.default.removeItem(atPath: folder)
            return ["deleted what was there of an export that did not end, \(folder)"]
        }
        guard let export = try export(context) else { return ["it was gone already"] }
        try export.remove(cancellation: context.cancellation)
        return ["deleted \(export.path)"]
    }
}
