import Foundation

/// How the rows of an export are written.
public enum ExportForm: String, Codable, Sendable, CaseIterable {
    /// A JSON object a line.
    case ndjson
    /// Fields between commas, as RFC 4180 has them, with a line of names first.
    case csv
}

/// What an export says of itself, in `manifest.json`: the schema of every file, counts and digests.
///
/// `manifest.sha256` beside it holds the digest of every file, the manifest's own first, and is written last: an export without it did
/// not end.
public struct ExportManifest: Codable, Sendable, Equatable {
    static let formatName = "howdah-export"
    static let currentVersion = 2
    static let fileName = "manifest.json"
    static let digestName = "manifest.sha256"
    static let planName = "plan.yaml"
    /// Rows of a block, which has a digest of its own.
    static let blockRows = 10_000

    /// Digests are SHA-256 as lower-case hexadecimal digits.
    public struct Block: Codable, Sendable, Equatable {
        /// Its first line in the file, from 1.
        public let line: Int
        public let rows: Int
        public let bytes: Int
        public let sha256: String
    }

    public struct Table: Codable, Sendable, Equatable {
        public let name: String
        public let file: String
        /// The field of the rowid, where it is no column of the table's; it then comes first in every row.
        public let rowid: String?
        public let columns: [ExportColumn]
        public internal(set) var rows = 0
        /// Of the file before it is compressed.
        public internal(set) var bytes = 0
        public internal(set) var sha256 = ""
        /// Of the file as it lies there, where it is compressed.
        public internal(set) var compressedSHA256: String?
        /// Bytes of the longest row with its line end.
        public internal(set) var longestRow = 0
        public internal(set) var blocks: [Block] = []

        /// What the names of the tables' files end in.
        static func ending(_ form: ExportForm, _ isCompressed: Bool) -> String {
            form.rawValue + (isCompressed ? ".gz" : "")
        }

        enum CodingKeys: String, CodingKey {
            case name, file, rowid, columns, rows, bytes, sha256, blocks
            case compressedSHA256 = "compressed_sha256"
            case longestRow = "longest_row"
        }
    }

    public struct Source: Codable, Sendable, Equatable {
        public let name: String
        /// Of the source's own bytes; nil where it was written meanwhile.
        public let sha256: String?
        public let snapshotSHA256: String
        /// When the snapshot was taken, UTC.
        public let time: String

        enum CodingKeys: String, CodingKey {
            case name, sha256, time
            case snapshotSHA256 = "snapshot_sha256"
        }
    }

    /// What a database is made of beside its rows.
    public struct Database: Codable, Sendable, Equatable {
        public struct Object: Codable, Sendable, Equatable {
            public let type: String
            public let name: String
            public let table: String
            public let sql: String
            /// Whether it has pages of its own: virtual tables, views and triggers have none.
            public let stored: Bool
        }

        public let encoding: String
        public let userVersion: Int64
        public let applicationID: Int64
        /// In the order in which they were made.
        public let objects: [Object]

        enum CodingKeys: String, CodingKey {
            case encoding, objects
            case userVersion = "user_version"
            case applicationID = "application_id"
        }
    }

    public struct Plan: Codable, Sendable, Equatable {
        public let file: String
        public let sha256: String
    }

    public internal(set) var format = Self.formatName
    public internal(set) var version = Self.currentVersion
    /// Who wrote it.
    public internal(set) var tool = "howdah \(HowdahVersion.text)"
    public let source: Source
    public let form: ExportForm
    public let isCompressed: Bool
    /// What each encoding means, for people who read the files.
    public internal(set) var encodings = ExportColumn.Encoding.descriptions
    public let database: Database
    public let hints: SchemaHints?
    public let plan: Plan
    public internal(set) var tables: [Table]

    enum CodingKeys: String, CodingKey {
        case format, version, tool, source, form, encodings, database, hints, plan, tables
        case isCompressed = "compressed"
    }

    public var rows: Int { tables.reduce(0) { $0 + $1.rows } }

    /// The names of all files of the export.
    var files: Set<String> {
        Set(tables.map(\.file) + [plan.file, Self.fileName, Self.digestName])
    }

    /// What `manifest.sha256` holds, as `sha256sum -c` reads it: every file as it lies on the disk. `sha256` is the manifest's own.
    func digestText(_ sha256: String) -> String {
        let all =
            [(sha256, Self.fileName), (plan.sha256, plan.file)]
            + tables.map { ($0.compressedSHA256 ?? $0.sha256, $0.file) }
        // The first version had the manifest's alone.
        return (version == 1 ? Array(all.prefix(1)) : all).map { "\($0)  \($1)\n" }.joined()
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

/// The name of a table's file among others: a table's name may hold anything, the file's is made of its plain letters.
func tableFileName(_ number: Int, _ table: String, _ ending: String) -> String {
    let letters = table.unicodeScalars.map {
        $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil) ? Character($0) : "_"
    }
    return "\(number)-\(String(letters.prefix(60))).\(ending)"
}
