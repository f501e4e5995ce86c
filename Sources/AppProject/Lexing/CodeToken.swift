/// A piece of source code; its bytes are in the file's.
struct CodeToken: Sendable, Equatable {
    enum Kind: Sendable {
        case word, number, string, symbol
        /// A regular expression, which is neither code nor a text.
        case pattern
    }

    let kind: Kind
    /// All of it, a string's with its quotes.
    let range: Range<Int>
    /// A string's inside.
    var inside = 0..<0
    /// Whether backslashes in the inside stand for something else.
    var escapes = false
    /// The expressions in a string, with their braces: parts of the inside.
    var holes: [Range<Int>] = []
    /// How deep in expressions in strings it stands.
    var depth = 0
}
