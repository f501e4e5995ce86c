import Foundation
import MigrationEngine
import Postgres
import SQLite

/// Many users at once: queries made from the migrated tables, asked over real connections, and beside them the same on
/// SQLite with as many sessions.
///
/// Nothing of it stays in the target: each write is rolled back, with keys of its own beyond all that are there, so that
/// no sequence moves; or all of it happens in a copy of the database that is dropped. SQLite is read from the snapshot, and
/// written in a private copy of that. Called from a thread that may block.
public struct LoadTest: Sendable {
    /// Tables that the mix is made from: the largest.
    static let mostTables = 200

    let server: TargetServer
    let plan: MigrationPlan
    /// What SQLite's side reads; nil leaves that side out.
    let snapshot: Snapshot?
    /// Whether the application's own file has a write-ahead log, as the copy then has.
    let hasLog: Bool
    /// Where a private copy of the snapshot may be put.
    let folder: String
    let options: LoadOptions
    let cancellation: Cancellation
    let progress: RunProgress
    let gate: PauseGate
    let ledger: ScratchLedger

    public init(
        server: TargetServer, plan: MigrationPlan, snapshot: Snapshot?, hasLog: Bool = false, folder: String,
        options: LoadOptions, ledger: ScratchLedger, cancellation: Cancellation,
        progress: RunProgress = RunProgress(), gate: PauseGate = PauseGate()
    ) {
        self.ledger = ledger
        self.server = server
        self.plan = plan
        self.snapshot = snapshot
        self.hasLog = hasLog
        self.folder = folder
        self.options = options
        self.cancellation = cancellation
        self.progress = progress
        self.gate = gate
    }

    /// What a test would do.
    public struct Outline: Sendable {
        public let connections: Int
        public let limits: LoadLimits
        /// Each query with its table, as the target gets it.
        public let queries: [(kind: LoadKind, table: String, sql: String)]
        public let gaps: [LoadGap]
        /// Tables whose triggers run too.
        public let triggered: [String]
    }

    /// The queries, without asking any of them: only rows to ask with are read.
    public func outline() throws -> Outline {
        let target = try open(server.conninfo)
        return try watching(target.connection) {
            let limits = try LoadLimits.read(target.connection)
            let connections = try limits.connections(options.connections)
            let tables = try self.tables(target)
            let mix = try mix(target, tables, connections, tries: false)
            return Outline(
                connections: connections, limits: limits,
                queries: mix.queries.map { ($0.kind, $0.table, $0.sql) }, gaps: mix.gaps,
                triggered: tables.filter(\.hasTriggers).map(\.name))
        }
    }

    /// Runs the test on both databases, one after the other.
    public func run() throws -> LoadReport {
        let left = try ScratchDatabase.removeLeft(ledger, on: server.conninfo, cancellation: cancellation)
        guard options.isScratch else {
            var report = try run(on: server.conninfo)
            report.notices += left
            return report
        }
        let copy = try ScratchDatabase(of: server.conninfo, ledger: ledger, cancellation: cancellation)
        do {
            var report = try run(on: copy.conninfo)
            try copy.remove()
            report.notices += left
            return report
        } catch {
            try? copy.remove()
            throw error
        }
    }

    private func run(on conninfo: Conninfo) throws -> LoadReport {
        progress.begin(.load)
        defer { progress.end() }
        let target = try open(conninfo)
        let (tables, mix, connections, before) = try watching(target.connection) {
            let connections = try LoadLimits.read(target.connection).connections(self.options.connections)
            let before = try SequenceHold.positions(target.connection)
            let tables = try self.tables(target)
            return (tables, try self.mix(target, tables, connections, tries: true), connections, before)
        }
        guard !mix.queries.isEmpty else {
            throw MigrationError(
                .target, "no query can be made: " + (mix.gaps.first.map(\.words) ?? "there are no tables"),
                remedy: "Load the rows first, or settle the step with a note.", exit: .undecided)
        }
        let options = options
        let cancellation = cancellation
        let figures = try runner(mix, connections) { _ in
            try PostgresSession(conninfo, options, cancellation: cancellation)
        }.run()
        var notices =
            options.isScratch ? [] : try watching(target.connection) { try moved(since: before, target) }
        let sqlite = try beside(tables, connections, &notices)
        return report(connections, mix, figures, sqlite, notices + own(tables))
    }

