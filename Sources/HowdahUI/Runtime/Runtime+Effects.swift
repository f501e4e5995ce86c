import AppProject
import Foundation
import MigrationEngine
import Operations
import Playbook
import TerminalUI

extension Runtime {
    func perform(_ effect: Effect) {
        switch effect {
        case .open(let path): open(path)
        case .preview(let step, let isUndo): preview(step, isUndo: isUndo)
        case .run(let step): work(step, isUndo: false)
        case .undo(let step): work(step, isUndo: true)
        case .pause: shared.book?.activity?.togglePause()
        case .cancel: cancel()
        case .tick(let id, let text): note("ticked") { try $0.tick(id, note: text) }
        case .note(let id, let text): note("noted") { try $0.addNote(id, text) }
        case .untick(let id): note("the tick is gone") { try $0.untick(id) }
        case .skip(let id, let reason): note("settled") { try $0.skip(id, reason: reason) }
        case .addItem(let title): note("added") { try $0.addItem(title) }
        case .editPlan(let edit): editPlan(edit)
        case .page(let table, let filter, let first): page(table, filter, first)
        case .findDifference(let table, let filter, let text, let number, let isBackward):
            findDifference(table, filter, text, number, isBackward)
        case .previewCopyAgain(let request): previewCopyAgain(request)
        case .copyAgain(let request):
            work(Phases.differences) { try $0.copyAgain(request, $1) }
        case .source(let key): source(key)
        case .files: lookAtFiles()
        case .applyFile(let file): change(file, "changed \(file.title)") { try $0.apply(file, $1) }
        case .takeBackFile(let file):
            change(file, "\(file.path) is back") {
                try $0.takeBack(file, isConfirmed: file.state == .edited, $1)
            }
        case .editSource(let key): editSource(key)
        case .settle(let key, let state, let text):
            note(state.words) { try $0.settle(key, as: state, note: text) }
        case .previewTranslation(let key): previewTranslation(key)
        case .translate(let key):
            work("4.3") { try $0.translate(key.map { [$0] }, $1) }
        case .runCommand(let name): runCommand(name)
        case .startService(let name, let replaces): startService(name, replaces: replaces)
        case .stopService(let name): stopService(name)
        case .feed(let name): feed(of: name)
        case .link(let item, let command, let isLinked):
            note(isLinked ? "\(command) ticks \(item)" : "the link is gone") {
                try isLinked ? $0.link(item, to: command) : $0.unlink(item, from: command)
            }
        case .leaveOut(let name, let isLeftOut):
            note(isLeftOut ? "\(name) is left out" : "\(name) is taken in again") {
                try $0.leaveOut(name, isLeftOut)
            }
        case .lookAtAdvice: lookAtAdvice()
        case .choose(let id, let isChosen, let text):
            note(isChosen ? "chosen" : "left out") { try $0.choose(advice: id, isChosen, note: text) }
        case .findCommands: note("looked again") { $0.forgetCommands() }
        case .setTarget(let text): setTarget(text)
        case .setAdmin(let text): setAdmin(text)
        case .setApplication(let commands):
            note("kept for the cutover") { try commands.merge(into: $0.workspace.state) }
        case .setPassword(let password, let isAdmin): setPassword(password, isAdmin: isAdmin)
        case .setMode(let mode): setMode(mode)
        case .theme(let name):
            if let theme = themes[name] { terminal.look.theme = theme }
            if model.overlays.isEmpty { files.keep(theme: name) }
        case .mouse(let isOn): terminal.isMouseOn = isOn
        case .copy(let text): copy(text)
        case .editFile: editPlanFile()
        case .exportChecklist(let path): exportChecklist(path)
        case .writeReport(let path, let overwrites): writeReport(path, overwrites: overwrites)
        case .openMonitor: openMonitor()
        case .closeMonitor: closeMonitor()
        case .pauseMonitor(let isPaused): shared.watch?.setPaused(isPaused)
        case .lookAtServer: shared.watch?.look()
        case .endSession(let session, let ending): shared.watch?.end(session, ending)
        case .refresh: note("") { _ in }
        case .redraw: terminal.redraw()
        case .suspend: suspend()
        case .quit(let code): exit = code
        }
    }

