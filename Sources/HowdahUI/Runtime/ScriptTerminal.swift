import Foundation
import MigrationEngine
import TerminalUI

/// A terminal without a screen, whose keys come from a script: for tests, and for trying the screens out.
///
/// One command a line: a key by its name (`Enter`, `j`, `Ctrl-L`, `Space`), `:text WORDS` as if typed, `:wait-idle` until
/// no work runs, `:wait-for TEXT` until the screen shows it, `:size 80x24`, `:save-display FILE`. Lines that begin with
/// `#` are passed over. At the end the screens quit; what does not come within a minute ends them with exit code 1.
public final class ScriptTerminal: Terminal {
    enum Command: Equatable {
        case key(Key)
        case text(String)
        case waitIdle
        case waitFor(String)
        case size(Size)
        case saveDisplay(String)
    }

    public private(set) var size: Size
    public var look: Look
    public var isMouseOn = true
    /// What the script waited for in vain.
    public private(set) var failure: String?
    private var commands: [Command]
    private var shown: Buffer?
    private let bell = DispatchSemaphore(value: 0)
    private let patience: Double
    private var waitStart: Double?

    public init(script: String, size: Size, look: Look, patience: Double = 60) throws {
        self.size = size
        self.look = look
        self.patience = patience
        commands = try script.split(separator: "\n", omittingEmptySubsequences: true).enumerated()
            .compactMap { number, line in try Self.command(String(line), line: number + 1) }
    }

    private static func command(_ line: String, line number: Int) throws -> Command? {
        let text = line.trimmingCharacters(in: .whitespaces)
        if text.isEmpty || text.hasPrefix("#") { return nil }
        func bad(_ why: String) -> MigrationError {
            MigrationError(
                .state, "line \(number) of the script: \(why)",
                remedy: "Write a key's name, or :text, :wait-idle, :wait-for, :size, :save-display.",
                exit: .usage)
        }
        guard text.hasPrefix(":"), text.count > 1 else {
            guard let key = Key(text) else { throw bad("“\(text)” is no key") }
            return .key(key)
        }
        let words = text.dropFirst().split(separator: " ", maxSplits: 1).map(String.init)
        let argument = words.count > 1 ? words[1] : ""
        switch words.first {
        case "text": return .text(argument)
        case "wait-idle": return .waitIdle
        case "wait-for": return .waitFor(argument)
        case "save-display": return .saveDisplay(argument)
        case "size":
            let parts = argument.split(separator: "x").compactMap { Int($0) }
            guard parts.count == 2, parts.allSatisfy({ (1...1000).contains($0) }) else {
                throw bad("no size: \(argument)")
            }
            return .size(Size(parts[0], parts[1]))
        default: throw bad("there is no command :\(words.first ?? "")")
        }
    }

    public func show(_ buffer: Buffer, cursor: (x: Int, y: Int)?) {
        shown = buffer
    }

    public func redraw() {}
    public func stop() {}
    public var stopRequest: Int32? { failure == nil ? nil : SIGTERM }
    public func copy(_ text: String) -> Bool { false }
    public func suspended(_ body: () -> Void) { body() }

    public var wake: @Sendable () -> Void {
        let bell = bell
        return { @Sendable in bell.signal() }
    }

    private var now: Double { ProcessInfo.processInfo.systemUptime }

    public func events(within milliseconds: Int?) -> [Event] {
        // Only a loop with nothing to do waits for ever.
        let isIdle = milliseconds == nil
        while let command = commands.first {
            switch command {
            case .key(let key): return finish(.key(key))
            case .text(let text): return finish(.paste(text))
            case .size(let new):
                size = new
                return finish(.resize(new))
            case .saveDisplay(let path):
                commands.removeFirst()
                let text = (shown?.lines ?? []).joined(separator: "\n") + "\n"
                if !FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) {
                    failure = "\(path) cannot be written"
                    return []
                }
            case .waitIdle:
                guard isIdle else { return wait(milliseconds, "work to end") }
                commands.removeFirst()
                waitStart = nil
            case .waitFor(let text):
                guard shown?.lines.contains(where: { $0.contains(text) }) ?? false else {
                    return wait(milliseconds ?? 100, "“\(text)”")
                }
                commands.removeFirst()
                waitStart = nil
            }
        }
        return [.key(.control("c")), .key(.control("c"))]
    }

    private func finish(_ event: Event) -> [Event] {
        commands.removeFirst()
        waitStart = nil
        return [event]
    }

    private func wait(_ milliseconds: Int?, _ what: String) -> [Event] {
        let start = waitStart ?? now
        waitStart = start
        if now - start > patience {
            failure = "the script waited \(Int(patience)) seconds for \(what) in vain"
            return []
        }
        _ = bell.wait(timeout: .now() + .milliseconds(min(100, milliseconds ?? 100)))
        return []
    }
}
