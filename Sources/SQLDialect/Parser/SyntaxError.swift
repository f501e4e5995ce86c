/// A statement that SQLite's grammar, as far as it is known here, does not read.
public struct SyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String
    /// Bytes of the source text; empty at its end.
    public let range: Range<Int>

    public var description: String { message }
}
