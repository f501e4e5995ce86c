import CLibPQ
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One connection to a PostgreSQL server, closed when the value goes away.
///
/// Used by one thread at a time; only `canceller` may be used from others. libpq runs in its non-blocking mode
/// and every wait is a `poll` of at most 100 ms that looks at the canceller, so nothing hangs.
public struct Connection: ~Copyable {
    /// How long a cancelled statement may take to end before the connection is given up.
    static let patience = Duration.seconds(10)

    let handle: OpaquePointer
    public let canceller: Canceller
    private let notices: NoticeLog

    /// Connects, waiting at most `connect_timeout` seconds of the connection string (10 where it says none).
    ///
    /// `isCancelled` is asked while waiting. The session speaks UTF-8 and the server's error messages come
    /// without row values in them unless the server puts them there.
    public init(
        _ conninfo: Conninfo, applicationName: String, isCancelled: () -> Bool = { false }
    ) throws(PostgresError) {
        var settings = conninfo.settings
        settings["client_encoding"] = "UTF8"
        settings["application_name"] = settings["application_name"] ?? applicationName
        settings["keepalives_idle"] = settings["keepalives_idle"] ?? "30"
        settings["tcp_user_timeout"] = settings["tcp_user_timeout"] ?? "60000"
        let timeout = Int(settings["connect_timeout"] ?? "") ?? 10
        settings["connect_timeout"] = nil
        let handle = try Self.start(settings)
        // Only so does libpq tell the SQLSTATE of a connection that is refused.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        do throws(PostgresError) {
            try Self.waitUntilConnected(handle, seconds: max(2, timeout), isCancelled: isCancelled)
        } catch {
            PQfinish(handle)
            throw error
        }
        PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        self.handle = handle
        canceller = Canceller(handle)
        notices = NoticeLog()
        notices.attach(to: handle)
        PQsetnonblocking(handle, 1)
    }

    deinit {
        canceller.invalidate()
        PQfinish(handle)
    }

    // MARK: Facts

    /// The server's version as a number, 150018 for 15.18.
    public var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// The process that serves this connection, as in `pg_stat_activity.pid`.
    public var backendProcess: Int { Int(PQbackendPID(handle)) }

    public func parameter(_ name: String) -> String? {
        PQparameterStatus(handle, name).map { String(cString: $0) }
    }

    /// The database that the connection is on.
    public var database: String { String(cString: PQdb(handle)) }

    public var user: String { String(cString: PQuser(handle)) }

    /// The password that opened the connection, wherever it came from; nil where none was needed.
    public var password: String? {
        guard PQconnectionUsedPassword(handle) == 1, let text = PQpass(handle) else { return nil }
        return String(cString: text)
    }

    /// Takes the notices and warnings that came since the last call, oldest first.
    public borrowing func takeNotices() -> [String] {
        notices.take()
    }

    // MARK: Statements

    /// Runs statements that return nothing of interest; several may be separated by semicolons (they then form
    /// one transaction unless they say otherwise).
    public borrowing func execute(_ sql: String) throws(PostgresError) {
        guard PQsendQuery(handle, sql) == 1 else { throw failure(sql) }
        try flush(sql)
        _ = try lastResult(sql)
    }

    /// Runs one statement with bound parameters ($1…), and returns its rows as text.
    public borrowing func query(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> Result {
        var copies: [UnsafeMutablePointer<CChar>?] = parameters.map { $0.flatMap { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        let sent = copies.withUnsafeMutableBufferPointer { buffer in
            buffer.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                PQsendQueryParams(handle, sql, Int32(values.count), nil, values.baseAddress, nil, nil, 0)
            }
        }
        guard sent == 1 else { throw failure(sql) }
        try flush(sql)
        guard let result = try lastResult(sql) else { throw failure(sql) }
        return Result(result.take())
    }

    /// Has the server prepare one statement, and runs nothing: what it would refuse, it refuses now.
    public borrowing func prepare(_ sql: String) throws(PostgresError) {
        guard PQsendPrepare(handle, "", sql, 0, nil) == 1 else { throw failure(sql) }
        try flush(sql)
        _ = try lastResult(sql)
    }

    /// Runs `body` between BEGIN and COMMIT; an error rolls back and is thrown on.
    public borrowing func transaction<T>(
        _ body: (borrowing Connection) throws -> T
    ) throws -> T {
        try execute("BEGIN")
        do {
            let value = try body(self)
            try execute("COMMIT")
            return value
        } catch {
            if PQstatus(handle) == CONNECTION_OK { try? execute("ROLLBACK") }
            throw error
        }
    }

    // MARK: Waiting, shared with COPY

    /// Sends what libpq holds back; meanwhile reads, since the server may be sending too.
    borrowing func flush(_ sql: String) throws(PostgresError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1: try wait(reading: true, writing: true, sql)
            default: throw failure(sql)
            }
        }
    }

    /// Waits until `PQgetResult` would not block.
    borrowing func waitForResult(_ sql: String) throws(PostgresError) {
        while PQisBusy(handle) == 1 {
            try wait(reading: true, writing: false, sql)
        }
    }

    /// Waits for the socket, then reads what is there. Throws `.cancelled` when the server does not end a
    /// cancelled statement in time.
    borrowing func wait(reading: Bool, writing: Bool, _ sql: String) throws(PostgresError) {
        var deadline: ContinuousClock.Instant?
        while true {
            var descriptor = pollfd(
                fd: PQsocket(handle), events: Int16(reading ? POLLIN : 0) | Int16(writing ? POLLOUT : 0),
                revents: 0)
            let ready = poll(&descriptor, 1, 100)
            if ready > 0 {
                if Int32(descriptor.revents) & ~POLLOUT != 0, PQconsumeInput(handle) == 0 {
                    throw failure(sql)
                }
                return
            }
            guard canceller.isCancelled else { continue }
            let now = ContinuousClock.now
            if let deadline, now > deadline {
                shutdown(PQsocket(handle), Int32(SHUT_RDWR))
                throw PostgresError(
                    .cancelled, "cancelled; the server did not answer, so the connection was given up",
                    statement: PostgresError.summary(of: sql))
            }
            deadline = deadline ?? now.advanced(by: Self.patience)
        }
    }

    /// Reads the results of a statement to their end; throws the first error, returns the last result.
    borrowing func lastResult(_ sql: String) throws(PostgresError) -> ResultHandle? {
        var last: ResultHandle?
        var firstError: PostgresError?
        while true {
            try waitForResult(sql)
            guard let result = PQgetResult(handle) else { break }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                last = ResultHandle(result)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // A COPY outside of CopyIn and CopyOut cannot be served; PQgetResult would return it for ever.
                PQclear(result)
                throw PostgresError(.client, "an unexpected COPY", statement: PostgresError.summary(of: sql))
            default:
                firstError =
                    firstError ?? PostgresError.fromResult(result, connection: handle, statement: sql)
                PQclear(result)
            }
        }
        if let firstError { throw firstError }
        return last
    }

    borrowing func failure(_ sql: String) -> PostgresError {
        PostgresError.fromConnection(
            handle, PQstatus(handle) == CONNECTION_BAD ? .connectionLost : .client, statement: sql)
    }

    // MARK: Connecting

    private static func start(_ settings: [String: String]) throws(PostgresError) -> OpaquePointer {
        let pairs = settings.sorted { $0.key < $1.key }
        var keywords: [UnsafeMutablePointer<CChar>?] = pairs.map { strdup($0.key) } + [nil]
        var values: [UnsafeMutablePointer<CChar>?] = pairs.map { strdup($0.value) } + [nil]
        defer {
            for copy in keywords { free(copy) }
            for copy in values { free(copy) }
        }
        let started = keywords.withUnsafeMutableBufferPointer { keywords in
            keywords.withMemoryRebound(to: UnsafePointer<CChar>?.self) { keywords in
                values.withUnsafeMutableBufferPointer { values in
                    values.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                        PQconnectStartParams(keywords.baseAddress, values.baseAddress, 0)
                    }
                }
            }
        }
        guard let started else { throw PostgresError(.client, "out of memory") }
        return started
    }

    private static func waitUntilConnected(
        _ handle: OpaquePointer, seconds: Int, isCancelled: () -> Bool
    ) throws(PostgresError) {
        let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            if state == PGRES_POLLING_FAILED || PQstatus(handle) == CONNECTION_BAD {
                throw PostgresError.ofConnecting(
                    handle, PQconnectionNeedsPassword(handle) == 1 ? .passwordNeeded : .connect)
            }
            var descriptor = pollfd(
                fd: PQsocket(handle), events: Int16(state == PGRES_POLLING_READING ? POLLIN : POLLOUT),
                revents: 0)
            while poll(&descriptor, 1, 100) <= 0 {
                if isCancelled() { throw PostgresError(.cancelled, "cancelled while connecting") }
                if ContinuousClock.now > deadline {
                    throw PostgresError(
                        .connect, "no answer from the server within \(seconds) seconds",
                        hint: "raise connect_timeout in the connection string if the server is far away")
                }
            }
            state = PQconnectPoll(handle)
        }
    }
}

/// A result that frees itself unless it is taken.
struct ResultHandle: ~Copyable {
    private var handle: OpaquePointer?

    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        PQclear(handle)
    }

    consuming func take() -> OpaquePointer {
        guard let taken = handle else { preconditionFailure("a result is taken once") }
        handle = nil
        return taken
    }
}

/// The notices of one connection; libpq calls back on the thread that uses the connection.
private final class NoticeLog: Sendable {
    private let lines = Mutex<[String]>([])

    func attach(to handle: OpaquePointer) {
        PQsetNoticeProcessor(
            handle,
            { @Sendable context, message in
                guard let context, let message else { return }
                let log = Unmanaged<NoticeLog>.fromOpaque(context).takeUnretainedValue()
                let text = PostgresError.trimmed(String(cString: message))
                log.lines.withLock { if $0.count < 1000 { $0.append(text) } }
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }
}
