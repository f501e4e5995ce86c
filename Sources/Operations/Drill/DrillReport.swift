import Foundation
import MigrationEngine

/// What a restore drill came to.
public struct DrillReport: Codable, Sendable, Equatable {
    public enum Verdict: String, Codable, Sendable {
        /// The backup was restored, and is the database, cell by cell.
        case proven
        /// It was restored, and is not.
        case differs
        /// It could not be restored.
        case unrestorable
    }

    public struct Table: Codable, Sendable, Equatable {
        public enum State: String, Codable, Sendable {
            case equal
            case differs
            /// An older backup's: the application has written to it since.
            case changed
            /// The restored database has none.
            case missing
            /// Its rows are made anew by a restore, or are no part of a backup: why is in `words`.
            case left
        }

        public let name: String
        public let rows: Int
        public var state: State
        public let differences: Int
        /// The first rows that differ, in words.
        public let words: [String]
    }

    public var verdict: Verdict
    /// The backup that was drilled.
    public var path: String
    public var bytes: Int64
    /// Whether it was made for the drill, and compared under its own snapshot.
    public var isFresh: Bool
    public var tables: [Table]
    public var sequences: Int
    /// Tables, columns, indexes, functions and the like that were compared.
    public var objects: Int
    /// What of schema and sequences differs, and why a backup could not be restored.
    public var problems: [String]
    /// What should be known: what no drill proves, what was left by others.
    public var notes: [String]
    /// UTC, ISO 8601: when it ended.
    public var time: String
    public var dumpSeconds: Double
    public var restoreSeconds: Double
    public var proofSeconds: Double

    public var rows: Int { tables.reduce(0) { $0 + $1.rows } }
    public var file: String { (path as NSString).lastPathComponent }

    /// Tables that were written to since an older backup.
    public var changed: [Table] { tables.filter { $0.state == .changed } }

    /// 0 proven, 4 where the backup is not the database.
    public var exit: ExitCode { verdict == .proven ? .success : .differs }

    /// The whole in one line.
    public var headline: String {
        let counted =
            "\(Format.count(tables.count, "table", "tables")), \(Format.count(rows, "row", "rows"))"
        switch verdict {
        case .proven where isFresh: return "restored and proven: \(counted), every cell equal"
        case .proven where changed.isEmpty: return "restored, and equal to the database as of now: \(counted)"
        case .proven:
            return
                "restored: \(counted); \(Format.count(changed.count, "table", "tables")) written to since"
        case .differs: return "the restored database differs: \(culprits)"
        case .unrestorable: return "the backup cannot be restored: \(problems.first ?? "no reason was given")"
        }
    }

    private var culprits: String {
        let tables = self.tables.filter { $0.state == .differs || $0.state == .missing }.map { table in
            table.state == .missing
                ? "\(table.name) is missing"
                : "\(Format.count(table.differences, "row", "rows")) of \(table.name)"
        }
        return (tables + problems).prefix(5).joined(separator: ", ")
    }

    /// All of it, the most telling first.
    public var lines: [String] {
        var lines = [headline]
        for table in tables where [.differs, .missing].contains(table.state) {
            lines += table.words.map { "\(table.name): \($0)" }
        }
        lines += problems
        lines.append(
            "\(file), \(Format.bytes(bytes)): \(isFresh ? "dump \(Format.seconds(dumpSeconds)), " : "")"
                + "restore \(Format.seconds(restoreSeconds)), proof \(Format.seconds(proofSeconds))")
        if verdict != .unrestorable {
            lines.append(
                "compared too: \(Format.count(objects, "object", "objects")) of the schema, "
                    + "\(Format.count(sequences, "sequence", "sequences"))")
        }
        lines += changed.map {
            "\($0.name): written to since the backup, \(Format.count($0.differences, "row differs", "rows differ"))"
        }
        lines += tables.filter { $0.state == .left }.flatMap { table in
            table.words.map { "\(table.name): \($0)" }
        }
        return lines + notes
    }
}
