import Foundation
import Synchronization
import TestSupport
import Testing

@testable import MigrationEngine

/// Programs that are watched while they run, and how they end.
@Suite struct CommandStreamTests {
    private struct Run {
        var output = ""
        var ending: Command.Ending
    }

    /// Runs a script; `whenItSays` is called once its output has a word.
    private func run(
        _ script: String, timeout: Duration = .seconds(60), cancellation: Cancellation = Cancellation(),
        whenItSays word: String = "\u{0}", _ body: () -> Void = {}
    ) throws -> Run {
        var command = Command(
            "/bin/sh", ["-c", script], in: "/tmp", environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"])
        command.timeout = timeout
        var output = ""
        var isSaid = false
        let ending = try command.stream(cancellation: cancellation) { bytes in
            output += String(decoding: bytes, as: UTF8.self)
            if !isSaid, output.contains(word) {
                isSaid = true
                body()
            }
        }
        return Run(output: output, ending: ending)
    }

    private func isAlive(_ process: Int32) -> Bool { ProcessIdentity.of(process) != nil }

    private func numbers(_ text: String) -> [Int32] {
        text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
    }

    @Test func outputComesWhileItRunsAndTheStatusIsTheProgramsOwn() throws {
        try withTemporaryFolder { folder in
            // It ends only once its first line was seen here.
            let run = try run(
                "echo first; while [ ! -e \(folder)/go ]; do sleep 0.02; done; echo second >&2; exit 7",
                whenItSays: "first\n"
            ) { _ = FileManager.default.createFile(atPath: "\(folder)/go", contents: nil) }
            #expect(run.output == "first\nsecond\n")
            #expect(run.ending.status == 7)
            #expect(!run.ending.isLate && !run.ending.isCancelled)
        }
    }

    @Test func itHasNoTerminalAndNothingToRead() throws {
        let run = try run(
            "read x && echo read; (: < /dev/tty) 2>/dev/null && echo tty; [ -t 1 ] && echo out; echo end")
        #expect(run.output == "end\n")
    }

    @Test func aWishToCancelEndsGrandchildrenThatDoNotListen() throws {
        let cancellation = Cancellation()
        let run = try run(
            "trap '' TERM; (trap '' TERM; sh -c 'sleep 600 & echo $!; wait' & echo $!; wait) & echo $!; echo ready; wait; wait; sleep 600",
            cancellation: cancellation, whenItSays: "ready"
        ) { cancellation.cancel() }
        #expect(run.ending.isCancelled)
        #expect(run.ending.status == 128 + SIGKILL)
        let processes = numbers(run.output)
        #expect(!processes.isEmpty)
        #expect(waitUntil { !processes.contains(where: isAlive) })
    }

    @Test func whatListensToSIGTERMIsNotKilled() throws {
        let cancellation = Cancellation()
        let run = try run(
            "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done",
            cancellation: cancellation,
            whenItSays: "ready"
        ) { cancellation.cancel() }
        #expect(run.output.hasSuffix("bye\n"))
        #expect(run.ending.status == 3)
        #expect(run.ending.isCancelled)
    }

    @Test func whatTakesTooLongIsEndedAndToldAsLate() throws {
        let run = try run("sleep 600", timeout: .milliseconds(200))
        #expect(run.ending.isLate)
        #expect(!run.ending.isCancelled)
        #expect(run.ending.status == 128 + SIGTERM)
    }

    @Test func whatAProgramLeavesRunningEndsWithIt() throws {
        let run = try run("sleep 600 & echo $!; exit 0")
        #expect(run.ending.status == 0)
        let processes = numbers(run.output)
        #expect(processes.count == 1)
        #expect(waitUntil { !processes.contains(where: isAlive) })
    }

    /// A daemon leaves the group, and holds the pipe: howdah does not wait for it, and says so in its documents.
    @Test func aDaemonDoesNotHoldUpTheEnd() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/setsid") else { return }
        let run = try run("setsid sleep 600 & echo $!; exit 0")
        #expect(run.ending.status == 0)
        #expect(run.ending.seconds < 30)
        for process in numbers(run.output) { kill(process, SIGKILL) }
    }

    @Test func aProgramThatIsNotThereEndsAsTheShellSays() throws {
        let command = Command("no-such-program-at-all", [], in: "/tmp", environment: ["PATH": "/bin"])
        let ending = try command.stream(cancellation: Cancellation()) { _ in }
        #expect(ending.status == 127)
    }

    /// As many at once as cores twice over: no descriptor of one is inherited by another, so that each sees its end.
    @Test func manyAtOnceEndEachWithItsOwn() throws {
        let outputs = Mutex<[Int: String]>([:])
        try WorkerThreads.run(count: 8) { index in
            let run = try run("echo \(index); sleep 0.0\(index)")
            outputs.withLock { $0[index] = run.output }
        }
        #expect(outputs.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, "\($0)\n") }))
    }

    @Test func aProcessIsTheSameOnlyWhileItLives() throws {
        #expect(ProcessIdentity.of(getpid()) == ProcessIdentity.of(getpid()))
        #expect(ProcessIdentity.of(getpid()) != nil)
        #expect(ProcessIdentity.of(getppid()) != ProcessIdentity.of(getpid()))
        #expect(ProcessIdentity.of(0) == nil)
        #expect(ProcessIdentity.of(-1) == nil)
    }
}
