import MigrationEngine
import Playbook

/// The application's commands: tests on the steps' worker, services on threads of their own.
extension Runtime {
    func runCommand(_ name: String) {
        let (shared, mailbox) = (shared, mailbox)
        worker.run {
            guard let book = shared.book, let activity = book.begin("5.1") else { return }
            var problem: Problem?
            var result: CommandResult?
            do {
                result = try book.runCommands([name], activity).first
            } catch {
                problem = Problem(step: nil, Playbook.explained(error))
            }
            book.end(activity)
            mailbox.post(.ranCommand(result, book.overview(), problem))
        }
    }

    func startService(_ name: String, replaces: Bool) {
        let mailbox = mailbox
        withBook(nil) { book, activity in
            if replaces { try book.endStale(name) }
            try book.startService(name, activity)
            mailbox.post(.book(book.overview()))
        }
    }

    /// It may take its time, so it waits for nothing else, and nothing waits for it.
    func stopService(_ name: String) {
        note("\(name) has stopped") { try $0.stopService(name) }
    }

    func feed(of name: String) {
        let (shared, mailbox) = (shared, mailbox)
        clerk.run {
            guard let feed = shared.book?.feed(of: name) else { return }
            mailbox.post(.feed(feed))
        }
    }
}
