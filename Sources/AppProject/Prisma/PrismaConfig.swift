/// The settings of a prisma.config file that can be told without running it.
struct PrismaConfig: Equatable {
    /// The path of the schema, relative to the file's folder.
    var schema: String?
    /// `datasource.url`.
    var url: PrismaSchema.Setting?
    /// The bytes of a `datasource.url` that is written there, with its quotes.
    var urlRange: Range<Int>?
    /// `migrations.path`, relative to the file's folder.
    var migrations: String?

    private static let endings = ["ts", "mts", "cts", "js", "mjs", "cjs"]

    /// Where Prisma looks for one in a project's folder.
    static let names = endings.map { "prisma.config.\($0)" } + endings.map { ".config/prisma.\($0)" }

    init(_ script: String) {
        self.init(Array(script.utf8))
    }

    init(_ script: [UInt8]) {
        let ranged = ScriptToken.tokens(script)
        let tokens = ranged.map(\.token)
        // The key, or nil, that each open brace is the value of.
        var open: [String?] = []
        var schemaDepth = Int.max
        for (index, token) in tokens.enumerated() {
            switch token {
            case .symbol("{"): open.append(Self.key(before: index, tokens))
            case .symbol("}"): _ = open.popLast()
            case .symbol(":"):
                let key = index > 0 ? Self.name(tokens[index - 1]) : nil
                let value = Self.value(tokens[(index + 1)...].prefix(40))
                if key == "schema", open.last == .some(nil), open.count < schemaDepth,
                    let path = Self.path(value)
                {
                    schema = path
                    schemaDepth = open.count
                } else if key == "path", open.last == "migrations", migrations == nil {
                    migrations = Self.path(value)
                } else if key == "url", open.last == "datasource", url == nil {
                    url = Self.setting(value)
                    if case .literal? = url, value.count == 1 { urlRange = ranged[index + 1].range }
                }
            default: break
            }
        }
    }

    private static func name(_ token: ScriptToken) -> String? {
        switch token {
        case .word(let name), .string(let name): name
        case .symbol: nil
        }
    }

    private static func key(before index: Int, _ tokens: [ScriptToken]) -> String? {
        index >= 2 && tokens[index - 1] == .symbol(":") ? name(tokens[index - 2]) : nil
    }

    /// The tokens up to the comma or the brace that ends a value.
    private static func value(_ tokens: ArraySlice<ScriptToken>) -> [ScriptToken] {
        var depth = 0
        var value: [ScriptToken] = []
        for token in tokens {
            switch token {
            case .symbol("("), .symbol("["), .symbol("{"): depth += 1
            case .symbol(")"), .symbol("]"), .symbol("}"): depth -= 1
            default: break
            }
            if depth < 0 || (depth == 0 && token == .symbol(",")) { break }
            value.append(token)
        }
        return value
    }

    /// A literal path, or the parts given to `path.join` or `path.resolve`.
    private static func path(_ value: [ScriptToken]) -> String? {
        if value.count == 1, case .string(let path) = value[0] { return path }
        guard value.contains(where: { $0 == .word("join") || $0 == .word("resolve") }) else { return nil }
        let parts = value.compactMap { token -> String? in
            if case .string(let part) = token { part } else { nil }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "/")
    }

    /// A literal, `env("NAME")`, `process.env.NAME` or `process.env["NAME"]`, whatever follows it.
    private static func setting(_ value: [ScriptToken]) -> PrismaSchema.Setting? {
        guard let first = value.first else { return nil }
        if case .string(let text) = first { return .literal(text) }
        guard let index = value.firstIndex(of: .word("env")), index + 2 < value.count else { return nil }
        switch (value[index + 1], value[index + 2]) {
        case (.symbol("("), .string(let name)), (.symbol("["), .string(let name)),
            (.symbol("."), .word(let name)):
            return .environment(name)
        default: return nil
        }
    }
}
