import AppProject
import Foundation
import MigrationEngine

extension StepContext {
    /// The folder with the application's code.
    fileprivate func codeFolder() throws -> String {
        guard let directory = workspace.location.projectDirectory else {
            throw MigrationError(
                .projectFile, "no project belongs to \(workspace.source.path)",
                remedy:
                    "Name the project's folder instead of the file; without code there is nothing to scan: settle it with -.",
                exit: .undecided)
        }
        return directory
    }

    fileprivate func scanCode() throws -> CodeScanResult {
        let names = (try? book.plan()).map(CodeReview.names)
        return try CodeReview(root: codeFolder(), schema: names).run(cancellation: cancellation)
    }
}

/// 4.1: looks through the code.
struct ScanStep: StepOperation {
    private static let most = 200

    func preview(_ context: StepContext) throws -> Preview {
        Preview([
            .init("Reads the source files of", [try context.codeFolder()]),
            .init(
                "Looks for",
                CodeScan.rules.map { "\($0.title) → \($0.equal)" }, .list),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let result = try context.scanCode()
        let counts = CodeRule.Severity.allCases.compactMap { severity -> String? in
            let count = result.findings.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) \(severity.rawValue)"
        }
        var evidence = [
            "\(Format.count(result.findings.count, "place", "places")) to look at"
                + (counts.isEmpty ? "" : ": \(counts.joined(separator: ", "))"),
            "\(Format.count(result.lines, "line", "lines")) of \(Format.count(result.files, "file", "files")), "
                + Format.count(result.statements.count, "piece of SQL", "pieces of SQL"),
        ]
        evidence += result.findings.prefix(Self.most).map { finding in
            let title = CodeScan.rule(finding.rule)?.title ?? finding.rule
            return "\(finding.path):\(finding.line)  \(title)"
        }
        if result.findings.count > Self.most { evidence.append("… and more: howdah scan shows all") }
        return StepOutcome(evidence: evidence + result.unreadable.map { "cannot be read: \($0)" })
    }
}

/// 4.2: has the target prepare every query.
struct QueriesStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let statements = try context.scanCode().statements
        return Preview([
            .init(
                "Has \(context.book.targetWords(context.mode)) prepare, in a transaction that is rolled back",
                statements.map {
                    "\($0.path):\($0.line)  \($0.sql.split(whereSeparator: \.isWhitespace).joined(separator: " "))"
                },
                .list)
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let statements = try context.scanCode().statements
        let verdicts = try context.server().withConnection(purpose: "check") {
            try QueryTrial(schema: context.book.schema).verdicts(statements, $0)
        }
        let refused = verdicts.filter { $0.kind == .refused }
        let untried = verdicts.filter { $0.kind == .untried }
        let prepared = verdicts.count - refused.count - untried.count
        var outcome = StepOutcome(evidence: [
            "\(prepared) prepared, \(refused.count) refused, \(untried.count) cannot be tried by themselves"
        ])
        outcome.evidence += refused.map { Self.line($0, "") } + untried.map { Self.line($0, "not tried: ") }
        if !refused.isEmpty {
            outcome.failure =
                Format.count(refused.count, "query is", "queries are") + " refused by the target"
        }
        return outcome
    }

    private static func line(_ verdict: QueryTrial.Verdict, _ words: String) -> String {
        "\(verdict.statement.path):\(verdict.statement.line)  \(words)\(verdict.reason ?? "")"
    }
}
