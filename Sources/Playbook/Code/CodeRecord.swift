import AppProject
import Foundation
import MigrationEngine

/// What the last scan of the application's code found, in `code.json` of the state folder.
struct CodeRecord: Codable, Sendable, Equatable {
    /// What the server said of a statement.
    struct Verdict: Codable, Sendable, Equatable {
        var kind: QueryTrial.Verdict.Kind
        var reason: String?

        var words: CodePlace.Verdict? {
            switch kind {
            case .prepared: .prepared
            case .refused: .refused(reason ?? "refused")
            case .untried: nil
            }
        }
    }

    static let file = "code.json"
    /// More are counted, and not kept: nobody goes through them one by one.
    private static let most = 20_000

    var findings: [CodeFinding]
    /// What earlier scans found and this one did not any more.
    var gone: [CodeFinding]
    var left: Int
    /// By the statements' keys.
    var verdicts: [String: Verdict] = [:]

    init(_ result: CodeScanResult, after earlier: CodeRecord?) {
        findings = Array(result.findings.prefix(Self.most))
        left = result.findings.count - findings.count
        let found = Set(findings.map(\.key))
        let before = (earlier?.findings ?? []) + (earlier?.gone ?? [])
        gone = left > 0 ? [] : Array(before.filter { !found.contains($0.key) }.prefix(Self.most))
        let known = Set(findings.compactMap(\.statement))
        verdicts = earlier?.verdicts.filter { known.contains($0.key) } ?? [:]
    }

    /// nil where nothing was scanned yet; throws where the file is damaged.
    static func read(_ state: StateFolder) throws -> CodeRecord? {
        let path = "\(state.path)/\(file)"
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        do {
            return try JSONDecoder().decode(CodeRecord.self, from: data)
        } catch {
            throw MigrationError(
                .state, "\(path) cannot be read: \(error.localizedDescription)",
                remedy: "Run step 4.1 again: it writes the file anew; what was settled is in the journal.")
        }
    }

    func write(_ state: StateFolder) throws { try state.write(Journal.encode(self), to: Self.file) }
}

/// A place in the application's code with what was decided about it.
public struct CodePlace: Sendable, Equatable, Identifiable {
    public enum State: String, Sendable, CaseIterable {
        case open
        /// Changed: gone from the code, or said to be.
        case fixed
        /// It stays as it is, knowingly.
        case accepted
        /// It is none.
        case notApplicable = "not-applicable"

        public var words: String { self == .notApplicable ? "not applicable" : rawValue }
    }

    public let finding: CodeFinding
    public let title: String
    /// What PostgreSQL takes in its stead.
    public let equal: String
    public let why: String
    public let link: String
    public let state: State
    public let note: String
    /// Whether the last scan did not find it any more.
    public let isGone: Bool
    /// What the server said of the statement that it is in; nil where it was not asked.
    public let verdict: Verdict?

    public enum Verdict: Sendable, Equatable {
        case prepared
        case refused(String)
    }

    public var id: String { finding.key }
    /// Whether somebody must decide about it; what is only to know asks for nothing.
    public var isOpen: Bool { state == .open && finding.severity != .info }
}

/// A file around a place in it.
public struct CodeSource: Sendable, Equatable {
    public let key: String
    public let path: String
    /// The number of the first of `lines`.
    public let first: Int
    public let lines: [String]
}
