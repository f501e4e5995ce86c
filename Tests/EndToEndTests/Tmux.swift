import Foundation
import TestSupport

/// A real terminal: a tmux of the test's own, whose screen can be read.
final class Tmux {
    private let socket: String

    /// Runs a shell command on a screen of a size; it stays open after the command's end, with `status N` below.
    init(_ folder: String, _ command: String, width: Int = 100, height: Int = 30) throws {
        socket = "\(folder)/tmux"
        let script = "\(folder)/run.sh"
        try "unset LC_ALL\nexport LC_CTYPE=C.UTF-8\n\(command)\necho \"status $?\"\nexec cat\n"
            .write(toFile: script, atomically: true, encoding: .utf8)
        try tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", "\(width)", "-y", "\(height)",
            "sh \(script)")
    }

    /// Ends the terminal with all that runs on it; before its folder goes, by which it is found.
    func close() {
        _ = try? tmux("kill-server")
    }

    /// Runs tmux by the shell: its server outlives the call, and must hold nothing of ours.
    @discardableResult
    private func tmux(_ arguments: String...) throws -> String {
        let words = (["tmux", "-S", socket] + arguments).map { "'" + $0.replacing("'", with: "'\\''") + "'" }
        return try Self.output("exec " + words.joined(separator: " ") + " </dev/null 2>/dev/null")
    }

    private static func output(_ command: String) throws -> String {
        // A thread of the test runner's may block signals; a tmux that inherits that could never be ended.
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        guard let pipe = popen(command, "r") else { throw CocoaError(.fileReadUnknown) }
        defer { pclose(pipe) }
        var text: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&block, 1, block.count, pipe), count > 0 { text += block[..<count] }
        return String(decoding: text, as: UTF8.self)
    }

    func press(_ keys: String...) throws {
        for key in keys { try tmux("send-keys", key) }
    }

    func resize(_ width: Int, _ height: Int) throws {
        try tmux("resize-window", "-x", "\(width)", "-y", "\(height)")
    }

    /// The screen; with `colors`, with its escape sequences.
    func screen(colors: Bool = false) throws -> String {
        colors ? try tmux("capture-pane", "-p", "-e") : try tmux("capture-pane", "-p")
    }

    /// Waits until the screen shows a text; false after the deadline.
    func waitFor(_ text: String, seconds: Double = 20) -> Bool {
        waitUntil(seconds: seconds) { (try? screen().contains(text)) ?? false }
    }

    /// Whether a full-screen program has the terminal.
    func isTaken() throws -> Bool {
        try tmux("display-message", "-p", "#{alternate_on}").hasPrefix("1")
    }

    /// The process of howdah on this screen, found below the shell.
    func process() throws -> pid_t? {
        let shell = try tmux("display-message", "-p", "#{pane_pid}").trimmingCharacters(
            in: .whitespacesAndNewlines)
        return pid_t(
            try Self.output("pgrep -P \(shell) howdah").trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
