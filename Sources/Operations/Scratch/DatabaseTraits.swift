import Postgres

/// What a database is made with, so that another takes the same rows and orders them alike
/// (https://www.postgresql.org/docs/current/sql-createdatabase.html).
struct DatabaseTraits: Sendable, Equatable {
    let owner: String
    private let options: [String]

    /// Of the database that a connection is on.
    init(_ connection: borrowing Postgres.Connection) throws {
        let version = connection.serverVersion
        let locale = version >= 170_000 ? "datlocale" : version >= 150_000 ? "daticulocale" : "NULL::text"
        let provider = version >= 150_000 ? "datlocprovider" : "'c'::\"char\""
        let rules = version >= 160_000 ? "daticurules" : "NULL::text"
        let row = try connection.query(
            """
            SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, \(provider), \(locale), \(rules)
            FROM pg_database WHERE datname = current_database()
            """)
        owner = row.text(0, 0) ?? ""
        var options = [
            "ENCODING \(quoteLiteral(row.text(0, 1) ?? "UTF8"))",
            "LC_COLLATE \(quoteLiteral(row.text(0, 2) ?? "C"))",
            "LC_CTYPE \(quoteLiteral(row.text(0, 3) ?? "C"))",
        ]
        let name = row.text(0, 5)
        switch row.text(0, 4) {
        case "i":
            options.append("LOCALE_PROVIDER icu")
            if let name { options.append("ICU_LOCALE \(quoteLiteral(name))") }
            if let rules = row.text(0, 6) { options.append("ICU_RULES \(quoteLiteral(rules))") }
        case "b":
            options.append("LOCALE_PROVIDER builtin")
            if let name { options.append("BUILTIN_LOCALE \(quoteLiteral(name))") }
        default: break
        }
        self.options = options
    }

    /// The statement that makes an empty database of that kind.
    func createSQL(_ name: String) -> String {
        "CREATE DATABASE \(quoteIdentifier(name)) TEMPLATE template0 \(options.joined(separator: " "))"
    }
}
