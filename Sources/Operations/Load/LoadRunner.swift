import Foundation
import MigrationEngine
import Synchronization

/// What sessions measured, of one database.
struct LoadFigures: Sendable {
    struct Kind: Sendable {
        var latency = LatencyHistogram()
        var errors = 0
    }

    /// A kind of failure: how often it came, and what it said the first time.
    struct Failure: Sendable {
        var count = 0
        var sample = ""
    }

    var kinds: [LoadKind: Kind] = [:]
    var failures: [String: Failure] = [:]
    var opened = 0
    /// How many answers each session got.
    var answers: [Int] = []
    var seconds = 0.0
    /// How long the gate was closed.
    var paused = Duration.zero

    mutating func fail(_ failure: LoadFailure, _ kind: LoadKind?) {
        if let kind { kinds[kind, default: Kind()].errors += 1 }
        failures[failure.state, default: Failure(sample: failure.message)].count += 1
    }

    mutating func merge(_ other: LoadFigures) {
        for (kind, figures) in other.kinds {
            kinds[kind, default: Kind()].latency.merge(figures.latency)
            kinds[kind, default: Kind()].errors += figures.errors
        }
        for (state, failure) in other.failures {
            failures[state, default: Failure(sample: failure.sample)].count += failure.count
        }
        opened += other.opened
        answers += other.answers
        paused = max(paused, other.paused)
    }
}

/// Asks the queries of a mix from several sessions at once, each on a thread of its own, until the time is over.
///
/// What fails is counted, and the session goes on; one that has lost its connection, or got none, tries again.
struct LoadRunner: Sendable {
    let mix: LoadMix
    let sessions: Int
    let seconds: Double
    /// Whether rows of a divided pool are used up.
    let commits: Bool
    let cancellation: Cancellation
    let gate: PauseGate
    /// Hears of each query: true where it failed.
    let count: @Sendable (_ isFailure: Bool) -> Void
    /// Makes the session of a number; throws `LoadFailure`.
    let open: @Sendable (Int) throws -> any LoadSession

    func run() throws -> LoadFigures {
        let all = Mutex(LoadFigures())
        let start = ContinuousClock.now
        let deadline = start.advanced(by: .seconds(seconds))
        let seed = UInt64.random(in: 0 ... .max)
        try WorkerThreads.run(count: sessions) { number in
            var worker = Worker(runner: self, number: number, seed: seed, deadline: deadline)
            let figures = try worker.run()
            all.withLock { $0.merge(figures) }
        }
        var figures = all.withLock { $0 }
        figures.seconds = (ContinuousClock.now - start - figures.paused).seconds
        return figures
    }

    /// One user.
    private struct Worker {
        let runner: LoadRunner
        let number: Int
        var figures = LoadFigures()
        var maker: FreshMaker
        /// Queries with the rows that this session may use.
        var pools: [[[LoadSlot]]]
        var byKind: [(kind: LoadKind, queries: [Int])]
        var hasOpened = false
        private var deadline: ContinuousClock.Instant

        init(runner: LoadRunner, number: Int, seed: UInt64, deadline: ContinuousClock.Instant) {
            self.deadline = deadline
            self.runner = runner
            self.number = number
            maker = FreshMaker(session: number, seed: seed)
            let pools = runner.mix.queries.map { query in
                query.isDivided
                    ? query.pool.indices.filter { $0 % runner.sessions == number }.map { query.pool[$0] }
                    : query.pool
            }
            self.pools = pools
            byKind = LoadKind.allCases.compactMap { kind in
                let own = runner.mix.queries.indices.filter {
                    runner.mix.queries[$0].kind == kind && !pools[$0].isEmpty
                }
                return own.isEmpty ? nil : (kind, own)
            }
        }

        mutating func run() throws -> LoadFigures {
            while ContinuousClock.now < deadline, !byKind.isEmpty {
                try passGate()
                try runner.cancellation.check()
                do {
                    let session = try runner.open(number)
                    if !hasOpened { figures.opened += 1 }
                    hasOpened = true
                    try runner.cancellation.whileRegistered(session.stop) {
                        try ask(session)
                    }
                } catch let failure as LoadFailure {
                    try runner.cancellation.check()
                    figures.fail(failure, nil)
                    runner.count(true)
                    pause(200)
                }
            }
            figures.answers = [figures.kinds.values.reduce(0) { $0 + $1.latency.count }]
            return figures
        }

        /// While it waits, the clock stands.
        private mutating func passGate() throws {
            guard runner.gate.isClosed else { return }
            let closed = ContinuousClock.now
            try runner.gate.pass(runner.cancellation)
            let time = ContinuousClock.now - closed
            deadline = deadline.advanced(by: time)
            figures.paused += time
        }

        /// Throws the failure by which the session ends before its time.
        private mutating func ask(_ session: any LoadSession) throws {
            while ContinuousClock.now < deadline, let index = pick() {
                try passGate()
                try runner.cancellation.check()
                let query = runner.mix.queries[index]
                let place = maker.index(below: pools[index].count)
                var values: [LoadValue] = []
                for slot in pools[index][place] {
                    switch slot {
                    case .value(let value): values.append(value)
                    case .fresh(let fresh): values.append(maker.value(fresh))
                    }
                }
                let start = ContinuousClock.now
                do {
                    try session.perform(index, query, values)
                    let time = ContinuousClock.now - start
                    figures.kinds[query.kind, default: .init()].latency.add(
                        microseconds: Int(time.seconds * 1_000_000))
                    runner.count(false)
                } catch let failure as LoadFailure {
                    try runner.cancellation.check()
                    if failure.isLost { throw failure }
                    figures.fail(failure, query.kind)
                    runner.count(true)
                    pause(5)
                }
                if query.isDivided, runner.commits { useUp(index, place) }
            }
        }

        /// A query: its kind by weight, and any of that kind.
        private mutating func pick() -> Int? {
            let total = byKind.reduce(0) { $0 + $1.kind.weight }
            guard total > 0 else { return nil }
            var number = maker.index(below: total)
            for (kind, queries) in byKind {
                number -= kind.weight
                if number < 0 { return queries[maker.index(below: queries.count)] }
            }
            return nil
        }

        private mutating func useUp(_ index: Int, _ place: Int) {
            pools[index].remove(at: place)
            guard pools[index].isEmpty else { return }
            byKind = byKind.compactMap { kind, queries in
                let rest = queries.filter { $0 != index }
                return rest.isEmpty ? nil : (kind, rest)
            }
        }

        /// What fails at once must not fail thousands of times a second.
        private func pause(_ milliseconds: Int) {
            var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
            nanosleep(&time, nil)
        }
    }
}
