import AppProject
import Foundation
import MigrationEngine

/// 3.1: writes every table to files, where the operator wants that.
struct ExportStep: StepOperation {
    private static func folder(_ state: StateFolder, _ mode: Mode, _ snapshot: Snapshot?) -> String {
        let time = snapshot?.time.replacing(":", with: "-") ?? "none"
        return "\(state.path)/exports/\(mode.rawValue)-\(time)"
    }

    private func folder(_ context: StepContext) throws -> String {
        Self.folder(context.workspace.state, context.mode, try context.book.snapshot(context.mode))
    }

    /// The folder that was written last, or would be.
    private func known(_ context: StepContext) throws -> String {
        try context.book.entry(of: "3.1", context.mode)?.data ?? folder(context)
    }

    private func unended(_ path: String, _ context: StepContext) throws -> UnendedExport? {
        let state = context.workspace.state
        return try Self.unended(
            path, state, SnapshotStore(state, cancellation: context.cancellation).snapshots())
    }

    /// What a crash has left of an export of the step's in a folder; nil where nothing is. Throws where somebody else's files are there.
    static func unended(
        _ path: String, _ state: StateFolder, _ snapshots: [Snapshot]
    ) throws -> UnendedExport? {
        guard access(path, F_OK) == 0, !ExportFolder.isEnded(path) else { return nil }
        let known = snapshots.last { snapshot in
            [Mode.rehearsal, .live].contains { folder(state, $0, snapshot) == path }
        }
        guard let snapshot = known else {
            throw MigrationError(
                .export,
                "\(path) holds an export that did not end, and its snapshot is gone: which files are of it cannot be told",
                remedy: "Look what is in the folder, and remove it yourself.", exit: .undecided)
        }
        return try UnendedExport(path, of: snapshot, form: .ndjson, isCompressed: true)
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
        try unended(folder, context)?.remove()
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
        if let unended = try unended(folder, context) {
            return Preview([
                .init(
                    "Deletes what is there of an export that did not end",
                    [folder, Format.count(unended.files.count, "file", "files")])
            ])
        }
        guard access(folder, F_OK) == 0 else { return nil }
        let export = try ExportFolder(path: folder)
        return Preview(
            [.init("Deletes", [export.path, "\(Format.count(export.manifest.tables.count + 3)) files"])],
            warning: "Where one of them was changed since, none is deleted.")
    }

    func undo(_ context: StepContext) throws -> [String] {
        let folder = try known(context)
        if let unended = try unended(folder, context) {
            try unended.remove()
            return ["deleted what was there of an export that did not end, \(folder)"]
        }
        guard access(folder, F_OK) == 0 else { return ["it was gone already"] }
        try ExportFolder(path: folder).remove(cancellation: context.cancellation)
        return ["deleted \(folder)"]
    }
}
