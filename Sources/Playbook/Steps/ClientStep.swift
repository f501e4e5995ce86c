import AppProject
import Foundation
import MigrationEngine
import Postgres

/// 2.4: Prisma checks its schema and its migrations, and makes its client anew.
struct ClientStep: StepOperation {
    private struct Work {
        let prisma: PrismaCLI
        let folder: ProjectFolder
        let runs: [PrismaCLI.Run]
        /// What is not run, and why.
        let notes: [String]
    }

    private func work(_ context: StepContext) throws -> Work {
        guard let directory = context.workspace.location.projectDirectory,
            let prisma = PrismaCLI(directory: directory)
        else {
            throw MigrationError(
                .projectFile, "Prisma is not installed in the project any more",
                remedy: "npm install, or your package manager's own command, brings it back.")
        }
        var runs = [PrismaCLI.validate]
        var notes: [String] = []
        if context.mode == .live {
            if try context.book.planIfAny()?.adopt ?? false { runs.append(PrismaCLI.push) }
            runs.append(PrismaCLI.generate)
        } else {
            notes.append(
                "prisma generate waits for the live run: node_modules is the application's own, which works on SQLite now"
            )
        }
        let isMade = { (id: String) in context.book.stepState(id, context.mode) == .done }
        if prisma.hasMigrations, isMade("1.8"), isMade("2.3") {
            runs.append(PrismaCLI.status)
        } else if prisma.hasMigrations {
            notes.append("prisma migrate status is asked once 1.8 and 2.3 are done")
        }
        return Work(prisma: prisma, folder: try ProjectFolder(context), runs: runs, notes: notes)
    }

    func preview(_ context: StepContext) throws -> Preview {
        let work = try work(context)
        return Preview(
            [
                .init("Runs, in \(work.folder.root)", work.runs.map { "\($0.words)  (\($0.purpose))" }, .list)
            ] + (work.notes.isEmpty ? [] : [.init("To know", work.notes, .list)]))
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let work = try work(context)
        let url = try context.clientURL().url
        var evidence: [String] = []
        for run in work.runs {
            let said = try work.prisma.run(
                run, in: work.folder.root, url: url, environment: ProcessInfo.processInfo.environment,
                cancellation: context.cancellation)
            evidence.append("\(run.words): done")
            evidence += said.suffix(3).map { "  \($0)" }
        }
        return StepOutcome(evidence: evidence + work.notes)
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        Preview([
            .init(
                "Forgets that it was run",
                ["The client for SQLite is made anew once 2.2 is undone, which brings the schema back."])
        ])
    }

    func undo(_ context: StepContext) throws -> [String] { ["the client is made anew once 2.2 is undone"] }

    /// Makes the client of the schema that is back; says what to do where that cannot be.
    static func regenerate(_ context: StepContext) -> [String] {
        // The first undo took the mark of 2.4 away: whether it ever ran is what counts.
        let wasRun = context.book.journal.entries.contains {
            $0.subject == "2.4" && $0.mode == .live && $0.kind == .started
        }
        guard context.mode == .live, wasRun, let directory = context.workspace.location.projectDirectory,
            let prisma = PrismaCLI(directory: directory)
        else { return [] }
        do {
            _ = try prisma.run(
                PrismaCLI.generate, in: directory, url: nil, environment: ProcessInfo.processInfo.environment,
                cancellation: context.cancellation)
            return ["\(PrismaCLI.generate.words): the client is SQLite's again"]
        } catch {
            let error = Playbook.explained(error)
            return ["by hand: \(PrismaCLI.generate.words) — \(error.message): \(error.remedy)"]
        }
    }
}

extension StepContext {
    /// The URL that the application's client takes, with the password where one is needed.
    func clientURL() throws -> (url: String, hasPassword: Bool) {
        let server = try server()
        let password = try server.withConnection(purpose: "check") { $0.password }
        // The parameter is Prisma's own: libpq takes no URL with it.
        let isPrisma =
            workspace.location.projectDirectory.map { ProjectEditor(directory: $0).hasPrisma } ?? false
        return (
            server.conninfo.clientURL(password: password, schema: isPrisma ? book.schema : nil),
            password != nil
        )
    }
}
