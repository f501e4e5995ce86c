import Postgres

/// A statement on its way, with what was changed in it so far.
struct Rewrite {
    let tokens: [SQLToken]
    let tables: [StatementRewriter.Table]
    let relations: [SQLRelation]
    let holes: Set<Int>
    private(set) var edits: [StatementRewriter.Edit] = []
    private(set) var notes: [String] = []
    private(set) var obstacles: [Refusal] = []
    /// Tables that the statement names, in the order in which they were met.
    var mentioned: [StatementRewriter.Table] = []
    /// Names that the statement gives itself, by how they are compared.
    var aliases: [[UInt8]: String] = [:]
    /// Whether it reads from a table that is not known, so that a name may be a column of that one.
    var hasUnknownTable = false
    /// Names whose column is known, by the places of their tokens.
    var resolved: Set<Int> = []
    /// The table that is written to, which names in its own clauses mean first.
    var written: StatementRewriter.Table?
    /// Tables of an outer join that may have no row, as the statement calls them.
    var optional: Set<[UInt8]> = []
    /// Subqueries that were given a name.
    var derived = 0
    private let bytes: [UInt8]

    init(_ sql: String, tables: [StatementRewriter.Table], holes: Set<Int>) {
        tokens = SQLLexer.tokens(of: sql)
        bytes = Array(sql.utf8)
        self.tables = tables
        relations = tables.map(\.relation)
        self.holes = holes
    }

    /// By place; what lies within something that was written anew as a whole goes with that.
    var outcome: StatementRewriter.Outcome {
        let kept = edits.enumerated().filter { index, edit in
            !edits.enumerated().contains { other, whole in
                other != index && whole.range != edit.range && !whole.range.isEmpty
                    && whole.range.lowerBound <= edit.range.lowerBound
                    && edit.range.upperBound <= whole.range.upperBound
                    && !(edit.range.isEmpty
                        && (edit.range.lowerBound == whole.range.lowerBound
                            || edit.range.lowerBound == whole.range.upperBound))
            }
        }
        // Of several at one place, the first that came stands first.
        let ordered = kept.sorted {
            ($0.element.range.lowerBound, $0.element.range.upperBound, $0.offset) < (
                $1.element.range.lowerBound, $1.element.range.upperBound, $1.offset
            )
        }
        return StatementRewriter.Outcome(edits: ordered.map(\.element), notes: notes, obstacles: obstacles)
    }

    // MARK: Changes

    mutating func replace(_ range: Range<Int>, _ text: String) {
        guard source(range) != text, !isTaken(range) else { return }
        edits.append(.init(range, text))
    }

    mutating func insert(_ text: String, at place: Int) { edits.append(.init(place..<place, text)) }

    mutating func note(_ text: String) { if !notes.contains(text) { notes.append(text) } }

    mutating func refuse(_ reason: String, _ range: Range<Int>) { obstacles.append(Refusal(reason, range)) }

    func source(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Whether a place has been written anew already.
    func isTaken(_ range: Range<Int>) -> Bool {
        edits.contains { $0.range.lowerBound <= range.lowerBound && range.upperBound <= $0.range.upperBound }
    }

    // MARK: Tokens

    /// The tokens that lie within a range of the text.
    func tokens(in range: Range<Int>) -> Range<Int> {
        let first = tokens.firstIndex { $0.range.lowerBound >= range.lowerBound } ?? tokens.count
        let last = tokens[first...].firstIndex { $0.range.upperBound > range.upperBound } ?? tokens.count
        return first..<last
    }

    // MARK: Names of the schema

    /// Spells one name as the target does, in quotes where PostgreSQL would read it otherwise.
    mutating func spell(_ token: SQLToken, _ target: String) {
        resolved.insert(token.range.lowerBound)
        let isSame =
            token.kind == .word
            ? quoteIdentifierWhereNeeded(target) == token.source.lowercased()
            : token.source == quoteIdentifier(target)
        if !isSame { replace(token.range, quoteIdentifierWhereNeeded(target)) }
    }

    func table(_ name: String) -> StatementRewriter.Table? {
        let folded = name.foldedName
        return tables.first { $0.relation.name.foldedName == folded }
    }

    mutating func mention(_ table: StatementRewriter.Table) {
        if !mentioned.contains(table) { mentioned.append(table) }
    }

    mutating func name(_ alias: String?) {
        if let alias { aliases[alias.foldedName] = alias }
    }

    // MARK: The translator's word

    /// Puts the translator's equal in the place of an expression; false, and nothing is changed, where it has none.
    mutating func translated(_ expression: Expression, _ scope: Scope) -> Refusal? {
        do {
            let value = try ExpressionTranslator(relations: relations, scope: scope).plain(expression)
            replace(expression.range, value.operand)
            return nil
        } catch {
            return error
        }
    }

    /// The same for a value that a column takes, or is compared with.
    mutating func assigned(
        _ expression: Expression, _ column: SQLRelation.Column, _ scope: Scope
    ) -> Refusal? {
        do {
            var translator = ExpressionTranslator(relations: relations, scope: scope)
            translator.mayBeRandom = true
            replace(expression.range, try translator.assigned(expression, to: column))
            return nil
        } catch {
            return error
        }
    }
}