    // MARK: The target's side

    private func open(_ conninfo: Conninfo) throws -> PostgresLoad {
        do {
            let connection = try Postgres.Connection(
                conninfo, applicationName: "howdah load (\(NSUserName()), process \(getpid()))",
                isCancelled: { cancellation.isCancelled })
            try connection.execute(options.settings)
            return PostgresLoad(
                connection, schema: plan.schema, sparesSequences: !options.isScratch,
                cancellation: cancellation)
        } catch {
            if error.code == .cancelled { throw MigrationError.cancelled }
            throw MigrationError(
                .connection, "\(conninfo.url) cannot be reached: \(error.message)",
                remedy: "Check host, port, user and database, and that the server has a connection left.")
        }
    }

    /// Runs `body` with a connection that the wish to stop stops.
    private func watching<T>(_ connection: borrowing Postgres.Connection, _ body: () throws -> T) throws -> T
    {
        let canceller = connection.canceller
        do {
            return try cancellation.whileRegistered({ canceller.cancel() }, body)
        } catch is PostgresError where cancellation.isCancelled {
            throw MigrationError.cancelled
        }
    }

    private func tables(_ target: PostgresLoad) throws -> [LoadTable] {
        let names = plan.tables.filter { !$0.isSkipped }.map(\.targetName)
        var tables = try LoadCatalog(schema: plan.schema).tables(names, target.connection)
        if tables.count > Self.mostTables {
            tables = Array(tables.sorted { $0.estimatedRows > $1.estimatedRows }.prefix(Self.mostTables))
                .sorted { $0.name < $1.name }
        }
        for index in tables.indices {
            try cancellation.check()
            do {
                try target.findWide(&tables[index])
            } catch let error as PostgresError {
                try cancellation.check()
                let failure = LoadFailure(error)
                if failure.isLost { throw error }
                tables[index].problem = "its rows could not be looked at: \(failure.words)"
            }
        }
        return tables
    }

    private func mix(
        _ database: any LoadDatabase, _ tables: [LoadTable], _ sessions: Int, tries: Bool, writes: Bool = true
    ) throws -> LoadMix {
        try LoadMixBuilder(
            database: database, tables: tables, sessions: sessions, writes: writes, tries: tries,
            commits: options.isScratch, sparesTriggers: options.sparesTriggers, cancellation: cancellation
        ).build()
    }

    private func runner(
        _ mix: LoadMix, _ sessions: Int, isCounted: Bool = true,
        _ open: @escaping @Sendable (Int) throws -> any LoadSession
    ) -> LoadRunner {
        let progress = progress
        return LoadRunner(
            mix: mix, sessions: sessions, seconds: options.seconds, commits: options.isScratch,
            cancellation: cancellation, gate: gate,
            count: { if isCounted || !$0 { progress.countQuery(isFailure: $0) } }, open: open)
    }

    /// Sequences that stand elsewhere now: the test itself moves none.
    private func moved(since before: [SequenceHold.Position], _ target: PostgresLoad) throws -> [String] {
        let now = try SequenceHold.positions(target.connection)
        let old = Dictionary(before.map { ($0.name, $0.value) }) { first, _ in first }
        let names = now.filter { old[$0.name].map { [value = $0.value] in $0 != value } ?? false }.map(\.name)
        guard !names.isEmpty else { return [] }
        return [
            "\(Format.count(names.count, "sequence has", "sequences have")) moved meanwhile, by other sessions or by "
                + "triggers that did not take numbers when they were tried: \(names.joined(separator: ", "))"
        ]
    }

