/// One thing that may be decided about a finding: the word that says it, and what comes of it.
///
/// A word that is none of the table's is a type for the finding's column.
public struct Choice: Sendable, Equatable {
    public let word: String
    public let consequence: String
    /// Whether nothing about the finding itself speaks against it.
    var isAdvisable = true

    init(_ word: String, _ consequence: String) {
        self.word = word
        self.consequence = consequence
    }

    /// The words with a meaning of their own.
    public enum Word: String, Sendable, CaseIterable {
        /// The rows are kept whole in howdah.quarantine and not loaded.
        case quarantine
        /// The values become NULL; their bytes are kept in howdah.replaced.
        case setNull = "set-null"
        /// Characters that PostgreSQL refuses are taken out, or written as \uFFFD would be read: as an escape.
        case strip, escape
        /// The column may hold NULL.
        case nullable
        /// The foreign key is made NOT VALID: it holds for new rows alone.
        case notValid = "not-valid"
        /// The key, index, constraint, view or trigger is not made.
        case leaveOut = "leave-out"
        case skipTable = "skip-table"
        /// Another kind of index takes the place of one that cannot hold every value.
        case hash, digest
        /// A virtual table's rows become those of a plain table.
        case asTable = "table"
        /// The table, which the target lacks, is made as the source has it.
        case makeTable = "make-table"
        /// Rows of the target's stay, or make room and come back when the load is taken back.
        case keep, replace
        /// Carried otherwise, as the finding's message says.
        case accept
    }

    public var known: Word? { Word(rawValue: word) }

    static let renamePrefix = "rename:"

    /// Leaving a whole table out is never what howdah advises, and neither is a name or value of its own making, nor taking
    /// away rows that it has not loaded.
    var isRecommendable: Bool {
        isAdvisable && known != .skipTable && known != .setNull && known != .replace
    }

    // MARK: The choices, with their consequences

    /// `left` values are not even held by that type.
    static func type(_ type: PostgresType, but left: Int = 0) -> Choice {
        let more =
            switch type {
            case .text: "; numbers are written out"
            case .bytea: "; texts become their bytes"
            default: ""
            }
        let but = left == 0 ? "" : " but \(Format.count(left)), to be decided next"
        return Choice(type.sql, "the column becomes \(type.sql), which holds every value of it\(but)\(more)")
    }

    static func quarantine(_ count: Int, more: String = "") -> Choice {
        Choice(
            Word.quarantine.rawValue,
            "\(Format.count(count, "row is", "rows are")) kept whole in howdah.quarantine and not loaded\(more)"
        )
    }

    static func setNull(_ count: Int) -> Choice {
        Choice(
            Word.setNull.rawValue,
            "\(Format.count(count, "value becomes", "values become")) NULL; the bytes are kept in howdah.replaced"
        )
    }

    static func strip(_ count: Int) -> Choice {
        Choice(
            Word.strip.rawValue,
            "NUL and bytes that are no UTF-8 are taken out of \(Format.count(count, "text", "texts")); "
                + "the bytes as they were are kept in howdah.replaced")
    }

    static func escape(_ count: Int) -> Choice {
        Choice(
            Word.escape.rawValue,
            "NUL and bytes that are no UTF-8 are written as \\x and two digits in \(Format.count(count, "text", "texts")); "
                + "the bytes as they were are kept in howdah.replaced")
    }

    static let nullable = Choice(Word.nullable.rawValue, "the column may hold NULL in the target")

    static func notValid(_ key: String) -> Choice {
        Choice(
            Word.notValid.rawValue,
            "the foreign key \(key) is made NOT VALID: every row is loaded, and only new rows are checked")
    }

    static func leaveOut(_ what: String) -> Choice {
        Choice(Word.leaveOut.rawValue, "\(what) is not made in the target")
    }

    static func skipTable(_ table: String) -> Choice {
        Choice(Word.skipTable.rawValue, "the whole table \(table) is left out, with all of its rows")
    }

    static func leaveOutColumn(_ column: String) -> Choice {
        Choice(Word.leaveOut.rawValue, "the values of the column \(column) are not loaded")
    }

    static func makeTable(_ table: String) -> Choice {
        Choice(Word.makeTable.rawValue, "howdah makes the table \(table) as the source has it")
    }

    /// `isSame`: every row of the target's is in the source as it is.
    static func keep(_ table: String, isSame: Bool) -> Choice {
        var choice = Choice(
            Word.keep.rawValue,
            isSame
                ? "the rows of \(table) stay, and count as loaded"
                : "the rows of \(table) stay; rows of the source with a key that is there are not loaded, and the proof lists "
                    + "those that differ (exit 4)")
        choice.isAdvisable = isSame
        return choice
    }

    static func replace(_ table: String, _ count: Int) -> Choice {
        Choice(
            Word.replace.rawValue,
            "the source's rows take the place of \(Format.count(count, "row", "rows")) of \(table), kept in the schema "
                + "howdah until the migration is finished, and put back when it is taken back")
    }

    static func accept(_ consequence: String) -> Choice { Choice(Word.accept.rawValue, consequence) }

    static func rename(_ name: String) -> Choice {
        Choice(renamePrefix + name, "it is called \(name) in the target")
    }
}
