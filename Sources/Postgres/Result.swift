import CLibPQ

/// The rows of one query, in text format.
public struct Result: ~Copyable {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        PQclear(handle)
    }

    /// Number of rows.
    public var count: Int { Int(PQntuples(handle)) }

    /// Number of columns.
    public var columnCount: Int { Int(PQnfields(handle)) }

    /// Rows that the statement inserted, updated, deleted or copied; nil where it tells none.
    public var affectedRows: Int? { Int(String(cString: PQcmdTuples(handle))) }

    /// A field's text; nil is NULL, and also a position outside of the result.
    public borrowing func text(_ row: Int, _ column: Int) -> String? {
        guard row < count, column < columnCount, PQgetisnull(handle, Int32(row), Int32(column)) == 0,
            let value = PQgetvalue(handle, Int32(row), Int32(column))
        else { return nil }
        return String(cString: value)
    }

    public borrowing func int(_ row: Int, _ column: Int) -> Int? {
        text(row, column).flatMap { Int($0) }
    }

    /// True for `t`.
    public borrowing func bool(_ row: Int, _ column: Int) -> Bool {
        text(row, column) == "t"
    }
}
