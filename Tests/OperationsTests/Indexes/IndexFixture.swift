import Foundation
import MigrationEngine
import Postgres
import Synchronization
import TestSupport

@testable import Operations

/// A database with tables whose indexes are looked at.
struct IndexFixture {
    /// A chat application with quoted names, one index of each kind that serves nothing, and enough rows to plan for.
    static let chat = """
        CREATE TABLE "Us""er; DROP" ("i d" int PRIMARY KEY, name text);
        CREATE TABLE "Conversation" (id int PRIMARY KEY, title text);
        CREATE TABLE "ConversationParticipant" (id int PRIMARY KEY, "conversationId" int NOT NULL REFERENCES "Conversation",
            "userId" int NOT NULL REFERENCES "Us""er; DROP");
        CREATE TABLE "Message" (id int PRIMARY KEY, "conversationId" int NOT NULL REFERENCES "Conversation",
            "senderId" int NOT NULL REFERENCES "Us""er; DROP", "timestamp" timestamptz NOT NULL, kind text NOT NULL, body text);
        INSERT INTO "Us""er; DROP" SELECT i, 'user ' || i FROM generate_series(1, 500) AS i;
        INSERT INTO "Conversation" SELECT i, 'room ' || i FROM generate_series(1, 200) AS i;
        INSERT INTO "ConversationParticipant" SELECT i, i % 200 + 1, i % 500 + 1 FROM generate_series(1, 2000) AS i;
        INSERT INTO "Message" SELECT i, i % 200 + 1, i % 500 + 1, '2024-01-01'::timestamptz + i * interval '1 minute',
            'kind ' || i % 2000, repeat('x', 80) FROM generate_series(1, 20000) AS i;
        """

    let conninfo: Conninfo
    let ledger = MemoryIndexLedger()

    /// Statistics are made in a transaction of their own: those of the loading one would count as changed since.
    static func with(
        _ script: String = chat, analyses: Bool = true, _ body: (IndexFixture) throws -> Void
    ) throws {
        try TestServer.withDatabase { conninfo in
            try TestServer.execute(script, in: conninfo)
            if analyses { try TestServer.execute("ANALYZE", in: conninfo) }
            try body(IndexFixture(conninfo: conninfo))
        }
    }

    func report(
        queries: [AdvisedQuery] = [], tries: Bool = false, limits: IndexLimits = IndexLimits(),
        age: Double? = nil,
        schema: String = "public", on target: Conninfo? = nil
    ) throws -> IndexReport {
        let cancellation = Cancellation()
        return try IndexAdvisor(
            server: TargetServer(target ?? conninfo, cancellation: cancellation), schema: schema,
            queries: queries,
            records: ledger.records, age: age, tries: tries, limits: limits, cancellation: cancellation
        ).report()
    }

    func build(
        lockTimeout: Duration = .seconds(20), cancellation: Cancellation = Cancellation(),
        progress: RunProgress = RunProgress()
    ) -> IndexBuild {
        IndexBuild(
            server: TargetServer(conninfo, cancellation: cancellation), ledger: ledger.ledger,
            lockTimeout: lockTimeout, cancellation: cancellation, progress: progress)
    }

    /// Advice as it would be given, for an index of any kind.
    func advice(_ sql: String, index: String, table: String, columns: [String]) -> IndexAdvice {
        IndexAdvice(
            id: "index:\(table)", rules: [.query], action: .create, schema: "public", table: table,
            index: index,
            columns: columns, evidence: [], sql: [sql], undo: [], isRecommended: true)
    }

    /// Names of indexes with their validity.
    func indexes(_ pattern: String) throws -> [String] {
        try TestServer.rows(
            "SELECT c.relname, indisvalid FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid WHERE c.relname LIKE \(quoteLiteral(pattern)) ORDER BY 1",
            in: conninfo)
    }
}

/// Keeps records in memory, as the journal does on the disk.
final class MemoryIndexLedger: Sendable {
    private let all = Mutex<[IndexRecord]>([])

    var records: [IndexRecord] { IndexLedger.newest(all.withLock { $0 }) }
    var states: [IndexRecord.State] { all.withLock { $0.map(\.state) } }

    var ledger: IndexLedger {
        IndexLedger(records: records) { record in self.add(record) }
    }

    func add(_ record: IndexRecord) { all.withLock { $0.append(record) } }
}

/// What a thread came to.
final class Outcome<Value: Sendable>: Sendable {
    private let value = Mutex<Swift.Result<Value, any Error>?>(nil)

    var isThere: Bool { value.withLock { $0 != nil } }

    /// Runs `body` on a thread of its own.
    init(_ body: @escaping @Sendable () throws -> Value) {
        Thread {
            let made = Swift.Result { try body() }
            self.value.withLock { $0 = made }
        }.start()
    }

    func get() throws -> Value {
        guard let value = value.withLock({ $0 }) else { throw MigrationError.cancelled }
        return try value.get()
    }
}
