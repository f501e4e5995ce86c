import MigrationEngine
import Operations
import Playbook

/// The live monitor: a thread of its own takes samples, so that it waits for no step, and no step for it.
extension Runtime {
    /// Opens the monitor of the project's target.
    func openMonitor() {
        let (shared, mailbox) = (shared, mailbox)
        shared.wantsWatch = true
        let open: @Sendable () throws -> Bool = {
            guard let book = shared.book, let server = try book.monitored() else { return false }
            guard shared.wantsWatch else { return true }
            shared.watch = MonitorWatch(server) { mailbox.post(.monitor($0)) }
            return true
        }
        clerk.run { [worker] in
            do {
                if try open() { return }
            } catch {
                mailbox.post(.noMonitor(Problem(step: nil, Playbook.explained(error))))
                return
            }
            // A rehearsal's server that is not up is started, by the thread of the steps.
            worker.run {
                guard let book = shared.book, let activity = book.begin(nil) else { return }
                defer { book.end(activity) }
                do {
                    try book.startRehearsal(activity)
                    _ = try open()
                } catch {
                    mailbox.post(.noMonitor(Problem(step: nil, Playbook.explained(error))))
                }
            }
        }
    }

    /// Watches a server without a project; called before the loop runs.
    func watch(_ server: MonitoredServer) {
        model.monitor = MonitorView(target: server.url)
        shared.watch = MonitorWatch(server) { [mailbox] in mailbox.post(.monitor($0)) }
    }

    /// Ends the watch on a thread of its own: it may be waiting for a server.
    func closeMonitor() {
        let shared = shared
        shared.wantsWatch = false
        clerk.run {
            shared.watch?.stop(within: 2)
            shared.watch = nil
        }
    }
}
