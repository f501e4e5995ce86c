import Foundation
import Postgres
import TestSupport
import Testing

/// The scan of code as a command, with a server that prepares the queries.
@Suite struct ScanTests {
    private static let code = """
        const good = await prisma.$queryRaw`SELECT id FROM "Person" WHERE name = ${name}`;
        const bad = await prisma.$queryRawUnsafe('SELECT ifnull(id, 0) FROM "Person"');
        const dynamic = await prisma.$queryRawUnsafe(`SELECT id FROM ${table}`);
        const drop = await prisma.$executeRawUnsafe('DELETE FROM "Person"; DROP TABLE "Person"');
        """

    private func withProject(_ body: (_ folder: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try Self.code.write(toFile: "\(folder)/a.ts", atomically: true, encoding: .utf8)
            try body(folder)
        }
    }

    @Test func aServerSaysWhatItRefusesAndRunsNothing() throws {
        try withProject { folder in
            try TestServer.withDatabase { target in
                try TestServer.execute(
                    "CREATE TABLE \"Person\" (id int, name text); INSERT INTO \"Person\" VALUES (1, 'Ann')",
                    in: target)
                let outcome = try Howdah.run(["scan", folder, target.url, "--json"])
                #expect(outcome.exit == 0, "\(outcome.errors)")
                let queries = try outcome.json()["queries"] as? [[String: Any]] ?? []
                #expect(
                    queries.map { $0["verdict"] as? String } == ["prepared", "refused", "untried", "refused"])
                #expect((queries[1]["reason"] as? String ?? "").contains("ifnull"))
                #expect(queries[1]["position"] as? Int == 8)
                #expect(try TestServer.value("SELECT count(*) FROM \"Person\"", in: target) == "1")
                let text = try Howdah.run(["scan", folder, target.url])
                #expect(text.output.contains("refused a.ts:2"))
                #expect(text.output.contains("SELECT ifnull(id, 0)") && text.output.contains("           ^"))
            }
        }
    }

    @Test func withoutATargetTheRulesAloneAreAsked() throws {
        try withProject { folder in
            let outcome = try Howdah.run(["scan", folder, "--json"])
            let findings = try outcome.json()["findings"] as? [[String: Any]] ?? []
            #expect(findings.contains { $0["rule"] as? String == "ifnull" && $0["line"] as? Int == 2 })
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.ts"])
        }
    }

    @Test(arguments: ["/nowhere/at/all", "/etc/hostname"])
    func whatIsNoFolderIsSaidSo(path: String) throws {
        let outcome = try Howdah.run(["scan", path])
        #expect(outcome.exit == 2)
        #expect(outcome.errors.contains("is no folder"))
    }
}
