/// The rules of `DigestRule` for times: microseconds since 1970 or since midnight, days since 1970.
enum DateDigests {
    private static let day = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
    private static let minute = "[0-9][0-9]:[0-9][0-9]"

    static func instants(_ code: ColumnCode) -> DigestRule {
        let unit = code.microsecondsPerInteger
        var rule = DigestRule(
            forms: [.text: instant(step: code.dates.smallestStep)],
            target: """
                CASE WHEN NOT isfinite($) THEN '?' ELSE (extract(epoch FROM $) * 1000000)::bigint::text END
                """,
            gap: (
                "(typeof($) = 'text' AND NOT \(isInstant))" + (unit > 0 ? " OR typeof($) = 'real'" : ""),
                "times in forms that SQLite's SQL does not read"
            ))
        if unit > 0 { rule.forms[.integer] = "($ * \(unit)) || ''" }
        return rule
    }

    /// A text's offset at its end, `+02:00`; `Z` is none.
    private static let hasOffset = "$ GLOB '*[+-]\(minute)'"
    /// A text without its zone.
    private static let local =
        "CASE WHEN \(hasOffset) THEN rtrim(substr($, 1, length($) - 6)) ELSE rtrim($, 'Zz ') END"

    /// Whether a text is a time of one of the forms that `instant` reads.
    private static let isInstant = """
        (SELECT t GLOB '\(day)' OR (t GLOB '\(day)[ Tt]\(minute)*' AND (length(t) = 16 OR \
        (substr(t, 17, 3) GLOB ':[0-9][0-9]' AND rtrim(substr(t, 21), '0123456789') = '' \
        AND (length(t) = 19 OR (length(t) > 20 AND substr(t, 20, 1) IN ('.', ',')))))) \
        FROM (SELECT \(local) AS t))
        """

    /// Seconds by SQLite's own calendar, and the fraction by its digits; `strftime` itself rounds to milliseconds.
    private static func instant(step: Int64) -> String {
        let fraction =
            step == 1000
            ? "substr(substr(t, 21) || '000', 1, 3) * 1000" : "substr(substr(t, 21) || '000000', 1, 6)"
        let isTooFine = step == 1000 ? "0" : "rtrim(substr(t, 27), '0') <> ''"
        return """
            (SELECT CASE WHEN \(isTooFine) THEN '!' ELSE \
            (strftime('%s', replace(substr(t, 1, 19), 't', 'T')) * 1000000 + \(fraction) - minutes * 60000000) || '' END \
            FROM (SELECT \(local) AS t, CASE WHEN \(hasOffset) THEN \
            (substr($, -6, 1) || '1') * (substr($, -5, 2) * 60 + substr($, -2)) ELSE 0 END AS minutes))
            """
    }

    static let days = DigestRule(
        forms: [.text: "(strftime('%s', $) / 86400) || ''"],
        target: "CASE WHEN NOT isfinite($) THEN '?' ELSE ($ - DATE '1970-01-01')::text END",
        gap: ("typeof($) = 'text' AND $ NOT GLOB '\(day)'", "days in other forms than 2024-05-06"))

    static func times(_ code: ColumnCode) -> DigestRule {
        let text =
            code.dates.takesTimesOnFirstDay
            ? "CASE WHEN $ GLOB '2000-01-01[ Tt]*' THEN substr($, 12) ELSE $ END" : "$"
        return DigestRule(
            forms: [
                .text: """
                (SELECT CASE WHEN rtrim(substr(t, 16), '0') <> '' THEN '!' ELSE \
                ((substr(t, 1, 2) * 3600 + substr(t, 4, 2) * 60 + substr(t, 7, 2)) * 1000000 \
                + substr(substr(t, 10) || '000000', 1, 6)) || '' END FROM (SELECT \(text) AS t))
                """
            ],
            target: "(extract(epoch FROM $) * 1000000)::bigint::text",
            gap: (
                """
                typeof($) = 'text' AND NOT (SELECT t GLOB '\(minute)' OR (t GLOB '\(minute):[0-9][0-9]*' \
                AND rtrim(substr(t, 10), '0123456789') = '' AND substr(t, 9, 1) IN ('', '.', ',')) \
                FROM (SELECT \(text) AS t))
                """, "times of day in other forms than 07:08:09.5"
            ))
    }

    static func intervals(_ code: ColumnCode) -> DigestRule {
        DigestRule(
            forms: [.integer: "($ * \(code.microsecondsPerInteger)) || ''"],
            target: """
                CASE WHEN extract(year FROM $) <> 0 OR extract(month FROM $) <> 0 THEN '?' \
                ELSE (extract(epoch FROM $) * 1000000)::bigint::text END
                """)
    }
}
