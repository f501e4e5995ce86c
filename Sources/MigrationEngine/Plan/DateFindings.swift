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

    /// Times of Django's have no zone in SQLite: they are UTC under USE_TZ = True, the application's own zone under
    /// False, and the file does not tell which (https://docs.djangoproject.com/en/5.2/ref/settings/#use-tz).
    static func addZone(
        _ choices: [String: [TypeRule.Choice]], _ profiles: [String: TableProfile], style: Style,
        _ findings: inout [Finding]
    ) {
        guard style == .django else { return }
        let zoneless = choices.flatMap { table, choices in
            zip(choices, profiles[table]?.columns ?? []).filter(\.0.type.isZoned).compactMap { $1.dates }
                .map { $0.count(.local) + $0.count(.day) + $0.count(.minute) }
        }
        let times = zoneless.reduce(0, +)
        guard times > 0 else { return }
        let columns = Format.count(zoneless.filter { $0 > 0 }.count, "column", "columns")
        findings.append(
            Finding(
                .dateForms, blocking: false, count: times,
                "\(Format.count(times, "time", "times")) in \(columns) without a zone are taken as UTC, as Django "
                    + "writes them under USE_TZ = True, its default since 5.0; under False say type: timestamp there"
            ))
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
