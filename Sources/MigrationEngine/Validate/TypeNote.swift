/// What it means for the comparison that a column of the target has another type than howdah's plan would give it.
///
/// A table of rules: of those for the target's type the first one that applies says it. Rules of values that can equal none of
/// the type's come first.
struct TypeNote {
    /// One column with what its values are.
    struct Case {
        let column: MigrationPlan.Column
        let type: PostgresType
        let profile: ColumnProfile
        let style: Style
        /// What integers are taken to count where the target keeps times.
        let unit: EpochUnit?

        var numbers: Int { profile.integers + profile.reals }

        /// Digits after the second that the type keeps; nil for other types.
        var digits: Int? {
            switch type {
            case .timestamp(let digits): digits ?? 6
            case .timestamptz(let digits), .time(let digits): digits
            default: nil
            }
        }

        /// Digits after the second that the source's values have, as far as they are known.
        var sourceDigits: Int {
            let counted =
                profile.integers > 0 ? unit.map { $0 == .seconds ? 0 : $0 == .milliseconds ? 3 : 6 } : nil
            let digits = max(profile.dates?.maxFractionDigits ?? 0, counted ?? 0)
            return style == .prisma ? min(digits, 3) : digits
        }

        /// Whether integers lie outside of a range.
        func exceeds(_ range: ClosedRange<Int64>) -> Bool {
            profile.integers > 0
                && !(range.contains(profile.minInteger) && range.contains(profile.maxInteger))
        }
    }

    private struct Rule: Sendable {
        let types: Set<Kind>
        let applies: @Sendable (Case) -> Bool
        /// Nothing where the comparison is the same.
        let words: @Sendable (Case) -> String
        /// Whether it speaks of values that nothing in the type equals.
        var loses = false

        init(
            _ types: Set<Kind>, loses: Bool = false,
            when applies: @escaping @Sendable (Case) -> Bool = { _ in true },
            _ words: @escaping @Sendable (Case) -> String
        ) {
            self.types = types
            self.loses = loses
            self.applies = applies
            self.words = words
        }
    }

    let text: String
    /// Whether the type itself makes values differ.
    let isReason: Bool

    /// nil where the types are the same to the comparison.
    init?(_ column: Case) {
        guard column.type != column.column.postgresType, column.profile.values > 0,
            let rule = Self.rules.first(where: { $0.types.contains(Kind(column.type)) && $0.applies(column) })
        else { return nil }
        let words = rule.words(column)
        guard !words.isEmpty else { return nil }
        text =
            "\(column.column.name) is \(column.type.sql) in the target, not \(column.column.type): \(words)"
        isReason = rule.loses
    }

    /// Types that are compared in one way.
    private enum Kind: Hashable, CaseIterable {
        case small, integer, big, boolean, real, double, numeric, text, varchar, char, bytea, timestamp,
            timestamptz, date, time, json, jsonb, uuid, enumeration, interval, array, other

        init(_ type: PostgresType) {
            switch type {
            case .smallint: self = .small
            case .integer: self = .integer
            case .bigint: self = .big
            case .boolean: self = .boolean
            case .real: self = .real
            case .double: self = .double
            case .numeric: self = .numeric
            case .text, .varchar(nil): self = .text
            case .varchar: self = .varchar
            case .char: self = .char
            case .bytea: self = .bytea
            case .timestamp: self = .timestamp
            case .timestamptz: self = .timestamptz
            case .date: self = .date
            case .time: self = .time
            case .json: self = .json
            case .jsonb: self = .jsonb
            case .uuid: self = .uuid
            case .enumeration: self = .enumeration
            case .other(let name):
                self = name == "interval" ? .interval : name.hasSuffix("[]") ? .array : .other
            }
        }
    }

    private static let integers: Set<Kind> = [.small, .integer, .big]
    private static let inexact: Set<Kind> = [.real, .double]
    private static let texts: Set<Kind> = [.text, .varchar, .char, .json, .jsonb, .enumeration, .uuid]
    private static let instants: Set<Kind> = [.timestamp, .timestamptz]
    /// Integers up to here are doubles exactly.
    private static let exact = Int64(1) << 53

    private static func count(_ number: Int, _ one: String, _ many: String) -> String {
        Format.count(number, one, many)
    }

