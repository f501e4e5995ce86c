import SQLDialect

/// The rules that give a column its type: a table, read from top to bottom.
///
/// The first rule that matches the declaration gives candidates; the first candidate that holds every value exactly
/// is taken. Where none does, the first one stays and the misfit is a finding.
struct TypeRule: Sendable {
    enum Match: Sendable {
        /// The declared name without its parameters, in any case.
        case named([String])
        /// A part of the declared name.
        case containing([String])
        case affinity(Affinity)
        /// No declared type at all.
        case undeclared
        /// The whole declaration, in any case.
        case declared([String])
        /// A CHECK of the table's says that the column holds JSON.
        case checkedAsJSON
    }

    /// A candidate's type; those with parameters take them from the declaration and are passed over without them.
    enum Candidate: Sendable {
        case type(PostgresType)
        case varcharAsDeclared
        case numericAsDeclared
        /// Without parameters it is a timestamp of no stated precision.
        case timestampAsDeclared
        /// Rails' limit in bytes: https://api.rubyonrails.org/classes/ActiveRecord/ConnectionAdapters/SchemaStatements.html#method-i-add_column
        case integerAsDeclared
    }

    let style: Style?
    let match: Match
    let candidates: [Candidate]
    let reason: String

    static let all = prisma + django + rails + any

    private static let prisma: [TypeRule] = [
        // Prisma, https://www.prisma.io/docs/orm/overview/databases/sqlite and the tables in CONTRIBUTING.md
        TypeRule(.prisma, .named(["DATETIME", "DATE"]), [.type(.timestamp(3))], "Prisma's DateTime"),
        TypeRule(.prisma, .named(["BOOLEAN"]), [.type(.boolean)], "Prisma's Boolean"),
        TypeRule(.prisma, .named(["INTEGER", "INT"]), [.type(.integer)], "Prisma's Int"),
        TypeRule(.prisma, .named(["BIGINT"]), [.type(.bigint)], "Prisma's BigInt"),
        TypeRule(
            .prisma, .named(["DECIMAL"]), [.type(.numeric(precision: 65, scale: 30))], "Prisma's Decimal"),
        TypeRule(.prisma, .named(["JSONB"]), [.type(.jsonb)], "Prisma's Json"),
    ]

    /// For any application.
    private static let any: [TypeRule] = [
        TypeRule(nil, .named(["BOOLEAN", "BOOL"]), [.type(.boolean)], "declared as a boolean"),
        TypeRule(
            nil, .named(["TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"]),
            [.type(.timestamptz(6)), .type(.timestamp(nil)), .type(.bigint), .type(.double)],
            "declared as a time with a zone"),
        TypeRule(
            nil, .containing(["DATETIME", "TIMESTAMP"]),
            [.type(.timestamp(nil)), .type(.timestamptz(6)), .type(.bigint), .type(.double)],
            "declared as a time"),
        TypeRule(
            nil, .named(["DATE"]),
            [.type(.date), .type(.timestamp(nil)), .type(.timestamptz(6)), .type(.bigint), .type(.double)],
            "declared as a date"),
        TypeRule(nil, .named(["TIME"]), [.type(.time(6)), .type(.text)], "declared as a time of day"),
        TypeRule(nil, .containing(["JSON"]), [.type(.json), .type(.text)], "declared as JSON"),
        TypeRule(
            nil, .named(["DECIMAL", "NUMERIC", "DEC", "MONEY", "SMALLMONEY"]),
            [.numericAsDeclared, .type(.numeric(precision: nil, scale: nil))], "declared as an exact number"),
        TypeRule(
            nil, .named(["STRING"]), [.type(.text), .type(.bigint), .type(.double)],
            "declared as a string, which SQLite treats as a number"),
        TypeRule(nil, .undeclared, byContent, "declared without a type"),
        TypeRule(nil, .affinity(.integer), [.type(.bigint)], "SQLite's integers have 64 bits"),
        TypeRule(nil, .affinity(.text), [.varcharAsDeclared, .type(.text)], "declared as text"),
        TypeRule(nil, .affinity(.real), [.type(.double)], "SQLite's reals are doubles"),
        TypeRule(nil, .affinity(.blob), [.type(.bytea), .type(.text)], "declared as bytes"),
        TypeRule(nil, .affinity(.numeric), byContent, "SQLite knows no such type and treats it as a number"),
    ]

    /// Types by what the values are, for columns whose declaration does not say.
    private static let byContent: [Candidate] = [
        .type(.bigint), .type(.text), .type(.double), .type(.bytea),
        .type(.numeric(precision: nil, scale: nil)),
    ]

    init(_ style: Style?, _ match: Match, _ candidates: [Candidate], _ reason: String) {
        self.style = style
        self.match = match
        self.candidates = candidates
        self.reason = reason
    }

