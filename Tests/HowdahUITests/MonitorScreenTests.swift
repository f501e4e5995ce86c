import Foundation
import MigrationEngine
import Operations
import TerminalUI
import TestSupport
import Testing

@testable import HowdahUI
@testable import Operations
@testable import Playbook

/// The live monitor: what it looks like, and what its keys do.
@Suite struct MonitorScreenTests {
    private static let unicode = Look(theme: Themes.shipped.standard, symbols: .unicode)
    private static let sizes = [Size(60, 15), Size(80, 24), Size(120, 40)]

    private static func session(
        _ process: Int, _ state: MonitorSession.State, _ seconds: Double, _ query: String,
        transaction: Double? = nil,
        wait: Double? = nil, blockers: [Int] = []
    ) -> MonitorSession {
        MonitorSession(
            process: process, user: "app", database: "chat", application: "web", client: "10.0.0.5",
            state: state,
            wait: blockers.isEmpty ? "" : "Lock:transactionid", querySeconds: seconds,
            transactionSeconds: transaction,
            stateSeconds: seconds, waitSeconds: wait, start: "2026-11-27 10:00:00+00",
            queryStart: "2026-11-27 10:05:00+00", query: query, isClient: true, blockers: blockers)
    }

    private static let sessions = [
        session(
            4102, .inTransaction, 75, "UPDATE \"Message\" SET content = 'naïve 東京'\n  WHERE id = 412",
            transaction: 80),
        session(
            4110, .active, 61, "SELECT *\n\tFROM \"Message\" ORDER BY random()\u{1B}[2J", transaction: 61),
        session(
            4111, .active, 12, "UPDATE \"Message\" SET content = 'b' WHERE id = 412", transaction: 12,
            wait: 12, blockers: [4102]),
        session(
            4113, .active, 9, "DELETE FROM \"Message\" WHERE id = 412", transaction: 9, wait: 9,
            blockers: [4111]),
        session(4120, .idle, 300, "COMMIT"), session(4121, .idle, 4, "SELECT 1"),
    ]

    private static func report(_ sessions: [MonitorSession] = sessions, unseen: [String] = [])
        -> MonitorReport
    {
        var server = MonitorSample.Server()
        server.version = "15.18"
        server.upSeconds = 190_000
        server.maxConnections = 100
        server.reservedConnections = 3
        var storage = MonitorSample.Storage(size: 316 << 20)
        storage.tables = [
            .init(name: "public.Message", bytes: 280 << 20, live: 1_000_000, dead: 420_000, vacuumed: ""),
            .init(name: "public.User", bytes: 2 << 20, live: 5000, dead: 3, vacuumed: "2026-11-27 03:15"),
        ]
        let sample = MonitorSample(
            time: Date(timeIntervalSince1970: 1_800_000_000), server: server, sessions: sessions,
            counters: MonitorCounters(), storage: storage, unseen: unseen)
        var later = MonitorCounters()
        later.time = 2
        later.commits = 2480
        later.blocksHit = 9910
        later.blocksRead = 90
        later.rowsRead = 24_000
        later.rowsWritten = 24
        let rates = try? MonitorRates(from: MonitorCounters(), to: later)
        let growth = MonitorGrowth(perDay: Double(2 << 20), perWeek: Double(14 << 20))
        let judge = MonitorJudge(
            limits: MonitorLimits(), sample: sample, rates: rates.map { .success($0) } ?? .failure(.first),
            growth: growth,
            backup: .newest(Date(timeIntervalSince1970: 1_799_900_000)))
        return MonitorReport(
            target: "postgresql://app@db.example/chat", sample: sample, rates: rates, rateGap: nil,
            growth: growth,
            sizes: [300, 304, 310, 311, 316].map { $0 << 20 }, readings: judge.readings(), unseen: unseen)
    }

