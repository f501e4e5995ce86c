import Postgres
import SQLDialect

/// Has the server prepare the statements of an application's code, so that it says itself what it would refuse.
public struct QueryTrial: Sendable {
    /// What the server says of a statement.
    public struct Verdict: Sendable, Codable, Equatable {
        public enum Kind: String, Sendable, Codable {
            case prepared, refused
            /// A part of a statement, or one whose names come from the code.
            case untried
        }

        public let statement: CodeStatement
        public let kind: Kind
        /// The server's message, or why it was not asked.
        public let reason: String?
        /// Where in the statement the server stopped, in characters from 1.
        public let position: Int?

        /// The line where the server stopped, and a mark under the place; none where it named none.
        public var marked: [String] {
            guard let position else { return [] }
            var rest = statement.sql[...].prefix(4000)
            var before = position - 1
            while let end = rest.firstIndex(where: \.isNewline) {
                let length = rest.distance(from: rest.startIndex, to: end) + 1
                if before < length { break }
                before -= length
                rest = rest[rest.index(after: end)...]
            }
            let line = String(rest.prefix { !$0.isNewline })
            let start = max(0, before - 50)
            return [
                String(line.dropFirst(start).prefix(90)),
                String(repeating: " ", count: max(0, before - start)) + "^",
            ]
        }
    }

    private let schema: String

    public init(schema: String) {
        self.schema = schema
    }

    /// Prepares each statement in a transaction that is rolled back; nothing is run. May block.
    public func verdicts(
        _ statements: [CodeStatement], _ connection: borrowing Postgres.Connection
    ) throws -> [Verdict] {
        try connection.execute("BEGIN READ ONLY; SET LOCAL search_path TO \(quoteIdentifier(schema)), public")
        defer { try? connection.execute("ROLLBACK") }
        return try statements.map { statement in
            switch Self.numbered(statement) {
            case .failure(let reason):
                return Verdict(statement: statement, kind: .untried, reason: reason.words, position: nil)
            case .success(let sql):
                try connection.execute("SAVEPOINT trial")
                defer { try? connection.execute("ROLLBACK TO trial") }
                do {
                    // By the extended protocol, which takes one statement: nothing of the code's is ever run.
                    try connection.prepare(sql)
                    return Verdict(statement: statement, kind: .prepared, reason: nil, position: nil)
                } catch let error as PostgresError where error.code == .server {
                    return Verdict(
                        statement: statement, kind: .refused,
                        reason: error.message + (error.hint.map { "; \($0)" } ?? "")
                            + (error.sqlState.map { " (\($0))" } ?? ""), position: error.position)
                }
            }
        }
    }

    /// The statement as the server prepares it, with `$1` for what comes from the code; nil where it cannot be.
    public static func preparable(_ statement: CodeStatement) -> String? { try? numbered(statement).get() }

    struct Untried: Error, Equatable {
        let words: String
    }

    /// The statement with `$1`, `$2` for what comes from the code; the positions of all else stay as near as they can.
    static func numbered(_ statement: CodeStatement) -> Swift.Result<String, Untried> {
        guard statement.isWhole else { return .failure(Untried(words: "a part of a statement")) }
        guard statement.isQuery else {
            return .failure(Untried(words: "no query: the server prepares only those"))
        }
        let tokens = SQLLexer.tokens(of: statement.sql)
        let holes = Set(statement.holes)
        let names: Set = ["FROM", "INTO", "UPDATE", "JOIN", "TABLE", "BY", "AS", "SELECT", "ASC", "DESC"]
        var text = Array(statement.sql.utf8)[...]
        var result: [UInt8] = []
        var (position, number) = (0, 0)
        var named: [String: Int] = [:]
        for (index, token) in tokens.enumerated() where token.kind == .parameter {
            // `$1` is PostgreSQL's own; `$name`, `:name` and `@name` are SQLite's.
            if token.source.hasPrefix("$"), Int(token.source.dropFirst()) != nil { continue }
            // `x::text`, which SQLite would read as parameters.
            let isCast =
                index > 0 && tokens[index - 1].source == ":"
                && tokens[index - 1].range.upperBound == token.range.lowerBound
            if token.source == ":" || isCast && token.source.hasPrefix(":") { continue }
            let isHole = holes.contains(token.range.lowerBound)
            if isHole {
                let before = index > 0 ? tokens[index - 1] : nil
                let next = index + 1 < tokens.count ? tokens[index + 1] : nil
                let touches =
                    before?.range.upperBound == token.range.lowerBound && before?.kind != .symbol
                    || next?.range.lowerBound == token.range.upperBound && next?.kind != .symbol
                if touches || before.map({ names.contains($0.source.uppercased()) }) ?? true
                    || token.source.count > 1
                {
                    return .failure(Untried(words: "names of its come from the code"))
                }
            }
            var place = token.source == "?" ? nil : named[token.source]
            if place == nil {
                number += 1
                place = number
                named[token.source] = number
            }
            result += text[position..<token.range.lowerBound]
            result += Array("$\(place ?? number)".utf8)
            position = token.range.upperBound
        }
        text = text[position...]
        return .success(String(decoding: result + text, as: UTF8.self))
    }
}
