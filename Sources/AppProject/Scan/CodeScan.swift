import Dispatch
import Foundation
import MigrationEngine
import SQLDialect
import Synchronization

/// A place in an application's code that a rule speaks of.
public struct CodeFinding: Sendable, Codable, Equatable {
    public let rule: String
    public let severity: CodeRule.Severity
    /// Relative to the project.
    public let path: String
    /// From 1.
    public let line: Int
    public let column: Int
    /// The line, without the blanks around it.
    public let excerpt: String
    /// The statement that it is in; nil outside of SQL.
    public let sql: String?
    /// The key of that statement.
    public let statement: String?
    /// Names the place by what stands there, and not by its line: the same after lines were added above.
    public let key: String
}

/// A statement of SQL in an application's code.
public struct CodeStatement: Sendable, Codable, Equatable {
    /// Relative to the project.
    public let path: String
    /// From 1.
    public let line: Int
    /// As it is written; an expression of the code around is a `?`.
    public let sql: String
    /// What it is given to: `$queryRaw`, `prepare`; empty where nothing tells.
    public let callee: String
    /// Whether it is a statement, and not a part of one.
    public let isWhole: Bool
    /// Bytes of `sql` that stand for expressions.
    let holes: [Int]
    /// Names it by what it says, and not by its line.
    public let key: String

    /// Whether it is a whole statement that reads or changes rows.
    public var isQuery: Bool {
        guard isWhole, let verb = SQLLexer.tokens(of: sql).first?.source.uppercased() else { return false }
        return ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE", "("].contains(verb)
    }
}

/// What a scan of a project's code came to.
public struct CodeScanResult: Sendable {
    public var files = 0
    public var lines = 0
    /// The worst first, then by place.
    public var findings: [CodeFinding] = []
    /// Statements of SQL in strings, whole ones and parts, by place.
    public var statements: [CodeStatement] = []
    /// Files that could not be read.
    public var unreadable: [String] = []
}

/// Looks for SQLite in a project's code: in SQL inside of strings, and in what the code does around it. Writes nothing.
public struct CodeScan: Sendable {
    private let root: String
    let schema: SchemaNames?

    /// `schema` tells names from texts and booleans from numbers; without it, what they look like decides.
    public init(root: String, schema: SchemaNames? = nil) {
        self.root = Files.absolute(root)
        self.schema = schema
    }

    /// Where a file of the project is read.
    public func place(of path: String) -> String { Files.join(root, path) }

    /// Every rule, those about SQL first.
    public static let rules = SQLRules.all + CodeRules.all

    public static func rule(_ id: String) -> CodeRule? { rules.first { $0.id == id } }

    /// Scans all source files, on several threads; `progress` gets how many are done, on any of them.
    public func run(
        workers: Int, cancellation: Cancellation,
        progress: @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) throws -> CodeScanResult {
        let files = SourceTree(root: root).files { cancellation.isCancelled }
        try cancellation.check()
        let state = Mutex((next: 0, read: [FileResult?](repeating: nil, count: files.count)))
        let unreadable = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: max(1, workers)) { _ in
            while !cancellation.isCancelled {
                let index = state.withLock { state in
                    defer { state.next += 1 }
                    return state.next
                }
                guard index < files.count else { return }
                if let data = FileManager.default.contents(atPath: place(of: files[index])),
                    !Self.isUTF16(data)
                {
                    let found = scan([UInt8](data), path: files[index])
                    state.withLock { $0.read[index] = found }
                } else {
                    unreadable.withLock { $0.append(files[index]) }
                }
                progress(index + 1, files.count)
            }
        }
        try cancellation.check()
        var result = CodeScanResult()
        result.unreadable = unreadable.withLock { $0.sorted() }
        var bySeverity: [CodeRule.Severity: [CodeFinding]] = [:]
        for file in state.withLock({ $0.read }).compactMap(\.self) {
            result.files += 1
            result.lines += file.lines
            result.statements += file.statements
            for finding in file.findings { bySeverity[finding.severity, default: []].append(finding) }
        }
        result.findings = CodeRule.Severity.allCases.flatMap { bySeverity[$0] ?? [] }
        return result
    }

