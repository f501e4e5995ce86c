import AppProject
import Foundation
import MigrationEngine
import Operations
import Playbook
import Synchronization
import TerminalUI

/// The loop that joins terminal, model and playbook.
///
/// On the main thread: it waits for keys, for messages of the workers, and, while work runs, for the next frame; with
/// nothing to do it sleeps. Steps run on one worker, one after the other; what is written down runs on another, so that
/// it need not wait for a copy.
public final class Runtime {
    /// Milliseconds between two frames while work runs; keys are answered at once.
    private static let frame = 100

    let terminal: any Terminal
    var model: AppModel
    let mailbox: Mailbox
    let worker = Worker(name: "howdah-steps")
    let clerk = Worker(name: "howdah-notes")
    let shared = Shared()
    let themes: Themes
    let files: UserFiles
    private let update: Update
    private let keys: KeyTable<KeyContext, Action>
    private var meter = WorkMeter()
    var exit: Int32?
    private var isDirty = true

    /// The playbook that is open, for the workers; and the watch of a server.
    final class Shared: Sendable {
        private let state = Mutex<Playbook?>(nil)
        private let watching = Mutex<MonitorWatch?>(nil)
        private let wanting = Atomic<Bool>(false)

        /// Whether the monitor is shown: one that was closed before its server was found is not begun.
        var wantsWatch: Bool {
            get { wanting.load(ordering: .acquiring) }
            set { wanting.store(newValue, ordering: .releasing) }
        }

        var watch: MonitorWatch? {
            get { watching.withLock { $0 } }
            set { watching.withLock { $0 = newValue } }
        }

        var book: Playbook? {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    public init(
        terminal: any Terminal, book: Playbook?, themes: Themes, theme: String, files: UserFiles,
        keys: KeyTable<KeyContext, Action>
    ) {
        self.terminal = terminal
        self.themes = themes
        self.files = files
        self.keys = keys
        update = Update(keys: keys)
        mailbox = Mailbox(wake: terminal.wake)
        model = AppModel(
            size: terminal.size, book: book?.overview(isQuick: true), themes: themes.all.map(\.name),
            theme: theme)
        let environment = ProcessInfo.processInfo.environment
        model.isBareRemote =
            environment["SSH_CONNECTION"] != nil && environment["TMUX"] == nil && environment["STY"] == nil
        if let problem = files.problems.first { model.toast = Toast(problem, .warn) }
        Update.welcome(&model)
        shared.book = book
        book?.onCommandFeed { [mailbox] in mailbox.post(.feed($0)) }
    }

    /// Runs until the operator leaves; returns the exit code.
    public func run() -> Int32 {
        draw()
        begin()
        while exit == nil {
            let events = terminal.events(within: isWaiting ? Self.frame : nil)
            let time = ProcessInfo.processInfo.systemUptime
            for event in events where exit == nil { take(.event(event, time: time)) }
            for message in mailbox.take() where exit == nil { take(message) }
            if terminal.stopRequest != nil, exit == nil { exit = ExitCode.cancelled.rawValue }
            watch()
            if isDirty, exit == nil { draw() }
        }
        stop()
        return exit ?? 0
    }

    /// What is done once the first screen is shown.
    private func begin() {
        guard let workspace = shared.book?.workspace else { return model.monitor == nil ? search() : () }
        let files = files
        clerk.run { files.remember(workspace.location.projectDirectory ?? workspace.source.path) }
        lookAround()
    }

    private var isWaiting: Bool {
        model.work != nil || model.isBusy || shared.book?.activity != nil || !worker.isIdle || !clerk.isIdle
            || !mailbox.isEmpty
    }

    /// Shows the newest values of the work that runs.
    private func watch() {
        guard let activity = shared.book?.activity else {
            // Nothing runs, and nothing is on its way.
            if model.work != nil || model.isBusy, worker.isIdle, clerk.isIdle, mailbox.isEmpty {
                model.work = nil
                model.isBusy = false
                isDirty = true
            }
            return
        }
        let isStep = activity.step != nil
        // Looks and previews are shown as work only when they take their time.
        guard isStep || (ContinuousClock.now - activity.start).seconds > 0.5 else { return }
        model.work = meter.view(activity)
        isDirty = true
    }

    private func take(_ message: Message) {
        isDirty = true
        for effect in update(&model, message) { perform(effect) }
    }

    func draw() {
        isDirty = false
        let (buffer, cursor) = Screen(model, terminal.look, keys: keys).draw()
        terminal.show(buffer, cursor: cursor)
    }

    /// Ends work in order; bounded, so that leaving never hangs.
    private func stop() {
        shared.watch?.stop(within: 1)
        if let activity = shared.book?.activity {
            activity.gate.open()
            activity.cancellation.cancel()
        }
        worker.end(within: 30)
        clerk.end(within: 5)
    }

    /// Reads all that the first screen left out, and asks the target how far it is.
    func lookAround() {
        let (shared, mailbox) = (shared, mailbox)
        worker.run {
            guard let book = shared.book else { return }
            mailbox.post(.book(book.overview()))
            if book.mode == .live, let activity = book.begin(nil) {
                let url = try? book.asksForPassword(isAdmin: false, activity)
                book.end(activity)
                if let url = url ?? nil {
                    mailbox.post(.askPassword(url: url, isAdmin: false))
                    return
                }
            }
            guard book.hasReachedTarget(book.mode) || book.mode == .live, let activity = book.begin(nil)
            else { return }
            book.lookAtTarget(activity)
            book.end(activity)
            mailbox.post(.book(book.overview()))
        }
    }

    private func search() {
        let (mailbox, files) = (mailbox, files)
        clerk.run {
            let recent = files.recent.map { ProjectList.Entry(path: $0, note: "opened before") }
            mailbox.post(.projects(recent, isSearching: true))
            let folder = FileManager.default.currentDirectoryPath
            let deadline = ContinuousClock.now.advanced(by: .seconds(2))
            let found = DatabaseSearch.files(in: folder, depth: 4) { ContinuousClock.now > deadline }
            let entries =
                found.map { ProjectList.Entry(path: $0, note: "found here") }
                + recent.filter { !found.contains($0.path) }
            mailbox.post(.projects(entries, isSearching: false))
        }
    }
}

extension Runtime {
    /// Closes the playbook that is open: the private PostgreSQL stops, unless it was started to stay.
    func close() {
        shared.book?.close()
        shared.book = nil
    }
}
