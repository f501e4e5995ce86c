import CNCurses
import Foundation
import Synchronization
import TerminalUI

/// The terminal of this process, by ncursesw. Used by the main thread alone, apart from `wake`.
///
/// Signals reach the wait through a pipe; SIGTERM, SIGHUP and SIGINT set `stopRequest` and end it.
public final class CursesTerminal: Terminal {
    /// Why there is no terminal to draw on, in words for the operator.
    public struct Unusable: Error, CustomStringConvertible {
        public let description: String
    }

    public var look: Look
    public let depth: ColorDepth
    /// The signal that asked the program to end.
    public private(set) var stopRequest: Int32?
    private let pipe: SignalPipe
    private let capture: StderrCapture?
    private var shown: Buffer?
    private var paste: String?
    private var lastClick: (time: Double, x: Int, y: Int)?

    public var isMouseOn = true {
        didSet { howdah_mouse(isMouseOn ? 1 : 0) }
    }

    /// Opens the terminal; throws where it cannot be drawn on. `log` is where stderr goes meanwhile.
    public init(theme: Theme, log: String?) throws {
        let environment = ProcessInfo.processInfo.environment
        let terminal = environment["TERM"] ?? ""
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
            throw Unusable(description: "there is no terminal to draw the screens on")
        }
        let isUTF8 = howdah_locale() != 0
        pipe = try SignalPipe()
        howdah_signals(pipe.writer)
        let isRemote = environment["SSH_CONNECTION"] != nil
        guard !terminal.isEmpty, howdah_open(isRemote ? 150 : 25) != 0 else {
            throw Unusable(
                description:
                    "the terminal \(terminal.isEmpty ? "has no name (TERM is not set)" : "“\(terminal)” cannot place a cursor")"
            )
        }
        let hasNoColor = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        depth = hasNoColor ? .mono : ColorDepth(colors: Int(howdah_colors()))
        look = Look(theme: theme, symbols: isUTF8 ? .unicode : .ascii)
        capture = log.flatMap(StderrCapture.init)
        if let capture { howdah_crash_guard(capture.original, capture.file) }
        howdah_mouse(1)
    }

    deinit { close() }

    /// Gives the terminal back, then shows what stderr had captured.
    public func close() {
        howdah_close()
        capture?.end()
    }

    public var size: Size {
        var width: Int32 = 0
        var height: Int32 = 0
        howdah_size(&width, &height)
        return Size(Int(width), Int(height))
    }

    public var wake: @Sendable () -> Void {
        let pipe = pipe
        return { @Sendable in pipe.wake() }
    }

    // MARK: Drawing

    public func show(_ buffer: Buffer, cursor: (x: Int, y: Int)?) {
        let isNew = shown?.size != buffer.size
        CellWriter(depth: depth, isUTF8: !look.symbols.isASCII).write(buffer, over: isNew ? nil : shown)
        shown = buffer
        howdah_refresh(Int32(cursor?.y ?? 0), Int32(cursor?.x ?? 0), cursor == nil ? 0 : 1, 0)
    }

    /// Draws everything anew: something else may have written on the terminal.
    public func redraw() {
        guard let buffer = shown else { return }
        howdah_refresh(0, 0, 0, 1)
        shown = nil
        show(buffer, cursor: nil)
    }

    public func suspended(_ body: () -> Void) {
        howdah_leave()
        body()
        howdah_return()
        howdah_mouse(isMouseOn ? 1 : 0)
        shown = nil
    }

    /// Stops the process as Ctrl-Z does elsewhere; returns when it goes on.
    public func stop() {
        suspended { howdah_stop_group() }
    }

    public func copy(_ text: String) -> Bool {
        let terminal = ProcessInfo.processInfo.environment["TERM"] ?? ""
        guard
            ["xterm", "tmux", "screen", "alacritty", "foot", "rxvt", "wezterm", "ghostty"].contains(
                where: terminal.hasPrefix)
        else { return false }
        let sequence = Array("\u{1B}]52;c;\(Data(text.utf8).base64EncodedString())\u{7}".utf8)
        sequence.withUnsafeBytes { bytes in
            howdah_send(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        return true
    }

    // MARK: Events

    public func events(within milliseconds: Int?) -> [Event] {
        var found = drain()
        if !found.isEmpty || stopRequest != nil { return found }
        var files = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: pipe.reader, events: Int16(POLLIN), revents: 0),
        ]
        let timeout = milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
        guard poll(&files, 2, timeout) > 0 else { return [] }
        if files[1].revents != 0 { found += handleSignals() }
        // A terminal that is gone would be readable, and empty, for ever.
        if files[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { stopRequest = SIGHUP }
        return found + drain()
    }

    private func handleSignals() -> [Event] {
        var found: [Event] = []
        for letter in pipe.drain() {
            switch letter {
            case UInt8(ascii: "w"):
                if howdah_fit() != 0 { found.append(.resize(size)) }
            case UInt8(ascii: "t"): stopRequest = SIGTERM
            case UInt8(ascii: "h"): stopRequest = SIGHUP
            case UInt8(ascii: "i"): stopRequest = SIGINT
            case UInt8(ascii: "z"): found.append(.key(.control("z")))
            case UInt8(ascii: "c"):
                shown = nil
                if howdah_fit() != 0 { found.append(.resize(size)) }
                found.append(.resumed)
            default: break
            }
        }
        return found
    }

    private func drain() -> [Event] {
        var found: [Event] = []
        var input = howdah_input()
        while true {
            howdah_read(&input)
            guard Int(input.kind) != HOWDAH_NOTHING else { return found }
            if let event = event(input) { found.append(event) }
        }
    }

    private func event(_ input: howdah_input) -> Event? {
        let kind = Int(input.kind)
        if kind == HOWDAH_KEY, Int(input.value) == HOWDAH_PASTE_START {
            paste = ""
            return nil
        }
        if var text = paste {
            paste = nil
            if kind == HOWDAH_KEY, Int(input.value) == HOWDAH_PASTE_END { return .paste(text) }
            if kind == HOWDAH_CHARACTER, let scalar = Unicode.Scalar(input.value) {
                text.unicodeScalars.append(scalar == "\r" ? "\n" : scalar)
            }
            paste = text
            return nil
        }
        let place = (x: Int(input.x), y: Int(input.y))
        switch kind {
        case HOWDAH_CHARACTER: return KeyCodes.character(input.value).map { .key($0) }
        case HOWDAH_KEY: return KeyCodes.key(Int(input.value)).map { .key($0) }
        case HOWDAH_CLICK: return click(place)
        case HOWDAH_WHEEL_UP: return .wheel(-3, x: place.x, y: place.y)
        case HOWDAH_WHEEL_DOWN: return .wheel(3, x: place.x, y: place.y)
        default: return nil
        }
    }

    private func click(_ place: (x: Int, y: Int)) -> Event {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let time = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
        let isDouble = lastClick.map { time - $0.time < 0.4 && $0.x == place.x && $0.y == place.y } ?? false
        lastClick = isDouble ? nil : (time, place.x, place.y)
        return .click(x: place.x, y: place.y, isDouble: isDouble)
    }
}
