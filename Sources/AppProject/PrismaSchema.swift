/// What a schema.prisma declares (https://www.prisma.io/docs/orm/reference/prisma-schema-reference).
///
/// Reads one text, which may be several files joined; never fails: what cannot be followed is passed over.
struct PrismaSchema: Sendable, Equatable {
    struct Attribute: Sendable, Equatable {
        /// As written, with its `@` or `@@`.
        let name: String
        /// The tokens between its parentheses.
        let arguments: [PrismaToken]

        /// A text given by name (`map: "x"`), or as the first argument.
        func text(_ label: String? = nil) -> String? {
            var tokens = arguments[...]
            if let label {
                guard
                    let index = arguments.indices.first(where: {
                        arguments[$0].text == label && $0 + 1 < arguments.count && arguments[$0 + 1].text == ":"
                    })
                else { return nil }
                tokens = arguments[(index + 2)...]
            }
            guard let first = tokens.first, first.isString else { return nil }
            return first.text
        }
    }

    struct Field: Sendable, Equatable {
        let name: String
        let type: String
        let isList: Bool
        let attributes: [Attribute]

        func attribute(_ name: String) -> Attribute? { attributes.first { $0.name == name } }

        /// The column's name.
        var column: String { attribute("@map").flatMap { $0.text("name") ?? $0.text() } ?? name }
    }

    struct Model: Sendable, Equatable {
        let name: String
        var fields: [Field] = []
        var attributes: [Attribute] = []

        /// The table's name.
        var table: String {
            attributes.first { $0.name == "@@map" }.flatMap { $0.text("name") ?? $0.text() } ?? name
        }
    }

    struct Enumeration: Sendable, Equatable {
        let name: String
        /// As the database has them.
        var labels: [String] = []
        var mapped: String?

        var databaseName: String { mapped ?? name }
    }

    var models: [Model] = []
    var enums: [Enumeration] = []
    /// The datasource's settings: a text, or the variable of `env("X")`.
    var datasource: [String: Value] = [:]

    enum Value: Sendable, Equatable {
        case text(String)
        case variable(String)
    }

    init(_ text: String) {
        var parser = Parser(lines: PrismaToken.lines(of: text))
        parser.parse(into: &self)
    }

    private struct Parser {
        let lines: [[PrismaToken]]
        var index = 0

        mutating func parse(into schema: inout PrismaSchema) {
            while index < lines.count {
                let line = lines[index]
                index += 1
                guard line.count >= 3, line.last?.text == "{", let keyword = line.first?.text else { continue }
                let name = line[1].text
                let body = block()
                switch keyword {
                case "model": schema.models.append(model(name, body))
                case "enum": schema.enums.append(enumeration(name, body))
                case "datasource":
                    for entry in body where entry.count >= 3 && entry[1].text == "=" {
                        schema.datasource[entry[0].text] =
                            entry[2].isString
                            ? .text(entry[2].text)
                            : entry.first(where: \.isString).map { .variable($0.text) }
                    }
                default: break
                }
            }
        }

        /// The lines up to the one that closes the block.
        private mutating func block() -> [[PrismaToken]] {
            var body: [[PrismaToken]] = []
            while index < lines.count {
                let line = lines[index]
                index += 1
                if line.first?.text == "}" { break }
                body.append(line)
            }
            return body
        }

        private func model(_ name: String, _ body: [[PrismaToken]]) -> Model {
            var model = Model(name: name)
            for line in body {
                guard let first = line.first else { continue }
                if first.text.hasPrefix("@@") {
                    model.attributes += attributes(line[...])
                } else if line.count >= 2 {
                    let isList = line.count >= 4 && line[2].text == "[" && line[3].text == "]"
                    model.fields.append(
                        Field(
                            name: first.text, type: line[1].text, isList: isList, attributes: attributes(line.dropFirst(2))))
                }
            }
            return model
        }

        private func enumeration(_ name: String, _ body: [[PrismaToken]]) -> Enumeration {
            var enumeration = Enumeration(name: name)
            for line in body {
                guard let first = line.first else { continue }
                let attributes = attributes(line[...])
                if first.text.hasPrefix("@@") {
                    enumeration.mapped = attributes.first { $0.name == "@@map" }.flatMap { $0.text("name") ?? $0.text() }
                } else {
                    let mapped = attributes.first { $0.name == "@map" }.flatMap { $0.text("name") ?? $0.text() }
                    enumeration.labels.append(mapped ?? first.text)
                }
            }
            return enumeration
        }

        private func attributes(_ tokens: ArraySlice<PrismaToken>) -> [Attribute] {
            var attributes: [Attribute] = []
            var index = tokens.startIndex
            while index < tokens.endIndex {
                let token = tokens[index]
                index += 1
                guard !token.isString, token.text.hasPrefix("@") else { continue }
                var arguments: [PrismaToken] = []
                if index < tokens.endIndex, tokens[index].text == "(", !tokens[index].isString {
                    var depth = 1
                    index += 1
                    while index < tokens.endIndex {
                        let inner = tokens[index]
                        index += 1
                        if !inner.isString, inner.text == "(" { depth += 1 }
                        if !inner.isString, inner.text == ")" { depth -= 1 }
                        if depth == 0 { break }
                        arguments.append(inner)
                    }
                }
                attributes.append(Attribute(name: token.text, arguments: arguments))
            }
            return attributes
        }
    }
}

/// One token of a schema.prisma.
struct PrismaToken: Sendable, Equatable {
    /// A string's content without quotes and escapes; other tokens as written.
    let text: String
    let isString: Bool

    /// The tokens of each line that has any: a line ends an entry in this language.
    static func lines(of source: String) -> [[PrismaToken]] {
        var lines: [[PrismaToken]] = []
        var line: [PrismaToken] = []
        let characters = Array(source)
        var index = 0
        func isWord(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || "_-@.".contains(character)
        }
        while index < characters.count {
            let character = characters[index]
            let next = index + 1 < characters.count ? characters[index + 1] : " "
            if character.isNewline {
                if !line.isEmpty { lines.append(line) }
                line = []
                index += 1
            } else if character == "/", next == "/" {
                while index < characters.count, !characters[index].isNewline { index += 1 }
            } else if character == "/", next == "*" {
                index += 2
                while index + 1 < characters.count, !(characters[index] == "*" && characters[index + 1] == "/") {
                    index += 1
                }
                index += 2
            } else if character == "\"" {
                var text = ""
                index += 1
                while index < characters.count, characters[index] != "\"", !characters[index].isNewline {
                    if characters[index] == "\\", index + 1 < characters.count { index += 1 }
                    text.append(characters[index])
                    index += 1
                }
                index += 1
                line.append(PrismaToken(text: text, isString: true))
            } else if isWord(character) {
                let start = index
                // An attribute may follow a word without a space.
                while index < characters.count, isWord(characters[index]),
                    index == start || characters[index] != "@" || characters[index - 1] == "@"
                { index += 1 }
                line.append(PrismaToken(text: String(characters[start..<index]), isString: false))
            } else {
                if !character.isWhitespace, character != "?" {
                    line.append(PrismaToken(text: String(character), isString: false))
                }
                index += 1
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
