import CLibPQ

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Statements that are prepared once and run often, as an application's driver does.
extension Connection {
    /// Has the server prepare one statement under a name, for as long as the connection lasts.
    public borrowing func prepare(_ sql: String, name: String) throws(PostgresError) {
        guard PQsendPrepare(handle, name, sql, 0, nil) == 1 else { throw failure(sql) }
        try flush(sql)
        _ = try lastResult(sql)
    }

    /// Runs a prepared statement with bound parameters; returns its rows as text.
    public borrowing func run(prepared name: String, _ parameters: [String?]) throws(PostgresError) -> Result
    {
        var copies: [UnsafeMutablePointer<CChar>?] = parameters.map { $0.flatMap { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        let sent = copies.withUnsafeMutableBufferPointer { buffer in
            buffer.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                PQsendQueryPrepared(handle, name, Int32(values.count), values.baseAddress, nil, nil, 0)
            }
        }
        guard sent == 1 else { throw failure(name) }
        try flush(name)
        guard let result = try lastResult(name) else { throw failure(name) }
        return Result(result.take())
    }
}
