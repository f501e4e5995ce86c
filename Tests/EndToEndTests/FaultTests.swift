import DemoProject
import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// Whatever dies, and whenever: the run, or the next one, ends proven, and every row is there once.
///
/// FAULTS says how many moments are tried, FAULT_SEED makes a run of the suite happen again.
@Suite struct FaultTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let count = environment["FAULTS"].flatMap { Int($0) } ?? 6
    private static let seed =
        environment["FAULT_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)

    @Test func whateverDiesTheRunEndsProvenWithEveryRowOnce() throws {
        print("faults: \(Self.count) with FAULT_SEED=\(Self.seed)")
        try withTemporaryFolder { folder in
            let bench = try FaultBench(folder, messages: Self.count > 20 ? 100_000 : 30_000)
            defer { bench.remove() }
            var tally: [String: Int] = [:]
            for number in 0..<Self.count {
                var random = FaultNumbers(state: Self.seed &+ UInt64(number) &* 1_000_003)
                // Every kind in turn, so that none is left out by chance.
                let fault = Fault.allCases[number % Fault.allCases.count]
                bench.loadsInPieces = number / Fault.allCases.count % 2 == 0
                do {
                    let end = try bench.run(fault, &random)
                    tally["\(fault): \(end)", default: 0] += 1
                } catch {
                    Issue.record(
                        "\(fault), number \(number), FAULT_SEED=\(Self.seed): \(error)")
                }
            }
            for (end, count) in tally.sorted(by: { $0.key < $1.key }) { print("faults: \(end): \(count)") }
        }
    }
}

/// What dies.
enum Fault: CaseIterable {
    case killOfHowdah, interruptOfHowdah, endOfBackend, killOfBackend, restartOfServer, cutOfNetwork
}

/// How a run came to its end after a fault.
enum FaultEnd {
    /// The fault came too late, or hit nothing.
    case untouched
    /// The same run went on by itself.
    case wentOn
    /// The next run took what was there.
    case resumed
    /// The next run had nothing to take.
    case begunAnew
}

struct FaultFailure: Error, CustomStringConvertible {
    let description: String
}

/// The same numbers for the same seed.
struct FaultNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A source, a server of its own, and a network between them that can be cut.
private final class FaultBench {
    private let folder: String
    private var cluster: RehearsalCluster
    private let proxy: SocketProxy
    private let source: String
    /// The source's own state, so that a run's snapshot is made in the time in which faults come.
    private var states = 0
    /// What an undisturbed run comes to, and how long it takes.
    private var expected: [String] = []
    private var duration = 0.0
    /// Many workers share a table piece by piece; few load it as one, without the server's log.
    var loadsInPieces = true

    init(_ folder: String, messages: Int) throws {
        self.folder = folder
        source = "\(folder)/demo/prisma/dev.db"
        let made = try Howdah.run(["demo", "\(folder)/demo", "--messages", "\(messages)", "--no-open"])
        guard made.exit == 0 else { throw FaultFailure(description: "no demo: \(made.errors)") }
        let state = try StateFolder.open(
            source: "", project: nil, override: "\(folder)/server", environment: [:])
        cluster = try RehearsalCluster(state, cancellation: Cancellation())
        try cluster.start()
        let sockets = "\(folder)/net"
        try FileManager.default.createDirectory(atPath: sockets, withIntermediateDirectories: true)
        proxy = try SocketProxy(in: sockets, server: cluster.conninfo()?["host"])
        try withTarget { target, _ in
            let start = ContinuousClock.now
            let run = try Howdah.run(arguments(target))
            guard run.exit == 0 else {
                throw FaultFailure(description: "undisturbed: \(run.output) \(run.errors)")
            }
            let elapsed = ContinuousClock.now - start
            duration = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
            expected = try contents(target)
        }
    }

    func remove() {
        proxy.close()
        try? cluster.remove()
    }

