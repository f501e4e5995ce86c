import MigrationEngine
public struct SourceLocation: Sendable { public let databasePath: String; public let projectDirectory: String?; public let schemaPath: String?; public let evidence: [String]; public let hints: SchemaHints?; public let warnings: [String] }
public struct SourceNotFound: Error { public let message: String; public let remedy: String }
public enum ProjectLocator { public static func locate(_ path: String, environment: [String:String]) throws -> SourceLocation { SourceLocation(databasePath: path, projectDirectory: nil, schemaPath: nil, evidence: [], hints: nil, warnings: []) } }
