import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import DemoProject
@testable import MigrationEngine

/// Pieces of work that wait for each other.
@Suite struct WorkScheduleTests {
    private typealias Schedule = WorkSchedule<Int, String>

    /// What one thread does, in order.
    private func order(_ items: [Schedule.Item]) -> [Int] {
        let schedule = Schedule(items)
        var order: [Int] = []
        while let item = schedule.next() {
            order.append(item.piece)
            schedule.finish(item)
        }
        return order
    }

    @Test func whatIsGivenFirstIsTakenFirst() {
        let order = order((0..<5).map { .init(piece: $0) })
        #expect(order == [0, 1, 2, 3, 4])
    }

    @Test func aPieceWaitsForEveryPartOfItsMilestone() {
        let order = order([
            .init(piece: 0, after: ["rows"]), .init(piece: 1, partOf: ["rows"]),
            .init(piece: 2, partOf: ["rows"]),
        ])
        #expect(order == [1, 2, 0])
    }

    @Test func aMilestoneWithoutPiecesIsReachedAtOnce() {
        #expect(order([.init(piece: 0, after: ["nothing"])]) == [0])
    }

    @Test func whatCanNeverBeFreeEndsTheWorkInsteadOfHangingIt() {
        #expect(order([.init(piece: 0, after: ["self"], partOf: ["self"])]).isEmpty)
    }

    @Test func theLastPieceOfAMilestoneSaysThatItIsReached() throws {
        let schedule = Schedule([.init(piece: 0, partOf: ["a", "b"]), .init(piece: 1, partOf: ["b"])])
        let first = try #require(schedule.next())
        let second = try #require(schedule.next())
        #expect(schedule.finish(first) == ["a"])
        #expect(schedule.finish(second) == ["b"])
    }

    @Test func piecesOfOneLaneAreNotTakenTogether() throws {
        let schedule = Schedule([
            .init(piece: 0, exclusive: "lane"), .init(piece: 1, exclusive: "lane"), .init(piece: 2),
        ])
        let first = try #require(schedule.next())
        let other = try #require(schedule.next())
        #expect(first.piece == 0)
        #expect(other.piece == 2)
        schedule.finish(first)
        #expect(schedule.next()?.piece == 1)
    }

    @Test func waitingThreadsEndWhenTheWorkIsStopped() throws {
        let schedule = Schedule([.init(piece: 0, partOf: ["a"]), .init(piece: 1, after: ["a"])])
        _ = try #require(schedule.next())
        let isOver = Atomic<Bool>(false)
        let waiting = Thread {
            isOver.store(schedule.next() == nil, ordering: .relaxed)
        }
        waiting.start()
        schedule.stop()
        #expect(waitUntil { isOver.load(ordering: .relaxed) })
        #expect(schedule.next() == nil)
    }

    /// Random graphs, with several threads: nothing is done before what it waits for, nothing twice, and all of it.
    @Test(arguments: 0..<20 as Range<UInt64>) func severalThreadsKeepTheOrder(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = 60
        let items = (0..<count).map { number in
            Schedule.Item(
                piece: number,
                after: Set((0..<2).map { _ in "m\(Int.random(in: 0..<max(1, number), using: &random))" })
                    .filter { number > 0 && $0 != "m\(number)" },
                partOf: ["m\(number)"],
                exclusive: Bool.random(using: &random) ? "lane\(number % 3)" : nil)
        }
        let schedule = Schedule(items)
        let log = Mutex<(done: Set<String>, busy: Set<String>, count: Int, faults: [String])>(([], [], 0, []))
        try WorkerThreads.run(count: 4) { _ in
            while let item = schedule.next() {
                log.withLock { log in
                    if !item.after.isSubset(of: log.done) { log.faults.append("\(item.piece) too early") }
                    if let lane = item.exclusive, !log.busy.insert(lane).inserted {
                        log.faults.append("\(item.piece) beside another of \(lane)")
                    }
                }
                sched_yield()
                log.withLock { log in
                    log.done.formUnion(item.partOf)
                    log.count += 1
                    if let lane = item.exclusive { log.busy.remove(lane) }
                }
                schedule.finish(item)
            }
        }
        let (done, faults) = log.withLock { ($0.count, $0.faults) }
        #expect(faults.isEmpty)
        #expect(done == count)
    }
}

/// What waits for what in a migration.
@Suite struct TableWorkTests {
    private enum Step: Hashable {
        case load(String), index(String), make(String), validate(String), analyze(String), compare(String)
    }