    // MARK: Steps

    private func preview(_ step: String, isUndo: Bool) {
        let mailbox = mailbox
        withBook(step) { book, activity in
            let preview = try isUndo ? book.undoPreview(step, activity) : book.preview(step, activity)
            // What it has looked at is listed under the steps.
            if step == "6.1" { mailbox.post(.book(book.overview())) }
            mailbox.post(.previewed(step: step, isUndo: isUndo, preview))
        }
    }

    private func lookAtAdvice() {
        let mailbox = mailbox
        withBook("6.1") { book, activity in
            try book.lookAtIndexes(activity)
            mailbox.post(.book(book.overview()))
        }
    }

    private func previewTranslation(_ key: String?) {
        let mailbox = mailbox
        withBook("4.3") { book, activity in
            let preview = try book.previewTranslation(key.map { [$0] }, activity)
            mailbox.post(.translation(statement: key, preview))
        }
    }

    private func work(_ step: String, isUndo: Bool) {
        work(step, isUndo: isUndo) { try isUndo ? $0.undo(step, $1) : $0.run(step, $1) }
    }

    private func work(
        _ step: String, isUndo: Bool = false, _ body: @escaping @Sendable (Playbook, Activity) throws -> Void
    ) {
        let (shared, mailbox) = (shared, mailbox)
        worker.run {
            guard let book = shared.book, let activity = book.begin(step, isUndo: isUndo) else { return }
            var problem: Problem?
            do {
                try body(book, activity)
            } catch {
                problem = Problem(step: step, Playbook.explained(error))
            }
            book.end(activity)
            mailbox.post(.ended(step: step, isUndo: isUndo, book.overview(), problem))
            // A wrong password is asked for again.
            if book.mode == .live, let url = book.liveURL,
                problem?.message.contains("password authentication failed") ?? false
            {
                mailbox.post(.askPassword(url: url, isAdmin: step == "1.4"))
            }
        }
    }

    /// Runs work that is no step on the steps' thread; an error is shown.
    func withBook(_ step: String?, _ body: @escaping @Sendable (Playbook, Activity) throws -> Void) {
        let (shared, mailbox) = (shared, mailbox)
        worker.run {
            guard let book = shared.book, let activity = book.begin(nil) else { return }
            do {
                try body(book, activity)
            } catch {
                mailbox.post(.problem(Problem(step: step, Playbook.explained(error))))
            }
            book.end(activity)
        }
    }

    /// Cancelling may wait for a server, so a thread of its own does it.
    private func cancel() {
        guard let activity = shared.book?.activity else { return }
        Thread.detachNewThread {
            activity.gate.open()
            activity.cancellation.cancel()
        }
    }

    private func editPlan(_ edit: PlanEdit) {
        let mailbox = mailbox
        withBook(nil) { book, activity in
            // The operator has said what the plan is to be: what it comes to shows at once.
            try book.edit(edit, activity)
            try book.run("1.7", activity)
            let state = book.overview()
            mailbox.post(.book(state))
            let open = state.openFindings
            mailbox.post(
                .toast(
                    open == 0
                        ? "plan.yaml changed; nothing is left to decide"
                        : "plan.yaml changed; \(open) left to decide", .ok))
        }
    }

    private func page(_ table: String, _ filter: DifferenceFilter, _ first: Int) {
        let mailbox = mailbox
        withBook(nil) { book, activity in
            mailbox.post(
                .page(
                    try book.differences(
                        table, filter: filter, from: first, count: DifferenceBox.pageRows, activity)))
        }
    }

    private func previewCopyAgain(_ request: RepairRequest) {
        let mailbox = mailbox
        withBook(Phases.differences) { book, activity in
            mailbox.post(.copying(request, try book.previewCopyAgain(request, activity)))
        }
    }