    // MARK: SQLite's side

    private typealias SQLiteSide = (mix: LoadMix, figures: LoadFigures)

    private func beside(
        _ tables: [LoadTable], _ sessions: Int, _ notices: inout [String]
    ) throws -> SQLiteSide? {
        guard let snapshot else { return nil }
        removeRemains()
        let copy = "\(folder)/\(Self.copyPrefix)\(getpid()).db"
        defer { for suffix in ["", "-journal", "-wal", "-shm"] { unlink(copy + suffix) } }
        let refusal = try makeCopy(of: snapshot, at: copy)
        if let refusal { notices.append("SQLite's writes are left out: \(refusal)") }
        let place = SQLitePlace(
            path: refusal == nil ? copy : snapshot.path, isCopy: refusal == nil,
            lockTimeout: options.lockTimeout)
        let limit = StatementLimit(options.statementTimeout)
        defer { limit.end() }
        do {
            let database = try SQLiteLoad(
                place, catalog: try snapshot.catalog(), plan: plan, limit: limit, cancellation: cancellation)
            let mix = try cancellation.whileRegistered(database.stop) {
                try self.mix(
                    database, database.withOwnIndexes(tables), sessions, tries: true, writes: place.isCopy)
            }
            guard !mix.queries.isEmpty else { return nil }
            let commits = options.isScratch
            let figures = try runner(mix, sessions, isCounted: false) { _ in
                try SQLiteSession(place, commits: commits, limit: limit)
            }.run()
            return (mix, figures)
        } catch let error as SQLiteError {
            try cancellation.check()
            notices.append("SQLite's side was not measured: \(error)")
            return nil
        }
    }

    private static let copyPrefix = "load-copy-"

