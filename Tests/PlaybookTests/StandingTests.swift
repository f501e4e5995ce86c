import Foundation
import MigrationEngine
import Testing

@testable import Playbook

@Suite struct StandingTests {
    private static func entry(
        _ id: Int, _ step: String, _ kind: JournalEntry.Kind, _ text: String = "",
        basis: [String: String] = [:]
    ) -> JournalEntry {
        JournalEntry(
            id: id, time: "2026-01-01T00:00:00Z", who: "ann", mode: .rehearsal, subject: step, kind: kind,
            text: text,
            evidence: [], basis: basis, data: nil)
    }

    private static func status(_ stage: RunStatus.Stage, rows: Int = 10) -> RunStatus {
        RunStatus(
            run: 1, started: "2026-01-01T00:00:00Z", snapshotSHA256: "a", stage: stage, outcome: nil,
            loadedRows: ["t": rows], madeObjects: 1)
    }

    private static func proven(_ outcome: String = "proven") -> RunStatus {
        RunStatus(
            run: 1, started: "2026-01-01T00:00:00Z", snapshotSHA256: "a", stage: .ended, outcome: outcome,
            loadedRows: ["t": 10], madeObjects: 1)
    }

    private static func standing(
        _ entries: [JournalEntry], now: [Step.Basis: String] = [:], status: RunStatus?? = nil,
        running: String? = nil
    ) -> Standing {
        var newest: [String: JournalEntry] = [:]
        for entry in entries { newest[entry.subject] = entry }
        return Standing(entries: newest, now: now, status: status, running: running)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let step: String
        let entries: [JournalEntry]
        var now: [Step.Basis: String] = [:]
        var status: RunStatus??
        var running: String?
        let state: StepState

        init(
            _ name: String, _ step: String, _ entries: [JournalEntry], now: [Step.Basis: String] = [:],
            status: RunStatus?? = nil, running: String? = nil, _ state: StepState
        ) {
            testDescription = name
            self.step = step
            self.entries = entries
            self.now = now
            self.status = status
            self.running = running
            self.state = state
        }
    }

    /// Every automatic step up to the proof, done in order.
    private static let allDone = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"]
        .enumerated()
        .map { entry($0 + 1, $1, .done) }

    static let cases = [
        Case("nothing has happened", "1.1", [], .ready),
        Case("its needs are not met", "1.2", [], .waiting("waits for 1.1")),
        Case("it runs now", "1.1", [entry(1, "1.1", .started)], running: "1.1", .running),
        Case("done", "1.1", [entry(1, "1.1", .done)], .done),
        Case(
            "begun and never ended", "1.1", [entry(1, "1.1", .started)],
            .failed("it was interrupted; run it again")),
        Case(
            "an undo that never ended", "1.2", [entry(1, "1.2", .undoing)],
            .failed("its undo was interrupted; undo it again")),
        Case("failed", "1.3", [entry(1, "1.3", .failed, "no server")], .failed("no server")),
        Case("cancelled is ready again", "1.1", [entry(1, "1.1", .cancelled)], .ready),
        Case(
            "another command has migrated and proven", "5.10", [], status: proven(), .ready),
        Case("so it stays done", "5.10", [entry(1, "5.10", .done)], status: proven(), .done),
        Case("and where the target was not looked at", "5.10", [entry(1, "5.10", .done)], .done),
        Case(
            "but not where it holds no run", "5.10", [entry(1, "5.10", .done)], status: .some(nil),
            .stale("3.3 has not been done", blocks: true)),
        Case(
            "a proof that found differences meets no need", "5.10", [], status: proven("differs"),
            .waiting("waits for 3.3")),
        Case(
            "a later proof that failed weighs more than what the load found", "5.10",
            [entry(1, "3.3", .failed, "a key is missing", basis: ["run": "1"])], now: [.run: "1"],
            status: proven(), .waiting("waits for 3.3")),
        Case(
            "but not one of another run", "5.10",
            [entry(1, "3.3", .failed, "a key is missing", basis: ["run": "1"])], now: [.run: "2"],
            status: proven(), .ready),
        Case(
            "nor is a proof true any more where what it looks at is lost", "5.10",
            allDone + [entry(20, "3.3", .failed, "a key is missing", basis: ["run": "1"])], now: [.run: "1"],
            status: proven(), .waiting("waits for 3.3")),
        Case(
            "a database that was looked at again makes nothing stale", "3.2",
            allDone + [entry(20, "1.4", .done)], .done),
        Case(
            "what it built on was begun again, and did not end", "3.3",
            allDone + [entry(20, "3.2", .started)],
            .stale("3.2 was begun again since, and did not end", blocks: true)),
        Case(
            "and so what was built on that", "3.4", allDone + [entry(20, "3.2", .failed, "lost")],
            .stale("3.2 was begun again since, and did not end", blocks: true)),
        Case("ticked", "2.1", [entry(1, "2.1", .ticked)], .done),
        Case("unticked", "2.1", [entry(1, "2.1", .unticked)], .ready),
        Case("settled with a reason", "2.1", [entry(1, "2.1", .skipped, "no .env")], .skipped("no .env")),
        Case(
            "findings wait", "1.7", [entry(1, "1.6", .done), entry(2, "1.7", .undecided, "2")], .undecided(2)),
        Case(
            "a decision reopens it", "1.7",
            [
                entry(1, "1.2", .done), entry(2, "1.6", .done),
                entry(3, "1.7", .undecided, "2", basis: ["plan": "a"]),
            ],
            now: [.plan: "b"], .ready),
        Case(
            "the source has changed, and later steps may go on", "1.1",
            [entry(1, "1.1", .done, basis: ["source": "a"])],
            now: [.source: "b"], .stale("the source has changed since 2026-01-01T00:00:00Z", blocks: false)),
        Case(
            "the plan has changed", "1.7",
            [entry(1, "1.2", .done), entry(2, "1.6", .done), entry(3, "1.7", .done, basis: ["plan": "a"])],
            now: [.plan: "b"], .stale("plan.yaml has changed since", blocks: true)),
        Case(
            "what cannot be told is not stale", "1.7",
            [entry(2, "1.6", .done), entry(3, "1.7", .done, basis: ["plan": "a"])], .done),
        Case(
            "the tables are gone", "1.8", allDone, status: .some(nil),
            .stale("its tables are gone from the target", blocks: true)),
        Case(
            "rows are missing", "3.2", allDone, status: .some(status(.partlyLoaded, rows: 4)),
            .stale("only 4 rows are there", blocks: true)),
        Case(
            "a load that was killed tells how far it came", "3.2",
            allDone.dropLast(3) + [entry(20, "3.2", .started)], status: .some(status(.partlyLoaded, rows: 4)),
            .failed("it was interrupted: 4 rows are there; run it again")),
        Case(
            "a load that was cancelled goes on", "3.2", allDone.dropLast(3) + [entry(20, "3.2", .cancelled)],
            status: .some(status(.partlyLoaded, rows: 4)),
            .stale("cancelled: 4 rows are there; Enter goes on", blocks: true)),
        Case(
            "a step whose ground was taken away", "3.4", allDone + [entry(20, "3.3", .undone)],
            .stale("3.3 was undone since", blocks: true)),
        Case(
            "a step whose ground was made anew", "3.4", allDone + [entry(20, "3.3", .done)],
            .stale("3.3 was done again since", blocks: true)),
        Case("all is well", "3.4", allDone, status: .some(status(.ended)), .done),
    ]

