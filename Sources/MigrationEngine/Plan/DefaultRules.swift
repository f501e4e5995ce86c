import Postgres
import SQLDialect

/// Carries a column's default from SQLite's SQL to PostgreSQL's (https://sqlite.org/lang_createtable.html#dfltval).
///
/// Constants and the three CURRENT_ words are carried where they fit the column's type.
struct DefaultRules {
    enum Outcome: Equatable {
        /// PostgreSQL's SQL; nil where the default is NULL, which needs no words.
        case carried(String?)
        case notSupported(String)
    }

    private enum Constant {
        case null
        case number(String)
        case text(String)
        case blob(String)
        case boolean(Bool)
        case now(date: Bool, time: Bool)
    }

    let type: PostgresType
    let style: Style
    let enums: [MigrationPlan.Enumeration]

    /// nil where it is no constant.
    func translate(_ sql: String) -> Outcome? {
        if style == .django, type.isZoned, Self.isDjangosNow(sql) { return .carried("STATEMENT_TIMESTAMP()") }
        guard let constant = Self.constant(sql) else {
            return nil
        }
        if case .null = constant { return .carried(nil) }
        guard let translated = translate(constant) else {
            return .notSupported("the default \(sql) is no value of type \(type.sql)")
        }
        return .carried(translated)
    }

    // MARK: Reading

    private static func constant(_ sql: String) -> Constant? {
        var tokens = SQLLexer.tokens(of: sql)[...]
        while tokens.count > 2, tokens.first?.isSymbol("(") == true, tokens.last?.isSymbol(")") == true {
            tokens = tokens.dropFirst().dropLast()
        }
        var sign = ""
        while tokens.count > 1, let first = tokens.first, first.isSymbol("-") || first.isSymbol("+") {
            if first.isSymbol("-") { sign = sign.isEmpty ? "-" : "" }
            tokens = tokens.dropFirst()
        }
        if let now = now(tokens) { return sign.isEmpty ? now : nil }
        guard tokens.count == 1, let token = tokens.first else { return nil }
        switch token.kind {
        case .number: return number(token.source).map { .number(sign + $0) }
        case _ where !sign.isEmpty: return nil
        case .text, .quotedName: return .text(token.value)
        case .blob: return .blob(String(token.source.dropFirst(2).dropLast()).lowercased())
        case .word:
            switch token.source.uppercased() {
            case "NULL": return .null
            case "TRUE": return .boolean(true)
            case "FALSE": return .boolean(false)
            default: return .text(token.source)
            }
        default: return nil
        }
    }

    /// `db_default=Now()`, https://docs.djangoproject.com/en/5.2/ref/models/database-functions/#now
    private static func isDjangosNow(_ sql: String) -> Bool {
        let words = SQLLexer.tokens(of: sql).map(\.value).filter { $0 != "(" && $0 != ")" }
        return words == ["STRFTIME", "%Y-%m-%d %H:%M:%f", ",", "NOW"]
    }

    /// CURRENT_TIMESTAMP and its like, and the functions of 'now' that give the same texts.
    private static func now(_ tokens: ArraySlice<SQLToken>) -> Constant? {
        guard let name = tokens.first, name.kind == .word else { return nil }
        let arguments = tokens.dropFirst()
        let isCallOfNow =
            arguments.count == 3 && arguments.first?.isSymbol("(") == true
            && arguments.last?.isSymbol(")") == true
            && arguments.dropFirst().first?.value.lowercased() == "now"
        switch (name.source.uppercased(), arguments.isEmpty, isCallOfNow) {
        case ("CURRENT_TIMESTAMP", true, _), ("DATETIME", _, true): return .now(date: true, time: true)
        case ("CURRENT_DATE", true, _), ("DATE", _, true): return .now(date: true, time: false)
        case ("CURRENT_TIME", true, _), ("TIME", _, true): return .now(date: false, time: true)
        default: return nil
        }
    }

    private static func number(_ source: String) -> String? {
        if source.lowercased().hasPrefix("0x") {
            return UInt64(source.dropFirst(2), radix: 16).map { String(Int64(bitPattern: $0)) }
        }
        let plain = source.replacing("_", with: "")
        return DecimalDigits(decimal: plain.utf8) == nil ? nil : plain
    }

    // MARK: Writing

    /// The constant in PostgreSQL's words; nil where it is no value of the column's type.
    private func translate(_ constant: Constant) -> String? {
        switch constant {
        case .null: return "NULL"
        case .boolean(let value): return translate(boolean: value)
        case .number(let text): return translate(number: text)
        case .text(let text): return translate(text: text)
        case .blob(let digits): return type == .bytea ? quotedBytes(digits) : nil
        case .now(let date, let time): return translate(nowWithDate: date, time: time)
        }
    }

    private func translate(boolean value: Bool) -> String? {
        switch type {
        case .boolean: value ? "true" : "false"
        default: translate(number: value ? "1" : "0")
        }
    }

