import CSQLite
import SQLDialect
import SQLite

/// The value of an expression that reads nothing and is the same each time, as SQLite itself computes it.
enum ConstantExpression {
    /// As a constant of SQL, with the affinity of a declared type; nil where the value is another one each time, where it
    /// has no form as a constant, and where SQLite refuses the expression.
    ///
    /// A generated column is what SQLite lets only such expressions into (https://sqlite.org/gencol.html, limitations).
    static func value(of sql: String, declaredType: String) -> String? {
        guard (try? SQLParser.expression(sql)) != nil else { return nil }
        let affinity = SQLRelation.Affinity(declaredType: declaredType)
        do {
            let connection = try SQLite.Connection(path: "", mode: .create)
            sqlite3_limit(connection.handle, SQLITE_LIMIT_LENGTH, longest)
            // A name that no name in the expression can be.
            let name = String(repeating: "x", count: sql.utf8.count + 1)
            try connection.execute(
                "CREATE TABLE t (\(name), \(name)v \(affinity.rawValue) AS (\(sql)) STORED); INSERT INTO t VALUES (1)"
            )
            let statement = try connection.prepare("SELECT \(name)v FROM t")
            guard try statement.step() else { return nil }
            return constant(statement)
        } catch {
            return nil
        }
    }

    /// Bytes; longer values are no defaults that anybody wrote.
    private static let longest: Int32 = 1_000_000

    private static func constant(_ statement: borrowing SQLite.Statement) -> String? {
        switch statement.storageClass(0) {
        case .null: return "NULL"
        case .integer: return "\(statement.int64(0))"
        case .real: return statement.double(0).isFinite ? "\(statement.double(0))" : nil
        case .text:
            let bytes = statement.bytes(0)
            guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else { return nil }
            return "'\(text.replacing("'", with: "''"))'"
        case .blob: return "x'\(statement.bytes(0).hexadecimal)'"
        }
    }
}
