import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

@Suite struct DatabaseMakerTests {
    @Test(arguments: [
        ("postgresql://ann@db.example:5433/chat", "db.example:5433:chat:ann:pw"),
        ("postgresql://ann@/chat", "localhost:5432:chat:ann:pw"),
        ("postgresql://ann@/chat?host=/run/pg", "*:5432:chat:ann:pw"),
        ("postgresql://a%3Ab@[::1]/c%5Cd", "\\:\\:1:5432:c\\\\d:a\\:b:pw"),
    ]) func aPasswordsLineIsFoundByLibpq(_ url: String, _ line: String) throws {
        #expect(try DatabaseMaker.passwordLine(Conninfo(url), password: "pw") == line)
    }

    @Test func passwordsAreLongAndNeverTheSame() {
        let passwords = (0..<50).map { _ in DatabaseMaker.password() }
        #expect(Set(passwords).count == 50)
        #expect(passwords.allSatisfy { $0.count == 24 })
    }

    /// The server asks for the password that was made, and libpq finds it in the file.
    @Test func theRoleThatWasMadeComesInByItsPassword() throws {
        try withTemporaryFolder { folder in
            try TestServer.withDatabase { admin in
                let name = "made_" + String(DatabaseMaker.password().lowercased().prefix(10))
                let target = admin.setting("dbname", to: name).setting("user", to: name)
                let maker = DatabaseMaker(target: target, admin: admin, cancellation: Cancellation())
                let password = DatabaseMaker.password()
                var undo: [String] = []
                try maker.run(maker.missing(password: password)) {
                    if let sql = $0.undo { undo.insert(sql, at: 0) }
                }
                #expect(try maker.missing(password: password).isEmpty)
                let stored = try TestServer.rows(
                    "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = '\(name)'",
                    in: admin)
                #expect(stored == ["t"])
                let owner = try TestServer.connect(target)
                #expect(try owner.query("SHOW timezone").text(0, 0) == "UTC")
                try owner.execute("CREATE TABLE public.t (id int)")
                #expect(throws: MigrationError.self) { try maker.undo(undo) }
                try owner.execute("DROP TABLE public.t")
            }
        }
    }
}
