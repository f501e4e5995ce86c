import Crypto
import Foundation
import SQLDialect

/// Everything that a SQLite schema declares, as the snapshot has it.
public struct Catalog: Sendable, Equatable {
    public var tables: [Table] = []
    public var virtualTables: [SchemaObject] = []
    /// Tables that a virtual table keeps its content in.
    public var shadowTables: [String] = []
    public var views: [SchemaObject] = []
    public var triggers: [SchemaObject] = []
    public var encoding = "UTF-8"
    public var userVersion = 0

    /// Tells one schema from another: a digest of the source text of everything in it.
    public var digest: String {
        let tables = tables.map { $0.sql + $0.indexes.compactMap(\.sql).joined(separator: ";") }
        let others = (virtualTables + views + triggers).map(\.sql)
        let text = (tables + others).joined(separator: ";\n")
        return SHA256.hash(data: Data(text.utf8)).prefix(8).hexadecimal
    }

    /// A view, trigger or virtual table with its source text.
    public struct SchemaObject: Sendable, Equatable {
        public let name: String
        /// The table that a trigger belongs to; the object itself otherwise.
        public let table: String
        public let sql: String
        /// The columns of a view, as SQLite names them; empty where it cannot read the view.
        public var columns: [String] = []
        /// Why SQLite itself cannot read a view.
        public var problem: String?
    }

    public struct Table: Sendable, Equatable {
        public let name: String
        public var columns: [Column] = []
        /// Columns of the primary key in its order; empty without one.
        public var primaryKey: [String] = []
        public var primaryKeyName: String?
        /// The INTEGER PRIMARY KEY column, another name of the rowid (https://sqlite.org/rowidtable.html).
        public var rowidAlias: String?
        public var isAutoincrement = false
        public var isWithoutRowid = false
        public var isStrict = false
        /// What kind of virtual table it is, where its rows are carried as a plain one's.
        var virtual: VirtualTable.Kind?
        public var foreignKeys: [ForeignKey] = []
        public var indexes: [Index] = []
        public var checks: [Check] = []
        /// `ON CONFLICT` clauses that change what a failing insert does, as `column: resolution`.
        public var conflictClauses: [String] = []
        /// The largest rowid ever given, from sqlite_sequence; nil without AUTOINCREMENT.
        public var sequence: Int64?
        public let sql: String

        /// A name by which the rowid can be read: nil for WITHOUT ROWID, and where columns have taken all three.
        public var rowidName: String? {
            if isWithoutRowid { return nil }
            if let rowidAlias { return rowidAlias }
            let taken = Set(columns.map(\.name.foldedName))
            return ["rowid", "_rowid_", "oid"].first { !taken.contains($0.foldedName) }
        }

        /// Whether a CHECK asks for JSON in a column: `JSON_VALID(c)`, also beside `c IS NULL`, as Django writes it.
        public func isCheckedAsJSON(_ column: String) -> Bool {
            checks.contains { $0.jsonColumn?.foldedName == column.foldedName }
        }

        public func column(named name: String) -> Column? {
            columns.first { $0.name.foldedName == name.foldedName }
        }

        func position(of name: String) -> Int? {
            columns.firstIndex { $0.name.foldedName == name.foldedName }
        }
    }

    public struct Column: Sendable, Equatable {
        public let name: String
        /// The type as declared, with its parameters; empty without one.
        public let declaredType: String
        public let isNotNull: Bool
        /// The default's SQL text.
        public let defaultSQL: String?
        /// The expression of a generated column.
        public var generation: String?
        public let collation: String

        public var affinity: Affinity { Affinity(declaredType: declaredType) }
    }

    public struct Check: Sendable, Equatable {
        public let name: String?
        public let expression: String

        /// The column of which the check says nothing but that it is JSON (or NULL); nil for other checks.
        public var jsonColumn: String? {
            var tokens = SQLLexer.tokens(of: expression)[...]
            while tokens.first?.isSymbol("(") == true, tokens.last?.isSymbol(")") == true {
                tokens = tokens.dropFirst().dropLast()
            }
            let words = Array(tokens)
            guard words.count == 4 || words.count == 8, words[0].isWord("JSON_VALID"), words[1].isSymbol("("),
                words[3].isSymbol(")")
            else { return nil }
            let name = words[2].value
            if words.count == 8 {
                guard words[4].isWord("OR"), words[5].value == name, words[6].isWord("IS"),
                    words[7].isWord("NULL")
                else { return nil }
            }
            return name
        }
    }

    public struct ForeignKey: Sendable, Equatable {
        public let name: String?
        public let columns: [String]
        public let parentTable: String
        /// As declared, or the parent's primary key where the declaration names none; nil without such a key.
        public let parentColumns: [String]?
        public let onUpdate: String
        public let onDelete: String
        public let isDeferrable: Bool
        public let isInitiallyDeferred: Bool
    }

    public struct Index: Sendable, Equatable {
        /// Who asked for the index: CREATE INDEX, a UNIQUE constraint, or the primary key.
        public enum Origin: String, Sendable {
            case createIndex = "c"
            case unique = "u"
            case primaryKey = "pk"
        }

        public struct Term: Sendable, Equatable {
            /// nil is an expression.
            public let column: String?
            public let isDescending: Bool
            public let collation: String
        }

        public let name: String
        /// The name of the UNIQUE constraint that asked for it.
        public var constraintName: String?
        public let isUnique: Bool
        public let origin: Origin
        public let isPartial: Bool
        public let terms: [Term]
        public let sql: String?
    }
}

/// The affinity of a column, by SQLite's five rules in their order (https://sqlite.org/datatype3.html#determination_of_column_affinity).
public typealias Affinity = SQLRelation.Affinity
