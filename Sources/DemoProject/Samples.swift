/// Values that a chat application meets and a careless migration loses.
enum Samples {
    static let texts: [String] = [
        "hello", "see you at eight", "ok", "", " leading and trailing ", "naïve 東京\tab\there",
        "family 👨‍👩‍👧‍👦 and flags 🇨🇭🇯🇵, skin 👍🏽", "line one\nline two\r\nline three",
        "it's \"quoted\" and \\escaped\\",
        "שלום עולם", "مرحبا بالعالم", "e\u{301} is not é", "\u{FEFF}byte order mark", "zero\u{200B}width",
        "NULL", "\\N", "\\x00ff", "null", "1e5", "007", "t", "-- comment; DROP TABLE \"User\";", "%s %d %n",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 outside of the first plane", "control \u{1} \u{1B}[31m characters \u{7F}", "ﷺ ligature",
        "The quick brown fox jumps over the lazy dog, and then explains at some length why it did so.",
    ]

    static let json: [String] = [
        #"{"a": 1, "b": [true, null, "x"]}"#, #"{}"#, #"[]"#, #""text""#, #"null"#,
        #"{"nested": {"deep": {"er": 0.1}}}"#,
        #"{"emoji": "👍🏽", "escape": "\u00e9\n\t\"", "pair": "\ud83d\ude00"}"#, #"{"b": 1, "aa": 2, "": 3}"#,
    ]

    static let doubles: [Double] = [
        0, 0.1, -0.1, 1.5, 1e308, -1e308, .leastNonzeroMagnitude, .leastNormalMagnitude,
        1.7976931348623157e308, 0.30000000000000004,
        123456789.12345678, 1e15, 1e-7, -42, 3.141592653589793,
    ]

    /// As SQLite holds what Prisma writes for a Decimal: a whole one is an integer.
    static let decimals: [Double] = [0, 5, 12.5, 0.1, 1e15, 123456789.12345678, -3.25, 0.000001, 99999.99]

    static let bigIntegers: [Int64] = [0, 1, -1, 9_007_199_254_740_993, .max, .min, 1 << 40]

    /// Milliseconds since 1970.
    static let dates: [Int64] = [
        0, -1, -62_135_596_800_000, 951_782_400_000, 1_709_164_799_999, 4_102_444_800_000,
    ]

    static let counters: [Int64] = [0, 1, 2_147_483_647, -2_147_483_648, 65_536]
}
