import Foundation

/// A database that was rebuilt from an export, found again by the export's folder, or by its own path.
extension ImportedSource {
    /// Where a rebuilt database lies, and the state folder that it is in.
    public struct Place: Sendable, Equatable {
        public let databasePath: String
        public let statePath: String
        /// The export's folder, where it was named.
        public let export: String?
    }

    /// The place that `path` means; nil where it is neither an export nor a rebuilt database. Makes nothing.
    ///
    /// Throws `.export` where nothing was imported of an export, or where what was imported is not what lies there now.
    public static func find(
        _ path: String, state override: String?, environment: [String: String]
    ) throws -> Place? {
        let path = absolutePath(path)
        if let state = statePath(ofDatabase: path) {
            // A state that was named for it is taken at its word.
            return Place(
                databasePath: path, statePath: override.map(absolutePath) ?? state, export: nil)
        }
        guard ExportFolder.isOne(path) else { return nil }
        let states = StateFolder.places(
            source: path, project: nil, override: override, environment: environment)
        let found = states.compactMap { state in note(in: state).map { (state, $0) } }.first {
            access("\($0.0)/\(databaseName)", R_OK) == 0
        }
        guard let (state, note) = found else {
            throw MigrationError(
                .export, "\(path) is an export, and nothing has been imported from it into \(states[0])",
                remedy:
                    "Run howdah import \(path) [TARGET] first; where that was told --state DIR, say the same here.",
                exit: .usage)
        }
        guard
            try sha256(ofFile: "\(path)/\(ExportManifest.fileName)", cancellation: Cancellation())
                == note.manifest
        else {
            throw MigrationError(
                .export, "\(path) is not the export that was imported into \(state)",
                remedy: "Run howdah import \(path) [TARGET] again, or name \(state)/\(databaseName) itself.",
                exit: .usage)
        }
        return Place(databasePath: "\(state)/\(databaseName)", statePath: state, export: path)
    }

    /// The state folder that a rebuilt database is in; nil of any other file.
    private static func statePath(ofDatabase path: String) -> String? {
        guard path.hasSuffix("/\(databaseName)") else { return nil }
        let state = String(path.dropLast(databaseName.count + 1))
        return note(in: state) == nil ? nil : state
    }
}
