/// SQLite's random functions, for defaults and for what triggers write: each value is another one, of the same kind.
enum RandomRules {
    static let byName: [String: FunctionRule] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private static let all: [FunctionRule] = [
        FunctionRule(name: "random", arguments: 0...0) { _, _, _ throws(Refusal) in
            .atom("('x' || \(digits(16)))::bit(64)::bigint", .integer)
        },
        FunctionRule(name: "randomblob", arguments: 1...1) { t, a, range throws(Refusal) in
            guard case .integer(let count)? = try t.number(a[0]).constant, count <= 64 else {
                throw Refusal("randomblob of other than a small constant", range)
            }
            // Of nothing, and of less, SQLite makes one byte.
            return .atom("\(opening)\(digits(2 * max(1, Int(count))))\(closing)", .bytea)
        },
    ]

    private static let opening = "decode("
    private static let closing = ", 'hex')"

    /// The digits that random bytes were made of.
    static func digits(ofBytes value: Typed) -> String? {
        guard value.sql.hasPrefix(opening + source), value.sql.hasSuffix(closing) else { return nil }
        return String(value.sql.dropFirst(opening.count).dropLast(closing.count))
    }

    private static let source = "left(replace(gen_random_uuid()"

    /// Random hexadecimal digits: the first twelve of a UUID of version 4 are random, and none after them is for certain
    /// (RFC 9562, section 5.4). The generator is a strong one (PostgreSQL manual, UUID functions).
    private static func digits(_ count: Int) -> String {
        stride(from: 0, to: count, by: 12)
            .map { "\(source)::text, '-', ''), \(min(12, count - $0)))" }
            .joined(separator: " || ")
    }
}
