/// `keyword name { … }`.
struct PrismaBlock: Equatable {
    let keyword: String
    let name: String
    let line: Int
    var entries: [PrismaEntry] = []
    /// Those of the block: `@@map("users")`.
    var attributes: [PrismaAttribute] = []
    /// Where its closing brace is in the file; nil where that is missing.
    var end: Int?
}

/// A line of a block: a field, a value of an enum, or a setting of a datasource.
struct PrismaEntry: Equatable {
    let name: String
    let line: Int
    /// A field's type.
    var type: PrismaType?
    /// A setting's value.
    var value: PrismaValue?
    /// The bytes of the type or of the value in the file.
    var range = 0..<0
    var attributes: [PrismaAttribute] = []
}

struct PrismaType: Equatable {
    let name: String
    var isOptional = false
    var isList = false
}

/// `@name(arguments)`, without the at signs.
struct PrismaAttribute: Equatable {
    let name: String
    var arguments: [PrismaArgument] = []
    /// Its bytes in the file, from the name to its parenthesis.
    var range = 0..<0

    /// The value of a named argument, or of the first without a name.
    func argument(_ name: String) -> PrismaValue? {
        (arguments.first { $0.name == name } ?? arguments.first { $0.name == nil })?.value
    }

    func has(_ name: String) -> Bool {
        arguments.contains { $0.name == name }
    }
}

struct PrismaArgument: Equatable {
    let name: String?
    let value: PrismaValue
}

indirect enum PrismaValue: Equatable {
    case string(String)
    /// A name or a number.
    case word(String)
    case list([PrismaValue])
    case call(String, [PrismaArgument])

    var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The names in a list such as `[a, b(sort: Desc)]`.
    var names: [String] {
        switch self {
        case .word(let name), .call(let name, _): [name]
        case .list(let values): values.flatMap(\.names)
        case .string: []
        }
    }
}

extension [PrismaAttribute] {
    func named(_ name: String) -> PrismaAttribute? {
        first { $0.name == name }
    }

    /// The name in the database that `@map` or `@@map` gives.
    var mappedName: String? {
        named("map")?.argument("name")?.string
    }
}
