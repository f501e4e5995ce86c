import AppProject
import Foundation
import MigrationEngine

/// A file of the project that a step changes, with what becomes of it.
public struct ProjectFile: Sendable, Equatable, Identifiable {
    public enum State: String, Sendable {
        /// The step would change it.
        case planned
        /// It is as howdah wrote it.
        case changed
        /// It was edited since howdah wrote it.
        case edited

        public var words: String {
            switch self {
            case .planned: "would change"
            case .changed: "changed"
            case .edited: "changed, and edited since"
            }
        }
    }

    public let step: String
    /// Relative to the project.
    public let path: String
    /// Where it goes, as it is; nil where it stays.
    public let destination: String?
    public let state: State
    /// A unified diff, secrets masked; for a file that was changed, of what howdah wrote.
    public let diff: [String]

    public var id: String { "\(step) \(path)" }

    public var title: String { destination.map { "\(path) → \($0)" } ?? path }

    /// All files that it is about.
    var paths: Set<String> { Set([path, destination].compactMap(\.self)) }

    init(step: String, path: String, destination: String? = nil, state: State, diff: [String]) {
        self.step = step
        self.path = path
        self.destination = destination
        self.state = state
        self.diff = diff
    }
}

extension Playbook {
    /// Files that the steps of phase 2, and 1.5, have changed or would change, in the order of the steps. Reads the
    /// project; a rehearsal's copy is brought up to date. A step that cannot tell yet is left out. May block.
    public func projectFiles(_ activity: Activity) throws -> [ProjectFile] {
        guard workspace.location.projectDirectory != nil else { return [] }
        let context = StepContext(book: self, mode: mode, activity: activity)
        let writer = try ProjectFolder(context).writer
        return try Self.configuringSteps.flatMap { id -> [ProjectFile] in
            guard let step = Phases.step(id), !isByHand(step),
                let operation = Self.operations[id] as? any EditOperation
            else { return [] }
            let records = changes(of: id, mode)
            let written = try writer.written(records)
            let edited = Set(written.filter(\.isEdited).map(\.path))
            let files = Self.files(of: id, written.map(\.change)) { paths in
                paths.isDisjoint(with: edited) ? .changed : .edited
            }
            let isDone = entry(of: id, mode)?.kind == .done
            return try files + (isDone ? [] : planned(operation, except: Set(written.map(\.path)), context))
        }
    }

    /// Changes with files that move as they are as one each.
    private static func files(
        of step: String, _ changes: [FileChange], _ state: (Set<String>) -> ProjectFile.State
    ) -> [ProjectFile] {
        var edit = ProjectEdit()
        edit.changes = changes
        let (moves, others) = edit.split
        return moves.map { move in
            ProjectFile(
                step: step, path: move.from, destination: move.to, state: state([move.from, move.to]),
                diff: ["\(move.from)", "moves as it is to", "\(move.to)"])
        } + others.map { ProjectFile(step: step, path: $0.path, state: state([$0.path]), diff: $0.diff) }
    }

    private func planned(
        _ operation: any EditOperation, except known: Set<String>, _ context: StepContext
    ) throws -> [ProjectFile] {
        // Where the server is belongs to 2.1; a look at files alone starts none.
        if operation.id == "2.1", entry(of: "1.3", mode)?.kind != .done { return [] }
        if case .waiting = stepState(operation.id, mode) { return [] }
        let edit: ProjectEdit
        do {
            edit = try operation.edit(ProjectFolder(context).editor, context)
        } catch {
            // The step's own preview says why.
            try context.cancellation.check()
            return []
        }
        let changes = edit.changes.filter { $0.before != $0.after && !known.contains($0.path) }
        return Self.files(of: operation.id, changes) { _ in .planned }
    }

    /// Changes one file as its step would; the step itself stays as it stands.
    public func apply(_ file: ProjectFile, _ activity: Activity) throws {
        guard let operation = Self.operations[file.step] as? any EditOperation else {
            throw Self.unknown(file)
        }
        let context = StepContext(book: self, mode: mode, activity: activity)
        if case .waiting(let reason) = stepState(file.step, mode) { throw Self.notYet(file.step, reason) }
        let folder = try ProjectFolder(context)
        let edit = try operation.edit(folder.editor, context)
        let changes = edit.changes.filter { file.paths.contains($0.path) && $0.before != $0.after }
        guard Set(changes.map(\.path)) == file.paths else { throw Self.unknown(file) }
        try folder.writer.write(changes) { try note(changes: $0, of: file.step, mode) }
        try journal.add(.note, file.step, mode, "changed \(file.title) alone")
    }

    /// Brings one file back to what it was before its step. Throws where it was edited since, unless that was shown:
    /// `isConfirmed`.
    public func takeBack(_ file: ProjectFile, isConfirmed: Bool, _ activity: Activity) throws {
        let context = StepContext(book: self, mode: mode, activity: activity)
        let writer = try ProjectFolder(context).writer
        let records = changes(of: file.step, mode).filter { file.paths.contains($0.path) }
        guard !records.isEmpty else { throw Self.unknown(file) }
        let conflicts = try writer.reversals(records).filter(\.isConflict).map(\.identity)
        let shown = isConfirmed ? Set(conflicts) : []
        // Before it is noted: what is noted counts as howdah's own.
        try writer.check(records, overwriting: shown)
        try note(changes: writer.reversed(records), of: file.step, mode)
        let done = try writer.undo(records, overwriting: shown)
        try journal.add(.note, file.step, mode, done.joined(separator: "; "))
    }

    /// Files of every step that were edited since howdah wrote them, which an undo would overwrite.
    public func editedFiles(_ activity: Activity) throws -> [String] {
        guard !changedSteps.isEmpty else { return [] }
        let writer = try ProjectFolder(StepContext(book: self, mode: mode, activity: activity)).writer
        return try changedSteps.flatMap { try writer.reversals(changes(of: $0, mode)) }.filter(\.isConflict)
            .map(\.path)
    }

    private static func unknown(_ file: ProjectFile) -> MigrationError {
        MigrationError(
            .projectFile, "\(file.title) is no file that step \(file.step) has to do with now",
            remedy: "Look at the list again: r reads it anew.", exit: .undecided)
    }
}
