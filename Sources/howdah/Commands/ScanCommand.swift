import AppProject
import ArgumentParser
import Foundation
import MigrationEngine
import Playbook
import Postgres

struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract:
            "Look through an application's code for what only SQLite takes, and have a target prepare its SQL.",
        discussion: """
            Finds SQL in strings, templates and .sql files, and what the code around it takes for granted. With a target every
            query is prepared there too, in a transaction that is rolled back: the server says itself what it refuses.
            """)

    @Argument(help: "A project's folder.")
    var project: String = "."

    @Argument(help: "A migrated PostgreSQL that prepares the queries, or rehearsal.")
    var target: String?

    @Option(help: ArgumentHelp("The schema in the target.", valueName: "name"))
    var schema = "public"

    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let folder = absolutePath(project)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
            else {
                throw MigrationError(
                    .projectFile, "\(folder) is no folder with code in it",
                    remedy: "Name the project's folder.", exit: .usage)
            }
            let names = try Playbook.names(project: folder, state: common.state)
            let review = try CodeScan(root: folder, schema: names).run(
                workers: Playbook.workers, cancellation: cancellation)
            let verdicts = try target.map { try self.verdicts(review, $0, cancellation) }
            if common.json {
                Console.json(ScanDocument(review, verdicts))
            } else {
                Console.results(Describe.scan(review, verdicts))
            }
            return .success
        }
    }

    private func verdicts(
        _ review: CodeScanResult, _ target: String, _ cancellation: Cancellation
    ) throws -> [QueryTrial.Verdict] {
        func ask(_ conninfo: Conninfo) throws -> [QueryTrial.Verdict] {
            try TargetServer(conninfo, cancellation: cancellation).withConnection(purpose: "check") {
                try QueryTrial(schema: schema).verdicts(review.statements, $0)
            }
        }
        switch try Target(target) {
        case .server(let conninfo): return try ask(conninfo)
        case .rehearsal:
            let workspace = try Workspace(project, state: common.state)
            var cluster = try RehearsalCluster(workspace.state, cancellation: cancellation)
            try cluster.start()
            defer { try? cluster.stopUnlessKept() }
            guard let conninfo = cluster.conninfo() else { throw MigrationError.notRunning }
            return try ask(conninfo)
        }
    }
}

/// What `scan --json` prints.
struct ScanDocument: Encodable {
    struct Finding: Encodable {
        let rule: String
        let severity: String
        let path: String
        let line: Int
        let column: Int
        let title: String
        let excerpt: String
        let sql: String?
        let equal: String
        let why: String
        let link: String
        let key: String
    }

    struct Query: Encodable {
        let path: String
        let line: Int
        let sql: String
        let verdict: String?
        let reason: String?
        let position: Int?
    }

    let command = "scan"
    let outcome = "answered"
    let exit = 0
    let files: Int
    let lines: Int
    let findings: [Finding]
    let queries: [Query]
    let unreadable: [String]

    init(_ result: CodeScanResult, _ verdicts: [QueryTrial.Verdict]?) {
        files = result.files
        lines = result.lines
        unreadable = result.unreadable
        findings = result.findings.compactMap { finding in
            CodeScan.rule(finding.rule).map { rule in
                Finding(
                    rule: rule.id, severity: rule.severity.rawValue, path: finding.path, line: finding.line,
                    column: finding.column, title: rule.title, excerpt: finding.excerpt, sql: finding.sql,
                    equal: rule.equal,
                    why: rule.why, link: rule.link, key: finding.key)
            }
        }
        if let verdicts {
            queries = verdicts.map {
                Query(
                    path: $0.statement.path, line: $0.statement.line, sql: $0.statement.sql,
                    verdict: $0.kind.rawValue,
                    reason: $0.reason, position: $0.position)
            }
        } else {
            queries = result.statements.map {
                Query(path: $0.path, line: $0.line, sql: $0.sql, verdict: nil, reason: nil, position: nil)
            }
        }
    }
}

extension Describe {
    /// A scan in lines: the worst first, each rule once with its places.
    static func scan(_ result: CodeScanResult, _ verdicts: [QueryTrial.Verdict]?) -> [String] {
        var lines: [String] = []
        for severity in CodeRule.Severity.allCases {
            let findings = result.findings.filter { $0.severity == severity }
            guard !findings.isEmpty else { continue }
            lines.append("\(Self.words(severity)): \(Format.count(findings.count, "place", "places"))")
            var order: [String] = []
            var byRule: [String: [CodeFinding]] = [:]
            for finding in findings {
                if byRule[finding.rule] == nil { order.append(finding.rule) }
                byRule[finding.rule, default: []].append(finding)
            }
            for id in order {
                guard let rule = CodeScan.rule(id) else { continue }
                lines += ["", "  \(rule.title) → \(rule.equal)", "  \(rule.why) \(rule.link)"]
                lines += (byRule[id] ?? []).map { "    \($0.path):\($0.line)  \($0.excerpt)" }
            }
            lines.append("")
        }
        for verdict in verdicts ?? [] where verdict.kind == .refused {
            lines.append(
                "refused \(verdict.statement.path):\(verdict.statement.line)  \(verdict.reason ?? "")")
            lines += verdict.marked.map { "    " + $0 }
        }
        if let verdicts {
            let count = { (kind: QueryTrial.Verdict.Kind) in Format.count(verdicts.count { $0.kind == kind })
            }
            lines.append(
                "queries: \(count(.prepared)) prepared, \(count(.refused)) refused, \(count(.untried)) cannot be tried by themselves"
            )
        }
        lines += result.unreadable.map { "cannot be read: \($0)" }
        lines.append(
            "\(Format.count(result.lines, "line", "lines")) of \(Format.count(result.files, "file", "files")), "
                + "\(Format.count(result.statements.count, "piece of SQL", "pieces of SQL")), "
                + "\(Format.count(result.findings.count, "place", "places")) to look at")
        return lines
    }

    private static func words(_ severity: CodeRule.Severity) -> String {
        switch severity {
        case .breaks: "Fails on PostgreSQL"
        case .silent: "Goes on, with another result"
        case .performance: "Gets slow"
        case .info: "To know"
        }
    }
}