    /// Copies that a killed test has left; the state folder's lock keeps others away.
    private func removeRemains() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasPrefix(Self.copyPrefix) {
            unlink("\(folder)/\(name)")
        }
    }

    /// Why there is no copy of the snapshot to write in; nil where there is one now.
    private func makeCopy(of snapshot: Snapshot, at path: String) throws -> String? {
        var space = statvfs()
        let needed = snapshot.bytes + (64 << 20)
        if statvfs(folder, &space) == 0, Int64(space.f_bavail) * Int64(space.f_frsize) < needed {
            return "a copy of the snapshot needs \(Format.bytes(needed)), and \(folder) has less"
        }
        do {
            try copy(snapshot.path, to: path)
            if hasLog {
                try SQLite.Connection(path: path, mode: .readWrite).execute("PRAGMA journal_mode = WAL")
            }
            return nil
        } catch let error as MigrationError {
            throw error
        } catch {
            return "the snapshot cannot be copied: \(error)"
        }
    }

    /// In pieces: a large file takes its time, and the wish to stop is heard between two of them.
    private func copy(_ from: String, to path: String) throws {
        let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystemError("making", path) }
        let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard let input = FileHandle(forReadingAtPath: from) else { throw FileSystemError("reading", from) }
        defer { try? input.close() }
        while let piece = try input.read(upToCount: 4 << 20), !piece.isEmpty {
            try cancellation.check()
            try output.write(contentsOf: piece)
        }
        try output.close()
    }

    // MARK: The report

    private func own(_ tables: [LoadTable]) -> [String] {
        var notices = [
            options.isScratch
                ? "writes were committed in a copy of the database, which is dropped"
                : "every write was rolled back: the time of a commit is not in it, and its space comes back by vacuum"
        ]
        let wide = tables.filter { !$0.wide.isEmpty }.map {
            "\($0.name) (\($0.wide.sorted().joined(separator: ", ")))"
        }
        if !wide.isEmpty {
            notices.append("columns of large values are not selected: \(wide.joined(separator: ", "))")
        }
        if tables.contains(where: { $0.columns.contains(where: \.isUnbounded) }) {
            notices.append(
                "of texts and bytes without a limit \(Format.bytes(Int64(LoadTable.mostBytes))) at most are selected"
            )
        }
        let left = plan.tables.count { !$0.isSkipped } - tables.count
        if left > 0 {
            notices.append(
                "\(Format.count(left, "table is", "tables are")) not in it: the largest are, or those that are there"
            )
        }
        return notices
    }

    private func report(
        _ connections: Int, _ mix: LoadMix, _ figures: LoadFigures, _ sqlite: SQLiteSide?, _ notices: [String]
    ) -> LoadReport {
        let kinds = LoadKind.allCases.compactMap { kind -> LoadReport.Kind? in
            let own = Self.latency(figures.kinds[kind], figures.seconds)
            let other = sqlite.flatMap { Self.latency($0.figures.kinds[kind], $0.figures.seconds) }
            return own == nil && other == nil
                ? nil : LoadReport.Kind(kind: kind, postgres: own, sqlite: other)
        }
        let total = Self.total(figures)
        return LoadReport(
            connections: connections, opened: figures.opened, seconds: figures.seconds, queries: total.count,
            writes: options.isScratch ? .scratch : .rolledBack, kinds: kinds, total: total,
            sqliteTotal: sqlite.map { Self.total($0.figures) }, failures: Self.failures(figures),
            sqliteFailures: sqlite.map { Self.failures($0.figures) } ?? [], gaps: mix.gaps,
            sqliteGaps: sqlite?.mix.gaps ?? [], notices: notices, thin: thin(mix, figures))
    }

    /// Fewer answers than that say nothing.
    private static let fewest = 5

    /// Kinds of queries that are in the mix and were hardly answered, and users that were.
    private func thin(_ mix: LoadMix, _ figures: LoadFigures) -> [String] {
        // Combinations that are used up may be fewer than that.
        let kinds = Set(mix.queries.filter { !($0.isDivided && options.isScratch) }.map(\.kind))
        var thin = LoadKind.allCases.filter(kinds.contains).compactMap { kind -> String? in
            let count = figures.kinds[kind]?.latency.count ?? 0
            return count < Self.fewest
                ? "\(kind.words): \(Format.count(count, "answer", "answers"))" : nil
        }
        let users = figures.answers.count { $0 < Self.fewest }
        if users > 0 {
            thin.append(
                "\(users) of \(Format.count(figures.answers.count, "user", "users")) got fewer than \(Self.fewest) answers"
            )
        }
        return thin
    }

    private static func latency(_ kind: LoadFigures.Kind?, _ seconds: Double) -> LoadReport.Latency? {
        kind.map { kind in
            func milliseconds(_ microseconds: Int) -> Double { Double(microseconds) / 1000 }
            let histogram = kind.latency
            return LoadReport.Latency(
                count: histogram.count, errors: kind.errors, p50: milliseconds(histogram.percentile(0.5)),
                p95: milliseconds(histogram.percentile(0.95)), p99: milliseconds(histogram.percentile(0.99)),
                max: milliseconds(histogram.longest),
                perSecond: seconds > 0 ? (Double(histogram.count) / seconds * 10).rounded() / 10 : 0)
        }
    }

    private static func total(_ figures: LoadFigures) -> LoadReport.Latency {
        var all = LoadFigures.Kind()
        for kind in figures.kinds.values { all.latency.merge(kind.latency) }
        all.errors = figures.failures.values.reduce(0) { $0 + $1.count }
        return latency(all, figures.seconds)
            ?? LoadReport.Latency(count: 0, errors: all.errors, p50: 0, p95: 0, p99: 0, max: 0, perSecond: 0)
    }

    private static func failures(_ figures: LoadFigures) -> [LoadReport.Failure] {
        figures.failures.map { state, failure in
            LoadReport.Failure(
                state: state, name: FailureWords.name(state), count: failure.count, sample: failure.sample)
        }.sorted { ($1.count, $0.state) < ($0.count, $1.state) }
    }
}
