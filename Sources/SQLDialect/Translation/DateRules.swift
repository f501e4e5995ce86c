import Postgres

/// SQLite's functions of dates (https://sqlite.org/lang_datefunc.html), for the present, for columns of instants and for
/// counts of seconds with the modifier `unixepoch`.
enum DateRules {
    static let all: [FunctionRule] = [
        written("date", "YYYY-MM-DD"), written("time", "HH24:MI:SS"),
        written("datetime", "YYYY-MM-DD HH24:MI:SS"),
        FunctionRule(name: "strftime", arguments: 1...10) { t, a, range throws(Refusal) in
            guard case .text(let format) = a[0].kind else {
                throw Refusal("a format that is no constant", range)
            }
            let instant = try instant(t, Array(a.dropFirst()), range)
            return try formatted(instant, format, range)
        },
        FunctionRule(name: "unixepoch", arguments: 0...10) { t, a, range throws(Refusal) in
            let (rest, hasFraction) = withoutSubsecond(a)
            let instant = try instant(t, rest, range)
            if hasFraction {
                return .atom("extract(epoch FROM \(milliseconds(instant)))::double precision", .double)
            }
            return .atom("floor(extract(epoch FROM \(instant)))::bigint", .integer)
        },
        FunctionRule(name: "julianday", arguments: 0...10) { t, a, range throws(Refusal) in
            // SQLite counts milliseconds from noon of 24 November 4714 BC, and divides at the end.
            let instant = milliseconds(try instant(t, withoutSubsecond(a).rest, range))
            return .compound(
                "((extract(epoch FROM \(instant)) * 1000)::bigint + 210866760000000)::double precision / 86400000",
                .double)
        },
    ]

    private static func written(_ name: String, _ layout: String) -> FunctionRule {
        FunctionRule(name: name, arguments: 0...10) { t, a, range throws(Refusal) in
            let (rest, hasFraction) = withoutSubsecond(a)
            let layout = hasFraction && name != "date" ? layout + ".MS" : layout
            var text = Typed.atom("to_char(\(try instant(t, rest, range)), '\(layout)')", .text)
            text.isNeverNumber = true
            return text
        }
    }

    /// The arguments without the modifier that asks for fractions of a second.
    private static func withoutSubsecond(_ arguments: [Expression]) -> (rest: [Expression], isThere: Bool) {
        let rest = arguments.filter { argument in
            guard case .text(let word) = argument.kind else { return true }
            return !["subsec", "subsecond"].contains(word.lowercased())
        }
        return (rest, rest.count < arguments.count)
    }

    private static func milliseconds(_ instant: String) -> String { "date_trunc('milliseconds', \(instant))" }

    /// An instant in UTC as a timestamp, in milliseconds as SQLite counts.
    private static func instant(
        _ t: ExpressionTranslator, _ arguments: [Expression], _ range: Range<Int>
    ) throws(Refusal) -> String {
        var modifiers: [String] = []
        for argument in arguments.dropFirst() {
            guard case .text(let modifier) = argument.kind else {
                throw Refusal("a modifier that is no constant", argument.range)
            }
            modifiers.append(modifier.lowercased().trimmingBlanks)
        }
        var sql: String
        if arguments.isEmpty || arguments[0].isNow {
            sql = "(statement_timestamp() AT TIME ZONE 'UTC')"
        } else {
            let value = try t.translate(arguments[0])
            if let column = value.column, case .layout = column.storage, !column.sqlType.hasPrefix("time ") {
                // The digits beyond the milliseconds are rounded before anything else.
                let zoned = column.sqlType.hasPrefix("timestamptz") ? " AT TIME ZONE 'UTC'" : "::timestamp"
                sql = "date_trunc('milliseconds', \(value.sql)\(zoned) + interval '0.0005 s')"
            } else {
                let number = try t.plain(value, range)
                guard number.type == .integer || number.type == .narrow, modifiers.first == "unixepoch" else {
                    throw Refusal("a date in a text or a number whose form is not known", range)
                }
                modifiers.removeFirst()
                sql = "(timestamp 'epoch' + \(number.operand) * interval '1 second')"
            }
        }
        for modifier in modifiers {
            guard let next = modified(sql, modifier) else {
                let isLong = modifier.contains("month") || modifier.contains("year")
                throw Refusal(
                    "the modifier '\(modifier)'"
                        + (isLong ? ": SQLite goes on past a month's end, where PostgreSQL stops" : ""), range
                )
            }
            sql = next
        }
        // SQLite has no instant after the year 9999, and NULL for one.
        let mayBeLater = arguments.count > 1 && !arguments[0].isNow
        return mayBeLater ? "CASE WHEN \(sql) < timestamp '10000-01-01' THEN \(sql) END" : sql
    }

