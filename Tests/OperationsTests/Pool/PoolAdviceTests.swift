import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// How large a pool is to be, and where that is said.
@Suite struct PoolAdviceTests {
    private func facts(
        free: Int = 97, cores: Int? = 4, isPooled: Bool = false, memory: Int64? = nil, isLocal: Bool = true
    ) -> PoolFacts {
        PoolFacts(
            version: 150_000, maxConnections: 100, free: free, words: "max_connections is 100",
            applications: [],
            isLocal: isLocal, cores: cores, memory: memory, isPooled: isPooled, hidden: 0)
    }

    @Test(arguments: [
        (4, 97, 1, 9), (2, 97, 1, 5), (32, 97, 1, 65), (64, 97, 1, 77), (4, 97, 10, 7), (4, 5, 1, 4),
        (4, 1, 3, 1),
    ]) func theSizeIsByCoresAndNeverMoreThanIsFree(cores: Int, free: Int, instances: Int, size: Int) {
        let advice = PoolAdvice(facts(free: free, cores: cores), client: .other, instances: instances)
        #expect(advice.size == size)
    }

    @Test func coresThatAreNotKnownAreSaidToBe() {
        let advice = PoolAdvice(facts(cores: nil), client: .other, instances: 1)
        #expect(advice.size == 10)
        #expect(advice.reasons.first?.contains("is not known") ?? false)
        #expect(advice.words == "pool of 10 of 97 free connections")
    }

    @Test func moreInstancesThanConnectionsAskForAPooler() {
        let advice = PoolAdvice(facts(free: 10), client: .other, instances: 20)
        #expect(advice.reasons.contains { $0.contains("put PgBouncer before the server") })
    }

    @Test(
        arguments: [
            ([:], false, ["connection_limit=9", "pool_timeout=10"]),
            (["connection_limit": "9", "pool_timeout": "20"], false, []),
            (
                ["connection_limit": "1", "pool_timeout": "20"], true,
                ["connection_limit=9", "pgbouncer=true"]
            ),
        ] as [([String: String], Bool, [String])])
    func prismaToSixIsToldByTheURL(present: [String: String], isPooled: Bool, wanted: [String]) {
        let advice = PoolAdvice(
            facts(isPooled: isPooled), client: .prisma(major: 6, parameters: present), instances: 1)
        #expect(advice.parameters == wanted)
    }

    @Test func prismaSevenIsToldInTheCodeAndWhatItIgnoresIsNamed() {
        let advice = PoolAdvice(
            facts(), client: .prisma(major: 7, parameters: ["connection_limit": "1"]), instances: 1)
        #expect(advice.parameters.isEmpty)
        #expect(advice.lines.contains { $0.contains("max: 9, connectionTimeoutMillis: 10000") })
        #expect(advice.lines.last == "Prisma 7 does not read connection_limit in the URL any more")
    }
}

/// Settings that are worth changing, on a real server.
@Suite struct ServerSettingsTests {
    private func report(_ conninfo: Conninfo, cores: Int? = 4) throws -> PoolReport {
        let cancellation = Cancellation()
        return try PoolAdvisor(
            server: TargetServer(conninfo, cancellation: cancellation), cancellation: cancellation
        ).report(client: .other, cores: cores, instances: 1)
    }

    @Test func aProcessOfAnotherNameOrNoneIsNoServerOfThisMachine() {
        #expect(!PoolFacts.isHere(Int(getpid())) && !PoolFacts.isHere(0) && !PoolFacts.isHere(Int(Int32.max)))
    }

    @Test func aServersOwnDefaultsAreSeenAndHowdahsSessionIsNot() throws {
        try TestServer.withDatabase { conninfo in
            let report = try report(conninfo)
            #expect(!report.pool.facts.isPooled && report.pool.facts.isLocal && report.pool.facts.cores == 4)
            let ids = Set(report.settings.map(\.id))
            for name in ["jit", "log_lock_waits", "statement_timeout", "idle_in_transaction_session_timeout"]
            {
                #expect(ids.contains("setting:\(name)"), "\(name)")
            }
            #expect(!ids.contains("setting:autovacuum"))
            #expect(report.words.hasPrefix("pool of 9 of "))
            #expect(report.settings.allSatisfy { $0.sql.hasPrefix("ALTER ") && !$0.reason.isEmpty })
        }
    }

    @Test func aSettingOfTheDatabaseIsSetAndPutBackAndOneThatWasChangedSinceStays() throws {
        try TestServer.withDatabase { conninfo in
            let cancellation = Cancellation()
            let advisor = PoolAdvisor(
                server: TargetServer(conninfo, cancellation: cancellation), cancellation: cancellation)
            try TestServer.execute(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = 0', current_database()); END $$",
                in: conninfo)
            var records: [SettingRecord] = []
            for name in ["jit", "idle_in_transaction_session_timeout"] {
                let setting = try #require(try report(conninfo).settings.first { $0.name == name })
                _ = try advisor.apply(setting) { records.append($0) }
            }
            #expect(records.map(\.before) == [nil, "0"])
            #expect(try TestServer.value("SHOW jit", in: conninfo) == "off")
            #expect(try TestServer.value("SHOW idle_in_transaction_session_timeout", in: conninfo) == "5min")
            #expect(!(try report(conninfo).settings.contains { ["jit"].contains($0.name) }))
            for record in records { _ = try advisor.undo(record) { _ in } }
            #expect(try TestServer.value("SHOW jit", in: conninfo) == "on")
            #expect(try TestServer.value("SHOW idle_in_transaction_session_timeout", in: conninfo) == "0")
            let done = try advisor.undo(records[0]) { _ in }
            #expect(done == "jit is as it was already")
        }
    }

    @Test func aServersOwnSettingIsNotHowdahsToChange() throws {
        try TestServer.withDatabase { conninfo in
            let cancellation = Cancellation()
            let setting = try #require(try report(conninfo).settings.first { $0.name == "log_lock_waits" })
            #expect(throws: MigrationError.self) {
                try PoolAdvisor(
                    server: TargetServer(conninfo, cancellation: cancellation), cancellation: cancellation
                ).apply(setting) { _ in }
            }
        }
    }
}
