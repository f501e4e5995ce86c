import Testing

/// A table of the damaged database, by what its key is.
struct DamagedTable: Sendable, CustomTestStringConvertible {
    let name: String
    /// SQL of SQLite's: the key's columns, and their values in row `i`.
    let declaration: String
    let values: String
    /// SQL of PostgreSQL's that finds a row in the target.
    let condition: @Sendable (Int) -> String
    /// The row's key as the proof tells it; nil where there is none.
    let key: (@Sendable (Int) -> String)?
    /// SQL of PostgreSQL's: the values of a key that no row has, and the key as the proof tells it.
    let newKey: (columns: String, values: String, key: String)
    var isWalked = false

    var testDescription: String { name }

    private static func padded(_ row: Int) -> String { row < 10 ? "000\(row)" : "00\(row)" }

    static let all = [
        DamagedTable(
            name: "by_integer", declaration: "id INTEGER PRIMARY KEY", values: "i",
            condition: { "id = \($0)" }, key: { "\($0)" }, newKey: ("id", "99", "99"), isWalked: true),
        DamagedTable(
            name: "by_text", declaration: "id TEXT PRIMARY KEY", values: "'cjld2cjxh' || printf('%04d', i)",
            condition: { "id = 'cjld2cjxh\(padded($0))'" }, key: { "cjld2cjxh\(padded($0))" },
            newKey: ("id", "'new'", "new")),
        DamagedTable(
            name: "by_uuid", declaration: "id TEXT PRIMARY KEY",
            values: "printf('5eed0000-0000-4000-8000-00000000%04d', i)",
            condition: { "id = '5eed0000-0000-4000-8000-00000000\(padded($0))'" },
            key: { "\\x5eed00000000400080000000" + "0000\(padded($0))" },
            newKey: (
                "id", "'5eed0000-0000-4000-8000-000000009999'", "\\x5eed0000000040008000000000009999"
            )),
        DamagedTable(
            name: "by_two", declaration: "id INTEGER, part TEXT", values: "i % 8, 'part ' || i",
            condition: { "id = \($0 % 8) AND part = 'part \($0)'" }, key: { "\($0 % 8), part \($0)" },
            newKey: ("id, part", "1, 'new'", "1, new")),
        DamagedTable(
            name: "by_bytes", declaration: "id BLOB PRIMARY KEY", values: "CAST(printf('k%04d', i) AS BLOB)",
            condition: { "id = convert_to('k\(padded($0))', 'UTF8')" },
            key: { "\\x6b" + padded($0).utf8.map { "3\($0 - 48)" }.joined() },
            newKey: ("id", "'\\x00ff'", "\\x00ff")),
        DamagedTable(
            name: "without_key", declaration: "id INTEGER", values: "i", condition: { "id = \($0)" },
            key: nil,
            newKey: ("id", "99", "")),
    ]

    /// Forty rows of every type, the same but for their keys.
    var script: String {
        let primaryKey = name == "by_two" ? ", PRIMARY KEY (id, part)" : ""
        return """
            CREATE TABLE \(name) (\(declaration), n INTEGER, r REAL, z, s TEXT, b BLOB, f BOOLEAN, d DATETIME, tz DATETIME,
                dec DECIMAL(10,3), day DATE, t TIME, j JSON, jb JSON, mood TEXT, u TEXT\(primaryKey));
            INSERT INTO \(name) WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 40)
            SELECT \(values), CASE i WHEN 17 THEN 9007199254740993 ELSE i * 1000 END,
                CASE i WHEN 21 THEN 0.0 ELSE i / 3.0 END, CASE i WHEN 22 THEN -0.0 ELSE i / 7.0 END,
                CASE i WHEN 11 THEN '' WHEN 12 THEN NULL WHEN 15 THEN ' ' WHEN 16 THEN 'caf' || char(233) WHEN 18 THEN '007'
                    WHEN 19 THEN 'one' || char(13, 10) || 'two' WHEN 20 THEN replace(printf('%300s', 'x'), ' ', 'x')
                    WHEN 24 THEN 'Gr' || char(252) || char(223) || 'e' ELSE 'Text ' || i END,
                CASE i WHEN 13 THEN x'' WHEN 14 THEN NULL ELSE CAST('bytes ' || i AS BLOB) END, i % 2,
                '2024-01-02 03:04:05.' || (100 + i), '2024-01-02T03:04:05.' || (100 + i) || 'Z', i / 8.0,
                '2024-01-' || printf('%02d', i % 28 + 1), '03:04:' || printf('%02d', i), json_object('a', i, 'b', 'x'),
                json_object('a', i, 'b', 'x'), CASE i % 2 WHEN 1 THEN 'calm' ELSE 'glad' END,
                printf('12345678-0000-4000-8000-00000000%04d', i) FROM g;
            """
    }

