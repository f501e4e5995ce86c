/// A piece of JavaScript or TypeScript, as far as reading settings from it needs.
enum ScriptToken: Equatable {
    case word(String)
    /// A string's value; of a template that has no expression in it.
    case string(String)
    case symbol(Character)

    /// The pieces of a script with their bytes; what stands in expressions inside of strings is left out.
    static func tokens(_ bytes: [UInt8]) -> [(token: ScriptToken, range: Range<Int>)] {
        CodeLexer(bytes, .javascript).tokens.filter { $0.depth == 0 }.map { token in
            let text = { String(decoding: bytes[token.range], as: UTF8.self) }
            switch token.kind {
            case .word, .number: return (.word(text()), token.range)
            case .string where token.holes.isEmpty:
                return (.string(StringText(token, in: bytes).text), token.range)
            case .string, .pattern: return (.symbol("`"), token.range)
            case .symbol:
                return (.symbol(Character(Unicode.Scalar(bytes[token.range.lowerBound]))), token.range)
            }
        }
    }
}
