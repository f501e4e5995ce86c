import AppProject
import Foundation
import MigrationEngine
import Operations
import Postgres

/// A piece of advice about indexes, with what the operator has said to it.
public struct AdviceLine: Sendable, Equatable, Identifiable {
    public enum State: String, Sendable {
        /// It is followed when the step runs.
        case chosen
        case leftOut = "left-out"
        case done
        /// Only the operator can do it.
        case byHand = "by-hand"

        public var words: String {
            switch self {
            case .chosen: "chosen"
            case .leftOut: "left out"
            case .done: "done"
            case .byHand: "by hand"
            }
        }
    }

    public let advice: IndexAdvice
    public let state: State
    /// Why it was left out, or chosen; empty where nobody has said.
    public let note: String

    public var id: String { advice.id }
}

/// What step 6.1 knows, in `advice/MODE.json` of the state folder.
struct IndexAdviceRecord: Codable {
    var report: IndexReport
    /// Advice that was followed, with its effect.
    var done: [IndexAdvice] = []

    private static func name(_ mode: Mode) -> String { "advice/\(mode.rawValue).json" }

    static func read(_ state: StateFolder, _ mode: Mode) -> IndexAdviceRecord? {
        FileManager.default.contents(atPath: "\(state.path)/\(name(mode))").flatMap {
            try? JSONDecoder().decode(IndexAdviceRecord.self, from: $0)
        }
    }

    func write(_ state: StateFolder, _ mode: Mode) throws {
        _ = try state.folder("advice")
        try state.write(Journal.encode(self), to: Self.name(mode))
    }
}

extension Playbook {
    private static let adviceSubject = "advice:"

    /// The advice of the last look at this mode's target, the weightiest first, and then what was followed; none before a look.
    public func indexAdvice() -> [AdviceLine] {
        guard let record = IndexAdviceRecord.read(workspace.state, mode) else { return [] }
        let choices = adviceChoices()
        let open = record.report.advice.map { advice -> AdviceLine in
            let choice = choices[advice.id]
            let isChosen = choice?.isChosen ?? advice.isRecommended
            let state: AdviceLine.State =
                advice.obstacle != nil && choice?.isChosen != false ? .byHand : isChosen ? .chosen : .leftOut
            return AdviceLine(advice: advice, state: state, note: choice?.note ?? "")
        }
        let ids = Set(open.map(\.id))
        return open
            + record.done.filter { !ids.contains($0.id) }.map {
                AdviceLine(advice: $0, state: .done, note: "")
            }
    }

    /// What else the last look had to say.
    public var adviceNotices: [String] {
        IndexAdviceRecord.read(workspace.state, mode)?.report.notices ?? []
    }

    /// The operator's word on each piece of advice, of this mode.
    private func adviceChoices() -> [String: (isChosen: Bool, note: String)] {
        var choices: [String: (isChosen: Bool, note: String)] = [:]
        for entry in journal.entries where entry.mode == mode && entry.subject.hasPrefix(Self.adviceSubject) {
            let id = String(entry.subject.dropFirst(Self.adviceSubject.count))
            switch entry.kind {
            case .settled: choices[id] = (false, entry.text)
            case .reopened: choices[id] = (true, entry.text)
            default: break
            }
        }
        return choices
    }

    /// Chooses a piece of advice, or leaves it out. Throws where the last look has no such advice.
    public func choose(advice id: String, _ isChosen: Bool, note: String) throws {
        guard let line = indexAdvice().first(where: { $0.id == id && $0.state != .done }) else {
            throw Self.noAdvice(id)
        }
        try journal.add(isChosen ? .reopened : .settled, Self.adviceSubject + line.id, mode, note)
    }

    static func noAdvice(_ id: String) -> MigrationError {
        MigrationError(
            .state, "there is no advice \(id)",
            remedy: "howdah advise lists what there is, with the name of each.", exit: .usage)
    }

    // MARK: Looking

    /// Looks at the target's indexes, and keeps what it finds for the screens.
    @discardableResult
    public func lookAtIndexes(_ activity: Activity) throws -> IndexReport {
        if case .waiting(let reason) = stepState(IndexStep.id, mode) {
            throw Self.notYet(IndexStep.id, reason)
        }
        return try lookAtIndexes(context(activity))
    }

