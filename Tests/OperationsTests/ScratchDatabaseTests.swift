import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// Copies of a target: each is written down before it is made, and nobody else's is touched.
@Suite struct ScratchDatabaseTests {
    private func isThere(_ name: String) throws -> Bool {
        try TestServer.connect(TestServer.conninfo()).query(
            "SELECT 1 FROM pg_database WHERE datname = $1", [name]
        ).count == 1
    }

    @Test func aCopyIsWrittenDownBeforeItIsThereAndAfterItIsGone() throws {
        try LoadFixture.with { fixture in
            let ledger = MemoryLedger()
            let counted = ScratchLedger(
                left: [],
                begin: { name in
                    #expect(try !isThere(name), "a howdah that is killed now must know its name")
                    try ledger.ledger.begin(name)
                },
                end: { name in
                    #expect(try !isThere(name))
                    try ledger.ledger.end(name)
                })
            let copy = try ScratchDatabase(
                of: fixture.conninfo, ledger: counted, cancellation: Cancellation())
            #expect(ledger.made == [copy.name] && ledger.gone.isEmpty)
            #expect(try isThere(copy.name))
            let other = try ScratchDatabase(
                of: fixture.conninfo, ledger: counted, cancellation: Cancellation())
            #expect(copy.name != other.name)
            try copy.remove()
            #expect(try !isThere(copy.name) && isThere(other.name), "another operator's stays")
            try other.remove()
            #expect(ledger.made == ledger.gone)
        }
    }

    @Test(arguments: [false, true]) func anyLoadRemovesWhatAKilledOneHasLeft(isScratch: Bool) throws {
        try LoadFixture.with { fixture in
            let name = "howdah_load_" + UUID().uuidString.lowercased().replacing("-", with: "")
            let stranger = "howdah_load_" + UUID().uuidString.lowercased().replacing("-", with: "")
            let server = try TestServer.conninfo()
            defer {
                for name in [name, stranger] {
                    try? TestServer.execute("DROP DATABASE IF EXISTS \(name)", in: server)
                }
            }
            for name in [name, stranger] { try TestServer.execute("CREATE DATABASE \(name)", in: server) }
            let ledger = MemoryLedger(left: [name, "howdah_load_never_made"])
            let options = LoadOptions(connections: 1, seconds: 0.3, isScratch: isScratch)
            #expect(try fixture.test(options, ledger: ledger).run().queries > 0)
            #expect(try !isThere(name) && isThere(stranger))
            #expect(ledger.made.allSatisfy(ledger.gone.contains))
        }
    }

    @Test func whereNoCopyCanBeMadeTheReasonIsToldAndNothingIsLeft() throws {
        try LoadFixture.with { fixture in
            let ledger = MemoryLedger()
            // Somebody who is connected to the original keeps the server from copying it.
            let other = try TestServer.connect(fixture.conninfo)
            try other.execute("SELECT 1")
            let options = LoadOptions(connections: 1, seconds: 0.2, isScratch: true)
            let busy = #expect(throws: MigrationError.self) {
                try fixture.test(options, ledger: ledger).run()
            }
            #expect(busy?.remedy.contains("Others are connected") ?? false)
            #expect(ledger.made.count == 1 && ledger.made == ledger.gone)
            try other.execute("SELECT 1")
        }
    }
}
