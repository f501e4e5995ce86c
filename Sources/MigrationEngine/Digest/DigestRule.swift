/// How a cell is written in the lines of a digest, the same in SQLite's SQL and in PostgreSQL's where `Relation` finds
/// the two values equal.
///
/// `$` stands for the column. Both expressions give a text of digits and capital letters, or NULL. A storage class without an
/// expression equals nothing of the type and is written `!`; what PostgreSQL alone can hold is `?`.
struct DigestRule {
    /// SQL of SQLite's by storage class.
    var forms: [StorageForm: String]
    /// SQL of PostgreSQL's.
    var target: String
    /// Which values of SQLite's have no expression although the proof can compare them, and why: with any of these, the column is
    /// left out.
    var gap: (condition: String, reason: String)?
    var order = Order.form

    enum StorageForm: String, CaseIterable { case integer, real, text, blob }

    /// How keys of the type are put in order.
    enum Order {
        /// The column's own order, of a storage class that alone may occur: the same on both sides.
        case column(StorageForm)
        /// The order of what is written.
        case form
    }

    private static let noForm = "!"

    /// The rule of a column; a text says why there is none. `profile` is of the source's column.
    static func rule(
        _ code: ColumnCode, _ profile: ColumnProfile, encoding: String
    ) -> Swift.Result<DigestRule, NoDigest> {
        switch code.operation {
        case .int2, .int4, .int8: return .success(integers)
        case .double: return .success(doubles)
        case .numeric: return .success(profile.reals == 0 ? wholeNumerics : numerics)
        case .boolean: return .success(booleans)
        case .text, .json: return texts(encoding, "hex($)", numbers: "hex($)")
        case .varchar, .enumeration: return texts(encoding, "hex($)", numbers: nil)
        case .char: return texts(encoding, "hex(rtrim($, ' '))", numbers: nil, order: .form)
        case .bytea:
            return encoding == utf8 || profile.texts == 0 ? .success(bytes) : .failure(.encoding(encoding))
        case .timestamp: return .success(DateDigests.instants(code))
        case .date: return .success(DateDigests.days)
        case .time: return .success(DateDigests.times(code))
        case .interval: return .success(DateDigests.intervals(code))
        case .uuid: return .success(uuids)
        case .jsonb:
            return .failure(
                .init(reason: "jsonb keeps a JSON value and not its text, which no SQL of SQLite's writes"))
        case .array:
            return .failure(.init(reason: "an array has no text that both databases write alike"))
        case .money:
            return .failure(.init(reason: "money is written in the server's currency"))
        case .real:
            return .failure(.init(reason: "SQLite's SQL has no numbers of single precision"))
        }
    }

    // MARK: The table

    private static let integers = DigestRule(
        forms: [.integer: "$ || ''"], target: "$::text", order: .column(.integer))

    private static let doubles = DigestRule(
        forms: [
            .integer: "CASE WHEN $ = CAST($ AS REAL) THEN hex(ieee754_to_blob($)) ELSE '!' END",
            .real: "hex(ieee754_to_blob($))",
        ], target: "upper(encode(float8send($), 'hex'))")

    /// Without reals in the source: decimal digits.
    private static let wholeNumerics = DigestRule(
        forms: [.integer: "$ || ''"], target: "trim_scale($)::text")

    /// Of a number that is the shortest text of a double: the double's bytes.
    private static let numerics = DigestRule(
        forms: [.integer: "hex(ieee754_to_blob($))", .real: "hex(ieee754_to_blob($))"],
        target: """
            CASE WHEN $ <> 0 AND abs($) NOT BETWEEN 5e-324 AND 1.7976931348623157e308 \
            AND $ NOT IN ('Infinity', '-Infinity') THEN '?' \
            WHEN $ = $::float8::text::numeric THEN upper(encode(float8send($::float8), 'hex')) \
            ELSE trim_scale($)::text END
            """,
        gap: (
            "typeof($) = 'integer' AND $ NOT BETWEEN -9007199254740992 AND 9007199254740992",
            "integers beyond 2^53 beside reals"
        ))

    private static let booleans = DigestRule(
        forms: [
            .integer: "CASE $ WHEN 0 THEN '0' WHEN 1 THEN '1' ELSE '!' END",
            .text: """
            CASE lower($) WHEN 't' THEN '1' WHEN 'true' THEN '1' WHEN 'f' THEN '0' WHEN 'false' THEN '0' ELSE '!' END
            """,
        ], target: "$::int::text")

    private static let bytes = DigestRule(
        forms: [.blob: "hex($)", .text: "hex($)"], target: "upper(encode($, 'hex'))",
        order: .column(.blob))

    private static let uuids = DigestRule(
        forms: [
            .text: """
            CASE WHEN replace($, '-', '') GLOB '*[^0-9A-Fa-f]*' THEN '!' ELSE upper(replace($, '-', '')) END
            """,
            .blob: "hex($)",
        ], target: "upper(replace($::text, '-', ''))")

    private static let utf8 = "UTF-8"

    private static func texts(
        _ encoding: String, _ text: String, numbers: String?, order: Order = .column(.text)
    ) -> Swift.Result<DigestRule, NoDigest> {
        guard encoding == utf8 else { return .failure(.encoding(encoding)) }
        var rule = DigestRule(
            forms: [.text: text], target: "upper(encode(convert_to($::text, 'UTF8'), 'hex'))", order: order)
        if let numbers {
            rule.forms[.integer] = numbers
            rule.gap = (
                "typeof($) = 'real'", "reals in a column of texts: SQLite's SQL writes no shortest digits"
            )
        }
        return .success(rule)
    }

    // MARK: SQL

    /// The cell in SQLite's SQL, of any value.
    func source(_ column: String) -> String {
        let cases = StorageForm.allCases.compactMap { form in
            forms[form].map { "WHEN '\(form.rawValue)' THEN \($0)" }
        }
        return Self.fill(
            "CASE typeof($) \(cases.joined(separator: " ")) WHEN 'null' THEN NULL ELSE '\(Self.noForm)' END",
            column)
    }

    /// The cell in PostgreSQL's SQL; `value` is the column, or what reads one of a foreign type.
    func target(_ value: String) -> String { Self.fill(target, value) }

    /// The template with the column in the place of each `$`: a name that has one is not looked at again.
    static func fill(_ template: String, _ column: String) -> String {
        template.split(separator: "$", omittingEmptySubsequences: false).joined(separator: column)
    }
}

/// Why a column is in no digest.
struct NoDigest: Error {
    let reason: String

    static func encoding(_ name: String) -> NoDigest {
        NoDigest(reason: "the file keeps texts in \(name), and SQLite's SQL cannot write them in UTF-8")
    }
}
