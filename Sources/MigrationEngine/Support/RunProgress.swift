import Synchronization

/// How far a run is, for screens and progress lines: workers bump counters, a reader takes the newest values.
///
/// Any thread may use it. What must not be lost goes into the report, never only through here.
public final class RunProgress: Sendable {
    public enum Phase: String, Sendable, CaseIterable {
        case snapshot, profile, check, prepare, copy, constraints, proof, digest, load, export, rebuild,
            backup,
            restore
    }

    /// The counters of one table.
    public final class Table: Sendable {
        public let name: String
        public let rows: Int
        let loaded = Atomic<Int>(0)
        let compared = Atomic<Int>(0)
        let quarantined = Atomic<Int>(0)

        package init(name: String, rows: Int) {
            self.name = name
            self.rows = rows
        }

        /// Counts rows that were compared.
        package func count(compared rows: Int) { compared.add(rows, ordering: .relaxed) }

        public var loadedRows: Int { loaded.load(ordering: .relaxed) }
        public var comparedRows: Int { compared.load(ordering: .relaxed) }
        public var quarantinedRows: Int { quarantined.load(ordering: .relaxed) }
    }

    private struct State {
        var phase: Phase?
        var phaseStart = ContinuousClock.now
        var finished: [(phase: Phase, duration: Duration)] = []
        var tables: [Table] = []
        var notes: [String] = []
        var waiting: String?
    }

    private let state = Mutex(State())
    let preparedRows = Atomic<Int>(0)
    private let queries = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    /// Parts per thousand of the snapshot.
    let snapshotDone = Atomic<Int>(0)

    public init() {}

    public var phase: Phase? { state.withLock { $0.phase } }

    public var tables: [Table] { state.withLock { $0.tables } }

    /// Rows that the phase of the moment has read or written.
    public var rowsDone: Int {
        switch phase {
        case .copy, .export, .rebuild: tables.reduce(0) { $0 + $1.loadedRows }
        case .proof, .digest: tables.reduce(0) { $0 + $1.comparedRows }
        case .profile: preparedRows.load(ordering: .relaxed)
        case .load: queriesDone
        default: 0
        }
    }

    public var rowsTotal: Int { tables.reduce(0) { $0 + $1.rows } }

    public var snapshotFraction: Double { Double(snapshotDone.load(ordering: .relaxed)) / 1000 }

    /// Begins a phase, and ends the one before.
    public func begin(_ phase: Phase) {
        state.withLock { state in
            Self.close(&state)
            state.phase = phase
            state.phaseStart = .now
        }
    }

    /// Queries of a load test that were answered, and those that failed.
    public var queriesDone: Int { queries.load(ordering: .relaxed) }
    public var queriesFailed: Int { failures.load(ordering: .relaxed) }

    /// Counts one query of a load test.
    public func countQuery(isFailure: Bool) {
        if isFailure {
            failures.add(1, ordering: .relaxed)
        } else {
            queries.add(1, ordering: .relaxed)
        }
    }

    /// Begins a phase, unless it has begun already.
    func begin(unlessBegun phase: Phase) {
        if self.phase != phase { begin(phase) }
    }

    /// Something that the operator should hear at once, such as a lost connection.
    func note(_ words: String) {
        state.withLock { $0.notes.append(words) }
    }

    /// Notes why the work waits, and says so as long as `body` runs.
    func waiting<T>(_ words: String, _ body: () throws -> T) rethrows -> T {
        note(words)
        state.withLock { $0.waiting = words }
        defer { state.withLock { $0.waiting = nil } }
        return try body()
    }

    /// What the work does at this moment, in words of its own; nil takes them away.
    public func say(_ words: String?) {
        state.withLock { $0.waiting = words }
    }

    /// Why the work waits at this moment, or what it does.
    public var waiting: String? { state.withLock { $0.waiting } }

    /// What was noted since the last call.
    public func takeNotes() -> [String] {
        state.withLock { state in
            defer { state.notes = [] }
            return state.notes
        }
    }

    /// A number that grows as a run gets on.
    var reached: Int {
        let phase = phase.flatMap { Phase.allCases.firstIndex(of: $0) } ?? 0
        return tables.reduce(phase << 40) { $0 + $1.loadedRows + $1.comparedRows }
    }

    /// Ends the phase of the moment.
    public func end() {
        state.withLock { Self.close(&$0) }
    }

    private static func close(_ state: inout State) {
        guard let phase = state.phase else { return }
        state.finished.append((phase, ContinuousClock.now - state.phaseStart))
        state.phase = nil
    }

    package func setTables(_ tables: [Table]) {
        state.withLock { $0.tables = tables }
    }

    /// How long each finished phase took, in their order.
    public var durations: [(phase: Phase, duration: Duration)] { state.withLock { $0.finished } }

    /// How long a phase took, each time that it ended.
    public func seconds(_ phase: Phase) -> Double {
        durations.filter { $0.phase == phase }.reduce(0) { $0 + $1.duration.seconds }
    }

    /// The phase of the moment, or the one that ended last; nil before the first.
    public var last: Phase? { state.withLock { $0.phase ?? $0.finished.last?.phase } }
}

extension Duration {
    /// Seconds with their fraction.
    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
