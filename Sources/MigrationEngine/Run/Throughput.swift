import Foundation
import Synchronization

/// How many rows were loaded and compared over time, kept for the report: a few points for each piece of work.
public struct Throughput: Codable, Sendable, Equatable {
    public struct Point: Codable, Sendable, Equatable {
        /// Since the recording began.
        public let seconds: Double
        public let loaded: Int
        public let compared: Int

        public init(seconds: Double, loaded: Int, compared: Int) {
            self.seconds = seconds
            self.loaded = loaded
            self.compared = compared
        }
    }

    public struct Recording: Codable, Sendable, Equatable {
        /// What was done: `migrate`, or a step's title.
        public let name: String
        /// UTC, ISO 8601.
        public let started: String
        public internal(set) var points: [Point]

        public init(name: String, started: String, points: [Point]) {
            self.name = name
            self.started = started
            self.points = points
        }
    }

    /// The newest recording of each name, the oldest first.
    public private(set) var recordings: [Recording] = []

    public init() {}

    private static func path(_ mode: String) -> String { "reports/throughput-\(mode).json" }

    /// What was kept of a mode, `rehearsal` or `live`.
    public static func kept(in state: StateFolder, mode: String) -> Throughput {
        readJSON(Throughput.self, "\(state.path)/\(path(mode))") ?? Throughput()
    }

    /// Records the progress of `body`, also where it fails, and keeps the recording in the place of an older one. Recordings of
    /// `replacing` go with it. What cannot be kept is missing in a picture, and stops no work.
    public static func recording<T>(
        _ name: String, _ progress: RunProgress, in state: StateFolder, mode: String,
        replacing: [String] = [], _ body: () throws -> T
    ) rethrows -> T {
        let started = Date().formatted(.iso8601)
        let recorder = ThroughputRecorder(progress)
        defer {
            var all = kept(in: state, mode: mode)
            all.recordings.removeAll { $0.name == name || replacing.contains($0.name) }
            all.recordings.append(Recording(name: name, started: started, points: recorder.stop()))
            if let text = try? jsonText(all), (try? state.folder("reports")) != nil {
                try? state.write(text, to: path(mode))
            }
        }
        return try body()
    }
}

/// Samples a run's counters from a thread of its own; the longer the work takes, the wider apart.
private final class ThroughputRecorder: Sendable {
    /// Points that are kept at most.
    private static let most = 120

    private let points = Mutex<[Throughput.Point]>([])
    private let wakes = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ progress: RunProgress) {
        let thread = Thread { [self] in
            sample(progress)
            ended.signal()
        }
        thread.name = "howdah-throughput"
        thread.start()
    }

    /// Ends the recording, with a last point.
    func stop() -> [Throughput.Point] {
        wakes.signal()
        ended.wait()
        return points.withLock { $0 }
    }

    private func sample(_ progress: RunProgress) {
        let start = ContinuousClock.now
        var interval = 0.05
        var isLast = false
        while true {
            let tables = progress.tables
            let point = Throughput.Point(
                seconds: rounded((ContinuousClock.now - start).seconds),
                loaded: tables.reduce(0) { $0 + $1.loadedRows },
                compared: tables.reduce(0) { $0 + $1.comparedRows })
            points.withLock { points in
                points.append(point)
                guard points.count >= Self.most, !isLast else { return }
                points = points.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
                interval *= 2
            }
            if isLast { return }
            isLast = wakes.wait(timeout: .now() + interval) == .success
        }
    }
}
