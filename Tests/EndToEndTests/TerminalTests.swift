import Foundation
import SQLite
import TestSupport
import Testing

/// The screens on a real terminal.
@Suite(.serialized) struct TerminalTests {
    private func withScreens(
        _ prefix: String = "", width: Int = 100, height: Int = 30,
        _ body: (Tmux, _ folder: String) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            try makeDatabase(
                "\(folder)/a.db",
                "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO t VALUES (1, 'one')")
            let command =
                "\(prefix) env XDG_CONFIG_HOME=\(folder)/c XDG_STATE_HOME=\(folder)/s \(Howdah.path) \(folder)/a.db"
            let terminal = try Tmux(folder, command, width: width, height: height)
            defer { terminal.close() }
            try body(terminal, folder)
            _ = try Howdah.run(["rehearsal", "remove", "\(folder)/a.db"])
        }
    }

    @Test func openingResizingAndLeavingGivesTheTerminalBack() throws {
        try withScreens(width: 80, height: 24) { terminal, _ in
            #expect(terminal.waitFor("REHEARSAL"))
            #expect(try terminal.isTaken())
            #expect(try terminal.screen().contains("1 Schema │ 2 Env"))
            try terminal.resize(120, 40)
            #expect(terminal.waitFor("┌ Plan "))
            try terminal.resize(60, 15)
            #expect(terminal.waitFor("1S 2E 3D"))
            try terminal.resize(50, 10)
            #expect(terminal.waitFor("howdah needs 60×15"))
            try terminal.resize(80, 24)
            #expect(terminal.waitFor("1 Schema │ 2 Env"))
            try terminal.press("Enter", "q")
            #expect(terminal.waitFor("status 0"))
            #expect(try !terminal.isTaken())
        }
    }

    @Test func aStepRunsByEnterAlone() throws {
        try withScreens { terminal, _ in
            #expect(terminal.waitFor("Welcome"))
            try terminal.press("Enter")
            #expect(waitUntil { (try? !terminal.screen().contains("Welcome")) ?? false })
            try terminal.press("Enter")
            #expect(terminal.waitFor("run 1.1 source?"))
            try terminal.press("Enter")
            #expect(terminal.waitFor("✔ 1.1 source"))
            try terminal.press("q")
            #expect(terminal.waitFor("status 0"))
        }
    }

    @Test(arguments: [SIGTERM, SIGHUP]) func aSignalEndsItInOrder(_ signal: Int32) throws {
        try withScreens { terminal, _ in
            #expect(terminal.waitFor("REHEARSAL"))
            let process = try terminal.process()
            kill(try #require(process), signal)
            #expect(terminal.waitFor("status 130"))
            #expect(try !terminal.isTaken())
        }
    }

    @Test func aCrashGivesTheTerminalBack() throws {
        try withScreens { terminal, _ in
            #expect(terminal.waitFor("REHEARSAL"))
            let process = try terminal.process()
            kill(try #require(process), SIGSEGV)
            #expect(terminal.waitFor("status 139"))
            #expect(try !terminal.isTaken())
        }
    }

    @Test func aReportIsWrittenOrItIsSaidWhyNot() throws {
        try withScreens { terminal, folder in
            #expect(terminal.waitFor("Welcome"))
            try terminal.press("Enter", ":")
            #expect(terminal.waitFor("Command"))
            try terminal.press("report \(folder)/r.md", "Enter")
            #expect(terminal.waitFor("written to \(folder)"))
            let text = try String(contentsOfFile: "\(folder)/r.md", encoding: .utf8)
            #expect(text.contains("> **Nothing has been migrated yet.**"), "\(text)")
            // Nobody may make a file there, root neither.
            let refused = [("\(folder)/r.md", "is there already"), ("/proc/r.md", "cannot be written")]
            for (path, reason) in refused {
                try terminal.press(":")
                #expect(terminal.waitFor("Command"))
                try terminal.press("report \(path)", "Enter")
                #expect(terminal.waitFor(reason), "\(path)")
                try terminal.press("Escape")
                #expect(waitUntil { (try? !terminal.screen().contains(reason)) ?? false })
            }
            #expect(try String(contentsOfFile: "\(folder)/r.md", encoding: .utf8) == text)
            try terminal.press("q")
            #expect(terminal.waitFor("status 0"))
        }
    }

    @Test func controlCTwiceStops() throws {
        try withScreens { terminal, _ in
            #expect(terminal.waitFor("REHEARSAL"))
            try terminal.press("C-c", "C-c")
            #expect(terminal.waitFor("status 130"))
        }
    }

    @Test func controlZGoesToTheShellAndFgComesBack() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
            let terminal = try Tmux(folder, "PS1='$ ' bash --norc --noprofile -i")
            defer { terminal.close() }
            #expect(terminal.waitFor("$"))
            try terminal.press(
                "XDG_CONFIG_HOME=\(folder)/c XDG_STATE_HOME=\(folder)/s \(Howdah.path) \(folder)/a.db",
                "Enter")
            #expect(terminal.waitFor("REHEARSAL"))
            try terminal.press("C-z")
            #expect(terminal.waitFor("Stopped"))
            #expect(try !terminal.isTaken())
            try terminal.press("fg", "Enter")
            #expect(terminal.waitFor("┌ Plan "))
            try terminal.press("Enter", "q")
            #expect(waitUntil { (try? !terminal.isTaken()) ?? false })
        }
    }

    @Test func withoutColourThereAreOnlyAttributes() throws {
        try withScreens("NO_COLOR=1") { terminal, _ in
            #expect(terminal.waitFor("REHEARSAL"))
            let screen = try terminal.screen(colors: true)
            #expect(!screen.contains(/\u{1B}\[[0-9;]*(38|48|3[0-7]|4[0-7]|9[0-7])[;m]/))
            #expect(screen.contains("\u{1B}[1m"))
        }
    }

    @Test(arguments: ["xterm-256color", "screen", "tmux-256color", "linux", "vt100"])
    func commonTerminalsCanBeDrawnOn(_ name: String) throws {
        try withScreens("TERM=\(name)") { terminal, _ in
            #expect(terminal.waitFor("REHEARSAL"))
            try terminal.press("Enter", "q")
            #expect(terminal.waitFor("status 0"))
        }
    }

    @Test(arguments: ["TERM=dumb", "env -u TERM"]) func aTerminalThatCannotBeDrawnOnIsToldWhatToDo(
        _ prefix: String
    ) throws {
        try withScreens(prefix) { terminal, _ in
            #expect(terminal.waitFor("--plain"))
            #expect(terminal.waitFor("status 2"))
        }
    }

    @Test func aLocaleWithoutUnicodeGetsPlainSigns() throws {
        try withScreens("LC_CTYPE=C LANG=C", width: 80, height: 24) { terminal, _ in
            #expect(terminal.waitFor("REHEARSAL"))
            let screen = try terminal.screen()
            #expect(!screen.contains { !$0.isASCII })
            #expect(screen.contains("+ 1 Schema"))
        }
    }

    @Test func aHostileNameNeverReachesTheTerminal() throws {
        try withTemporaryFolder { folder in
            let name = "\u{1B}]0;evil\u{7}\u{1B}[2J\u{202E}x"
            try makeDatabase(
                "\(folder)/a.db", "CREATE TABLE \"\(name)\" (id INTEGER PRIMARY KEY, \"\(name)\" TEXT)")
            let keys = (0..<12).map { _ in "Enter\n:wait-idle\n" }.joined()
            let script = ":wait-idle\n" + keys + "1\nG\n:save-display \(folder)/shown\n"
            try script.write(toFile: "\(folder)/keys", atomically: true, encoding: .utf8)
            let outcome = try Howdah.run(
                ["\(folder)/a.db", "--script", "\(folder)/keys"],
                environment: ["XDG_CONFIG_HOME": "\(folder)/c", "XDG_STATE_HOME": "\(folder)/s"])
            #expect(outcome.exit == 0)
            let shown = try String(contentsOfFile: "\(folder)/shown", encoding: .utf8)
            #expect(!shown.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || $0.value == 0x202E })
            _ = try Howdah.run(["rehearsal", "remove", "\(folder)/a.db"])
        }
    }
}
