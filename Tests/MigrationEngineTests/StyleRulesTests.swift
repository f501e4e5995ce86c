import Testing

@testable import MigrationEngine

/// The types that Django's and Rails' own migrations give in PostgreSQL for what they write in SQLite.
@Suite struct StyleRulesTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let declared: String
        let values: String
        let type: String
        let isFallback: Bool

        init(_ declared: String, _ values: String, _ type: String, isFallback: Bool = false) {
            self.declared = declared
            self.values = values
            self.type = type
            self.isFallback = isFallback
        }

        var testDescription: String { "\(declared) \(values)" }
    }

    private func choose(_ test: Case, _ style: Style) throws -> TypeRule.Choice {
        let rows = test.values.isEmpty ? "" : "; INSERT INTO t (c) VALUES \(test.values)"
        let (catalog, profiles) = try readProfiles("CREATE TABLE t (c \(test.declared))\(rows)")
        let table = try #require(catalog.tables.first)
        let profile = try #require(profiles["t"]?.columns.first)
        return TypeRule.choose(table.columns[0], profile, style: style, of: table)
    }

    static let bare = "0f8fad5bd9cb469fa16570867728950e"
    static let dashed = "0f8fad5b-d9cb-469f-a165-70867728950e"

    static let django = [
        Case("integer NOT NULL", "(2147483647)", "integer"),
        Case("integer NOT NULL", "(2147483648)", "bigint", isFallback: true),
        Case("integer unsigned NOT NULL CHECK (\"c\" >= 0)", "(7)", "integer"),
        Case("smallint NOT NULL", "(-32768)", "smallint"),
        Case("smallint unsigned NOT NULL", "(40000)", "integer", isFallback: true),
        Case("smallint", "(3000000000)", "bigint", isFallback: true),
        Case("bigint NOT NULL", "(9223372036854775807)", "bigint"), Case("bigint unsigned", "(1)", "bigint"),
        Case("bool NOT NULL", "(1), (0)", "boolean"), Case("varchar(5)", "('größe')", "varchar(5)"),
        Case("varchar(5)", "('größen')", "varchar", isFallback: true), Case("varchar", "('a')", "varchar"),
        Case("char(32)", "('\(bare)')", "uuid"), Case("char(32)", "", "uuid"),
        Case("char(32)", "('\(dashed)')", "uuid"),
        Case("char(32)", "('\(bare.uppercased())')", "varchar(32)", isFallback: true),
        Case("char(32)", "('\(bare)'), ('none')", "varchar(32)", isFallback: true),
        Case("char(32)", "('\(bare)'), (5)", "varchar(32)", isFallback: true),
        Case("char(39)", "('10.0.0.1'), ('2001:db8::1'), ('::1'), ('::ffff:10.0.0.1')", "inet"),
        Case("char(15)", "('10.0.0.1')", "inet"),
        Case("char(39)", "('10.0.0.1/8')", "varchar(39)", isFallback: true),
        Case("char(39)", "('2001:DB8::1')", "varchar(39)", isFallback: true),
        Case("char(39)", "('10.0.0.256')", "varchar(39)", isFallback: true),
        Case("datetime", "('2024-05-06 07:08:09.123456')", "timestamptz"),
        Case("datetime", "('2024-05-06 07:08:09'), ('2024-05-06 07:08:09Z')", "timestamptz"),
        Case("datetime", "", "timestamptz"), Case("datetime", "(1714979289)", "timestamptz"),
        Case("date", "('2024-05-06')", "date"), Case("time", "('07:08:09.123000')", "time"),
        Case("decimal NOT NULL", "(12.5), (3)", "numeric"), Case("real", "(1.5)", "double precision"),
        Case("BLOB", "(x'00')", "bytea"), Case("text", "('x')", "text"),
        Case("text NOT NULL CHECK ((JSON_VALID(\"c\") OR \"c\" IS NULL))", "('{\"a\": 1}')", "jsonb"),
        Case("text CHECK (JSON_VALID(c))", "('[]')", "jsonb"),
        Case(
            "text CHECK ((JSON_VALID(\"c\") OR \"c\" IS NULL))", "('{\"a\": 1, \"a\": 2}')", "text",
            isFallback: true),
        // A check of more than that is the developer's own, and the column a text.
        Case("text CHECK (JSON_VALID(\"c\") OR \"c\" = 'x')", "('[]')", "text"),
    ]

    @Test(arguments: django) func djangosFieldsGetTheirTypesInPostgreSQL(_ test: Case) throws {
        let choice = try choose(test, .django)
        #expect(choice.type.sql == test.type)
        #expect(choice.isFallback == test.isFallback)
        #expect(choice.fit == .fits)
    }

    static let rails = [
        Case("integer", "(2147483647)", "integer"), Case("integer(2)", "(5)", "smallint"),
        Case("integer(8)", "(5)", "bigint"), Case("integer(3)", "(5)", "integer"),
        Case("integer(2)", "(70000)", "integer", isFallback: true),
        Case("integer", "(2147483648)", "bigint", isFallback: true), Case("bigint", "(1)", "bigint"),
        Case("varchar", "('x')", "varchar"), Case("varchar(255)", "('x')", "varchar(255)"),
        Case("varchar(2)", "('abc')", "varchar", isFallback: true), Case("text", "('x')", "text"),
        Case("datetime(6)", "('2024-05-06 07:08:09.123456')", "timestamp(6)"),
        Case("datetime", "('2024-05-06 07:08:09')", "timestamp"),
        Case("datetime(3)", "('2024-05-06 07:08:09.123')", "timestamp(3)"),
        Case("datetime(3)", "('2024-05-06 07:08:09.1234')", "timestamp", isFallback: true),
        Case("datetime(6)", "('2024-05-06 07:08:09 UTC')", "timestamp(6)"),
        Case("datetime(6)", "('2024-05-06 07:08:09Z')", "timestamptz", isFallback: true),
        Case("boolean", "('t'), ('f'), (1), (0)", "boolean"),
        Case("decimal(10,2)", "(12.5)", "numeric(10,2)"), Case("decimal", "(12.5)", "numeric"),
        Case("decimal(10,2)", "(1.005)", "numeric", isFallback: true),
        Case("float", "(1.5)", "double precision"), Case("blob", "(x'00')", "bytea"),
        Case("date", "('2024-05-06')", "date"),
        Case("time", "('2000-01-01 12:34:56'), ('2000-01-01 00:00:00.5')", "time"),
        Case("time", "('12:34:56'), ('2000-01-01 12:34:56')", "time"),
        Case("time", "('2000-01-02 00:00:00')", "timestamp", isFallback: true),
        Case("time", "('2000-01-01 12:34:56'), ('2024-05-06 07:08:09')", "timestamp", isFallback: true),
        Case("time", "('1999-12-31 23:59:59')", "timestamp", isFallback: true),
        Case("time", "('12:00'), ('1999-12-31 23:59:59')", "text", isFallback: true),
        Case("text(65535)", "('x')", "text"), Case("blob(1024)", "(x'00')", "bytea"),
        Case("json", "('{}'), (5)", "json"), Case("jsonb", "('{}')", "jsonb"),
        Case("uuid", "('\(dashed)')", "uuid"), Case("uuid", "('\(bare)')", "text", isFallback: true),
    ]

    @Test(arguments: rails) func railsColumnsGetTheirTypesInPostgreSQL(_ test: Case) throws {
        let choice = try choose(test, .rails)
        #expect(choice.type.sql == test.type)
        #expect(choice.isFallback == test.isFallback)
    }

    /// These readings are the two styles' own.
    @Test(arguments: [
        ("time", "('2000-01-01 12:34:56')", Style.plain, "text"),
        ("time", "('2000-01-01 12:34:56')", .django, "text"),
        ("datetime", "('2024-05-06 07:08:09')", .plain, "timestamp"),
        ("timestamptz", "('2024-05-06 07:08:09')", .plain, "timestamp"),
        ("timestamptz", "('2024-05-06 07:08:09')", .django, "timestamptz"),
        ("char(32)", "('\(bare)')", .plain, "varchar(32)"),
        ("text CHECK (JSON_VALID(c))", "('[]')", .plain, "text"),
        ("integer", "(1)", .plain, "bigint"),
    ])
    func otherStylesReadAsBefore(declared: String, values: String, style: Style, type: String) throws {
        #expect(try choose(Case(declared, values, type), style).type.sql == type)
    }

    // MARK: Keys

    private func types(_ script: String, _ style: Style) throws -> [String: String] {
        let plan = try propose(script, style: style).plan
        let pairs = plan.tables.flatMap { table in
            table.columns.map {
                ("\(table.name).\($0.name)", $0.type + ($0.numbering.map { " \($0)" } ?? ""))
            }
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private static let auto = "id integer NOT NULL PRIMARY KEY AUTOINCREMENT"

    @Test func djangosKeysAreWhatTheirForeignKeysAreDeclared() throws {
        let found = try types(
            """
            CREATE TABLE big (\(Self.auto)); CREATE TABLE old (\(Self.auto)); CREATE TABLE small (\(Self.auto));
            CREATE TABLE alone (\(Self.auto), b bigint REFERENCES big (id), o integer REFERENCES old (id),
                s smallint REFERENCES small (id));
            CREATE TABLE auth_group (\(Self.auto)); CREATE TABLE django_admin_log (\(Self.auto));
            CREATE TABLE child (old_ptr_id integer NOT NULL PRIMARY KEY REFERENCES old (id));
            CREATE TABLE own (code integer NOT NULL PRIMARY KEY)
            """, .django)
        #expect(
            found == [
                "big.id": "bigint identity", "old.id": "integer identity", "small.id": "smallint identity",
                "alone.id": "bigint identity", "alone.b": "bigint", "alone.o": "integer",
                "alone.s": "smallint",
                "auth_group.id": "integer identity", "django_admin_log.id": "integer identity",
                "child.old_ptr_id": "integer", "own.code": "integer",
            ])
    }

    @Test func aDjangoKeyThatNothingRefersToIsAsTheOthers() throws {
        let found = try types(
            "CREATE TABLE old (\(Self.auto)); CREATE TABLE alone (\(Self.auto), o integer REFERENCES old (id))",
            .django)
        #expect(found["alone.id"] == "integer identity")
        #expect(try types("CREATE TABLE alone (\(Self.auto))", .django)["alone.id"] == "bigint identity")
    }

    @Test func railsReferencesAreBigint() throws {
        let key = "\"id\" integer PRIMARY KEY AUTOINCREMENT NOT NULL"
        let found = try types(
            """
            CREATE TABLE users (\(key)); CREATE TABLE categories (\(key));
            CREATE TABLE posts (\(key), user_id integer NOT NULL, editor_id integer, record_type varchar,
                record_id integer, category_id integer, external_id integer, count integer, tag_id integer(4),
                CONSTRAINT fk_rails_1 FOREIGN KEY (user_id) REFERENCES users (id));
            CREATE INDEX index_posts_on_editor_id ON posts (editor_id);
            CREATE TABLE plain (code integer NOT NULL PRIMARY KEY)
            """, .rails)
        #expect(
            found == [
                "users.id": "bigint serial", "categories.id": "bigint serial", "posts.id": "bigint serial",
                "posts.user_id": "bigint", "posts.editor_id": "bigint", "posts.record_type": "varchar",
                "posts.record_id": "bigint", "posts.category_id": "bigint", "posts.external_id": "integer",
                "posts.count": "integer", "posts.tag_id": "integer", "plain.code": "integer",
            ])
    }

    // MARK: Defaults

    @Test(arguments: [
        ("datetime DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))", Style.django, "STATEMENT_TIMESTAMP()"),
        ("datetime DEFAULT CURRENT_TIMESTAMP", .django, "CURRENT_TIMESTAMP"),
        ("datetime DEFAULT '2024-01-01 00:00:00'", .django, "'2024-01-01 00:00:00+00'"),
        ("bool DEFAULT 1", .django, "true"), ("char(32) DEFAULT '\(bare)'", .django, "'\(bare)'"),
        ("text DEFAULT '{\"a\": 1}' CHECK ((JSON_VALID(\"c\") OR \"c\" IS NULL))", .django, "'{\"a\": 1}'"),
        ("boolean DEFAULT 't'", .rails, "true"), ("boolean DEFAULT 0", .rails, "false"),
        ("boolean DEFAULT FALSE NOT NULL", .rails, "false"), ("varchar DEFAULT 'a''b'", .rails, "'a''b'"),
        ("decimal(8,2) DEFAULT 0.0", .rails, "0.0"),
        ("datetime(6) DEFAULT (datetime('now'))", .rails, "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"),
        ("datetime(6) DEFAULT CURRENT_TIMESTAMP", .rails, "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"),
    ])
    func defaultsAreCarried(column: String, style: Style, value: String) throws {
        let plan = try propose("CREATE TABLE t (c \(column))", style: style).plan
        #expect(plan.tables.first?.columns.first?.defaultValue == value)
    }
}
