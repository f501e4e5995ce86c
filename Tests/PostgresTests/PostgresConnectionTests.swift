import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct PostgresConnectionTests {
    @Test(arguments: [
        "plain", "Mixed Case", "quo\"te", "\"\"", "select", "ünï😀", "a.b", "semi;colon", "it's",
        "back\\slash", "$1", "--", "joined\"\u{301}", "'\u{301}", "\\\u{301}",
    ])
    func namesAndTextsKeepTheirBytesThroughQuoting(name: String) throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.execute("CREATE TABLE \(quoteIdentifier(name)) (a text)")
            try connection.execute(
                "INSERT INTO \(quoteIdentifier("public", name)) VALUES (\(quoteLiteral(name)))")
            let result = try connection.query(
                "SELECT c.relname, t.a FROM pg_class AS c, \(quoteIdentifier(name)) AS t WHERE relname = $1",
                [name])
            #expect(result.text(0, 0) == name)
            #expect(result.text(0, 1) == name)
        }
    }

    @Test func anErrorCarriesTheServersWords() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            #expect {
                _ = try connection.query("SELECT 1 FROM missing")
            } throws: { error in
                guard let error = error as? PostgresError else { return false }
                return error.code == .server && error.sqlState == "42P01" && error.message.contains("missing")
            }
            #expect(try connection.query("SELECT 1").int(0, 0) == 1)
        }
    }

    @Test func aConnectionThatIsRefusedCarriesItsState() throws {
        try TestServer.withDatabase { conninfo in
            let error = #expect(throws: PostgresError.self) {
                try TestServer.connect(conninfo.setting("dbname", to: "not there: 12345: x")).execute(
                    "SELECT 1")
            }
            #expect(error?.code == .connect && error?.sqlState == "3D000")
            #expect(
                error?.message.hasSuffix("FATAL:  database \"not there: 12345: x\" does not exist") ?? false)
            let nobody = #expect(throws: PostgresError.self) {
                try TestServer.connect(conninfo.setting("host", to: "/nowhere")).execute("SELECT 1")
            }
            #expect(nobody?.code == .connect && nobody?.sqlState == nil)
            // Later errors have the server's plain words.
            let connection = try TestServer.connect(conninfo)
            let later = #expect(throws: PostgresError.self) {
                try connection.execute("SELECT 1 FROM missing")
            }
            #expect(later?.message == "relation \"missing\" does not exist")
        }
    }

    @Test func aPreparedStatementIsRunWithItsParameters() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.prepare("SELECT $1::int + 1, $2::text", name: "a b")
            for number in 1...3 {
                let result = try connection.run(prepared: "a b", ["\(number)", nil])
                #expect(result.int(0, 0) == number + 1 && result.text(0, 1) == nil)
            }
            #expect(throws: PostgresError.self) { _ = try connection.run(prepared: "none", []) }
            #expect(throws: PostgresError.self) {
                try connection.prepare("SELECT nothing_of_that_name", name: "b")
            }
            #expect(try connection.query("SELECT 1").int(0, 0) == 1)
        }
    }

    @Test func noticesAreCaptured() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.execute("DO $$ BEGIN RAISE NOTICE 'hear this'; END $$")
            #expect(connection.takeNotices().contains { $0.contains("hear this") })
            #expect(connection.takeNotices().isEmpty)
        }
    }

    @Test func nullAndEmptyTextAreApart() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            let result = try connection.query("SELECT $1::text, $2::text", [nil, ""])
            #expect(result.text(0, 0) == nil)
            #expect(result.text(0, 1) == "")
        }
    }

    @Test func cancelEndsAStatementFromAnotherThread() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            let watcher = try TestServer.connect(conninfo)
            let canceller = connection.canceller
            let process = connection.backendProcess
            let thread = Thread { @Sendable in
                guard let watcher = try? TestServer.connect(conninfo) else { return }
                _ = waitUntil {
                    (try? watcher.query(
                        "SELECT query LIKE '%pg_sleep%' AND state = 'active' FROM pg_stat_activity WHERE pid = \(process)"
                    ).bool(0, 0)) ?? false
                }
                canceller.cancel()
            }
            thread.start()
            #expect {
                _ = try connection.query("SELECT pg_sleep(600)")
            } throws: {
                ($0 as? PostgresError)?.code == .cancelled
            }
            let others = try watcher.query(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid() AND state = 'active'"
            )
            #expect(others.int(0, 0) == 0)
        }
    }

    @Test func aServerThatDoesNotAnswerIsGivenUp() throws {
        // A socket that takes connections and never says a word.
        try withTemporaryFolder { folder in
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let path = "/tmp/howdah-mute-\(getpid())"
            mkdir(path, 0o700)
            defer { try? FileManager.default.removeItem(atPath: path) }
            withUnsafeMutableBytes(of: &address.sun_path) { memory in
                memory.copyBytes(from: Array("\(path)/.s.PGSQL.5432".utf8))
            }
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(bound == 0 && listen(descriptor, 4) == 0)
            let conninfo = Conninfo(socketDirectory: path, port: 5432, user: "nobody", database: "none")
                .setting("connect_timeout", to: "2")
            #expect {
                _ = try Connection(conninfo, applicationName: "tests")
            } throws: {
                ($0 as? PostgresError)?.code == .connect
            }
        }
    }

    @Test func aLostConnectionIsToldApart() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            let other = try TestServer.connect(conninfo)
            _ = try other.query("SELECT pg_terminate_backend(\(connection.backendProcess))")
            #expect {
                // The message may come with the first statement or with the second.
                _ = try connection.query("SELECT 1")
                _ = try connection.query("SELECT 1")
            } throws: {
                ($0 as? PostgresError)?.code == .connectionLost
            }
        }
    }
}