    private static func model(_ size: Size, news: [MonitorNews], book: BookState? = nil) -> AppModel {
        var model = AppModel(size: size, book: book, themes: ["default"], theme: "default")
        model.monitor = MonitorView(target: "postgresql://app@db.example/chat")
        model.monitor?.connections = [3, 4, 4, 9, 5]
        model.monitor?.transactions = [900, 1240, 1100]
        model.monitor?.cacheHits = [99, 98, 99]
        for item in news { _ = Update(keys: Bindings.standard)(&model, .monitor(item)) }
        return model
    }

    private static func pressed(_ model: AppModel, _ names: String) -> (AppModel, [Effect]) {
        var model = model
        var effects: [Effect] = []
        let update = Update(keys: Bindings.standard)
        for name in names.split(separator: " ") {
            guard let key = Key(String(name)) else { continue }
            effects += update(&model, .event(.key(key), time: 0))
        }
        return (model, effects)
    }

    private static let lost = MonitorNews.lost(
        .refused(
            .connection,
            message:
                "postgresql://app@db.example/chat cannot be reached: connection refused\n\tIs it running?",
            remedy: ""), retry: 4)

    private static let full = MonitorNews.lost(
        .full("remaining connection slots are reserved for non-replication superuser connections"), retry: 1)

    struct View: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var news: [MonitorNews] = [.report(report())]
        var keys = ""
        var isASCII = false
        var book: BookState?
    }

    static let views = [
        View(testDescription: "monitor"), View(testDescription: "monitor-ascii", keys: "w", isASCII: true),
        View(testDescription: "monitor-waiting", keys: "w"),
        View(
            testDescription: "monitor-readings",
            news: [
                .report(report(unseen: ["what sessions of other users do: app has no pg_read_all_stats"]))
            ], keys: "i"),
        View(testDescription: "monitor-tables", keys: "t", book: SampleBook.live),
        View(testDescription: "monitor-session", keys: "Enter"),
        View(testDescription: "monitor-end", keys: "x j Enter"),
        View(testDescription: "monitor-lost", news: [.report(report()), lost]),
        View(testDescription: "monitor-connecting", news: []),
        View(testDescription: "monitor-full", news: [full]),
        View(testDescription: "monitor-full-whole", news: [full], keys: "Enter"),
        View(testDescription: "monitor-sessions-ascii", keys: "s", isASCII: true),
    ]

    @Test(arguments: views) func looksLikeItsGolden(_ view: View) {
        let look = view.isASCII ? Look(theme: Themes.shipped.standard, symbols: .ascii) : Self.unicode
        var all: [String] = []
        for size in Self.sizes {
            let (model, _) = Self.pressed(Self.model(size, news: view.news, book: view.book), view.keys)
            all +=
                ["# \(size.width)x\(size.height)"]
                + Screen(model, look, keys: Bindings.standard).draw().buffer.lines
        }
        #expect(goldenMismatch(all, view.testDescription) == nil)
        #expect(
            !all.contains { $0.unicodeScalars.contains("\u{1B}") },
            "no escape of a query reaches the terminal")
    }

    // MARK: Keys

    @Test func theSelectedSessionStaysItWhereverItStands() {
        let (model, _) = Self.pressed(Self.model(Size(80, 24), news: [.report(Self.report())]), "j")
        let before = model.selectedSession?.process
        var other = model
        let fresh = Self.session(5000, .active, 500, "SELECT 5")
        _ = Update(keys: Bindings.standard)(&other, .monitor(.report(Self.report([fresh] + Self.sessions))))
        #expect(before == 4111 && other.selectedSession?.process == before)
    }

    @Test func endingASessionAsksTwiceAndThenNamesIt() {
        let model = Self.model(Size(80, 24), news: [.report(Self.report())])
        let (asked, none) = Self.pressed(model, "x Enter Enter")
        #expect(none.isEmpty && asked.overlays.isEmpty, "the focus is on leaving it")
        let (_, effects) = Self.pressed(model, "x Enter Tab Enter")
        #expect(effects == [.endSession(Self.sessions[1], .cancel)])
        let (_, others) = Self.pressed(model, "G x Enter Tab Enter")
        #expect(
            others == [.endSession(Self.sessions[5], .terminate)], "an idle one has no statement to cancel")
    }

    @Test func aServerThatIsLostEndsNothing() {
        let model = Self.model(Size(80, 24), news: [.report(Self.report()), Self.lost])
        let (after, effects) = Self.pressed(model, "x")
        #expect(effects.isEmpty && after.toast?.text == "the server does not answer")
    }

    @Test func pausingTellsTheWatch() {
        let (model, effects) = Self.pressed(Self.model(Size(80, 24), news: [.report(Self.report())]), "p")
        #expect(effects == [.pauseMonitor(true)] && model.monitor?.isPaused == true)
        #expect(Self.pressed(model, "p").1 == [.pauseMonitor(false)])
    }

    @Test func sortAndFilterChangeWhatIsListed() {
        let model = Self.model(Size(80, 24), news: [.report(Self.report())])
        let (sorted, _) = Self.pressed(model, "s")
        #expect(sorted.monitor?.sessions("").map(\.process).first == 4120, "the longest first")
        let (filtered, _) = Self.pressed(model, "f D E L E T E Enter")
        #expect(filtered.monitorCount == 1 && filtered.selectedSession?.process == 4113)
        #expect(Self.pressed(filtered, "Esc").0.monitorCount == 6)
    }

    @Test func itOpensFromPhaseSixAndGoesBackThere() {
        var model = AppModel(size: Size(80, 24), book: SampleBook.live, themes: ["default"], theme: "default")
        model.overlays = []
        let (elsewhere, nothing) = Self.pressed(model, "1 m")
        #expect(nothing.isEmpty && elsewhere.monitor == nil && elsewhere.toast != nil)
        let (open, effects) = Self.pressed(model, "6 m")
        #expect(effects.contains(.openMonitor) && open.monitor != nil)
        let (closed, ending) = Self.pressed(open, "Esc")
        #expect(ending.contains(.closeMonitor) && closed.monitor == nil && closed.section == .phase(6))
        var typed = model
        let update = Update(keys: Bindings.standard)
        _ = update(&typed, .event(.key(.character(":")), time: 0))
        _ = update(&typed, .event(.paste("monitor"), time: 0))
        #expect(
            update(&typed, .event(.key(.enter), time: 0)).contains(.openMonitor),
            "and by its name from everywhere")
    }

    @Test func whereThereIsNothingToWatchThePhasesComeBack() {
        var model = Self.model(Size(80, 24), news: [], book: SampleBook.live)
        let update = Update(keys: Bindings.standard)
        _ = update(&model, .noMonitor(Problem(step: nil, message: "no target is named yet", remedy: "")))
        #expect(model.monitor == nil)
        guard case .failure(let box) = model.overlays.last else {
            Issue.record("nothing is said")
            return
        }
        #expect(box.message == "no target is named yet")
    }

    @Test func commandsThatChangeTheProjectWaitForTheMonitorsEnd() {
        var model = Self.model(Size(80, 24), news: [], book: SampleBook.live)
        let update = Update(keys: Bindings.standard)
        #expect(CommandLine.run("open /elsewhere", update, &model).isEmpty)
        #expect(model.toast?.text == "the monitor is open: Esc closes it" && !model.isBusy)
        #expect(CommandLine.run("theme default", update, &model) == [.theme("default")])
    }

    @Test func keysOfThePhasesSayThatTheMonitorIsOpen() {
        let model = Self.model(Size(80, 24), news: [.report(Self.report())], book: SampleBook.live)
        for key in ["1", "7", "u", "L", "C"] {
            let (after, effects) = Self.pressed(model, key)
            #expect(effects.isEmpty && after.toast?.text == "the monitor is open: Esc closes it", "\(key)")
        }
        #expect(Self.pressed(Self.model(Size(80, 24), news: []), "q").1 == [.quit(0)], "alone it leaves")
    }
}
