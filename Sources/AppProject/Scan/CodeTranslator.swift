import Foundation
import MigrationEngine
import SQLDialect

/// A statement of an application's code as it stands, and as PostgreSQL takes it.
public struct CodeTranslation: Sendable, Equatable {
    public let statement: CodeStatement
    /// As it would stand; the same where nothing is to be changed.
    public let after: CodeStatement
    /// What the code around should know, and what may differ.
    public let notes: [String]
    /// Why it cannot be translated; empty where it can.
    public let obstacles: [String]

    public var isChanged: Bool { statement.sql != after.sql }
    public var isOffered: Bool { isChanged && obstacles.isEmpty }
}

/// Translates the statements in source files, and writes them into those: only the bytes of a string change that must.
public struct CodeTranslator: Sendable {
    private let scan: CodeScan
    private let rewriter: StatementRewriter

    /// Without a plan nothing is known of tables and columns, and names stay as they are.
    public init(_ scan: CodeScan) {
        self.scan = scan
        rewriter = scan.schema?.rewriter ?? StatementRewriter(tables: [])
    }

    /// The whole statements of a file, in order. Throws where the file cannot be read.
    public func translations(of path: String) throws -> [CodeTranslation] {
        try file(path).work.map(\.translation)
    }

    /// The file with the statements of these keys translated; nil where none of them is there and can be.
    public func change(_ path: String, _ keys: Set<String>) throws -> FileChange? {
        let (bytes, work) = try file(path)
        let wanted = work.filter { $0.translation.isOffered && keys.contains($0.translation.statement.key) }
        guard !wanted.isEmpty else { return nil }
        return FileChange(path, before: bytes, after: wanted.flatMap(\.edits).applied(to: bytes))
    }

    private typealias Work = (translation: CodeTranslation, edits: [TextEdit])

    private func file(_ path: String) throws -> (bytes: [UInt8], work: [Work]) {
        let place = scan.place(of: path)
        guard let data = FileManager.default.contents(atPath: place) else {
            throw FileSystemError("reading", place, code: ENOENT)
        }
        let bytes = [UInt8](data)
        guard let language = Language.of(path) else { return (bytes, []) }
        return (bytes, work(bytes, path, language))
    }

    private func work(_ bytes: [UInt8], _ path: String, _ language: Language) -> [Work] {
        let code = CodeContext(bytes: bytes, tokens: CodeLexer(bytes, language).tokens)
        let found = SQLFinder(code: code).statements().found
        let described = CodeScan.described(found, Places(bytes: bytes, path: path))
        let literals = Literals(code: code, language: language)
        var result: [Work] = []
        for (index, (statement, before)) in zip(found, described).enumerated() where before.isQuery {
            let numbers = Self.numbersParameters(language, statement)
            let outcome = rewriter.rewrite(
                statement.sql, holes: statement.holes, numbersParameters: numbers)
            var obstacles = outcome.obstacles.map(\.reason)
            if outcome.isUnread {
                obstacles = [
                    statement.holes.isEmpty
                        ? "howdah cannot read it: \(obstacles.joined())"
                        : "parts of it come from the code around"
                ]
            }
            var notes = outcome.notes
            if language.name == Language.python.name, Self.hasQuestionMark(statement) {
                notes.append("psycopg takes %s where sqlite3 takes ?, and %% for every other %")
            }
            if SQLLexer.tokens(of: statement.sql).contains(where: {
                $0.kind == .parameter && ":@".contains($0.source.prefix(1))
            }) {
                notes.append(
                    "its parameters have names: the driver for PostgreSQL must know them, or they become numbers"
                )
            }
            var edits: [TextEdit] = []
            for edit in outcome.edits {
                switch literals.edit(edit, statement.text) {
                case .success(let edit): edits.append(edit)
                case .failure(let error): obstacles.append(error.reason)
                }
            }
            var after: CodeStatement? = before
            if obstacles.isEmpty, !edits.isEmpty {
                after = Self.statement(index, edits.applied(to: bytes), path, language)
                if after?.sql != outcome.applied(to: statement.sql) {
                    after = nil
                    obstacles.append("its string would not say it: change it by hand")
                }
            }
            result.append(
                (
                    CodeTranslation(
                        statement: before, after: after ?? before, notes: notes, obstacles: obstacles), edits
                ))
        }
        return result
    }

