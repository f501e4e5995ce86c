import AppProject
import Foundation
import MigrationEngine
import Postgres

/// A step that changes files of the application's project: every original is kept, and its undo brings them back byte for byte.
protocol FileOperation: StepOperation {
    var id: String { get }
    /// Takes back what else it did; returns what was done.
    func takeBack(_ context: StepContext) throws -> [String]
    /// What follows once the files are back; returns what was done.
    func follow(_ context: StepContext) -> [String]
}

extension FileOperation {
    func takeBack(_ context: StepContext) throws -> [String] { [] }
    func follow(_ context: StepContext) -> [String] { [] }

    func undoPreview(_ context: StepContext) throws -> Preview? { try filesUndoPreview(context) }

    func filesUndoPreview(_ context: StepContext) throws -> Preview {
        guard context.workspace.location.projectDirectory != nil else { return Preview([]) }
        let writer = try ProjectFolder(context).writer
        let reversals = try writer.reversals(context.book.changes(of: id, context.mode))
        let conflicts = reversals.filter(\.isConflict)
        context.book.show(conflicts: Set(conflicts.map(\.identity)), of: id)
        let paths = conflicts.map(\.path).joined(separator: ", ")
        let lines = reversals.map { $0.words + ($0.isConflict ? ", over what was written there since" : "") }
        return Preview(
            [.init("Brings back, byte for byte", lines.isEmpty ? ["every file is as it was"] : lines, .list)],
            warning: conflicts.isEmpty
                ? nil
                : "Edited since: \(paths). Those edits are taken out of the files, and kept in "
                    + "\(context.workspace.state.path)/originals.",
            confirmation: conflicts.isEmpty ? nil : "overwrite")
    }

    /// Overwrites what the preview has shown, and nothing that was written since.
    func undo(_ context: StepContext) throws -> [String] {
        // A step that changes the target too may have no project beside it.
        guard context.workspace.location.projectDirectory != nil else { return try takeBack(context) }
        let writer = try ProjectFolder(context).writer
        let changes = context.book.changes(of: id, context.mode)
        let shown = context.book.shownConflicts(id)
        try writer.check(changes, overwriting: shown)
        let taken = try takeBack(context)
        return taken + (try writer.undo(changes, overwriting: shown)) + follow(context)
    }
}

/// A step whose edits are worked out from the project's files: previewed as a diff.
protocol EditOperation: FileOperation {
    /// What to change; worked out anew for every preview and every run.
    func edit(_ editor: ProjectEditor, _ context: StepContext) throws -> ProjectEdit
    /// What follows the edits, on the target; returns evidence.
    func finish(_ edit: ProjectEdit, _ context: StepContext) throws -> [String]
}

extension EditOperation {
    func finish(_ edit: ProjectEdit, _ context: StepContext) throws -> [String] { [] }

    private func work(_ context: StepContext) throws -> (folder: ProjectFolder, edit: ProjectEdit) {
        let folder = try ProjectFolder(context)
        return (folder, try edit(folder.editor, context))
    }

    func preview(_ context: StepContext) throws -> Preview {
        let (folder, edit) = try work(context)
        let (moves, changes) = edit.split
        var sections = changes.map { Preview.Section("\($0.verb) \($0.path)", $0.diff, .diff) }
        if !moves.isEmpty {
            sections.insert(.init("Moves, as they are", moves.map { "\($0.from) → \($0.to)" }, .list), at: 0)
        }
        if sections.isEmpty { sections.append(.init("Changes no file", ["they say already what they must"])) }
        if context.mode == .rehearsal {
            sections.append(.init("In a copy of the project", [folder.root]))
        }
        if !edit.notes.isEmpty { sections.append(.init("To know", edit.notes, .list)) }
        if !edit.byHand.isEmpty { sections.append(.init("By hand", edit.byHand, .list)) }
        return Preview(sections, warning: folder.uncommitted(edit.changes.map(\.path), context))
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let (folder, edit) = try work(context)
        let changes = edit.changes.filter { $0.before != $0.after }
        if !changes.isEmpty {
            try folder.writer.write(changes) { try context.book.note(changes: $0, of: id, context.mode) }
        }
        let (moves, others) = edit.split
        var evidence = others.map { "\($0.past) \($0.path)" } + moves.map { "moved \($0.from) to \($0.to)" }
        if changes.isEmpty { evidence.append("nothing to change: the files say already what they must") }
        if context.mode == .rehearsal { evidence.append("in a copy of the project: \(folder.root)") }
        evidence += try finish(edit, context)
        return StepOutcome(evidence: evidence + edit.notes + edit.byHand.map { "by hand: \($0)" })
    }
}