    private func findDifference(
        _ table: String, _ filter: DifferenceFilter, _ text: String, _ number: Int, _ isBackward: Bool
    ) {
        let mailbox = mailbox
        withBook(nil) { book, _ in
            let found = try book.nextDifference(
                table, filter: filter, containing: text, from: number, isBackward: isBackward)
            mailbox.post(.foundDifference(table: table, found))
        }
    }

    /// Files of the project with what becomes of them; work in front of it comes first, and asks again at its end.
    private func lookAtFiles() {
        let (shared, mailbox) = (shared, mailbox)
        worker.run {
            guard let book = shared.book, let activity = book.begin(nil) else { return }
            defer { book.end(activity) }
            guard let files = try? book.projectFiles(activity) else { return }
            mailbox.post(.files(files))
        }
    }

    private func change(
        _ file: ProjectFile, _ words: String, _ body: @escaping @Sendable (Playbook, Activity) throws -> Void
    ) {
        let mailbox = mailbox
        withBook(file.step) { book, activity in
            try body(book, activity)
            mailbox.post(.files(try book.projectFiles(activity)))
            mailbox.post(.book(book.overview()))
            mailbox.post(.toast(words, .ok))
        }
    }

    /// The lines around a place in the code; a file that is gone is no reason for a box.
    private func source(_ key: String) {
        let (shared, mailbox) = (shared, mailbox)
        clerk.run {
            guard let source = try? shared.book?.source(of: key) else { return }
            mailbox.post(.source(source))
        }
    }

    // MARK: What is written down

    func note(_ words: String, _ body: @escaping @Sendable (Playbook) throws -> Void) {
        let (shared, mailbox) = (shared, mailbox)
        clerk.run {
            guard let book = shared.book else { return }
            do {
                try body(book)
                mailbox.post(.book(book.overview()))
                if !words.isEmpty { mailbox.post(.toast(words, .ok)) }
            } catch {
                mailbox.post(.problem(Problem(step: nil, Playbook.explained(error))))
            }
        }
    }

    // MARK: Projects and targets

    private func open(_ path: String) {
        let (shared, mailbox, files) = (shared, mailbox, files)
        worker.run {
            do {
                // The one that is open stays open until the other one is there.
                let workspace = try Workspace(path, state: nil)
                shared.book?.close()
                let book = try Playbook(workspace, target: nil, who: nil)
                book.onCommandFeed { mailbox.post(.feed($0)) }
                shared.book = book
                files.remember(absolutePath(path))
                mailbox.post(.book(book.overview()))
            } catch let error as MigrationError where error.message.contains("process \(getpid()),") {
                mailbox.post(.toast("it is open already", .muted))
            } catch {
                mailbox.post(.problem(Problem(step: nil, Playbook.explained(error))))
            }
        }
        lookAround()
    }

    private func setTarget(_ text: String) {
        change(asksAdmin: false, "") { try $0.setTarget(text) }
    }

    private func setAdmin(_ text: String) {
        change(asksAdmin: true, "step 1.4 will use it; it is not kept") { try $0.setAdmin(text) }
    }

    /// Changes where the work goes, and asks for a password where the server does and nothing else supplies it: the
    /// question comes with the change, so that nothing that is typed goes astray.
    private func change(
        asksAdmin: Bool, _ words: String, _ body: @escaping @Sendable (Playbook) throws -> Void
    ) {
        let mailbox = mailbox
        model.isBusy = true
        withBook(nil) { book, activity in
            try body(book)
            let url = try book.asksForPassword(isAdmin: asksAdmin, activity)
            mailbox.post(.book(book.overview()))
            if !words.isEmpty { mailbox.post(.toast(words, .ok)) }
            if let url { mailbox.post(.askPassword(url: url, isAdmin: asksAdmin)) }
        }
    }

    private func setPassword(_ password: String, isAdmin: Bool) {
        note("") { try $0.setPassword(password, isAdmin: isAdmin) }
        if !isAdmin { lookAround() }
    }