    func lookAtIndexes(_ context: StepContext) throws -> IndexReport {
        let report = try IndexAdvisor(
            server: context.server(), schema: schema, queries: advisedQueries(context),
            records: indexRecords(context.mode), age: timeSinceLoad(context.mode),
            tries: context.mode == .rehearsal, cancellation: context.cancellation, progress: context.progress
        ).report()
        var record =
            IndexAdviceRecord.read(workspace.state, context.mode) ?? IndexAdviceRecord(report: report)
        record.report = report
        let made = Set(indexRecords(context.mode).filter { $0.state != .over }.map(\.id))
        record.done.removeAll { $0.action != .analyze && !made.contains($0.id) }
        try record.write(workspace.state, context.mode)
        return report
    }

    /// The queries of the code that the server can plan; none without code, or where it cannot be read.
    private func advisedQueries(_ context: StepContext) throws -> [AdvisedQuery] {
        guard workspace.location.projectDirectory != nil else { return [] }
        let statements = try scanCode(context.cancellation).statements.filter(\.isQuery)
        let translated = try translated(statements)
        return statements.compactMap { statement in
            QueryTrial.preparable(translated[statement.key] ?? statement).map {
                AdvisedQuery(sql: $0, place: "\(statement.path):\(statement.line)")
            }
        }
    }

    /// Statements as they will be once they are translated, by the keys that they have now; none without a plan.
    private func translated(_ statements: [CodeStatement]) throws -> [String: CodeStatement] {
        guard try planIfAny() != nil else { return [:] }
        let translator = CodeTranslator(try codeScan())
        let translations = try Set(statements.map(\.path)).sorted().flatMap {
            try translator.translations(of: $0)
        }
        return Dictionary(
            translations.filter(\.isOffered).map { ($0.statement.key, $0.after) }
        ) { first, _ in first }
    }

    /// How long the rows have been there, in seconds, as far as the journal knows.
    private func timeSinceLoad(_ mode: Mode) -> Double? {
        guard let entry = entry(of: "3.3", mode), let time = try? Date(entry.time, strategy: .iso8601) else {
            return nil
        }
        return max(0, Date().timeIntervalSince(time))
    }

    // MARK: What was made

    /// What belongs to a target: a rehearsal's has another address after each start.
    private func indexTarget(_ mode: Mode) -> String {
        mode == .rehearsal ? mode.rawValue : liveTarget?.url ?? ""
    }

    private struct IndexNote: Codable {
        let target: String
        let index: IndexRecord
    }

    /// Indexes that howdah has made in this mode's target, or dropped, with the newest word on each.
    func indexRecords(_ mode: Mode) -> [IndexRecord] {
        let target = indexTarget(mode)
        return IndexLedger.newest(
            journal.entries.filter { $0.subject == IndexStep.id && $0.kind == .note && $0.mode == mode }
                .compactMap { $0.data.flatMap { Journal.decode(IndexNote.self, $0) } }
                .filter { $0.target == target }.map(\.index))
    }

    func indexLedger(_ mode: Mode) -> IndexLedger {
        let (target, journal) = (indexTarget(mode), journal)
        return IndexLedger(records: indexRecords(mode)) { record in
            try journal.add(
                .note, IndexStep.id, mode, "\(record.name): \(record.state.rawValue)",
                data: Journal.encode(IndexNote(target: target, index: record)))
        }
    }

    // MARK: The command

    /// What following advice would do: by ids, or what is chosen where there are none.
    public func previewAdvice(_ ids: [String]?, editsSchema: Bool, _ activity: Activity) throws -> Preview {
        try preview(IndexStep.id, activity, by: IndexStep(ids: ids, editsSchema: editsSchema))
    }

    /// Follows advice; a run of step 6.1.
    public func followAdvice(_ ids: [String]?, editsSchema: Bool, _ activity: Activity) throws {
        try run(IndexStep.id, activity, by: IndexStep(ids: ids, editsSchema: editsSchema))
    }
}
