/// How one column's values are written, chosen once per column.
struct ColumnCode {
    enum Operation: UInt8 {
        case boolean, int2, int4, int8, double, numeric, text, varchar, bytea
        case timestamp, date, time, interval, json, jsonb, uuid, enumeration
        case real, char, array, money
    }

    let operation: Operation
    /// Most characters of a varchar; PostgreSQL's own limit elsewhere.
    var maxCharacters = Int.max
    /// Microseconds that an integer in a date column counts; 0 where integers are no dates.
    var microsecondsPerInteger: Int64 = 0
    /// Microseconds in the smallest step that the column keeps.
    var step: Int64 = 1
    var dates = DateReading.exact
    var isZoned = false
    /// Digits before and after the point of a numeric; nil is any number.
    var numericLimit: (integral: Int, scale: Int)?
    var labels: [[UInt8]] = []
    /// Whether a text of a char(n) must have all of its characters: else the server fills it up.
    var mustBeFull = false
    /// What an array's elements are in JSON.
    var element = ArrayText.Element.text

    /// A type that only the server knows is written for a staging column, see `ForeignForm`.
    init(_ column: MigrationPlan.Column, enums: [MigrationPlan.Enumeration], dates: DateReading = .exact) {
        self.dates = dates
        microsecondsPerInteger = column.integers?.microseconds ?? 0
        switch column.postgresType {
        case .boolean: operation = .boolean
        case .smallint: operation = .int2
        case .integer: operation = .int4
        case .bigint: operation = .int8
        case .real: operation = .real
        case .double: operation = .double
        case .numeric(let precision, let scale):
            operation = .numeric
            numericLimit = precision.map { ($0 - (scale ?? 0), scale ?? 0) }
        case .text: operation = .text
        case .varchar(nil): operation = .text
        case .varchar(let length?):
            operation = .varchar
            maxCharacters = length
        case .char(let length):
            operation = .char
            maxCharacters = length
        case .bytea: operation = .bytea
        case .timestamp(let digits):
            operation = .timestamp
            step = Self.step(digits ?? 6)
        case .timestamptz(let digits):
            operation = .timestamp
            isZoned = true
            step = Self.step(digits)
        case .date: operation = .date
        case .time(let digits):
            operation = .time
            step = Self.step(digits)
        case .json: operation = .json
        case .jsonb: operation = .jsonb
        case .uuid: operation = .uuid
        case .enumeration(let name):
            operation = .enumeration
            labels = enums.first { $0.name == name }?.labels.map { Array($0.utf8) } ?? []
        case .other where column.isCountedInterval: operation = .interval
        case .other(let type):
            let form = ForeignForm(type)
            operation = form.operation
            element = form.element
        }
    }

    private static func step(_ digits: Int) -> Int64 {
        (digits..<6).reduce(1) { step, _ in step * 10 }
    }
}

/// What a date's text or number means to the application.
struct DateReading: Sendable {
    /// Takes a date of every form, in UTC, as Prisma reads dates and as an operator may decide by a column's type.
    /// Otherwise only dates that keep their zone, or have none, are taken.
    var takesEveryForm: Bool
    /// Microseconds in the smallest step that the application reads; what is finer never reached it.
    var smallestStep: Int64
    /// Takes a text without a zone as UTC where the column keeps a zone, as Django does.
    var takesLocalAsUTC = false
    /// Takes a time of day behind 2000-01-01, as Rails writes it.
    var takesTimesOnFirstDay = false

    static let exact = DateReading(takesEveryForm: false, smallestStep: 1)

    /// Prisma reads every form, in whole milliseconds. `isDecided` is a type that the operator chose.
    init(style: Style, isDecided: Bool) {
        self.init(takesEveryForm: style == .prisma || isDecided, smallestStep: style == .prisma ? 1000 : 1)
        takesLocalAsUTC = style == .django
        takesTimesOnFirstDay = style == .rails
    }

    init(takesEveryForm: Bool, smallestStep: Int64) {
        self.takesEveryForm = takesEveryForm
        self.smallestStep = smallestStep
    }
}

/// Why a value has no place in its column's type.
enum Misfit: UInt8, Error, CaseIterable {
    case storageClass, outOfRange, notBoolean, encoding, tooLong, notADate, finerThanColumn, zone,
        negativeZero
    case infinite, digits, json, label, uuid, notATime, tooLarge, endsInSpaces, notFull, array

    var message: String {
        switch self {
        case .storageClass: "the value's storage class is another"
        case .outOfRange: "the value is out of the type's range"
        case .notBoolean: "the value is neither 0 nor 1, true nor false"
        case .encoding: "the text is no UTF-8 or has a NUL inside, which PostgreSQL refuses"
        case .tooLong: "the text is longer than the type allows"
        case .notADate: "the value is no date that can be read"
        case .finerThanColumn: "the time has more digits after the second than the type keeps"
        case .zone: "the time's zone would be lost"
        case .negativeZero: "numeric has no negative zero"
        case .infinite: "the value is infinite"
        case .digits: "the number has more digits than the type keeps"
        case .json:
            "the value is no JSON that the type keeps whole (jsonb: also a key twice, \\u0000, half a surrogate)"
        case .label: "the text is no label of the enum"
        case .uuid: "the value is no UUID of 32 hexadecimal digits, with its dashes or without"
        case .notATime: "the value is no time of day"
        case .endsInSpaces: "the text ends in spaces, which a char(n) fills up and does not count"
        case .notFull: "the text is shorter than the type, which fills it up with spaces"
        case .array: "the text is no array: neither in JSON nor as PostgreSQL writes one"
        case .tooLarge: "the value has over 500 MB: PostgreSQL can hold it, and no dump can"
        }
    }
}
