import ArgumentParser
import Foundation
import MigrationEngine
import Operations
import Playbook
import Postgres

struct RehearsalCommand: ParsableCommand {
    enum Action: String, CaseIterable, ExpressibleByArgument {
        case start, stop, url, remove
    }

    static let configuration = CommandConfiguration(
        commandName: "rehearsal", abstract: "Start, stop, find or remove a source's private PostgreSQL.")

    @Argument(help: "start (and keep it up), stop, url or remove.")
    var action: Action

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String = "."

    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            // Asking where it is disturbs nobody who has the source open.
            let session = try Session(source, common, cancellation, isWriter: action != .url)
            guard action == .start || RehearsalCluster.exists(session.state) else {
                guard action == .url else {
                    say("there is no rehearsal", url: nil)
                    return .success
                }
                throw MigrationError.notRunning
            }
            var cluster = try RehearsalCluster(session.state, cancellation: cancellation)
            switch action {
            case .start:
                try cluster.start(stays: true)
                try cluster.ensureDatabase()
                say(nil, url: cluster.conninfo()?.url)
            case .stop:
                try cluster.stop()
                say("stopped", url: nil)
            case .url:
                guard cluster.isRunning, let conninfo = cluster.conninfo() else {
                    throw MigrationError.notRunning
                }
                say(nil, url: conninfo.url)
            case .remove:
                try PointInTimeDrill.removeLeft(session.state)
                try cluster.remove()
                StepNotes.open(
                    session.workspace, .rehearsal, makesJournal: false, tell: { Console.note($0) })?
                    .removedRehearsal()
                say("removed", url: nil)
            }
            return .success
        }
    }

    private func say(_ words: String?, url: String?) {
        if common.json {
            Console.json(RehearsalDocument(action: action.rawValue, url: url))
        } else if let line = url ?? words {
            Console.result(line)
        }
    }
}

private struct RehearsalDocument: Encodable {
    let command = "rehearsal"
    let action: String
    let url: String?
}