@Suite struct CopyTests {
    private static let row: [UInt8] = [0, 1, 0, 0, 0, 4, 0, 0, 0, 42]
    private static let header: [UInt8] = [
        0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]

    @Test func rowsGoInAndComeOut() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.execute("CREATE TABLE t (a int)")
            let rows = try connection.copyIn("COPY t FROM STDIN (FORMAT binary)") {
                try (Self.header + Self.row + Self.row + [0xFF, 0xFF]).withUnsafeBytes {
                    try connection.send($0)
                }
            }
            #expect(rows == 2)
            var out: [UInt8] = []
            try connection.copyOut("COPY t TO STDOUT (FORMAT binary)") { out += Array($0) }
            #expect(out == Self.header + Self.row + Self.row + [0xFF, 0xFF])
        }
    }

    @Test func anAbandonedCopyLeavesNothingAndTheConnectionUsable() throws {
        struct Stop: Error {}
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.execute("CREATE TABLE t (a int)")
            #expect(throws: Stop.self) {
                _ = try connection.copyIn("COPY t FROM STDIN (FORMAT binary)") {
                    try (Self.header + Self.row).withUnsafeBytes { try connection.send($0) }
                    throw Stop()
                }
            }
            #expect(try connection.query("SELECT count(*) FROM t").int(0, 0) == 0)
            #expect(throws: Stop.self) {
                try connection.copyOut("COPY (SELECT * FROM generate_series(1, 1000000)) TO STDOUT") { _ in
                    throw Stop()
                }
            }
            #expect(try connection.query("SELECT 1").int(0, 0) == 1)
        }
    }

    @Test func theServersRefusalIsTheError() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.execute("CREATE TABLE t (a int CHECK (a < 10))")
            #expect {
                _ = try connection.copyIn("COPY t FROM STDIN (FORMAT binary)") {
                    try (Self.header + Self.row + [0xFF, 0xFF]).withUnsafeBytes { try connection.send($0) }
                }
            } throws: {
                ($0 as? PostgresError)?.sqlState == "23514"
            }
        }
    }
}

@Suite struct ConninfoTests {
    @Test(arguments: [
        ("postgresql://ann:secret@db.example:5433/chat", "postgresql://ann@db.example:5433/chat"),
        ("host=db.example user=ann password=secret dbname=chat", "postgresql://ann@db.example/chat"),
        ("postgresql://ann@/chat?host=/run/pg&password=secret", "postgresql://ann@/chat?host=/run/pg"),
        ("postgresql://ann:p%40ss@[::1]/my%20db", "postgresql://ann@[::1]/my%20db"),
        ("service=live", "postgresql:///?service=live"),
    ])
    func theURLShowsNoPassword(text: String, url: String) throws {
        #expect(try Conninfo(text).url == url)
        #expect(try !Conninfo(text).description.contains("secret"))
    }

    @Test(arguments: [
        "postgresql://ann:secret@host:5432/db?bogus=1", "password=secret nonsense",
        "postgresql://%zz@host/db?password=secret",
    ])
    func anUnreadableTargetIsRefusedWithoutItsPassword(text: String) {
        #expect {
            _ = try Conninfo(text)
        } throws: {
            guard let error = $0 as? PostgresError else { return false }
            return error.code == .connectionString && !error.description.contains("secret")
        }
    }
}
