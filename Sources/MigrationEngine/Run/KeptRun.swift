import Foundation

/// The report of the last run in lines, kept for the report of the whole migration.
public struct KeptRun: Codable, Sendable {
    /// When it ended, UTC, ISO 8601.
    public let time: String
    public let report: MigrationReport

    private static func path(_ mode: String) -> String { "reports/run-\(mode).json" }

    /// Keeps a run's report until the next one's; `mode` is `rehearsal` or `live`.
    public static func keep(_ report: MigrationReport, in state: StateFolder, mode: String) throws {
        _ = try state.folder("reports")
        let run = KeptRun(time: Date().formatted(.iso8601), report: report)
        try state.write(jsonText(run), to: path(mode))
    }

    /// The one that was kept; nil without any.
    public static func kept(in state: StateFolder, mode: String) -> KeptRun? {
        readJSON(KeptRun.self, "\(state.path)/\(path(mode))")
    }
}
