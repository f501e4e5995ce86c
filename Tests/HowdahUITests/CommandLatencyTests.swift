import AppProject
import Foundation
import MigrationEngine
import Playbook
import TerminalUI
import TestSupport
import Testing

@testable import HowdahUI

/// A terminal that presses a key now and then, and measures how long the screen takes to show what came of it.
private final class StopwatchTerminal: Terminal {
    let size = Size(120, 40)
    var look = Look(theme: Themes.shipped.standard, symbols: .unicode)
    var isMouseOn = true
    private(set) var delays: [Duration] = []
    private(set) var lastLines: [String] = []
    private let bell = DispatchSemaphore(value: 0)
    private var pressed: ContinuousClock.Instant?
    private var next = ContinuousClock.now.advanced(by: .seconds(1))
    private let keys = ["k", "PgUp", "G", "j", "k", "G"].compactMap { Key($0) }
    private var count = 0
    private let most: Int

    init(keys most: Int) {
        self.most = most
    }

    func show(_ buffer: Buffer, cursor: (x: Int, y: Int)?) {
        if let pressed { delays.append(.now - pressed) }
        pressed = nil
        lastLines = buffer.lines
    }

    func redraw() {}
    func stop() {}
    var stopRequest: Int32? { nil }
    func copy(_ text: String) -> Bool { false }
    func suspended(_ body: () -> Void) { body() }

    var wake: @Sendable () -> Void {
        let bell = bell
        return { @Sendable in bell.signal() }
    }

    func events(within milliseconds: Int?) -> [Event] {
        if count >= most { return [.key(.control("c")), .key(.control("c"))] }
        // To the output of the command, once it is listed.
        let isListed = count == 0 || lastLines.contains { $0.contains("flood") }
        if ContinuousClock.now >= next, isListed {
            next = .now.advanced(by: .milliseconds(40))
            pressed = .now
            count += 1
            if count == 1 { return [.key(.character("5"))] }
            return [.key(count <= 3 ? .tab : keys[count % keys.count])]
        }
        _ = bell.wait(timeout: .now() + .milliseconds(10))
        return []
    }
}

/// While a command writes as fast as it can, keys are answered all the same.
@Suite struct CommandLatencyTests {
    @Test func aKeyIsAnsweredWhileACommandPrintsALot() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
            try TestServer.withDatabase { conninfo in
                let book = try Playbook(Workspace(folder, state: nil), target: conninfo, who: nil)
                try book.setMode(.live)
                try book.addCommand(
                    OwnCommand(
                        name: "flood", run: "yes 'a line of a log that goes on and on'", kind: .service))
                let activity = try #require(book.begin(nil))
                try book.startService("flood", activity)
                book.end(activity)
                let terminal = StopwatchTerminal(keys: 100)
                let runtime = Runtime(
                    terminal: terminal, book: book, themes: Themes.shipped, theme: "default",
                    files: UserFiles(environment: ["XDG_CONFIG_HOME": folder, "XDG_STATE_HOME": folder]),
                    keys: Bindings.standard)
                #expect(runtime.run() == 130)
                runtime.close()
                #expect(
                    terminal.lastLines.contains { $0.contains("goes on and on") },
                    "\(terminal.lastLines.joined(separator: "\n"))")
                let sorted = terminal.delays.sorted()
                try #require(sorted.count >= 95)
                // Other tests run on the same cores; by itself the slowest is far below this too.
                #expect(sorted[sorted.count / 2] < .milliseconds(50), "\(sorted)")
            }
        }
    }
}