/// The project's files that a mode changes.
struct ProjectFolder {
    let root: String
    let editor: ProjectEditor
    let writer: ChangeWriter

    /// A rehearsal changes a copy, which is brought up to date first.
    init(_ context: StepContext) throws {
        guard let directory = context.workspace.location.projectDirectory else {
            throw MigrationError(
                .projectFile, "no project belongs to \(context.workspace.source.path)",
                remedy: "Name the project's folder instead of the file, or do this step by hand and tick it.",
                exit: .undecided)
        }
        let state = context.workspace.state
        if context.mode == .rehearsal {
            root = context.book.rehearsalFolder
            let edited = context.book.changedFiles(context.mode)
            try ProjectCopy(of: directory, at: root).refresh(
                except: Set(edited), cancellation: context.cancellation)
        } else {
            root = directory
        }
        editor = ProjectEditor(directory: directory, root: root)
        writer = try ChangeWriter(root: root, state: state)
    }

    /// A warning of files that version control does not have as they are; nil where there are none.
    func uncommitted(_ paths: [String], _ context: StepContext) -> String? {
        let paths = GitStatus.uncommitted(paths, in: root, context.cancellation)
        return paths.isEmpty
            ? nil
            : "Not committed to git yet: \(paths.joined(separator: ", ")). Undo brings back what is there now."
    }
}

/// 1.5: the driver.
struct PackagesStep: EditOperation {
    let id = "1.5"

    func edit(_ editor: ProjectEditor, _ context: StepContext) throws -> ProjectEdit { editor.packages() }
}

/// 2.1: the URL of the database.
struct EnvironmentStep: EditOperation {
    let id = "2.1"

    func edit(_ editor: ProjectEditor, _ context: StepContext) throws -> ProjectEdit {
        let (url, hasPassword) = try context.clientURL()
        let isRehearsal = context.mode == .rehearsal
        var edit = editor.environment(
            url: url, database: context.workspace.source.path, process: ProcessInfo.processInfo.environment
        ) { value in
            // A rehearsal's server has another socket after each start.
            isRehearsal && value.hasPrefix("postgresql://") && value.contains(/host=\/[^&]*\/howdah/)
        }
        if context.mode == .rehearsal {
            edit.notes.append("the URL leads to the rehearsal's private PostgreSQL")
            return edit
        }
        try refuseOvertaken(context)
        edit.notes.append("from its next start the application uses PostgreSQL")
        if !hasPassword {
            edit.notes.append("the server asks for no password from here, so that the URL has none")
        }
        return edit
    }
}

extension EnvironmentStep {
    /// Throws where SQLite has rows that the target lacks: an application that is started on it now would not see them.
    private func refuseOvertaken(_ context: StepContext) throws {
        guard !context.isCutover, context.book.hold == nil, let base = try? context.following().base(),
            try !base.snapshot.isCurrent(cancellation: context.cancellation),
            try base.snapshot.changedPages(context.workspace.source, cancellation: context.cancellation) > 0
        else { return }
        throw MigrationError(
            .state,
            "SQLite has been written to since the snapshot of \(base.snapshot.time), and the target lacks that",
            remedy: "The cutover carries it, and then runs this step: howdah cutover, or C on the screens.",
            exit: .undecided)
    }
}

/// 2.2: the schema's file.
struct SchemaFileStep: EditOperation {
    let id = "2.2"

    func follow(_ context: StepContext) -> [String] { ClientStep.regenerate(context) }

