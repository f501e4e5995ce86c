import SQLDialect

/// What a CREATE TABLE statement says and no PRAGMA tells: names of constraints, CHECKs, DEFERRABLE.
///
/// (https://sqlite.org/lang_createtable.html.) A statement that cannot be followed gives what was read so far.
struct TableDDL: Equatable, Sendable {
    struct ForeignKey: Equatable, Sendable {
        var name: String?
        var isDeferrable = false
        var isInitiallyDeferred = false
    }

    struct Check: Equatable, Sendable {
        var name: String?
        var expression: String
    }

    struct Unique: Equatable, Sendable {
        var name: String?
        var columns: [String]
    }

    struct Conflict: Equatable, Sendable {
        var column: String?
        var resolution: String
    }

    var primaryKeyName: String?
    var uniques: [Unique] = []
    var checks: [Check] = []
    /// In the order of the text.
    var foreignKeys: [ForeignKey] = []
    /// `ON CONFLICT` clauses that do other than the default, ABORT; the column is nil in a table's constraint.
    var conflicts: [Conflict] = []
    /// The expression of each generated column.
    var generated: [String: String] = [:]

    init(_ sql: String) {
        var parser = Parser(sql)
        parser.parse(into: &self)
    }

    private struct Parser {
        private let tokens: [SQLToken]
        private let bytes: [UInt8]
        private var position = 0

        init(_ sql: String) {
            tokens = SQLLexer.tokens(of: sql)
            bytes = Array(sql.utf8)
        }

        private var current: SQLToken? { position < tokens.count ? tokens[position] : nil }

        private func at(_ keyword: String) -> Bool { current?.isWord(keyword) ?? false }

        private mutating func take(_ keyword: String) -> Bool {
            guard at(keyword) else { return false }
            position += 1
            return true
        }

        mutating func parse(into ddl: inout TableDDL) {
            while let token = current, !token.isSymbol("(") { position += 1 }
            position += 1
            var isConstraint = false
            while let token = current, !token.isSymbol(")") {
                if ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].contains(where: token.isWord) {
                    isConstraint = true
                }
                if isConstraint { tableConstraint(into: &ddl) } else { columnDefinition(into: &ddl) }
                // Table constraints may follow each other without a comma.
                if current?.isSymbol(",") == true { position += 1 }
            }
        }

        private mutating func columnDefinition(into ddl: inout TableDDL) {
            guard let column = current?.value else { return }
            position += 1
            var name: String?
            while let token = current, !token.isSymbol(","), !token.isSymbol(")") {
                // A column constraint of its own, which speaks of the column's last REFERENCES.
                if let last = ddl.foreignKeys.indices.last, deferral(of: &ddl.foreignKeys[last]) { continue }
                if conflict(column, into: &ddl) { continue }
                switch token.kind == .word ? token.source.uppercased() : token.source {
                case "CONSTRAINT":
                    position += 1
                    name = current?.value
                    position += 1
                    continue
                case "PRIMARY":
                    ddl.primaryKeyName = name
                    name = nil
                case "UNIQUE":
                    ddl.uniques.append(Unique(name: name, columns: [column]))
                    name = nil
                case "CHECK":
                    position += 1
                    ddl.checks.append(Check(name: name, expression: parenthesised()))
                    name = nil
                    continue
                case "REFERENCES":
                    ddl.foreignKeys.append(references(name: name))
                    name = nil
                    continue
                case "AS":
                    position += 1
                    ddl.generated[column] = parenthesised()
                    name = nil
                    continue
                case "(":
                    _ = parenthesised()
                    continue
                case "NOT", "NULL", "DEFAULT", "COLLATE": name = nil
                default: break
                }
                position += 1
            }
        }

        private mutating func tableConstraint(into ddl: inout TableDDL) {
            var name: String?
            if take("CONSTRAINT") {
                name = current?.value
                position += 1
            }
            if take("PRIMARY") {
                ddl.primaryKeyName = name
            } else if take("UNIQUE") {
                ddl.uniques.append(Unique(name: name, columns: columnNames()))
            } else if take("CHECK") {
                ddl.checks.append(Check(name: name, expression: parenthesised()))
            } else if take("FOREIGN") {
                _ = take("KEY")
                _ = parenthesised()
                ddl.foreignKeys.append(references(name: name))
                return
            } else {
                position += 1
            }
            while let token = current, !token.isSymbol(","), !token.isSymbol(")") {
                if ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].contains(where: token.isWord) {
                    return
                }
                if conflict(nil, into: &ddl) { continue }
                if token.isSymbol("(") { _ = parenthesised() } else { position += 1 }
            }
        }

        /// `ON CONFLICT resolution`, https://sqlite.org/lang_conflict.html; false where something else stands here.
        private mutating func conflict(_ column: String?, into ddl: inout TableDDL) -> Bool {
            guard at("ON"), tokens[(position + 1)...].first?.isWord("CONFLICT") == true else { return false }
            position += 2
            let resolution = current?.source.uppercased() ?? ""
            position += 1
            if resolution != "ABORT" {
                ddl.conflicts.append(Conflict(column: column, resolution: resolution))
            }
            return true
        }

        /// `[NOT] DEFERRABLE [INITIALLY DEFERRED|IMMEDIATE]`; false where something else stands here.
        private mutating func deferral(of key: inout ForeignKey) -> Bool {
            let isNot = at("NOT")
            guard (isNot ? tokens[(position + 1)...].first : current)?.isWord("DEFERRABLE") == true else {
                return false
            }
            position += isNot ? 2 : 1
            key.isDeferrable = !isNot
            key.isInitiallyDeferred = false
            if take("INITIALLY") {
                key.isInitiallyDeferred = !isNot && at("DEFERRED")
                position += 1
            }
            return true
        }

        /// From REFERENCES, or just before it, to the end of the clause.
        private mutating func references(name: String?) -> ForeignKey {
            var key = ForeignKey(name: name)
            if take("REFERENCES") { position += 1 }
            if current?.isSymbol("(") == true { _ = parenthesised() }
            while let token = current {
                if token.isWord("ON") {
                    position += 2
                    if take("SET") || take("NO") { position += 1 } else { position += 1 }
                } else if token.isWord("MATCH") {
                    position += 2
                } else if !deferral(of: &key) {
                    break
                }
            }
            return key
        }

        /// The names of an indexed-column list; ends after its closing parenthesis.
        private mutating func columnNames() -> [String] {
            guard current?.isSymbol("(") == true else { return [] }
            position += 1
            var names: [String] = []
            var isStart = true
            var depth = 0
            while let token = current {
                position += 1
                if token.isSymbol("(") { depth += 1 }
                if token.isSymbol(")") {
                    if depth == 0 { break }
                    depth -= 1
                }
                if isStart { names.append(token.value) }
                isStart = depth == 0 && token.isSymbol(",")
            }
            return names
        }

        /// The source between a parenthesis and its partner; ends after the partner.
        private mutating func parenthesised() -> String {
            guard let open = current, open.isSymbol("(") else { return "" }
            var depth = 0
            while let token = current {
                position += 1
                if token.isSymbol("(") { depth += 1 }
                if token.isSymbol(")") {
                    depth -= 1
                    if depth == 0 {
                        return String(
                            decoding: bytes[open.range.upperBound..<token.range.lowerBound], as: UTF8.self)
                    }
                }
            }
            return ""
        }
    }
}
