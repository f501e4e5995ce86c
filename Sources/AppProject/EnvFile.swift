/// The variables of a `.env` file, as dotenv reads them: comments, quotes, `export`, values over several lines.
public struct EnvFile: Sendable, Equatable {
    /// The last value of each name.
    public let values: [String: String]

    /// Reads any text; lines that are no assignment are passed over.
    public init(_ text: String) {
        var reader = Reader(characters: Array(text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text))
        values = reader.read()
    }

    private struct Reader {
        let characters: [Character]
        var position = 0

        init(characters: [Character]) {
            self.characters = characters
        }

        private var current: Character? { position < characters.count ? characters[position] : nil }

        mutating func read() -> [String: String] {
            var values: [String: String] = [:]
            while position < characters.count {
                skip { $0.isWhitespace }
                if let (name, value) = assignment() { values[name] = value }
                skip { !$0.isNewline }
            }
            return values
        }

        private mutating func skip(while condition: (Character) -> Bool) {
            while let character = current, condition(character) { position += 1 }
        }

        private mutating func word() -> String {
            let start = position
            skip { $0.isLetter || $0.isNumber || "_.-".contains($0) }
            return String(characters[start..<position])
        }

        private mutating func assignment() -> (String, String)? {
            var name = word()
            skip { $0 == " " || $0 == "\t" }
            if name == "export" {
                name = word()
                skip { $0 == " " || $0 == "\t" }
            }
            guard !name.isEmpty, current == "=" else { return nil }
            position += 1
            skip { $0 == " " || $0 == "\t" }
            return (name, value())
        }

        private mutating func value() -> String {
            guard let quote = current, "\"'`".contains(quote), let closed = closing(quote) else { return bare() }
            let inner = String(characters[position + 1..<closed])
            position = closed + 1
            guard quote == "\"" else { return inner }
            return inner.replacing("\\n", with: "\n").replacing("\\r", with: "\r").replacing("\\\"", with: "\"")
        }

        private func closing(_ quote: Character) -> Int? {
            var index = position + 1
            while index < characters.count {
                if characters[index] == "\\", quote == "\"" {
                    index += 2
                    continue
                }
                if characters[index] == quote { return index }
                index += 1
            }
            return nil
        }

        /// Up to the end of the line or a comment.
        private mutating func bare() -> String {
            let start = position
            skip { !$0.isNewline && $0 != "#" }
            var value = String(characters[start..<position])
            while value.last?.isWhitespace ?? false { value.removeLast() }
            return value
        }
    }
}
