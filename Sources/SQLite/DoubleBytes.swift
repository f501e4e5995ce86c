import CSQLite

extension Connection {
    /// Adds `ieee754_to_blob(x)`, which the `sqlite3` program has built in: the eight bytes of a number as a double, the
    /// most significant first; NULL of anything else (https://sqlite.org/floatingpoint.html#the_ieee754_c_extension).
    public borrowing func addDoubleBytes() throws(SQLiteError) {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC
        guard
            sqlite3_create_function_v2(handle, "ieee754_to_blob", 1, flags, nil, doubleBytes, nil, nil, nil)
                == SQLITE_OK
        else { throw SQLiteError.last(of: handle, context: "adding a function") }
    }
}

/// Called by SQLite, on the thread that steps the statement.
private let doubleBytes:
    @Sendable @convention(c) (
        OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?
    ) -> Void = { context, _, values in
        guard let value = values?[0] else { return }
        switch sqlite3_value_type(value) {
        case SQLITE_INTEGER, SQLITE_FLOAT:
            var bytes = sqlite3_value_double(value).bitPattern.bigEndian
            sqlite3_result_blob(context, &bytes, 8, howdah_sqlite_transient())
        default: sqlite3_result_null(context)
        }
    }
