import Foundation
import MigrationEngine
import Synchronization

/// Shows how far a run is: a line that is drawn over on a terminal, a line now and then elsewhere.
final class ProgressReporter: Sendable {
    private let progress: RunProgress
    private let isStopped = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)
    private let draws: Bool

    /// Reports from a thread of its own until `stop`.
    init(_ progress: RunProgress) {
        self.progress = progress
        draws = isatty(STDERR_FILENO) == 1
        let thread = Thread { [self] in
            loop()
            ended.signal()
        }
        thread.name = "howdah-progress"
        thread.start()
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        ended.wait()
    }

    private func loop() {
        var last: RunProgress.Phase?
        var start = ContinuousClock.now
        var startRows = 0
        var nextLine = ContinuousClock.now.advanced(by: .seconds(2))
        var said = ""
        while !isStopped.load(ordering: .relaxed) {
            showNotes()
            let phase = progress.phase
            let now = ContinuousClock.now
            if phase != last {
                last = phase
                start = now
                startRows = progress.rowsDone
                nextLine = now.advanced(by: .seconds(2))
                if let phase, !draws { Console.note(Self.title(phase)) }
            }
            if let phase {
                let line = describe(phase, rowsSince: startRows, seconds: (now - start).seconds)
                if draws {
                    Console.progressLine(line)
                } else if now > nextLine {
                    Console.note(line)
                    nextLine = now.advanced(by: .seconds(2))
                }
            }
            if phase == nil, let words = progress.waiting {
                if draws {
                    Console.progressLine(words)
                } else if words != said, said.isEmpty || now > nextLine {
                    Console.note(words)
                    said = words
                    nextLine = now.advanced(by: .seconds(2))
                }
            }
            wait()
        }
        showNotes()
        if draws { Console.progressLine("") }
    }

    private func showNotes() {
        for note in progress.takeNotes() {
            if draws { Console.progressLine("") }
            Console.note("! \(note)")
        }
    }

    /// A tenth of a second, in pieces, so that a short run does not wait for its reporter.
    private func wait() {
        for _ in 0..<10 where !isStopped.load(ordering: .relaxed) {
            var time = timespec(tv_sec: 0, tv_nsec: 10_000_000)
            nanosleep(&time, nil)
        }
    }

    private static func title(_ phase: RunProgress.Phase) -> String {
        switch phase {
        case .snapshot: "snapshot: copying and checking the source"
        case .profile: "profile: looking at every value"
        case .check: "check: plan, keys and types"
        case .prepare: "prepare: making the tables"
        case .copy: "copy: loading the rows"
        case .constraints: "constraints: keys, indexes, foreign keys, sequences"
        case .proof: "proof: comparing every cell"
        case .digest: "digest: hashing every row of both sides"
        case .load: "load: many users at once"
        case .export: "export: writing every row"
        case .rebuild: "rebuild: reading the files, and holding them against the manifest"
        case .backup: "backup: dumping the database, and reading the file to its end"
        case .restore: "restore: into a scratch database"
        }
    }

    private func describe(_ phase: RunProgress.Phase, rowsSince: Int, seconds: Double) -> String {
        switch phase {
        case .snapshot: return "snapshot  \(Int(progress.snapshotFraction * 100)) %"
        case .profile: return "profile  \(Format.count(progress.rowsDone)) rows"
        case .check, .prepare, .constraints, .backup, .restore:
            return "\(phase.rawValue)  \(Format.seconds(seconds))"
        case .load:
            let done = progress.queriesDone
            let rate = seconds > 0.2 ? Int(Double(done) / seconds) : 0
            return "load  \(Format.seconds(seconds))  \(Format.count(done, "query", "queries"))  "
                + "\(Format.count(rate))/s  \(Format.count(progress.queriesFailed, "error", "errors"))"
        case .copy, .proof, .digest, .export, .rebuild:
            let done = progress.rowsDone
            let total = max(progress.rowsTotal, 1)
            let rate = seconds > 0.2 ? Double(done - rowsSince) / seconds : 0
            let left = rate > 0 ? "  \(Format.seconds(Double(max(0, total - done)) / rate)) left" : ""
            let filled = min(20, done * 20 / total)
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
            return
                "\(phase.rawValue)  [\(bar)]  \(Format.count(done)) of \(Format.count(progress.rowsTotal)) rows  "
                + "\(Format.count(Int(rate)))/s\(left)"
        }
    }
}
