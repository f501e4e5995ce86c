import AppProject
import Foundation
import MigrationEngine

/// 4.1: looks through the code.
struct ScanStep: StepOperation {
    private static let most = 200

    func preview(_ context: StepContext) throws -> Preview {
        Preview([
            .init("Reads the source files of", [try context.book.codeFolder()]),
            .init(
                "Looks for",
                CodeScan.rules.map { "\($0.title) → \($0.equal)" }, .list),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let result = try context.book.scanCode(context.cancellation)
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
        let statements = try context.book.scanCode(context.cancellation).statements
        return Preview([
            .init(
                "Has \(context.book.targetWords(context.mode)) prepare, in a transaction that is rolled back",
                statements.map { "\($0.path):\($0.line)  \($0.flat)" }, .list)
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let statements = try context.book.scanCode(context.cancellation).statements
        let verdicts = try context.server().withConnection(purpose: "check") {
            try QueryTrial(schema: context.book.schema).verdicts(statements, $0)
        }
        try context.book.keep(verdicts)
        let refused = verdicts.filter { $0.kind == .refused }
        let untried = verdicts.filter { $0.kind == .untried }
        let prepared = verdicts.count - refused.count - untried.count
        var outcome = StepOutcome(evidence: [
            "\(prepared) prepared, \(refused.count) refused, \(untried.count) cannot be tried by themselves"
        ])
        outcome.evidence += refused.map { Self.line($0, "") } + untried.map { Self.line($0, "not tried: ") }
        if !refused.isEmpty {
            outcome.failure =
                Format.count(refused.count, "query is", "queries are")
                + " refused by the target: t translates them, howdah translate all at once"
        }
        return outcome
    }

    private static func line(_ verdict: QueryTrial.Verdict, _ words: String) -> String {
        "\(verdict.statement.path):\(verdict.statement.line)  \(words)\(verdict.reason ?? "")"
    }
}

/// 4.3: every place is fixed, accepted, or none; its undo takes translations out of the files again.
struct ReviewStep: FileOperation {
    let id = "4.3"

    func preview(_ context: StepContext) throws -> Preview {
        let open = context.book.codePlaces().filter(\.isOpen)
        return Preview([
            .init(
                open.isEmpty ? "Nothing is left to decide" : "Waits for your word on",
                open.isEmpty
                    ? ["Every place of the last scan is fixed, accepted, or not applicable."]
                    : open.map { "\($0.finding.path):\($0.finding.line)  \($0.title) → \($0.equal)" }, .list)
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let places = context.book.codePlaces()
        return StepOutcome(evidence: Self.evidence(places), open: places.count(where: \.isOpen))
    }

    static func evidence(_ places: [CodePlace]) -> [String] {
        let counts = CodePlace.State.allCases.compactMap { state -> String? in
            let count = places.count { $0.state == state && (state != .open || $0.isOpen) }
            return count == 0 ? nil : "\(count) \(state.words)"
        }
        let settled = places.filter { $0.state == .accepted || $0.state == .notApplicable }
        return [counts.isEmpty ? "nothing was found in the code" : counts.joined(separator: ", ")]
            + settled.map { place in
                "\(place.finding.path):\(place.finding.line)  \(place.title): \(place.state.words)"
                    + (place.note.isEmpty ? "" : " — \(place.note)")
            }
    }
}

extension CodeStatement {
    /// In one line.
    var flat: String { sql.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