    /// The steps in the order in which one thread does them.
    private func steps(_ script: String) throws -> [Step] {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", script)
            let preparation = try TestMigration().prepare("\(folder)/a.db", state: "\(folder)/s")
            let tables = preparation.plan.tables.map(\.name)
            let cancellation = Cancellation()
            let prover = Prover(
                data: preparation.data,
                server: TargetServer(try Conninfo("nowhere"), cancellation: cancellation), schema: "public",
                cancellation: cancellation, progress: RunProgress(), gate: PauseGate(), differences: nil)
            var work = TableWork()
            work.load(tables.map { .init(table: $0, number: 0, piece: .all) })
            work.make(SchemaScript(preparation.plan), tables: tables, present: .init())
            work.compare(
                zip(preparation.catalog.tables, preparation.plan.tables).map { source, planned in
                    let codes = planned.columns.map {
                        ColumnCode($0, enums: [], dates: DateReading(style: .plain, isDecided: false))
                    }
                    let names = planned.columns.map(\.name)
                    return ProofTable(
                        source: source, target: source.name, profile: TableProfile(), columns: names,
                        targetColumns: names, codes: codes, foreign: [:],
                        counters: .init(name: source.name, rows: 0))
                }, by: prover)
            let schedule = TableWork.Schedule(work.items)
            var steps: [Step] = []
            while let item = schedule.next() {
                switch item.piece {
                case .load(let chunk): steps.append(.load(chunk.table))
                case .make(let object, let sql):
                    let name = object.name
                    steps.append(
                        sql == object.validation
                            ? .validate(name)
                            : sql == object.parts?.index || object.kind == .index ? .index(name) : .make(name)
                    )
                case .analyze(let table): steps.append(.analyze(table))
                case .compare(let job): steps.append(.compare(job.table.source.name))
                }
                schedule.finish(item)
            }
            return steps
        }
    }

    @Test func everyPieceComesAfterWhatItNeeds() throws {
        let steps = try steps(
            """
            CREATE TABLE parent (name TEXT PRIMARY KEY) WITHOUT ROWID;
            CREATE TABLE child (name TEXT NOT NULL UNIQUE, parent TEXT REFERENCES parent (name), up TEXT
                REFERENCES child (name), CHECK (name <> ''));
            CREATE INDEX child_parent ON child (parent);
            """)
        let place = Dictionary(steps.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let rules: [(Step, before: Step)] = [
            (.load("child"), .index("child_name_key")), (.load("child"), .index("child_parent")),
            (.index("child_name_key"), .compare("child")),
            (.index("child_name_key"), .make("child_name_key")),
            (.index("child_parent"), .make("child_name_key")),
            (.index("child_parent"), .make("child_name_check")),
            (.load("parent"), .index("parent_pkey")), (.index("parent_pkey"), .compare("parent")),
            (.index("parent_pkey"), .make("parent_pkey")), (.make("parent_pkey"), .make("child_parent_fkey")),
            (.make("child_name_check"), .make("child_parent_fkey")),
            (.make("child_parent_fkey"), .validate("child_parent_fkey")),
            (.make("child_up_fkey"), .validate("child_parent_fkey")),
            (.make("child_parent_fkey"), .analyze("parent")), (.make("child_name_check"), .analyze("child")),
        ]
        for (step, next) in rules {
            let (first, second) = (try #require(place[step]), try #require(place[next]))
            #expect(first < second, "\(step) before \(next)")
        }
        #expect(steps.count == Set(steps).count)
    }

    @Test func aTableIsComparedWhileAnotherIsLoaded() throws {
        let steps = try steps("CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (x TEXT)")
        #expect(steps.contains(.compare("b")))
        // With one thread loading comes first; nothing of b's waits for a.
        var work = TableWork()
        work.load([.init(table: "a", number: 0, piece: .all), .init(table: "b", number: 0, piece: .all)])
        let schedule = TableWork.Schedule(
            work.loads + [
                .init(piece: .analyze(table: "b"), after: [.loaded("b")]),
                .init(piece: .analyze(table: "a"), after: [.loaded("a")]),
            ])
        _ = schedule.next()
        let b = try #require(schedule.next())
        schedule.finish(b)
        guard case .analyze(let table) = schedule.next()?.piece else {
            Issue.record("the table that is loaded waits for the other")
            return
        }
        #expect(table == "b")
    }
}

/// The memory that the server may take to make indexes.
@Suite struct BuildSettingsTests {
    @Test(arguments: [
        // A small machine, a middling one, a large one; many sessions; a server that is set to more already.
        (1024, 2, 64, 64), (4096, 2, 64, 256), (64000, 2, 64, 512), (16000, 16, 64, 125),
        (1024, 2, 1024, 1024),
        (0, 0, 64, 64),
    ])
    func everySessionGetsItsShareOfTheServersMemory(memory: Int, sessions: Int, present: Int, expected: Int) {
        let settings = BuildSettings(serverMegabytes: memory, sessions: sessions, present: present)
        #expect(settings.maintenanceWorkMegabytes == expected)
    }
}