    /// A run that is hit once or twice, and the runs after it until one ends; throws where anything is not as it should be.
    func run(_ fault: Fault, _ random: inout FaultNumbers) throws -> FaultEnd {
        try withTarget { target, direct in
            var end = FaultEnd.untouched
            var faults = Bool.random(using: &random) ? [fault] : [fault, .killOfHowdah]
            var isHit = false
            var last = ""
            for _ in 0..<4 {
                let loaded = try pieces(direct)
                let outcome = try attempt(
                    target, fault: faults.isEmpty ? nil : faults.removeFirst(), &random, &isHit)
                if outcome.exit == 0 {
                    try check(outcome, loaded, direct)
                    if !loaded.isEmpty { return .resumed }
                    return end == .untouched && outcome.errors.contains("trying again") ? .wentOn : end
                }
                guard isHit else { throw FaultFailure(description: "failed by itself: \(outcome.output)") }
                end = .begunAnew
                last = "exit \(outcome.exit): \(outcome.output) \(outcome.errors.suffix(600))"
            }
            throw FaultFailure(description: "four runs have not come to an end; the last: \(last)")
        }
    }

    private func arguments(_ target: Conninfo) -> [String] {
        ["migrate", source, target.url, "--yes", "--json", "--state", "\(folder)/state\(states)"]
            + ["--workers", loadsInPieces ? "8" : "2"]
    }

    /// Runs once, with a fault at a random moment.
    private func attempt(
        _ target: Conninfo, fault: Fault?, _ random: inout FaultNumbers, _ isHit: inout Bool
    ) throws -> Howdah.Outcome {
        let names = ["out", "err"].map { "\(folder)/\($0)" }
        for name in names { _ = FileManager.default.createFile(atPath: name, contents: nil) }
        guard let output = FileHandle(forWritingAtPath: names[0]),
            let errors = FileHandle(forWritingAtPath: names[1])
        else { throw CocoaError(.fileWriteUnknown) }
        let process = try Howdah.start(arguments(target), output: output, errors: errors)
        if let fault {
            let moment = Double.random(in: 0...duration, using: &random)
            // The moment itself: nothing is waited for but the end of the run.
            if !waitUntil(seconds: moment, { !process.isRunning }) {
                isHit = true
                try strike(fault, process, &random)
            }
        }
        guard waitUntil(seconds: 120, { !process.isRunning }) else {
            kill(process.processIdentifier, SIGKILL)
            throw FaultFailure(description: "a run hangs: \(text(names[1]))")
        }
        return .init(exit: process.terminationStatus, output: text(names[0]), errors: text(names[1]))
    }

    private func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    private func strike(_ fault: Fault, _ process: Process, _ random: inout FaultNumbers) throws {
        switch fault {
        case .killOfHowdah: kill(process.processIdentifier, SIGKILL)
        case .interruptOfHowdah: kill(process.processIdentifier, SIGINT)
        case .endOfBackend:
            if let backend = try backends().randomElement(using: &random) {
                _ = try TestServer.value("SELECT pg_terminate_backend(\(backend))", in: server())
            }
        case .killOfBackend:
            // The server ends all sessions then, and recovers from its log.
            guard let backend = try backends().randomElement(using: &random) else { return }
            let canary = try TestServer.connect(server())
            // One that has just ended by itself is no crash to the server.
            kill(backend, SIGSTOP)
            guard state(of: backend) == "T" else { return }
            kill(backend, SIGKILL)
            guard waitUntil({ (try? canary.query("SELECT 1")) == nil }),
                waitUntil({ (try? TestServer.connect(server())) != nil })
            else {
                throw FaultFailure(description: "the server has not recovered")
            }
        case .restartOfServer:
            let data = try TestServer.value("SHOW data_directory", in: server()) ?? ""
            let number = text("\(data)/postmaster.pid").split(separator: "\n").first.flatMap { Int32($0) }
            guard let number else { throw FaultFailure(description: "the server has no process") }
            proxy.setServer(nil)
            kill(number, SIGQUIT)
            guard waitUntil({ kill(number, 0) != 0 }) else {
                throw FaultFailure(description: "the server does not stop")
            }
            try cluster.start()
            proxy.setServer(cluster.conninfo()?["host"])
        case .cutOfNetwork: proxy.cut()
        }
    }

    // MARK: The server

