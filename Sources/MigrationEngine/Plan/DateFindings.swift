/// What the operator should know about the dates of one column: forms, precision, unit.
enum DateFindings {
    static func add(
        _ column: Catalog.Column, _ profile: ColumnProfile, _ choice: TypeRule.Choice, style: Style,
        table: String,
        _ findings: inout [Finding]
    ) {
        guard choice.type.isInstant, let dates = profile.dates, profile.values > 0 else { return }
        func note(_ id: Finding.ID, _ count: Int, _ message: String) {
            findings.append(
                Finding(id, blocking: false, table: table, column: column.name, count: count, message))
        }
        let forms = present(profile, dates)
        if forms.count > 1 {
            note(
                .dateForms, profile.values,
                "the column mixes forms of a date: \(forms.joined(separator: ", ")); each is decoded for itself"
            )
        }
        guard style == .prisma else { return }
        if case .timestamp(let digits?) = choice.type, dates.maxFractionDigits > digits || profile.reals > 0 {
            note(
                .datePrecision, profile.texts + profile.reals,
                "some dates have more than \(digits) digits after the second; they are cut there, as Prisma reads them"
            )
        }
        if profile.integers > 0, profile.maxInteger < 100_000_000_000 {
            note(
                .dateUnit, profile.integers,
                "every integer lies before 1973-03-03 in milliseconds, as Prisma reads them; "
                    + "if they count seconds, say integers: seconds in the plan")
        }
    }

    private static func present(_ profile: ColumnProfile, _ dates: ColumnProfile.Dates) -> [String] {
        let texts: [(DateText.Form, String)] = [
            (.local, "YYYY-MM-DD HH:MM:SS"), (.utc, "with UTC"), (.offset, "with an offset"),
            (.day, "YYYY-MM-DD"),
            (.minute, "YYYY-MM-DD HH:MM"), (.rfc2822, "RFC 2822"),
        ]
        let classes = [(profile.integers, "integer"), (profile.reals, "real")]
        return (classes + texts.map { (dates.count($0.0), $0.1) }).filter { $0.0 > 0 }.map {
            "\($0.0) \($0.1)"
        }
    }
}