    private func translate(number text: String) -> String? {
        guard let digits = DecimalDigits(decimal: text.utf8) else { return nil }
        switch type {
        case .boolean where digits == DecimalDigits(Int64(0)): return "false"
        case .boolean where digits == DecimalDigits(Int64(1)): return "true"
        case .smallint where Int16(text) != nil, .integer where Int32(text) != nil,
            .bigint where Int64(text) != nil:
            return text
        case .double where Double(text)?.isFinite == true: return text
        case .numeric(nil, _) where Self.isExact(digits, text): return text
        case .numeric(let precision?, let scale)
        where digits.scale <= scale ?? 0 && digits.integralDigits <= precision - (scale ?? 0)
            && Self.isExact(digits, text):
            return text
        case .text, .varchar: return Self.storedText(number: text).flatMap(translate(text:))
        case .json, .jsonb:
            guard Self.isExact(digits, text) else { return nil }
            return Self.storedText(number: text).map {
                quoteLiteral($0.hasSuffix(".0") ? String($0.dropLast(2)) : $0)
            }
        default: return nil
        }
    }

    /// Whether SQLite keeps every digit: what is no 64-bit integer is a double to it.
    private static func isExact(_ digits: DecimalDigits, _ text: String) -> Bool {
        if Int64(text) != nil { return true }
        guard let value = Double(text), value.isFinite else { return false }
        return DecimalDigits(value) == digits
    }

    /// The text that SQLite stores for a number in a column of TEXT affinity; nil where that is not certain.
    private static func storedText(number text: String) -> String? {
        if let integer = Int64(text) { return String(integer) }
        // SQLite writes 15 digits, and large and small values with an exponent of its own form.
        guard let value = Double(text), value.isFinite, let digits = DecimalDigits(decimal: text.utf8),
            digits.digits.count <= 15, (1e-4..<1e15).contains(value.magnitude)
        else { return nil }
        return value.description
    }

    private func translate(text: String) -> String? {
        switch type {
        case .text: return text.contains("\0") ? nil : quoteLiteral(text)
        case .varchar(let length):
            guard text.unicodeScalars.count <= length ?? .max else { return nil }
            return text.contains("\0") ? nil : quoteLiteral(text)
        case .enumeration(let name):
            return enums.first { $0.name == name }?.labels.contains(text) == true ? quoteLiteral(text) : nil
        case .boolean:
            let value = Array(text.utf8).withUnsafeBufferPointer { BooleanText.parse($0) }
            return value.map { $0 ? "true" : "false" } ?? translate(number: text)
        case .bytea:
            // Prisma writes the bytes of a constant as hexadecimal digits in a text.
            let isHexadecimal = text.utf8.count % 2 == 0 && text.allSatisfy { $0.isASCII && $0.isHexDigit }
            if style == .prisma, isHexadecimal { return quotedBytes(text.lowercased()) }
            return quotedBytes(text.utf8.hexadecimal)
        case .json, .jsonb:
            let verdict = Array(text.utf8).withUnsafeBufferPointer { JSONText.check($0) }
            return verdict == .valid || (verdict == .textOnly && type == .json) ? quoteLiteral(text) : nil
        case .timestamp, .timestamptz, .date, .time: return translate(date: text)
        case .uuid:
            let form = Array(text.utf8).withUnsafeBufferPointer { UUIDText.form($0) }
            return form == nil ? nil : quoteLiteral(text)
        case .other: return nil
        default: return DecimalDigits(decimal: text.utf8) == nil ? nil : translate(number: text)
        }
    }

    private func translate(date text: String) -> String? {
        let bytes = Array(text.utf8)
        if case .time = type {
            return bytes.withUnsafeBufferPointer { DateText.parseTime($0) } == nil ? nil : quoteLiteral(text)
        }
        guard let date = bytes.withUnsafeBufferPointer({ DateText.parse($0) }),
            date.form == .local || date.form == .day || date.form == .utc || date.form == .minute
        else { return nil }
        // A zone in a `timestamp` is ignored without a word, so an offset other than UTC is not let through.
        if type == .date { return date.form == .day ? quoteLiteral(text) : nil }
        return quoteLiteral(type.isZoned && date.form != .utc ? text + "+00" : text)
    }

    private func translate(nowWithDate date: Bool, time: Bool) -> String? {
        let utc = "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"
        switch type {
        case .timestamp where date && time: return style == .prisma ? "CURRENT_TIMESTAMP" : utc
        case .timestamptz where date && time: return "CURRENT_TIMESTAMP"
        case .timestamp where date: return "(\(utc)::date)"
        case .date where date: return "(\(utc)::date)"
        case .time where !date: return "(\(utc)::time)"
        case .text, .varchar:
            let format = [date ? "YYYY-MM-DD" : nil, time ? "HH24:MI:SS" : nil].compactMap { $0 }
            let length = (date ? 10 : 0) + (time ? 8 : 0) + (date && time ? 1 : 0)
            if case .varchar(let limit?) = type, limit < length { return nil }
            return "to_char(\(utc), \(quoteLiteral(format.joined(separator: " "))))"
        default: return nil
        }
    }

    private func quotedBytes(_ digits: String) -> String { "'\\x\(digits)'::bytea" }
}
