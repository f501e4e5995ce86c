import Foundation
import SQLite

/// The SQLite file that an export stands for, in a state folder: rebuilt once, and taken again as long as both are as they were.
public struct ImportedSource: Sendable {
    public let databasePath: String
    /// The export's plan, which may be edited, and gets what is decided.
    public let planPath: String
    /// Whether the file was there from before.
    public let isReused: Bool

    static let noteName = "import/export.json"
    static let databaseName = "import/source.db"

    static func note(in state: String) -> Note? { readJSON(Note.self, "\(state)/\(noteName)") }

    /// What the file was made of.
    struct Note: Codable {
        let manifest: String
        let database: String
        let plan: String
    }

    /// Rebuilds the database, or takes the one that is there. Every file of the export is held against its manifest in any case.
    ///
    /// Throws `.export` with file and line where one is not what the manifest says; no database is left then.
    public init(
        _ export: ExportFolder, state: StateFolder, cancellation: Cancellation, progress: RunProgress
    ) throws {
        _ = try state.folder("import")
        let path = "\(state.path)/\(Self.databaseName)"
        let notePath = "\(state.path)/\(Self.noteName)"
        let note = Self.note(in: state.path)
        databasePath = path
        planPath = state.planPath
        if let note, note.manifest == export.sha256, access(path, R_OK) == 0,
            try sha256(ofFile: path, cancellation: cancellation) == note.database
        {
            try export.checkFiles(cancellation: cancellation)
            isReused = true
        } else {
            unlink(notePath)
            do {
                try DatabaseRebuild(
                    export: export, path: path, cancellation: cancellation, progress: progress
                ).run()
            } catch {
                unlink(path)
                throw error
            }
            isReused = false
        }
        try Self.keepPlan(export, state, last: note?.plan)
        let fresh = Note(
            manifest: export.sha256, database: try sha256(ofFile: path, cancellation: cancellation),
            plan: export.manifest.plan.sha256)
        try state.write(
            String(decoding: try JSONEncoder().encode(fresh), as: UTF8.self) + "\n", to: Self.noteName)
    }

    /// Takes the export's plan, unless the one that is there is the operator's.
    private static func keepPlan(_ export: ExportFolder, _ state: StateFolder, last: String?) throws {
        if let text = FileManager.default.contents(atPath: state.planPath) {
            let isOfExport = sha256(of: text) == last
            guard isOfExport || !((try? PlanFile(path: state.planPath))?.isEdited ?? true) else { return }
        }
        try state.write(export.plan, to: "plan.yaml")
    }
}
