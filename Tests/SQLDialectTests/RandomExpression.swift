@testable import DemoProject

/// Writes random expressions of SQLite's over the columns of `DialectTable`, most of them of one type throughout.
struct RandomExpression {
    var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func next() -> String {
        switch random.below(4) {
        case 0: integer(4)
        case 1: real(3)
        case 2: text(4)
        default: truth(4)
        }
    }

    private mutating func pick(_ items: [String]) -> String { items[random.below(items.count)] }

    private mutating func any(_ depth: Int) -> String {
        switch random.below(5) {
        case 0: integer(depth)
        case 1: real(depth)
        case 2: text(depth)
        case 3: pick(["x", "x'00ff'", "NULL", "m", "s", "y"])
        default: truth(depth)
        }
    }

    mutating func integer(_ depth: Int) -> String {
        guard depth > 0, random.chance(75) else {
            return pick([
                "i", "n", "b", "m", "1", "0", "-7", "NULL", "2147483647", "9007199254740993", "3", "TRUE",
            ])
        }
        let d = depth - 1
        switch random.below(16) {
        case 0...3: return "(\(integer(d)) \(pick(["+", "-", "*"])) \(integer(d)))"
        case 4: return "\(integer(d)) / \(integer(d))"
        case 5: return "\(integer(d)) % \(integer(d))"
        case 6: return "(\(integer(d)) \(pick(["&", "|"])) \(integer(d)))"
        case 7: return "(\(integer(d)) \(pick(["<<", ">>"])) \(random.below(70)))"
        case 8: return "\(pick(["-", "~", "+", "- -"]))\(integer(d))"
        case 9: return "length(\(text(d)))"
        case 10: return "abs(\(integer(d)))"
        case 11: return "CASE WHEN \(truth(d)) THEN \(integer(d)) ELSE \(integer(d)) END"
        case 12: return "coalesce(\(integer(d)), \(integer(d)))"
        case 13: return "\(pick(["max", "min"]))(\(integer(d)), \(integer(d)))"
        case 14: return "CAST(\(pick([integer(d), real(d)])) AS INTEGER)"
        default: return "instr(\(text(d)), \(text(d)))"
        }
    }

    mutating func real(_ depth: Int) -> String {
        guard depth > 0, random.chance(70) else {
            return pick(["d", "1.5", "-0.25", "d", "1e10", "0.0", decimal()])
        }
        let d = depth - 1
        switch random.below(8) {
        case 0...2: return "(\(real(d)) \(pick(["+", "-", "*", "/"])) \(pick([real(d), integer(d)])))"
        case 3: return "round(\(real(d)))"
        case 4: return "nullif(\(real(d)), \(real(d)))"
        case 5: return "CAST(\(integer(d)) AS REAL)"
        case 6: return "julianday(\(pick(["s", "m / 1000, 'unixepoch'", "s, '+3 days'"])))"
        default: return "iif(\(truth(d)), \(real(d)), \(real(d)))"
        }
    }

    /// Decimals with what is no integer beyond 2⁵³.
    private mutating func decimal() -> String {
        "(q \(pick(["+", "-", "*", "/"])) \(pick(["n", "d", "1.5", "3", "q", "-q", "abs(q)"])))"
    }

    mutating func text(_ depth: Int) -> String {
        guard depth > 0, random.chance(75) else {
            return pick([
                "t", "u", "r", "'a'", "'Abc'", "''", "' ß '", "'it''s \\'", "NULL", "s", "y", "w",
                "'2024-01-01'",
            ])
        }
        let d = depth - 1
        switch random.below(13) {
        case 0, 1: return "\(text(d)) || \(pick([text(d), integer(d)]))"
        case 2: return "\(pick(["lower", "upper", "trim", "ltrim", "rtrim"]))(\(text(d)))"
        case 3: return "trim(\(text(d)), 'aA ')"
        case 4: return "replace(\(text(d)), \(text(d)), \(text(d)))"
        case 5:
            return "substr(\(text(d)), \(pick(["1", "2", "-2", "3", "0", "i % 4", "-(i % 5)", "i % 3 + 1"])))"
        case 6:
            return
                "substr(\(text(d)), \(pick(["1", "2", "5"])), \(pick(["0", "1", "3", "i % 4", "length(u) - 2"])))"
        case 7: return "CASE \(text(d)) WHEN \(text(d)) THEN \(text(d)) ELSE \(text(d)) END"
        case 8: return "ifnull(\(text(d)), \(text(d)))"
        case 9:
            return
                "\(pick(["date", "datetime", "time"]))(\(pick(["s", "m / 1000, 'unixepoch'", "s, '+3 days'", "s, 'start of month'"])))"
        case 10: return "strftime('\(pick(["%Y-%m", "%H:%M", "%s", "%d/%m %Y", "%w"]))', s)"
        case 11: return "hex(\(pick(["x", text(d)])))"
        default: return "CAST(\(pick([text(d), integer(d)])) AS TEXT)"
        }
    }

    mutating func truth(_ depth: Int) -> String {
        guard depth > 0, random.chance(85) else { return pick(["b", "TRUE", "i > 1", "t IS NULL"]) }
        let d = depth - 1
        let sign = pick(["=", "<", "<=", ">", ">=", "<>", "IS", "IS NOT"])
        switch random.below(16) {
        case 0: return "\(truth(d)) AND \(truth(d))"
        case 1: return "(\(truth(d)) OR \(truth(d)))"
        case 2: return "NOT \(truth(d))"
        case 3, 4: return "\(integer(d)) \(sign) \(pick([integer(d), real(d)]))"
        case 5, 6: return "\(text(d)) \(sign) \(text(d))"
        case 7: return "\(text(d)) \(sign) \(text(d)) COLLATE \(pick(["NOCASE", "BINARY", "RTRIM"]))"
        case 8:
            return
                "\(text(d)) \(pick(["", "NOT "]))LIKE \(pick(["'%a%'", "'A_c'", "'a!%' ESCAPE '!'", text(d)]))"
        case 9: return "\(text(d)) GLOB \(pick(["'a*'", "'[A-Z]?c'", "'*[^b]'", "'*.*'", "'[]x]*'"]))"
        case 10: return "\(integer(d)) \(pick(["", "NOT "]))IN (\(integer(d)), \(integer(d)))"
        case 11: return "\(text(d)) IN (\(text(d)), 'a')"
        case 12: return "\(real(d)) BETWEEN \(real(d)) AND \(integer(d))"
        case 13: return "\(any(d)) IS \(pick(["", "NOT "]))NULL"
        case 14: return "\(any(d)) \(sign) \(any(d))"
        default: return "\(truth(d)) IS \(pick(["TRUE", "NOT FALSE"]))"
        }
    }
}
