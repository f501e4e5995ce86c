/// What the values of one column really are, whatever was declared.
public struct ColumnProfile: Sendable, Equatable {
    /// Values by storage class, in the order of `StorageClass`.
    public var integers = 0
    public var reals = 0
    public var texts = 0
    public var blobs = 0
    public var nulls = 0

    public var minInteger = Int64.max
    public var maxInteger = Int64.min
    public var negativeZeros = 0
    public var infinities = 0

    public var maxTextCharacters = 0
    /// Longest text or BLOB, in bytes.
    public var maxBytes = 0
    /// Texts that PostgreSQL refuses: not UTF-8, or with a NUL inside.
    public var invalidTexts = 0

    /// Values that a column declared BOOLEAN may hold for true and false.
    public var booleans = 0
    public var dates: Dates?
    public var decimals: Decimals?
    public var json: JSON?
    public var shapes: Shapes?
    public var forms = TextForms()
    public var few = Few()

    public init() {}

    /// Looked at in columns that are declared as a date or a time.
    public struct Dates: Sendable, Equatable {
        /// Texts by form, in the order of `DateText.Form`.
        public var forms = [Int](repeating: 0, count: DateText.Form.allCases.count)
        public var timesOfDay = 0
        /// Texts that are neither.
        public var others = 0
        public var maxFractionDigits = 0
        /// Bytes of the shortest and the longest date.
        public var minLength = Int.max
        public var maxLength = 0
        /// Dates with a blank between day and time, with a `T` there, and with a `Z` at the end.
        public var spaces = 0
        public var capitals = 0
        public var zuluMarks = 0
        public var minMicroseconds = Int64.max
        public var maxMicroseconds = Int64.min

        mutating func noteLayout(_ text: UnsafeBufferPointer<UInt8>) {
            minLength = min(minLength, text.count)
            maxLength = max(maxLength, text.count)
            guard text.count > 10 else { return }
            if text[10] == UInt8(ascii: " ") { spaces += 1 }
            if text[10] == UInt8(ascii: "T") { capitals += 1 }
            if text[text.count - 1] == UInt8(ascii: "Z") { zuluMarks += 1 }
        }

        func count(_ form: DateText.Form) -> Int { forms[form.rawValue] }

        /// Texts that are a time of day behind `2000-01-01`, as Rails writes them: all that are dates, or none.
        var timesOnFirstDay: Int {
            let isFirstDay =
                minMicroseconds >= DateText.firstDay.lowerBound
                && maxMicroseconds < DateText.firstDay.upperBound
            return isFirstDay ? count(.local) : 0
        }
    }

    /// Looked at in columns that are declared as an exact number.
    public struct Decimals: Sendable, Equatable {
        public var maxScale = 0
        public var maxIntegralDigits = 0
    }

    /// Looked at in columns that are declared as JSON.
    public struct JSON: Sendable, Equatable {
        /// Values that PostgreSQL's `json` refuses, and those that `jsonb` refuses besides.
        public var invalid = 0
        public var invalidForBinary = 0
    }

    /// Values that are not NULL.
    public var values: Int { integers + reals + texts + blobs }
}

/// What one table holds.
public struct TableProfile: Sendable, Equatable {
    public var rows = 0
    /// Bytes of all values, about what a copy sends.
    public var bytes = 0
    /// In the order of the catalog's columns.
    public var columns: [ColumnProfile] = []
    /// Last rowid of each piece of about `Profiler.chunkBytes`; empty where rowids cannot be read.
    public var chunkEnds: [Int64] = []
    /// Of a table without rowids that is read in the order of its key: the last key of each piece but the last.
    var keyEnds: [[RowRecord.Value]] = []
    /// Bytes of the values of the largest row.
    public var maxRowBytes = 0

    public init() {}
}