    func edit(_ editor: ProjectEditor, _ context: StepContext) throws -> ProjectEdit {
        let plan = try context.book.planIfAny()
        var edit = editor.schema(plan: plan)
        if plan == nil {
            edit.notes.append("there is no plan yet: types and defaults stay; run this again after 1.7")
        }
        return edit
    }
}

/// 2.3: the migrations' folder, and what the target says of migrations.
struct MigrationsStep: EditOperation {
    let id = "2.3"

    func edit(_ editor: ProjectEditor, _ context: StepContext) throws -> ProjectEdit {
        guard editor.hasMigrations else {
            var edit = ProjectEdit()
            edit.notes.append(
                "the schema is kept without migrations, by prisma db push: nothing to keep aside")
            return edit
        }
        return editor.migrations(plan: try context.book.plan())
    }

    func finish(_ edit: ProjectEdit, _ context: StepContext) throws -> [String] {
        guard let baseline = edit.changes.first(where: { $0.path.hasSuffix("/0_init/migration.sql") })?.after
        else {
            return []
        }
        let history = PrismaHistory(schema: context.book.schema)
        return try context.server().withConnection(purpose: "migrations") {
            try history.noteBaseline(baseline, $0)
        }
    }

    func takeBack(_ context: StepContext) throws -> [String] {
        guard !context.book.ignoresTarget else { return ["_prisma_migrations stays: the target is left out"] }
        let history = PrismaHistory(schema: context.book.schema)
        return try context.server().withConnection(purpose: "migrations") { try history.forgetBaseline($0) }
    }
}

extension Playbook {
    /// The plan as it lies on the disk.
    func plan() throws -> MigrationPlan { try PlanFile(path: workspace.state.planPath).plan }

    /// The same; nil where there is none yet. One that cannot be read is an error.
    func planIfAny() throws -> MigrationPlan? { planText.isEmpty ? nil : try plan() }

    /// The copy of the project that a rehearsal changes.
    var rehearsalFolder: String { "\(workspace.state.path)/rehearsal/project" }

    /// Notes what is about to be written, so that it can be undone whatever happens.
    func note(changes: [ChangeRecord], of step: String, _ mode: Mode) throws {
        try journal.add(
            .changing, step, mode, Format.count(changes.count, "file", "files"), data: Journal.encode(changes)
        )
    }

    /// What a step has changed since it was last undone, oldest first.
    func changes(of step: String, _ mode: Mode) -> [ChangeRecord] {
        let entries = journal.entries.filter { $0.subject == step && $0.mode == mode }
        let start = entries.lastIndex { $0.kind == .undone }.map { $0 + 1 } ?? 0
        let records = entries[start...].filter { $0.kind == .changing }
            .flatMap { $0.data.flatMap { Journal.decode([ChangeRecord].self, $0) } ?? [] }
        // A file that came back is as if nothing had happened to it until then.
        var begins: [String: Int] = [:]
        var originals: [String: String?] = [:]
        for (index, record) in records.enumerated() {
            let original = originals[record.path] ?? record.before
            let isBack = record.after == original
            originals[record.path] = isBack ? nil : .some(original)
            if isBack { begins[record.path] = index + 1 }
        }
        return records.enumerated().filter { $0.offset >= begins[$0.element.path] ?? 0 }.map(\.element)
    }

    /// Files that steps of a mode have changed and not brought back.
    func changedFiles(_ mode: Mode) -> [String] {
        Self.editingSteps.flatMap { changes(of: $0, mode) }.map(\.path)
    }

    /// Steps of this mode that have changed files and not brought them back, in the order of the phases.
    public var changedSteps: [String] { Self.editingSteps.filter { !changes(of: $0, mode).isEmpty } }

    /// Steps that change files, in the order of the phases.
    public static let editingSteps = Phases.steps.map(\.id).filter { operations[$0] is any FileOperation }

    /// Those that set the project to PostgreSQL.
    public static let configuringSteps = Phases.steps.map(\.id).filter { operations[$0] is any EditOperation }
}
