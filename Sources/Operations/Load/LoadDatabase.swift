/// One of the two databases as the mix sees it: how it spells things, and what is in it.
///
/// `LoadMixBuilder` asks it on one thread, before the sessions begin.
protocol LoadDatabase: AnyObject {
    /// A table's name in SQL; nil where the database has none of it.
    func name(of table: LoadTable) -> String?
    func name(of column: String, in table: LoadTable) -> String
    func placeholder(_ number: Int) -> String
    /// A new value in the place of a column's, in SQL.
    func fresh(_ number: Int, for column: String, in table: LoadTable) -> String
    /// The beginning of a value, as much of it as a list may show; `expression` is a column of unbounded size.
    func beginning(of expression: String, _ column: LoadTable.Column) -> String
    /// Columns that an insert gives values for.
    func written(_ table: LoadTable) -> [String]
    /// What an insert says between its columns and its rows.
    var overriding: String { get }
    /// What names a row in a table without a key, as an expression over `x`, and what is compared with it; nil where
    /// nothing does.
    func rowAddress(of table: LoadTable, _ placeholder: String) -> (expression: String, value: String)?

    func rows(_ sql: String) throws -> [[LoadValue]]
    /// Expressions over `x` for some rows of a table, from all over it and cheaply; with `smallest`, those whose values
    /// of these columns are the smallest.
    func sample(
        _ expressions: [String], of table: LoadTable, count: Int, smallest: Set<String>
    ) throws -> [[LoadValue]]
    /// A new value for a column of a row that is there; nil where there is none. `range` is that of numbers.
    func freshValue(
        for column: LoadTable.Column, template: LoadValue, range: (start: Int64, stride: Int64)?
    ) -> FreshValue?
    /// The largest number that a column can hold.
    func largest(_ column: LoadTable.Column) -> Int64

    /// Tries a write with each row of values in a transaction that is rolled back: those that went well, and why the
    /// first did not.
    func trial(_ sql: String, _ rows: [[LoadValue]], of table: LoadTable) throws -> (
        good: [Int], refusal: String?
    )
}

/// One session that asks queries, on a thread of its own.
protocol LoadSession: AnyObject {
    /// Runs a query to its last row. A write is in a transaction of its own. Throws `LoadFailure`.
    func perform(_ number: Int, _ query: LoadQuery, _ values: [LoadValue]) throws
    /// Stops what it does, from any thread.
    var stop: @Sendable () -> Void { get }
}

/// What a query of the load came to where it was not answered.
struct LoadFailure: Error {
    /// SQLSTATE, or SQLite's result code.
    let state: String
    /// The database's words without values.
    let message: String
    /// Whether the session is of no more use.
    var isLost = false
}
