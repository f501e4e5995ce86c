import SQLDialect

/// One table on both databases, with the same rows, for the tests of translated SQL.
enum DialectTable {
    static let sqlite = """
        CREATE TABLE v (id INTEGER PRIMARY KEY, i INTEGER, n INT, d REAL, q DECIMAL, b BOOLEAN, t TEXT, u TEXT COLLATE NOCASE,
            r TEXT COLLATE RTRIM, x BLOB, m INTEGER, s TEXT, y TEXT, w DATETIME);
        INSERT INTO v VALUES (1, 1, 1, 1.5, 10, 1, 'abc', 'ABC', 'a  ', x'00ff', 1700000000123, '2024-02-29 23:59:59', '2024-02-29', '2024-02-29 23:59:59');
        INSERT INTO v VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        INSERT INTO v VALUES (3, -9, -2147483648, -0.5, 0.1, 0, '', 'a', ' a', x'', 0, '1970-01-01 00:00:00', '1970-01-01', '1970-01-01 00:00:00');
        INSERT INTO v VALUES (4, 9007199254740993, 2147483647, 1e300, -3.25, 1, 'Äß 東京', 'it''s', 'a', x'41', -1,
            '9999-12-31 12:00:00', '0001-01-01', '9999-12-31 12:00:00');
        INSERT INTO v VALUES (5, 0, 0, 0.0, 0, 0, 'a%b_c', '%', 'Abc', x'616263', 1000, '2000-01-31 06:07:08', '2000-02-01', '2000-01-31 06:07:08');
        INSERT INTO v VALUES (6, 3, 7, 2.0, 5, 1, 'Abc', 'abd', '10', x'ff', 86400000, '2024-01-01 00:00:00', '2024-01-01', '2024-01-01 00:00:00');
        """
    static let postgres = """
        CREATE TABLE v (id bigint PRIMARY KEY, i bigint, n integer, d double precision, q numeric, b boolean, t text, u text,
            r text, x bytea, m timestamp(3), s timestamp, y date, w timestamp);
        INSERT INTO v VALUES (1, 1, 1, 1.5, 10, true, 'abc', 'ABC', 'a  ', '\\x00ff', '2023-11-14 22:13:20.123', '2024-02-29 23:59:59', '2024-02-29', '2024-02-29 23:59:59');
        INSERT INTO v VALUES (2);
        INSERT INTO v VALUES (3, -9, -2147483648, -0.5, 0.1, false, '', 'a', ' a', '\\x', '1970-01-01', '1970-01-01 00:00:00', '1970-01-01', '1970-01-01 00:00:00');
        INSERT INTO v VALUES (4, 9007199254740993, 2147483647, 1e300, -3.25, true, 'Äß 東京', 'it''s', 'a', '\\x41',
            '1969-12-31 23:59:59.999', '9999-12-31 12:00:00', '0001-01-01', '9999-12-31 12:00:00');
        INSERT INTO v VALUES (5, 0, 0, 0.0, 0, false, 'a%b_c', '%', 'Abc', '\\x616263', '1970-01-01 00:00:01', '2000-01-31 06:07:08', '2000-02-01', '2000-01-31 06:07:08');
        INSERT INTO v VALUES (6, 3, 7, 2.0, 5, true, 'Abc', 'abd', '10', '\\xff', '1970-01-02', '2024-01-01 00:00:00', '2024-01-01', '2024-01-01 00:00:00');
        """

    static let relation = SQLRelation(
        name: "v", target: "v",
        columns: [
            .init(name: "id", type: .integer, affinity: .integer, sqlType: "bigint"),
            .init(name: "i", type: .integer, affinity: .integer, sqlType: "bigint"),
            .init(name: "n", type: .narrow, affinity: .integer, sqlType: "integer"),
            .init(name: "d", type: .double, affinity: .real, sqlType: "double precision"),
            .init(name: "q", type: .numeric, affinity: .numeric, sqlType: "numeric"),
            .init(name: "b", type: .boolean, affinity: .numeric, sqlType: "boolean"),
            .init(name: "t", type: .text, affinity: .text, sqlType: "text"),
            .init(name: "u", type: .text, affinity: .text, collation: "NOCASE", sqlType: "text"),
            .init(name: "r", type: .text, affinity: .text, collation: "RTRIM", sqlType: "text"),
            .init(name: "x", type: .bytea, affinity: .blob, sqlType: "bytea"),
            .init(
                name: "m", type: .other("timestamp"), storage: .epoch(perSecond: 1000), affinity: .integer,
                sqlType: "timestamp(3)"),
            .init(
                name: "s", type: .other("timestamp"), storage: .layout("YYYY-MM-DD HH24:MI:SS"),
                affinity: .text,
                sqlType: "timestamp"),
            .init(
                name: "w", type: .other("timestamp"), storage: .layout("YYYY-MM-DD HH24:MI:SS"),
                affinity: .numeric,
                sqlType: "timestamp"),
            .init(
                name: "y", type: .other("date"), storage: .layout("YYYY-MM-DD"), affinity: .text,
                sqlType: "date"),
        ], rowidAlias: "id")
}