    /// Source code that is written in two bytes a letter, which nothing here reads.
    private static func isUTF16(_ data: Data) -> Bool {
        data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF])
    }

    /// In the order of their places; equal ones are told apart by it.
    private static func numbered(_ findings: [CodeFinding]) -> [CodeFinding] {
        var seen: [String: Int] = [:]
        return findings.sorted { ($0.line, $0.column, $0.rule) < ($1.line, $1.column, $1.rule) }.map {
            finding in
            let count = seen[finding.key, default: 0]
            seen[finding.key] = count + 1
            guard count > 0 else { return finding }
            return CodeFinding(
                rule: finding.rule, severity: finding.severity, path: finding.path, line: finding.line,
                column: finding.column, excerpt: finding.excerpt, sql: finding.sql,
                statement: finding.statement, key: "\(finding.key)-\(count + 1)")
        }
    }

    // MARK: One file

    struct FileResult {
        var lines = 0
        var statements: [CodeStatement] = []
        var findings: [CodeFinding] = []
    }

    /// nil for what is no text.
    func scan(_ bytes: [UInt8], path: String) -> FileResult? {
        guard let language = Language.of(path), !bytes.prefix(8000).contains(0) else { return nil }
        var places = Places(bytes: bytes, path: path)
        var result = FileResult()
        result.lines = places.lineStarts.count
        if language.name == Language.sql.name {
            scanSQLFile(bytes, &places)
        } else {
            let code = CodeContext(bytes: bytes, tokens: CodeLexer(bytes, language).tokens)
            let (statements, taken) = SQLFinder(code: code).statements()
            result.statements = Self.described(statements, places)
            for (statement, described) in zip(statements, result.statements) {
                judge(statement, described.key, language, &places)
            }
            RuleIndex.shared.judge(code, language, taken) { rule, offset in
                places.add(rule, at: offset, sql: nil)
            }
        }
        result.findings = Self.numbered(places.findings)
        return result
    }

    private func scanSQLFile(_ bytes: [UInt8], _ places: inout Places) {
        let token = CodeToken(kind: .string, range: 0..<bytes.count, inside: 0..<bytes.count)
        let text = StringText(token, in: bytes)
        var statement: [SQLToken] = []
        func end() {
            guard !statement.isEmpty else { return }
            let context = SQLContext(tokens: statement, holes: [], schema: schema)
            for (rule, index) in RuleIndex.shared.matches(context, .sql, callee: "") {
                places.add(rule, at: text.range(statement[index].range).lowerBound, sql: nil)
            }
            statement = []
        }
        // A trigger's body holds semicolons of its own.
        var isInTrigger = false
        for token in SQLLexer.tokens(of: text.text) {
            if token.isWord("TRIGGER"), statement.count < 4 { isInTrigger = true }
            if token.isSymbol(";"), !isInTrigger || statement.last?.isWord("END") ?? false {
                isInTrigger = false
                end()
            } else {
                statement.append(token)
            }
        }
        end()
    }

    static func described(_ statements: [CodeSQL], _ places: Places) -> [CodeStatement] {
        var seen: [String: Int] = [:]
        return statements.map { statement in
            var key = places.key([Self.flat(statement.sql)])
            let count = seen[key, default: 0]
            seen[key] = count + 1
            if count > 0 { key += "-\(count + 1)" }
            return CodeStatement(
                path: places.path, line: places.line(of: statement.start), sql: statement.sql,
                callee: statement.callee, isWhole: statement.isWhole, holes: statement.holes.sorted(),
                key: key)
        }
    }

    /// A text in one line.
    static func flat(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var isSpaced = false
        for byte in text.utf8 {
            if Self.isBlank(byte) {
                isSpaced = !bytes.isEmpty
            } else {
                if isSpaced { bytes.append(UInt8(ascii: " ")) }
                isSpaced = false
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func judge(_ statement: CodeSQL, _ key: String, _ language: Language, _ places: inout Places) {
        let tokens = SQLLexer.tokens(of: statement.sql)
        let context = SQLContext(tokens: tokens, holes: statement.holes, schema: schema)
        for (rule, index) in RuleIndex.shared.matches(context, language, callee: statement.callee) {
            places.add(
                rule, at: statement.text.range(tokens[index].range).lowerBound, sql: statement.sql,
                statement: key)
        }
    }
}

/// Makes findings of places in a file.
struct Places {
    let bytes: [UInt8]
    let path: String
    let lineStarts: [Int]
    private(set) var findings: [CodeFinding] = []

    init(bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
        var starts = [0]
        bytes.withUnsafeBufferPointer { buffer in
            for index in buffer.indices where buffer[index] == UInt8(ascii: "\n") { starts.append(index + 1) }
        }
        // What follows the last line end is a line only where there is something.
        if starts.count > 1, starts.last == bytes.count { starts.removeLast() }
        lineStarts = starts
    }

    /// The number of the line, from 1, that a byte is on.
    func line(of offset: Int) -> Int {
        var (low, high) = (0, lineStarts.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle - 1 }
        }
        return low + 1
    }

    /// What names a place by its content: 48 bits of FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), mixed once more.
    func key(_ parts: [String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts + [path] {
            for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        hash ^= hash >> 33
        hash = hash &* 0xFF51_AFD7_ED55_8CCD
        hash ^= hash >> 33
        let digits = String(hash & 0xFFFF_FFFF_FFFF, radix: 16)
        return String(repeating: "0", count: 12 - digits.count) + digits
    }

    mutating func add(_ rule: CodeRule, at offset: Int, sql: String?, statement: String? = nil) {
        let low = line(of: offset) - 1
        let start = lineStarts[low]
        let end = low + 1 < lineStarts.count ? lineStarts[low + 1] : bytes.count
        var words = bytes[start..<end].prefix(400).drop(while: CodeScan.isBlank)
        while let last = words.last, CodeScan.isBlank(last) { words = words.dropLast() }
        let line = String(decoding: words, as: UTF8.self)
        let key = key([rule.id, sql.map(CodeScan.flat) ?? line])
        findings.append(
            CodeFinding(
                rule: rule.id, severity: rule.severity, path: path, line: low + 1, column: offset - start + 1,
                excerpt: line, sql: sql, statement: statement, key: key))
    }
}
