/// A piece of JavaScript or TypeScript, as far as reading settings from it needs.
enum ScriptToken: Equatable {
    case word(String)
    /// A string's value; of a template that has no expression in it.
    case string(String)
    case symbol(Character)
}

/// Cuts a script into words, strings and symbols; comments are left out.
struct ScriptLexer {
    private let characters: [Character]
    private var position = 0
    private(set) var tokens: [ScriptToken] = []

    init(_ text: String) {
        characters = Array(text)
        while position < characters.count { scan() }
    }

    private func startsComment(_ second: Character) -> Bool {
        characters[position] == "/" && position + 1 < characters.count && characters[position + 1] == second
    }

    private mutating func scan() {
        let first = characters[position]
        if startsComment("/") {
            while position < characters.count, !characters[position].isNewline { position += 1 }
        } else if startsComment("*") {
            position += 2
            while position + 1 < characters.count,
                characters[position] != "*" || characters[position + 1] != "/"
            {
                position += 1
            }
            position += 2
        } else if first == "\"" || first == "'" || first == "`" {
            scanString(first)
        } else if Self.isWord(first) {
            let start = position
            while position < characters.count, Self.isWord(characters[position]) { position += 1 }
            tokens.append(.word(String(characters[start..<position])))
        } else {
            if !first.isWhitespace { tokens.append(.symbol(first)) }
            position += 1
        }
    }

    /// A quote that is not closed on its line, as in a regular expression, is a symbol.
    private mutating func scanString(_ quote: Character) {
        var value = ""
        var end = position + 1
        while end < characters.count, characters[end] != quote {
            if characters[end] == "\\", end + 1 < characters.count {
                end += 1
            } else if characters[end].isNewline, quote != "`" {
                break
            }
            value.append(characters[end])
            end += 1
        }
        guard end < characters.count, characters[end] == quote else {
            tokens.append(.symbol(quote))
            position += 1
            return
        }
        position = end + 1
        if quote == "`", value.contains("${") {
            tokens.append(.symbol(quote))
        } else {
            tokens.append(.string(value))
        }
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "$"
    }
}