    /// The statement of this number, as a changed file is read.
    private static func statement(
        _ index: Int, _ bytes: [UInt8], _ path: String, _ language: Language
    ) -> CodeStatement? {
        let code = CodeContext(bytes: bytes, tokens: CodeLexer(bytes, language).tokens)
        let described = CodeScan.described(
            SQLFinder(code: code).statements().found, Places(bytes: bytes, path: path))
        return described.indices.contains(index) ? described[index] : nil
    }

    private static func hasQuestionMark(_ statement: CodeSQL) -> Bool {
        SQLLexer.tokens(of: statement.sql).contains {
            $0.kind == .parameter && $0.source.hasPrefix("?")
                && !statement.holes.contains($0.range.lowerBound)
        }
    }

    /// Whether the driver counts parameters by `$1`: those of Node and of Go, but not query builders' raw SQL.
    private static func numbersParameters(_ language: Language, _ statement: CodeSQL) -> Bool {
        [Language.javascript.name, Language.go.name].contains(language.name)
            && !["raw", "Raw"].contains(statement.callee)
    }
}

/// The strings of a file, for what is written into them.
private struct Literals {
    struct Unfit: Error {
        let reason: String
    }

    let code: CodeContext
    let language: Language

    /// An edit of a statement as one of the file.
    func edit(_ edit: StatementRewriter.Edit, _ text: StringText) -> Result<TextEdit, Unfit> {
        var range = text.range(edit.range)
        guard
            let token = code.tokens.last(where: { token in
                token.kind == .string && token.inside.lowerBound <= range.lowerBound
                    && range.lowerBound <= token.inside.upperBound
            })
        else { return .failure(Unfit(reason: "it is not all in one string")) }
        // What ends with its string ends before the quote, and not where the next string begins.
        if range.upperBound > token.inside.upperBound, edit.range.upperBound > edit.range.lowerBound {
            let last = text.range(edit.range.upperBound - 1..<edit.range.upperBound).lowerBound
            guard token.inside.contains(last) else {
                return .failure(Unfit(reason: "a part of it goes over several strings: change it by hand"))
            }
            range = range.lowerBound..<token.inside.upperBound
        }
        guard let written = written(edit.text, in: token) else {
            return .failure(Unfit(reason: "its string cannot hold \(edit.text)"))
        }
        return .success(TextEdit(range, written))
    }

    /// A text as the source code of a string says it; nil where that string cannot.
    private func written(_ text: String, in token: CodeToken) -> String? {
        let open = code.bytes[token.range.lowerBound..<token.inside.lowerBound]
        let close = code.bytes[token.inside.upperBound..<token.range.upperBound]
        guard let quote = close.first ?? open.last else { return text }
        guard token.escapes else {
            let isHeld =
                text.utf8.contains(quote)
                && [UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`")].contains(quote)
            return isHeld ? nil : text
        }
        let isLong = close.count > 1
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"", "'", "`":
                // A long string ends with several of its quotes; one of them is none.
                result += !isLong && character.value == UInt32(quote) ? "\\\(character)" : String(character)
            case "$" where interpolates && quote != UInt8(ascii: "'"): result += "\\$"
            case "#" where language.name == Language.ruby.name && quote != UInt8(ascii: "'"): result += "\\#"
            case "{" where quote == UInt8(ascii: "`") && result.hasSuffix("$"):
                result = result.dropLast() + "\\${"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private var interpolates: Bool {
        [Language.php.name, Language.java.name].contains(language.name)
    }
}
