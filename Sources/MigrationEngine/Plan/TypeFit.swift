/// Whether every value of a column, by its profile, arrives exactly in a type.
enum TypeFit: Equatable {
    case fits
    case misfit
    /// The profile cannot tell: the encoder tries every value.
    case unknown

    /// From PostgreSQL's first timestamp to the last one that 64 bits hold, µs from 1970
    /// (https://www.postgresql.org/docs/current/datatype-datetime.html).
    static let timestampRange: ClosedRange<Int64> = -210_866_803_200_000_000...Int64.max
    /// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
    static let postgresEpoch: Int64 = 946_684_800_000_000
    /// A value this large can be loaded and never dumped: its text form doubles it.
    static let largestValue = 500 << 20

    static func check(
        _ type: PostgresType, _ column: ColumnProfile, integers unit: EpochUnit?, style: Style
    ) -> TypeFit {
        if column.maxBytes > largestValue { return .misfit }
        if column.values == 0 { return .fits }
        switch type {
        case .boolean: return fit(column.booleans == column.values)
        case .smallint: return integers(column, Int64(Int16.min)...Int64(Int16.max))
        case .integer: return integers(column, Int64(Int32.min)...Int64(Int32.max))
        case .bigint: return integers(column, Int64.min...Int64.max)
        case .real: return column.texts + column.blobs == 0 ? .unknown : .misfit
        case .double:
            // Integers up to 2⁵³ are doubles exactly.
            let exact = Int64(1) << 53
            return fit(
                column.texts + column.blobs == 0
                    && (column.integers == 0 || (column.minInteger >= -exact && column.maxInteger <= exact)))
        case .numeric: return numeric(type, column)
        case .text: return fit(column.texts == column.values && column.invalidTexts == 0)
        case .varchar(let length):
            return fit(
                column.texts == column.values && column.invalidTexts == 0
                    && column.maxTextCharacters <= length ?? .max)
        // Spaces at the end decide.
        case .char: return column.texts == column.values ? .unknown : .misfit
        case .bytea: return fit(column.blobs == column.values)
        case .timestamp(let digits):
            return instants(column, digits: digits ?? 6, unit: unit, isZoned: false, style: style)
        case .timestamptz(let digits):
            return instants(column, digits: digits, unit: unit, isZoned: true, style: style)
        case .date:
            guard let dates = column.dates else { return .unknown }
            return fit(dates.count(.day) == column.values && timestampRange.contains(dates.minMicroseconds))
        case .time(let digits):
            guard let dates = column.dates else { return .unknown }
            let times = dates.timesOfDay + (style == .rails ? dates.timesOnFirstDay : 0)
            return fit(times == column.values && dates.maxFractionDigits <= digits)
        case .json:
            guard let json = column.json else { return .unknown }
            return fit(column.blobs == 0 && json.invalid == 0 && column.invalidTexts == 0)
        case .jsonb:
            guard let json = column.json else { return .unknown }
            return fit(
                column.blobs == 0 && json.invalid == 0 && json.invalidForBinary == 0
                    && column.invalidTexts == 0)
        case .uuid:
            guard let shapes = column.shapes else { return .unknown }
            // Django's own UUIDs come back as UUIDs; elsewhere a text without dashes would come back with them.
            let known = shapes.dashedUUIDs + (style == .django ? shapes.bareUUIDs : 0)
            return known == column.values ? .fits : .unknown
        case .other("inet"): return column.shapes?.addresses == column.values ? .fits : .unknown
        case .enumeration, .other: return .unknown
        }
    }

    private static func fit(_ isFit: Bool) -> TypeFit { isFit ? .fits : .misfit }

    private static func integers(_ column: ColumnProfile, _ range: ClosedRange<Int64>) -> TypeFit {
        fit(
            column.integers == column.values && column.minInteger >= range.lowerBound
                && column.maxInteger <= range.upperBound)
    }

    private static func numeric(_ type: PostgresType, _ column: ColumnProfile) -> TypeFit {
        guard case .numeric(let precision, let scale) = type else { return .unknown }
        guard column.texts + column.blobs + column.negativeZeros == 0 else { return .misfit }
        guard let precision else { return .fits }
        guard column.infinities == 0 else { return .misfit }
        guard let decimals = column.decimals else { return .unknown }
        return fit(
            decimals.maxScale <= scale ?? 0 && decimals.maxIntegralDigits <= precision - (scale ?? 0))
    }

    private static func instants(
        _ column: ColumnProfile, digits: Int, unit: EpochUnit?, isZoned: Bool, style: Style
    ) -> TypeFit {
        guard let dates = column.dates else { return .unknown }
        guard column.blobs == 0, dates.others + dates.timesOfDay == 0 else { return .misfit }
        if column.texts > 0 {
            guard timestampRange.contains(dates.minMicroseconds),
                timestampRange.contains(dates.maxMicroseconds)
            else { return .misfit }
        }
        if column.integers > 0 {
            guard let unit else { return .misfit }
            let low = column.minInteger.multipliedReportingOverflow(by: unit.microseconds)
            let high = column.maxInteger.multipliedReportingOverflow(by: unit.microseconds)
            guard !low.overflow, !high.overflow, timestampRange.contains(low.partialValue),
                timestampRange.contains(high.partialValue)
            else { return .misfit }
        }
        // Prisma reads every form as an instant in whole milliseconds, and reals as milliseconds.
        if style == .prisma { return column.reals == 0 && digits >= 3 ? .fits : .unknown }
        // Whole counts of a unit that is finer than the column may have to be cut.
        let kept = (digits..<6).reduce(Int64(1)) { step, _ in step * 10 }
        if column.integers > 0, let unit, unit.microseconds % kept != 0 { return .unknown }
        guard column.reals == 0, dates.maxFractionDigits <= digits,
            dates.count(.offset) + dates.count(.rfc2822) == 0
        else { return .misfit }
        let zoned = dates.count(.utc)
        // What has no zone is UTC in Django's style.
        return fit(isZoned ? column.texts == zoned || style == .django : zoned == 0)
    }
}

extension PostgresType {
    var isZoned: Bool {
        if case .timestamptz = self { return true }
        return false
    }
}