    private static func modified(_ sql: String, _ modifier: String) -> String? {
        switch modifier {
        case "utc", "auto": return nil
        case "start of day": return "date_trunc('day', \(sql))"
        case "start of month": return "date_trunc('month', \(sql))"
        case "start of year": return "date_trunc('year', \(sql))"
        default: break
        }
        // '+7 days' and the like; months and years overflow in SQLite and stop at the month's end in PostgreSQL.
        let parts = modifier.split(separator: " ")
        guard parts.count == 2, let count = Int(parts[0].first == "+" ? parts[0].dropFirst() : parts[0]),
            count.magnitude < 10_000_000
        else { return nil }
        let unit = parts[1].last == "s" ? String(parts[1].dropLast()) : String(parts[1])
        guard ["day", "hour", "minute", "second"].contains(unit) else { return nil }
        return "(\(sql) + interval '\(count) \(unit)')"
    }

    /// The letters of strftime that have an equal.
    private static let letters: [Character: String] = [
        "d": "DD", "H": "HH24", "I": "HH12", "m": "MM", "M": "MI", "S": "SS", "Y": "YYYY", "j": "DDD",
        "F": "YYYY-MM-DD", "T": "HH24:MI:SS", "R": "HH24:MI", "p": "AM",
    ]

    static func formatted(
        _ instant: String, _ format: String, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        if format == "%s" {
            let seconds = "floor(extract(epoch FROM \(instant)))::bigint"
            var text = Typed.atom("\(seconds)::text", .text)
            text.digits = seconds
            return text
        }
        if format == "%w" {
            var text = Typed.atom("extract(dow FROM \(instant))::int::text", .text)
            text.digits = "extract(dow FROM \(instant))::bigint"
            return text
        }
        var layout = ""
        var rest = Substring(format)
        while let character = rest.popFirst() {
            if character == "%" {
                guard let letter = rest.popFirst() else { throw Refusal("the format '\(format)'", range) }
                if letter == "%" {
                    layout += "\"%\""
                } else if letter == "f" {
                    layout += "SS.MS"
                } else if let pattern = letters[letter] {
                    layout += pattern
                } else {
                    throw Refusal("%\(letter) in a format", range)
                }
            } else if character == "\"" || character == "\\" {
                throw Refusal("the format '\(format)'", range)
            } else if character.isLetter || character.isNumber {
                layout += "\"\(character)\""
            } else {
                layout.append(character)
            }
        }
        var text = Typed.atom("to_char(\(instant), \(quoteLiteral(layout)))", .text)
        // '%Y', '%m%d' and the like.
        let letters = format.split(separator: "%")
        let isDigits = letters.allSatisfy { ["Y", "m", "d", "H", "I", "M", "S", "j"].contains($0) }
        if isDigits, format.count == 2 * letters.count { text.digits = "\(text.sql)::bigint" }
        return text
    }
}

extension Expression {
    fileprivate var isNow: Bool {
        if case .text(let text) = kind { return text.lowercased() == "now" }
        return false
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