    struct Age: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let step: String
        let kind: JournalEntry.Kind
        let days: Double
        let state: StepState
    }

    /// Of an entry of 2026-01-01, so many days later.
    static let ages = [
        Age(testDescription: "a fresh drill", step: "6.5", kind: .done, days: 0, state: .done),
        Age(testDescription: "on its last day", step: "6.5", kind: .done, days: 30.9, state: .done),
        Age(
            testDescription: "a day later", step: "6.5", kind: .done, days: 31,
            state: .stale("the last drill is 31 days old", blocks: true)),
        Age(
            testDescription: "a tick ages too", step: "6.5", kind: .ticked, days: 41.5,
            state: .stale("the last drill is 41 days old", blocks: true)),
        Age(
            testDescription: "what is settled stays so", step: "6.5", kind: .skipped, days: 400,
            state: .skipped("")),
        Age(
            testDescription: "a failure stays one", step: "6.5", kind: .failed, days: 400, state: .failed("")),
        Age(testDescription: "other steps do not age", step: "6.4", kind: .done, days: 400, state: .done),
    ]

    @Test(arguments: ages) func aDrillCountsForThirtyDays(_ age: Age) throws {
        var standing = Self.standing([
            Self.entry(1, "3.3", .done), Self.entry(2, "6.4", .done), Self.entry(3, age.step, age.kind),
        ])
        standing.moment = try Date("2026-01-01T00:00:00Z", strategy: .iso8601) + age.days * 86400
        #expect(standing.state(age.step) == age.state)
    }

    @Test func withoutAMomentNothingAges() {
        let standing = Self.standing([Self.entry(2, "6.4", .done), Self.entry(3, "6.5", .done)])
        #expect(standing.state("6.5") == .done)
    }

    @Test func backupsNeedTheLoadOrTablesOfAnybodys() {
        var standing = Self.standing([], status: .some(nil))
        #expect(standing.state("6.4") == .waiting("waits for 3.3"))
        standing.holdsTables = true
        #expect(standing.state("6.4") == .ready)
        #expect(standing.state("6.1") == .waiting("waits for 3.3"), "the others go on waiting")
    }

    @Test func afterTheCutoverBackupsCanBeTakenAwayAgain() {
        var standing = Self.standing(Self.allDone + [Self.entry(20, "6.4", .done)])
        standing.isSwitched = true
        #expect(standing.undoObstacle("6.4") == nil)
        #expect(standing.undoObstacle("3.3") != nil)
    }

    @Test(arguments: cases) func stateOfAStep(_ test: Case) {
        let standing = Self.standing(test.entries, now: test.now, status: test.status, running: test.running)
        #expect(standing.state(test.step) == test.state)
    }

    @Test(
        arguments: [
            ("3.3", nil), ("3.2", "undo 3.3 first: it builds on it"),
            ("1.2", "undo 3.3 first: it builds on it"),
            ("1.6", "it changed nothing"), ("2.1", "it has not been done"),
        ] as [(String, String?)]) func anUndoGoesBackwards(_ step: String, _ obstacle: String?)
    {
        #expect(Self.standing(Self.allDone).undoObstacle(step) == obstacle)
    }

    @Test func everyStepThatIsNeededIsThereAndComesBefore() {
        for (index, step) in Phases.steps.enumerated() {
            for need in step.needs {
                let place = Phases.steps.firstIndex { $0.id == need }
                #expect(place != nil && place ?? 0 < index, "\(step.id) needs \(need)")
            }
        }
    }

    @Test func everyStepIsRunByHowdahOrSaysWhatToDoByHand() {
        for step in Phases.steps {
            #expect((step.kind == .automatic) == step.byHand.isEmpty, "\(step.id)")
            #expect((step.kind == .manual) == (Playbook.operations[step.id] == nil), "\(step.id)")
        }
    }
}
