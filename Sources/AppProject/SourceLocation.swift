import MigrationEngine

/// Which SQLite file a path means, and what its project says about it.
public struct SourceLocation: Codable, Sendable, Equatable {
    /// Absolute.
    public let databasePath: String
    /// Absolute; nil for a bare file.
    public let projectDirectory: String?
    /// The schema file, or the folder of schema files; absolute, nil where there is none.
    public let schemaPath: String?
    /// Why this file was taken, one line each, to be shown to the operator.
    public let evidence: [String]
    /// What the schema file says and the database cannot; nil without a readable schema.
    public let hints: SchemaHints?
    /// What could not be read or is doubtful, one line each.
    public let warnings: [String]
}

extension SourceLocation {
    /// A database that was rebuilt from an export, away from its project; `hints` is what that said.
    public init(rebuilt path: String, hints: SchemaHints?, evidence: [String]) {
        self.init(
            databasePath: path, projectDirectory: nil, schemaPath: nil, evidence: evidence, hints: hints,
            warnings: [])
    }
}

/// Why no SQLite file was found, and what to do about it.
public struct SourceNotFound: Error, CustomStringConvertible, Equatable, Sendable {
    public let message: String
    public let remedy: String

    public var description: String { "\(message). \(remedy)" }
}