    /// The letter that the kernel gives a process's state, once it is no longer on its way to another.
    private func state(of process: Int32) -> String? {
        var letter: String?
        _ = waitUntil(seconds: 1) {
            // The name before it, in brackets, may hold anything.
            let words = text("/proc/\(process)/stat").split(separator: ")").last?.split(separator: " ")
            letter = words?.first.map(String.init)
            return !["R", "S", "D"].contains(letter)
        }
        return letter
    }

    private func server(_ database: String = "postgres") throws -> Conninfo {
        guard let conninfo = cluster.conninfo(database: database) else { throw MigrationError.noServer }
        return conninfo
    }

    private func backends() throws -> [Int32] {
        try TestServer.rows(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'howdah %' ORDER BY pid",
            in: server()
        ).compactMap { Int32($0) }
    }

    /// Runs `body` with a new database, by way of the network and directly.
    private func withTarget<T>(_ body: (Conninfo, _ direct: () throws -> Conninfo) throws -> T) throws -> T {
        states += 1
        let name = "faults_\(states)"
        // It may still recover from the fault before.
        guard waitUntil(seconds: 60, { (try? TestServer.connect(server())) != nil }) else {
            throw FaultFailure(description: "the server is gone")
        }
        try TestServer.execute("CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'UTF8'", in: server())
        defer {
            try? TestServer.execute("DROP DATABASE \(name) WITH (FORCE)", in: server())
            try? FileManager.default.removeItem(atPath: "\(folder)/state\(states)")
        }
        let target = try server(name).setting("host", to: proxy.folder)
        return try body(target) { try self.server(name) }
    }

    // MARK: What is there

    /// The pieces that are loaded, each with when it was loaded.
    private func pieces(_ target: () throws -> Conninfo) throws -> Set<String> {
        let conninfo = try target()
        guard try TestServer.value("SELECT to_regclass('howdah.ledger') IS NOT NULL", in: conninfo) == "t"
        else {
            return []
        }
        return Set(
            try TestServer.rows(
                "SELECT rows, table_name, number, loaded FROM howdah.ledger WHERE rows > 0", in: conninfo))
    }

    private func check(
        _ outcome: Howdah.Outcome, _ loaded: Set<String>, _ direct: () throws -> Conninfo
    ) throws {
        let report = try outcome.json()
        guard report["outcome"] as? String == "proven" else {
            throw FaultFailure(description: "not proven: \(outcome.output)")
        }
        guard try contents(direct()) == expected else {
            throw FaultFailure(description: "proven, and other than an undisturbed run")
        }
        guard try pieces(direct).isSuperset(of: loaded) else {
            throw FaultFailure(description: "what was there was loaded again")
        }
        let rows = loaded.reduce(0) { $0 + (Int($1.split(separator: "|")[0]) ?? 0) }
        guard (report["resumed_rows"] as? Int ?? 0) >= rows else {
            throw FaultFailure(
                description: "\(rows) rows were there, and resumed: \(report["resumed_rows"] ?? 0)")
        }
        let left = "\(folder)/state\(states)/snapshots"
        let files = (try? FileManager.default.contentsOfDirectory(atPath: left)) ?? []
        guard files.count(where: { $0.hasSuffix(".db") }) == 1,
            !files.contains(where: { $0.contains("partial") })
        else { throw FaultFailure(description: "the state folder holds \(files)") }
    }

    /// Every row of every table as a hash, and every constraint and index, by the server alone.
    private func contents(_ target: Conninfo) throws -> [String] {
        let tables = try TestServer.rows(
            """
            SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            ORDER BY relname
            """, in: target)
        let rows = try tables.flatMap { table in
            try TestServer.rows(
                """
                SELECT '\(table)', count(*), md5(string_agg(h, '' ORDER BY h))
                FROM (SELECT md5(t::text) AS h FROM \(table) AS t) AS hashes
                """, in: target)
        }
        let objects = try TestServer.rows(
            """
            SELECT conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT indrelid::regclass, indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid
            FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
            ORDER BY 1, 2
            """, in: target)
        return rows + objects
    }
}
