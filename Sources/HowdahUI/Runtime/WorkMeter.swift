import MigrationEngine
import Playbook

/// Turns the counters of an activity into what the screen shows: rate, time left, samples.
struct WorkMeter {
    /// Seconds between two samples, and over how many of them the rate is taken.
    private static let interval = 0.25
    private static let window = 12
    private static let mostSamples = 60

    private var phase: RunProgress.Phase?
    private var points: [(time: Double, rows: Int)] = []
    private var samples: [Double] = []
    /// What was read of the activity that is measured, to tell a new one.
    private var start: ContinuousClock.Instant?

    /// What to show of an activity now.
    mutating func view(_ activity: Activity) -> WorkView {
        if start != activity.start {
            self = WorkMeter()
            start = activity.start
        }
        let progress = activity.progress
        let elapsed = (ContinuousClock.now - activity.start).seconds
        let now = progress.phase
        if now != phase {
            phase = now
            points = []
            samples = []
        }
        var view = WorkView(step: activity.step, isUndo: activity.isUndo)
        view.elapsed = elapsed
        view.isPaused = activity.gate.isClosed
        view.isCancelling = activity.cancellation.isCancelled
        view.phase = now?.rawValue ?? ""
        view.waiting = progress.waiting
        view.total = progress.rowsTotal
        view.errors = progress.queriesFailed
        view.done = now == .snapshot ? Int(progress.snapshotFraction * 100) : progress.rowsDone
        if !view.isPaused { measure(view.done, elapsed) }
        view.samples = samples
        view.rate = rate
        if view.rate > 0, view.total > view.done {
            view.secondsLeft = Double(view.total - view.done) / view.rate
        }
        for table in progress.tables {
            view.loaded[table.name] = table.loadedRows
            view.compared[table.name] = table.comparedRows
        }
        if now != .copy { view.loaded = [:] }
        return view
    }

    private mutating func measure(_ rows: Int, _ time: Double) {
        guard let last = points.last else {
            points = [(time, rows)]
            return
        }
        guard time - last.time >= Self.interval else { return }
        samples.append(max(0, Double(rows - last.rows) / (time - last.time)))
        if samples.count > Self.mostSamples { samples.removeFirst() }
        points.append((time, rows))
        if points.count > Self.window { points.removeFirst() }
    }

    private var rate: Double {
        guard let first = points.first, let last = points.last, last.time > first.time else { return 0 }
        return max(0, Double(last.rows - first.rows) / (last.time - first.time))
    }
}
