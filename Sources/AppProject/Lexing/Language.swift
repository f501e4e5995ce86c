/// How a family of programming languages writes comments and strings: what a reader of code must know to tell code from text.
struct Language: Sendable {
    enum Interpolation: Sendable {
        /// `${…}`, as in JavaScript's templates.
        case dollarBrace
        /// `#{…}`, as in Ruby.
        case hashBrace
        /// `{…}`, as in Python's f-strings.
        case brace
        /// `$name`, `${…}` and `{$…}`, as in PHP and Kotlin.
        case dollar
    }

    struct StringForm: Sendable {
        let open: [UInt8]
        let close: [UInt8]
        /// Whether a backslash takes the next character with it.
        var escapes = true
        /// Whether it may go over lines; one that may not ends with its line.
        var isMultiline = false
        var interpolation: Interpolation?

        init(
            _ open: String, close: String? = nil, escapes: Bool = true, isMultiline: Bool = false,
            _ interpolation: Interpolation? = nil
        ) {
            self.open = Array(open.utf8)
            self.close = Array((close ?? open).utf8)
            self.escapes = escapes
            self.isMultiline = isMultiline
            self.interpolation = interpolation
        }
    }

    struct Specials: OptionSet, Sendable {
        let rawValue: Int

        /// `/…/` where no value stands before it.
        static let regularExpressions = Specials(rawValue: 1)
        /// `<<~NAME`, `%q(…)`, `=begin`.
        static let ruby = Specials(rawValue: 2)
        /// `<<<NAME`, and text outside of `<?php`.
        static let php = Specials(rawValue: 4)
        /// Letters before a string's quote: raw, bytes, formatted.
        static let stringPrefixes = Specials(rawValue: 8)
    }

    let name: String
    let endings: [String]
    var lineComments: [[UInt8]] = []
    var blockComments: [(open: [UInt8], close: [UInt8])] = []
    /// Longer openings before shorter ones that they begin with.
    var strings: [StringForm] = []
    var specials: Specials = []
    /// What may be in names beside letters, digits and `_`.
    var nameBytes: [UInt8] = []

    init(
        _ name: String, _ endings: [String], line: [String] = [], block: [(String, String)] = [],
        strings: [StringForm], specials: Specials = [], names: String = ""
    ) {
        self.name = name
        self.endings = endings
        lineComments = line.map { Array($0.utf8) }
        blockComments = block.map { (Array($0.0.utf8), Array($0.1.utf8)) }
        self.strings = strings
        self.specials = specials
        nameBytes = Array(names.utf8)
    }
}

extension Language {
    private static let slashes: (line: [String], block: [(String, String)]) = (["//"], [("/*", "*/")])

    static let javascript = Language(
        "JavaScript", ["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte", "astro"],
        line: slashes.line, block: slashes.block,
        strings: [.init("\""), .init("'"), .init("`", isMultiline: true, .dollarBrace)],
        specials: [.regularExpressions], names: "$")

    static let python = Language(
        "Python", ["py", "pyw"], line: ["#"],
        strings: [
            .init("\"\"\"", isMultiline: true), .init("'''", isMultiline: true), .init("\""), .init("'"),
        ], specials: [.stringPrefixes])

    static let ruby = Language(
        "Ruby", ["rb", "rake", "erb"], line: ["#"],
        strings: [.init("\"", isMultiline: true, .hashBrace), .init("'", isMultiline: true)],
        specials: [.ruby, .regularExpressions])

    static let php = Language(
        "PHP", ["php", "phtml"], line: ["//", "#"], block: slashes.block,
        strings: [.init("\"", isMultiline: true, .dollar), .init("'", isMultiline: true)], specials: [.php],
        names: "$")

    static let go = Language(
        "Go", ["go"], line: slashes.line, block: slashes.block,
        strings: [.init("\""), .init("`", escapes: false, isMultiline: true), .init("'")])

    static let java = Language(
        "Java", ["java", "kt", "kts", "scala", "groovy", "cs"], line: slashes.line, block: slashes.block,
        strings: [
            .init("\"\"\"", isMultiline: true, .dollar), .init("\"", .dollar), .init("'"),
        ])

    static let sql = Language(
        "SQL", ["sql"], line: ["--"], block: slashes.block,
        strings: [
            .init("'", escapes: false, isMultiline: true), .init("\"", escapes: false, isMultiline: true),
        ])

    static let all = [javascript, python, ruby, php, go, java, sql]

    private static let byEnding: [String: Language] = Dictionary(
        all.flatMap { language in language.endings.map { ($0, language) } }
    ) { first, _ in first }

    /// The language of a file, by its ending; nil for what is no code.
    static func of(_ path: String) -> Language? {
        guard let dot = path.lastIndex(of: ".") else { return nil }
        return byEnding[path[path.index(after: dot)...].lowercased()]
    }
}
