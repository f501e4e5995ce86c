import Foundation
import MigrationEngine

/// What a command writes: results to stdout, everything else to stderr.
///
/// Names and values of a database may hold anything: nothing reaches a terminal without `printable`.
enum Console {
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 && isatty(STDIN_FILENO) == 1 }

    static func result(_ text: String) {
        write(printable(text) + "\n", to: STDOUT_FILENO)
    }

    /// Many lines, written in few pieces.
    static func results(_ lines: [String]) {
        var text = ""
        for line in lines {
            text += printable(line) + "\n"
            guard text.utf8.count > 1 << 16 else { continue }
            write(text, to: STDOUT_FILENO)
            text = ""
        }
        write(text, to: STDOUT_FILENO)
    }

    /// Text for another program, as it is: a plan, a script.
    static func raw(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    /// Text for another program, with values of a database in it: on a terminal what that would obey is shown instead.
    static func document(_ text: String) {
        write(isatty(STDOUT_FILENO) == 1 ? printable(text) : text, to: STDOUT_FILENO)
    }

    static func note(_ text: String) {
        write(printable(text) + "\n", to: STDERR_FILENO)
    }

    /// Draws over the line that is there.
    static func progressLine(_ text: String) {
        write("\r\u{1B}[K" + printable(text), to: STDERR_FILENO)
    }

    /// Asks on the terminal without showing what is typed; nil where nothing comes.
    static func readPassword(_ prompt: String) -> String? {
        var original = termios()
        guard tcgetattr(STDIN_FILENO, &original) == 0 else { return nil }
        var silent = original
        silent.c_lflag &= ~tcflag_t(ECHO)
        write(printable(prompt), to: STDERR_FILENO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &original)
            write("\n", to: STDERR_FILENO)
        }
        return readLine()
    }

    /// A line from the terminal; nil where nothing comes, or the operator wishes to stop.
    static func answer(_ cancellation: Cancellation) -> String? {
        while !cancellation.isCancelled {
            var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&input, 1, 100) > 0 { return readLine() }
        }
        return nil
    }

    /// One JSON document on stdout.
    static func json(_ document: some Encodable) {
        guard let text = try? jsonText(document) else { return }
        write(text, to: STDOUT_FILENO)
    }

    static func jsonText(_ document: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
    }

    /// The text with everything that a terminal would obey, and everything that turns the direction of writing,
    /// shown as an escape instead.
    static func printable(_ text: String) -> String { MigrationEngine.printable(text) }

    /// Whether a result could not be written: nobody has read it then, and the command has not done its work.
    nonisolated(unsafe) private(set) static var hasLostResult = false

    /// From the main thread alone, but for notes.
    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)[...]
            while !rest.isEmpty {
                let count = Foundation.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    // Who closes a pipe, as head does, has read enough.
                    if descriptor == STDOUT_FILENO, errno != EPIPE { hasLostResult = true }
                    return
                }
                rest = rest.dropFirst(count)
            }
        }
    }
}

/// What `--json` prints when a command fails.
struct ErrorDocument: Encodable {
    struct Content: Encodable {
        let code: String
        let message: String
        let remedy: String
    }

    let error: Content

    init(code: String, message: String, remedy: String) {
        error = Content(code: code, message: message, remedy: remedy)
    }
}
