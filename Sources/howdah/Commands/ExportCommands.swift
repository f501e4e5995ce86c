import AppProject
import ArgumentParser
import Foundation
import MigrationEngine
import Playbook

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write every table of a SQLite database to files, with a manifest of counts and digests.")

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Argument(help: "The folder to make.")
    var folder: String

    @Option(help: "ndjson or csv.")
    var format = "ndjson"

    @Flag(help: "Compress the files, as gzip does.")
    var compress = false

    @Option(help: ArgumentHelp("Follow this plan.", valueName: "file"))
    var plan: String?

    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if ExportForm(rawValue: format) == nil {
            let known = ExportForm.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("there is no format \(format); the formats are: \(known)")
        }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let folder = absolutePath(folder)
            try Exporter.checkFree(folder)
            let session = try Session(source, common, cancellation)
            let written = try session.reporting {
                let preparation = try session.prepare(planning, planPath: plan, adopting: .never)
                return try Exporter(
                    preparation, hints: session.location.hints, form: ExportForm(rawValue: format) ?? .ndjson,
                    isCompressed: compress, workers: planning.workerCount, cancellation: cancellation,
                    progress: session.progress
                ).write(to: folder)
            }
            if common.json {
                Console.json(ExportDocument(folder: folder, written))
            } else {
                Console.results(Describe.export(written, folder))
            }
            return .success
        }
    }
}

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Load an export into PostgreSQL, held against its manifest, and prove every cell.")

    @Argument(help: "The folder that howdah export has made.")
    var folder: String

    @Argument(help: "A PostgreSQL URL, connection string or service=NAME; or rehearsal, a private cluster.")
    var target: String = "rehearsal"

    @OptionGroup var migration: MigrationOptions
    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let target = try Target(target)
            let export = try ExportFolder(path: folder)
            if case .server(let conninfo) = target {
                try LiveConfirmation(isConfirmed: migration.yes, isJSON: common.json).refuseUnasked(conninfo)
            }
            let words = Describe.export(export)
            if !common.json { Console.note(words) }
            let (state, isNew) = try StateFolder.opening(
                source: export.path, override: common.state,
                environment: ProcessInfo.processInfo.environment)
            let lock = try WriterLock(state)
            let rebuilt: ImportedSource
            do {
                rebuilt = try rebuild(export, state, cancellation)
            } catch {
                // What is refused leaves nothing that was not there before.
                if isNew { try? FileManager.default.removeItem(atPath: state.path) }
                throw error
            }
            let workspace = try Workspace(
                rebuilt: rebuilt.databasePath, hints: export.manifest.hints, evidence: [words], state: state,
                lock: lock)
            return try MigrateRun(
                command: "import", planning: planning, common: common,
                planPath: migration.plan ?? rebuilt.planPath, restart: migration.restart,
                isConfirmed: migration.yes, adopts: migration.adopting.adopt
            ).run(Session(workspace, cancellation), target)
        }
    }

    private func rebuild(
        _ export: ExportFolder, _ state: StateFolder, _ cancellation: Cancellation
    ) throws -> ImportedSource {
        let progress = RunProgress()
        let reporter = ProgressReporter(progress)
        defer { reporter.stop() }
        return try ImportedSource(export, state: state, cancellation: cancellation, progress: progress)
    }
}

extension Describe {
    /// What was written, and how to look whether it is whole.
    static func export(_ written: Exporter.Written, _ folder: String) -> [String] {
        let manifest = written.manifest
        let rows = manifest.tables.map { [$0.name, Format.count($0.rows), $0.file] }
        return Format.table([["table", "rows", "file"]] + rows, right: [1]) + [
            "\(Format.count(manifest.rows, "row", "rows")) of the snapshot of \(manifest.source.time), in \(folder)",
            "manifest.json has sha256 \(written.sha256)",
        ]
    }

    static func export(_ folder: ExportFolder) -> String {
        let manifest = folder.manifest
        return
            "\(folder.path): \(Format.count(manifest.rows, "row", "rows")) in "
            + "\(Format.count(manifest.tables.count, "table", "tables")) of \(manifest.source.name), as of \(manifest.source.time)"
    }
}

/// What `export --json` prints.
private struct ExportDocument: Encodable {
    struct Table: Encodable {
        let name: String
        let file: String
        let rows: Int
        let bytes: Int
        let sha256: String
    }

    let command = "export"
    let outcome = "written"
    let exit = 0
    let folder: String
    let format: String
    let compressed: Bool
    let rows: Int
    let manifest_sha256: String
    let source: ExportManifest.Source
    let tables: [Table]

    init(folder: String, _ written: Exporter.Written) {
        self.folder = folder
        format = written.manifest.form.rawValue
        compressed = written.manifest.isCompressed
        rows = written.manifest.rows
        manifest_sha256 = written.sha256
        source = written.manifest.source
        tables = written.manifest.tables.map {
            Table(name: $0.name, file: $0.file, rows: $0.rows, bytes: $0.bytes, sha256: $0.sha256)
        }
    }
}
