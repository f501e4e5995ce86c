/// One of the four roles that an application's database needs, each with the least that its work takes.
public enum DatabaseRole: String, CaseIterable, Codable, Sendable {
    case migrate, app, backup, watch

    /// What it is for, in one sentence.
    public var purpose: String {
        switch self {
        case .migrate: "makes and changes tables, and owns them; for migrations alone"
        case .app: "reads and writes rows; what the application connects as"
        case .backup: "reads everything, writes nothing; for pg_dump"
        case .watch: "sees sessions and statistics, and no row; for monitoring"
        }
    }
}

/// One right of one role, with its reason.
struct RoleRight: Sendable {
    enum Place: Sendable, Equatable {
        /// What CREATE ROLE says.
        case attributes
        case membership
        /// ALTER ROLE … SET, in this database alone.
        case setting
        case database, schema
        /// Of those that are there, and of those that the migrate role makes later.
        case tables, sequences, functions
        /// An attribute that only a server with row level security needs.
        case rowSecurity
    }

    let role: DatabaseRole
    let place: Place
    let words: String
    let reason: String
    /// The page of the manual, below https://www.postgresql.org/docs/current/.
    let source: String
    /// Versions of the server, as numbers, that it is for.
    var versions = 0..<Int.max

    /// No role makes others, or does what only a superuser may.
    static let attributes = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    /// Since then one membership reads all data.
    private static let readsAll = 140_000

    /// Every right of the four roles; what is not here, they do not have.
    static let table: [RoleRight] = [
        RoleRight(
            role: .migrate, place: .attributes, words: attributes,
            reason: "owning the tables is enough to change them", source: "sql-createrole.html"),
        RoleRight(
            role: .migrate, place: .database, words: "CONNECT, CREATE, TEMPORARY",
            reason: "migrations make schemas, howdah's ledger among them, and temporary tables",
            source: "ddl-priv.html"),
        RoleRight(
            role: .migrate, place: .schema, words: "USAGE, CREATE",
            reason: "tables are made here; since PostgreSQL 15 nobody but the owner may unless it is granted",
            source: "ddl-schemas.html#DDL-SCHEMAS-PUBLIC"),

        RoleRight(
            role: .app, place: .attributes, words: attributes, reason: "an application needs no more",
            source: "sql-createrole.html"),
        RoleRight(
            role: .app, place: .database, words: "CONNECT", reason: "it makes nothing in the database",
            source: "ddl-priv.html"),
        RoleRight(
            role: .app, place: .schema, words: "USAGE",
            reason: "it finds the tables, and can neither make nor drop one", source: "ddl-priv.html"),
        RoleRight(
            role: .app, place: .tables, words: "SELECT, INSERT, UPDATE, DELETE",
            reason: "rows, and neither TRUNCATE, which goes past triggers, nor REFERENCES, nor TRIGGER",
            source: "ddl-priv.html"),
        RoleRight(
            role: .app, place: .sequences, words: "USAGE, SELECT",
            reason: "new keys come from them; setval, which could give a key twice, would need UPDATE",
            source: "functions-sequence.html"),
        RoleRight(
            role: .app, place: .functions, words: "EXECUTE",
            reason: "stays with it where EXECUTE is taken from everybody else", source: "ddl-priv.html"),

        RoleRight(
            role: .backup, place: .attributes, words: attributes, reason: "it only reads",
            source: "sql-createrole.html"),
        RoleRight(
            role: .backup, place: .setting, words: "default_transaction_read_only = on",
            reason: "a slip of the hand writes nothing", source: "runtime-config-client.html"),
        RoleRight(
            role: .backup, place: .database, words: "CONNECT", reason: "pg_dump connects to one database",
            source: "ddl-priv.html"),
        RoleRight(
            role: .backup, place: .membership, words: "pg_read_all_data",
            reason: "reads every table, view, sequence and schema, those made later too",
            source: "predefined-roles.html", versions: readsAll..<Int.max),
        RoleRight(
            role: .backup, place: .schema, words: "USAGE", reason: "pg_dump reads what is in it",
            source: "ddl-priv.html", versions: 0..<readsAll),
        RoleRight(
            role: .backup, place: .tables, words: "SELECT", reason: "pg_dump reads every row",
            source: "app-pgdump.html", versions: 0..<readsAll),
        RoleRight(
            role: .backup, place: .sequences, words: "SELECT", reason: "pg_dump reads where each stands",
            source: "app-pgdump.html", versions: 0..<readsAll),
        RoleRight(
            role: .backup, place: .rowSecurity, words: "BYPASSRLS",
            reason: "without it pg_dump ends with an error at the first table with row level security",
            source: "ddl-rowsecurity.html"),

        RoleRight(
            role: .watch, place: .attributes, words: attributes, reason: "it only looks",
            source: "sql-createrole.html"),
        RoleRight(
            role: .watch, place: .database, words: "CONNECT",
            reason: "statistics of tables are those of the database one is on", source: "ddl-priv.html"),
        RoleRight(
            role: .watch, place: .membership, words: "pg_monitor",
            reason: "sees every session's query, every setting and all statistics, and no table's rows",
            source: "predefined-roles.html"),
    ]
}