    private func matches(_ column: Catalog.Column, style: Style, table: Catalog.Table?) -> Bool {
        guard self.style == nil || self.style == style else { return false }
        let declaredType = column.declaredType
        let base = declaredType.uppercased().prefix { $0 != "(" }
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        switch match {
        case .named(let names): return names.contains(base)
        case .containing(let parts): return parts.contains { base.contains($0) }
        case .affinity(let affinity): return Affinity(declaredType: declaredType) == affinity
        case .undeclared: return base.isEmpty
        case .declared(let names): return names.contains(declaredType.uppercased())
        case .checkedAsJSON: return table?.isCheckedAsJSON(column.name) ?? false
        }
    }

    /// What the rules say of one column.
    struct Choice: Equatable {
        var type: PostgresType
        var unit: EpochUnit?
        var reason: String
        /// Whether the profile proves that every value fits.
        var fit: TypeFit
        /// Types that hold every value exactly, for the operator to choose from.
        var alternatives: [PostgresType]
        /// Whether the declaration's own type does not hold every value.
        var isFallback: Bool
    }

    /// The type of a column, with its reason. `rule` is one that other tables ask for, see `KeyRules`.
    static func choose(
        _ column: Catalog.Column, _ profile: ColumnProfile, style: Style, of table: Catalog.Table? = nil,
        rule: TypeRule? = nil
    ) -> Choice {
        guard let rule = rule ?? all.first(where: { $0.matches(column, style: style, table: table) }) else {
            preconditionFailure("the five affinities cover every declaration")
        }
        let candidates = rule.candidates.compactMap { $0.type(declaredType: column.declaredType) }
        let unit = unit(profile, style: style)
        func fit(_ type: PostgresType) -> TypeFit {
            TypeFit.check(type, profile, integers: unit, style: style)
        }
        let index = candidates.firstIndex { fit($0) == .fits }
        let type = candidates[index ?? 0]
        let declared = column.declaredType.isEmpty ? "" : "\(column.declaredType): "
        var reason = declared + rule.reason
        if let index, index > 0, profile.values > 0 {
            reason +=
                rule.match.isByContent
                ? "; \(profile.summary)"
                : "; \(candidates[0].sql) does not hold every value: \(profile.summary)"
        }
        if type.isInstant, profile.integers > 0, let unit {
            reason += "; integers are \(unit.rawValue) since 1970"
        }
        return Choice(
            type: type, unit: type.isInstant && profile.integers > 0 ? unit : nil, reason: reason,
            fit: fit(type),
            alternatives: alternatives.filter { $0 != type && fit($0) == .fits },
            isFallback: index.map { $0 > 0 } ?? false && !rule.match.isByContent)
    }

    static let alternatives: [PostgresType] = [
        .bigint, .double, .numeric(precision: nil, scale: nil), .text, .bytea,
    ]

    /// Prisma reads integers as milliseconds, whatever they are; elsewhere the values must tell.
    private static func unit(_ profile: ColumnProfile, style: Style) -> EpochUnit? {
        guard profile.integers > 0 else { return nil }
        return style == .prisma
            ? .milliseconds : EpochUnit.plausible(min: profile.minInteger, max: profile.maxInteger)
    }
}

extension TypeRule.Match {
    var isByContent: Bool {
        switch self {
        case .undeclared, .affinity(.numeric): true
        default: false
        }
    }
}

extension TypeRule.Candidate {
    func type(declaredType: String) -> PostgresType? {
        let parameters = declaredParameters(declaredType)
        switch self {
        case .type(let type): return type
        case .varcharAsDeclared:
            guard parameters.count == 1, (1...10_485_760).contains(parameters[0]) else { return nil }
            return .varchar(parameters[0])
        case .numericAsDeclared:
            let scale = parameters.count > 1 ? parameters[1] : 0
            guard (1...2).contains(parameters.count), (1...1000).contains(parameters[0]),
                (0...parameters[0]).contains(scale)
            else { return nil }
            return .numeric(precision: parameters[0], scale: scale)
        case .timestampAsDeclared: return .timestamp(parameters.first.map { min($0, 6) })
        case .integerAsDeclared:
            switch parameters.first ?? 4 {
            case 1, 2: return .smallint
            case 3, 4: return .integer
            default: return .bigint
            }
        }
    }
}

extension PostgresType {
    var isInstant: Bool {
        switch self {
        case .timestamp, .timestamptz: true
        default: false
        }
    }
}

extension ColumnProfile {
    /// The storage classes with their counts, for reasons and messages.
    var summary: String {
        let classes = [(integers, "integer"), (reals, "real"), (texts, "text"), (blobs, "blob")]
        let present = classes.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        guard !present.isEmpty else { return "no value" }
        let longest = texts > 0 ? ", the longest text \(maxTextCharacters) characters" : ""
        return present.joined(separator: ", ") + longest
    }
}