    /// Types that a source alone does not ask for.
    var retyping: String {
        """
        ALTER TABLE \(name) ALTER mood TYPE mood USING mood::mood, ALTER jb TYPE jsonb USING jb::jsonb,
            ALTER u TYPE uuid USING u::uuid\(name == "by_uuid" ? ", ALTER id TYPE uuid USING id::uuid" : "")
        """
    }
}

/// One way in which a cell of the target may be spoilt.
struct Damage: Sendable {
    let name: String
    let row: Int
    let column: String
    /// SQL of PostgreSQL's, the new value.
    let value: String

    init(_ name: String, row: Int = 7, _ column: String, _ value: String) {
        self.name = name
        self.row = row
        self.column = column
        self.value = value
    }

    static let all = [
        Damage("an integer one larger", "n", "n + 1"),
        Damage("2^53 + 1 as a double holds it", row: 17, "n", "9007199254740992"),
        Damage("a double's lost last digit", "r", "round(r::numeric, 14)::float8"),
        Damage("a double's last bit", "r", "r * (1 + 2.220446049250313e-16::float8)"),
        Damage("0.0 as -0.0", row: 21, "r", "'-0'::float8"),
        Damage("-0.0 as 0.0", row: 22, "z", "0"),
        Damage("a number as NULL", "r", "NULL"),
        Damage("a case", "s", "upper(s)"),
        Damage("a letter's case", "s", "overlay(s placing 't' from 1)"),
        Damage("a blank at the end", "s", "s || ' '"),
        Damage("a text cut by one", "s", "left(s, -1)"),
        Damage("NULL as empty text", row: 12, "s", "''"),
        Damage("empty text as NULL", row: 11, "s", "NULL"),
        Damage("empty text as a blank", row: 11, "s", "' '"),
        Damage("a blank as empty text", row: 15, "s", "''"),
        Damage("a letter decomposed", row: 16, "s", "normalize(s, NFD)"),
        Damage("a leading zero lost", row: 18, "s", "'7'"),
        Damage("CRLF as LF", row: 19, "s", "replace(s, E'\\r', '')"),
        Damage("a text cut at 255", row: 20, "s", "left(s, 255)"),
        Damage("UTF-8 read as Latin-1", row: 24, "s", "convert_from(convert_to(s, 'UTF8'), 'LATIN1')"),
        Damage("a letter lost for a question mark", row: 24, "s", "replace(s, 'ü', '?')"),
        Damage("one bit of a BLOB", "b", "set_bit(b, 3, 1 - get_bit(b, 3))"),
        Damage("a BLOB's last byte lost", "b", "substring(b for length(b) - 1)"),
        Damage("a BLOB's hexadecimal text", "b", "convert_to(b::text, 'UTF8')"),
        Damage("NULL as empty bytes", row: 14, "b", "''"),
        Damage("empty bytes as NULL", row: 13, "b", "NULL"),
        Damage("empty bytes as a blank", row: 13, "b", "'\\x20'"),
        Damage("a boolean flipped", "f", "NOT f"),
        Damage("false as NULL", row: 8, "f", "NULL"),
        Damage("a millisecond", "d", "d + interval '1 millisecond'"),
        Damage("milliseconds lost", "d", "date_trunc('second', d)"),
        Damage("an hour of a zone", "d", "d + interval '1 hour'"),
        Damage("a millisecond of an instant", "tz", "tz - interval '1 millisecond'"),
        Damage("an hour of an instant", "tz", "tz - interval '1 hour'"),
        Damage("a decimal's last digit", "dec", "dec + 0.001"),
        Damage("a day", "day", "day - 1"),
        Damage("a second of a time", "t", "t + interval '1 second'"),
        Damage("a digit in JSON", "j", "replace(j::text, '7', '8')::json"),
        Damage("a blank in JSON that keeps its text", "j", "replace(j::text, ':', ': ')::json"),
        Damage("a digit in binary JSON", "jb", "jsonb_set(jb, '{a}', '8')"),
        Damage("a number as text in binary JSON", "jb", "jsonb_set(jb, '{a}', '\"7\"')"),
        Damage("an enum's other value", "mood", "'glad'"),
        Damage("a UUID's digit", "u", "'12345678-0000-4000-8000-000000000107'"),
    ]
}