    private static let rules: [Rule] = [
        // Values that equal nothing in the type.
        Rule(integers.union(inexact).union([.numeric]), loses: true, when: { $0.profile.texts > 0 }) {
            count($0.profile.texts, "text equals", "texts equal") + " no number"
        },
        Rule(integers, loses: true, when: { $0.profile.reals > 0 }) {
            count($0.profile.reals, "real equals", "reals equal") + " no integer"
        },
        Rule(
            [.small], loses: true, when: { $0.exceeds(Int64(Int16.min)...Int64(Int16.max)) },
            { _ in "smallint holds -32768 to 32767, and the source has others" }),
        Rule(
            [.integer], loses: true, when: { $0.exceeds(Int64(Int32.min)...Int64(Int32.max)) },
            { _ in "integer holds -2147483648 to 2147483647, and the source has others" }),
        Rule(
            [.boolean], loses: true, when: { $0.exceeds(0...1) || $0.profile.reals > 0 },
            { _ in "0 and 1 are compared as false and true, and the source has other numbers" }),
        Rule([.double], loses: true, when: { $0.exceeds(-exact...exact) }) { _ in
            "double precision cannot hold every integer beyond 2^53, and the source has such"
        },
        Rule([.numeric], loses: true, when: { $0.profile.negativeZeros > 0 }) { _ in
            "numeric has no negative zero"
        },
        Rule(texts.subtracting([.uuid]), loses: true, when: { $0.profile.blobs > 0 }) {
            count($0.profile.blobs, "BLOB equals", "BLOBs equal") + " no text: bytes were loaded as text"
        },
        Rule([.varchar, .char], loses: true, when: { $0.profile.maxTextCharacters > $0.length ?? .max }) {
            "it keeps \($0.length ?? 0) characters, and the source has texts of \($0.profile.maxTextCharacters)"
        },
        Rule([.bytea], loses: true, when: { $0.numbers > 0 }) {
            count($0.numbers, "number equals", "numbers equal") + " no bytes"
        },
        Rule(instants, loses: true, when: { $0.profile.integers > 0 && $0.unit == nil }) { _ in
            "what its integers count from 1970 (seconds, milliseconds) cannot be told"
        },
        Rule(instants, loses: true, when: { $0.profile.dates?.others ?? 0 > 0 }) {
            count($0.profile.dates?.others ?? 0, "text is", "texts are") + " no time"
        },
        Rule(instants.union([.time]), loses: true, when: { $0.sourceDigits > $0.digits ?? 6 }) {
            "it keeps \($0.digits == 0 ? "no" : "\($0.digits ?? 0)") digits after the second, and the source has \($0.sourceDigits)"
        },
        Rule([.date], loses: true, when: { $0.numbers > 0 }) {
            count($0.numbers, "number equals", "numbers equal") + " no date"
        },
        Rule(
            [.date], loses: true,
            when: { $0.profile.dates.map { $0.count(.day) } ?? $0.profile.texts < $0.profile.texts }
        ) { _ in
            "date keeps no time of day, and the source has such"
        },
        // Values that are compared in a way of their own.
        Rule(integers, when: { $0.column.postgresType.isInstant }) { _ in "its times are compared as numbers"
        },
        Rule(integers) { _ in "" },
        Rule([.boolean]) { _ in "0 and 1 are compared as false and true" },
        Rule([.double], when: { $0.profile.integers > 0 }) { _ in
            "integers are compared as doubles, which hold them up to 2^53"
        },
        Rule([.double]) { _ in "compared by its 64 bits" },
        Rule([.real], loses: true) { _ in
            "it keeps 6 to 9 digits: a number equals the float that it is exactly, or shortest written"
        },
        Rule([.numeric], loses: true, when: { $0.scale != nil }) {
            "compared by digits, of which \($0.scale ?? 0) after the point are kept"
        },
        Rule([.numeric]) { _ in "compared by digits, of a real by the shortest that give it back" },
        Rule([.char]) { _ in "char(n) fills up with spaces: those at the end do not count" },
        Rule(
            [.text, .varchar, .enumeration],
            when: { $0.column.postgresType.isInstant || $0.column.postgresType.isDay }
        ) { _ in
            "times are compared as texts, letter by letter"
        },
        Rule([.text, .varchar], when: { $0.numbers > 0 }) {
            ($0.profile.integers > 0 ? "integers" : "reals") + " are compared as text"
        },
        Rule([.text, .varchar], when: { $0.column.postgresType.isText }) { _ in "" },
        Rule([.text, .varchar]) { _ in "compared as text, byte by byte" },
        Rule([.bytea], when: { $0.profile.texts > 0 }) { _ in "texts are compared with its bytes" },
        Rule([.bytea]) { _ in "" },
        Rule(
            [.timestamp], when: { $0.profile.dates?.count(.offset) ?? 0 > 0 },
            { _ in "taken as UTC; times with another offset are moved there" }),
        Rule([.timestamp]) { _ in "taken as UTC" },
        Rule([.timestamptz]) { _ in "an instant: times without a zone are taken as UTC" },
        Rule([.date]) { _ in "compared as days" },
        Rule([.time]) { _ in "compared as times of day" },
        Rule([.json]) { _ in "compared as text, byte by byte" },
        Rule([.jsonb]) { _ in "compared as JSON: blanks and the order of members do not count" },
        Rule([.uuid]) { _ in "compared by its 16 bytes: dashes and case do not count" },
        Rule([.enumeration]) { _ in "compared by its labels" },
        Rule([.interval]) { _ in "compared as a length of time, a day having 24 hours" },
        Rule([.array]) { _ in "compared as a JSON array" },
        Rule([.other]) { _ in "compared by the text that PostgreSQL writes" },
    ]
}

extension TypeNote.Case {
    /// Most characters of a varchar(n) or char(n).
    fileprivate var length: Int? {
        switch type {
        case .varchar(let length): length
        case .char(let length): length
        default: nil
        }
    }

    fileprivate var scale: Int? {
        guard case .numeric(.some, let scale) = type else { return nil }
        return scale ?? 0
    }
}

extension PostgresType {
    fileprivate var isDay: Bool {
        switch self {
        case .date, .time: true
        default: false
        }
    }

    fileprivate var isText: Bool {
        switch self {
        case .text, .varchar, .char: true
        default: false
        }
    }
}
