import CLibPQ

extension Connection {
    /// Sends a `COPY … FROM STDIN`: `body` hands buffers to `send`, and the rows are there once this returns.
    ///
    /// Where `body` throws, the server is told to forget the rows, and the error goes on. Returns the number of
    /// rows that the server took.
    public borrowing func copyIn(_ sql: String, _ body: () throws -> Void) throws -> Int {
        try startCopy(sql, expecting: PGRES_COPY_IN)
        do {
            try body()
        } catch {
            // The server's own error explains more than the broken stream that followed from it.
            if PQstatus(handle) == CONNECTION_OK {
                _ = PQputCopyEnd(handle, "the client stopped")
                try? flush(sql)
                do throws(PostgresError) {
                    _ = try lastResult(sql)
                } catch let answer where answer.code == .server && answer.sqlState != "57014" {
                    throw answer
                } catch {}
            }
            throw error
        }
        guard PQputCopyEnd(handle, nil) == 1 else { throw failure(sql) }
        try flush(sql)
        guard let result = try lastResult(sql) else { throw failure(sql) }
        return Result(result.take()).affectedRows ?? 0
    }

    /// Hands one buffer of COPY data to the server; only inside of `copyIn`'s body.
    public borrowing func send(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        let sql = "COPY"
        if canceller.isCancelled { throw PostgresError(.cancelled, "cancelled") }
        var rest = bytes[...]
        // libpq keeps what it cannot send at once: bounded pieces keep its buffer small.
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 18))
            let result = PQputCopyData(
                handle, piece.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(piece.count))
            guard result == 1 else { throw failure(sql) }
            rest = rest.dropFirst(piece.count)
            try flush(sql)
        }
    }

    /// Receives a `COPY … TO STDOUT`: `body` gets each message, which for the binary format is one row (the first
    /// also has the header, the last one is the trailer). The bytes are valid only during the call.
    public borrowing func copyOut(
        _ sql: String, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try startCopy(sql, expecting: PGRES_COPY_OUT)
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(handle, &buffer, 1)
            switch count {
            case 1...:
                defer { PQfreemem(buffer) }
                do {
                    try body(UnsafeRawBufferPointer(start: buffer, count: Int(count)))
                } catch {
                    canceller.askServer()
                    drain(sql)
                    throw error
                }
            case 0:
                try wait(reading: true, writing: false, sql)
            case -1:
                _ = try lastResult(sql)
                return
            default:
                throw failure(sql)
            }
        }
    }

    private borrowing func drain(_ sql: String) {
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(handle, &buffer, 1)
            PQfreemem(buffer)
            if count == 0 {
                guard (try? wait(reading: true, writing: false, sql)) != nil else { return }
            } else if count < 0 {
                break
            }
        }
        _ = try? lastResult(sql)
    }

    private borrowing func startCopy(_ sql: String, expecting status: ExecStatusType) throws(PostgresError) {
        guard PQsendQuery(handle, sql) == 1 else { throw failure(sql) }
        try flush(sql)
        try waitForResult(sql)
        guard let result = PQgetResult(handle) else { throw failure(sql) }
        defer { PQclear(result) }
        guard PQresultStatus(result) == status else {
            let error = PostgresError.fromResult(result, connection: handle, statement: sql)
            _ = try? lastResult(sql)
            throw error
        }
    }
}