    private func setMode(_ mode: Mode) {
        if mode == .live {
            change(asksAdmin: false, "LIVE: every step is run anew") { try $0.setMode(mode) }
        } else {
            // On the thread of looks at the target, whose answers of before must not come after this one.
            let mailbox = mailbox
            model.isBusy = true
            withBook(nil) { book, _ in
                try book.setMode(mode)
                mailbox.post(.book(book.overview()))
                mailbox.post(.toast("back in the rehearsal", .ok))
            }
        }
        lookAround()
    }

    // MARK: The terminal and what is outside

    private func copy(_ text: String) {
        if terminal.copy(text) {
            model.toast = Toast("copied")
            return
        }
        guard let state = shared.book?.workspace.state else { return }
        do {
            try state.write(text + "\n", to: "copied.txt")
            model.toast = Toast("this terminal takes no copies: it is in \(state.path)/copied.txt", .warn)
        } catch {
            model.toast = Toast("it cannot be copied: \(error)", .error)
        }
    }

    private func suspend() {
        let activity = shared.book?.activity
        let wasPaused = activity?.gate.isClosed ?? false
        activity?.gate.close()
        terminal.stop()
        if !wasPaused { activity?.gate.open() }
        model.size = terminal.size
        draw()
    }

    private func editPlanFile() {
        guard let path = shared.book?.workspace.state.planPath, access(path, F_OK) == 0 else {
            model.toast = Toast("there is no plan yet: step 1.7 makes it", .warn)
            return
        }
        var status: Int32 = 0
        terminal.suspended { status = Editor.open(path) }
        model.toast = status == 0 ? nil : Toast("the editor ended with \(status): set EDITOR to yours", .warn)
        note("") { _ in }
    }

    private func editSource(_ key: String) {
        guard let book = shared.book, let path = try? book.sourcePath(of: key), access(path, F_OK) == 0,
            let line = try? book.codePlace(key).finding.line
        else {
            model.toast = Toast("the file is gone: r scans again", .warn)
            return
        }
        var status: Int32 = 0
        terminal.suspended { status = Editor.open(path, line: line) }
        model.toast =
            status == 0
            ? Toast("that was the project's own file; r scans again", .muted)
            : Toast("the editor ended with \(status): set EDITOR to yours", .warn)
        model.wantedSource = nil
        note("") { _ in }
    }

    private func exportChecklist(_ path: String) {
        note("written to \(path)") { try Checklist.export($0.overview(), to: path) }
    }

    private func writeReport(_ path: String, overwrites: Bool) {
        note("written to \(path)") {
            try $0.write($0.report(), to: path, overwrites: overwrites, forced: "say :report! \(path)")
        }
    }
}

/// The operator's editor.
enum Editor {
    /// Editors that take the line as `+12`, which POSIX asks of vi; of others only some take `path:12`.
    private static let takeLines: Set<String> = [
        "vi", "vim", "nvim", "view", "nano", "emacs", "emacsclient", "micro", "joe", "kak", "ne", "mg", "ed",
        "ex",
    ]
    private static let takeColons: Set<String> = ["hx", "helix", "subl", "zed"]

    /// Opens a file in $VISUAL or $EDITOR, at a line where the editor can, and waits for its end; returns its status.
    static func open(_ path: String, line: Int? = nil) -> Int32 {
        let environment = ProcessInfo.processInfo.environment
        let editor = environment["VISUAL"] ?? environment["EDITOR"] ?? "vi"
        // The variable may hold options; the path is handed over apart from it.
        let command = ["sh", "-c", "exec \(editor) \"$@\"", "sh"] + arguments(path, line, editor)
        return run(command)
    }

    static func arguments(_ path: String, _ line: Int?, _ editor: String) -> [String] {
        guard let line else { return [path] }
        let name = editor.split(separator: " ").first.map { ($0 as NSString).lastPathComponent } ?? editor
        if takeLines.contains(name) { return ["+\(line)", path] }
        if name == "code" || name == "codium" { return ["--wait", "--goto", "\(path):\(line)"] }
        return takeColons.contains(name) ? ["\(path):\(line)"] : [path]
    }

    private static func run(_ command: [String]) -> Int32 {
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        guard posix_spawn(&process, "/bin/sh", nil, nil, &words, environ) == 0 else { return 127 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}
