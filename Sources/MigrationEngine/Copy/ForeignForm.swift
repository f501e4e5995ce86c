/// How a type that howdah does not encode itself goes to the server and comes back: through a type that it does.
///
/// Values go into a staging column of type `carrier`, from which the server makes the value; the proof reads them back by
/// `read`, as the carrier again. What does not come back as it went in has no place in the type: `TypeTrial` finds it
/// before the load.
struct ForeignForm: Sendable, Equatable {
    private enum Way: Equatable {
        /// The type's own text, to the last character.
        case text
        /// Only of what SQLite holds as text too: the number 101 is no three bits.
        case bits
        /// A number in the server's currency; a text where it is written as money.
        case money
        /// JSON, of elements that JSON has itself (as they are), or of their texts.
        case array(ArrayText.Element)
    }

    /// As PostgreSQL spells it.
    let type: String
    private let way: Way

    init(_ type: String) {
        self.type = type
        let name = type.lowercased()
        if name.hasSuffix("[]") {
            way = .array(ArrayText.Element(PostgresType(formatted: String(type.dropLast(2)))))
        } else if name == "money" {
            way = .money
        } else if name == "bit" || name == "varbit" || name.hasPrefix("bit(") || name.hasPrefix("bit varying")
            || name.hasPrefix("varbit(")
        {
            way = .bits
        } else {
            way = .text
        }
    }

    /// How values are encoded for the staging column, and compared.
    var operation: ColumnCode.Operation {
        switch way {
        case .text: .text
        case .bits: .varchar
        case .money: .money
        case .array: .array
        }
    }

    /// What an array's elements are in JSON.
    var element: ArrayText.Element {
        if case .array(let element) = way { return element }
        return .text
    }

    /// The staging column's type.
    var carrier: String {
        switch way {
        case .text, .bits: "text"
        case .money: "numeric"
        case .array: "jsonb"
        }
    }

    /// SQL that makes the value of the carrier's.
    func load(_ value: String) -> String {
        switch way {
        case .array:
            "(SELECT a FROM jsonb_to_record(jsonb_build_object('a', \(value))) AS r (a \(type)))"
        default: "\(value)::\(type)"
        }
    }

    /// SQL that gives the carrier's value back. The text is what the type's output function says, which a cast to text may
    /// add to; a composite of nothing but NULLs `IS NULL`, and is none.
    func read(_ value: String) -> String {
        switch way {
        case .text, .bits: "CASE WHEN num_nulls(\(value)) = 0 THEN format('%s', \(value)) END"
        case .money: "\(value)::numeric"
        case .array(let element):
            // Of a lower bound other than 1 JSON would say nothing.
            """
            CASE WHEN array_dims(\(value)) ~ '\\[(?!1:)' THEN to_jsonb(\(value)::text)
                ELSE to_jsonb(\(value)\(element == .text ? "::text[]" : "")) END
            """
        }
    }
}

/// PostgreSQL's text of an array as JSON, https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
struct ArrayText {
    /// What an element is in JSON.
    enum Element: Sendable {
        case number, boolean, json, text

        init(_ type: PostgresType) {
            self =
                switch type {
                case .smallint, .integer, .bigint, .real, .double, .numeric: .number
                case .boolean: .boolean
                case .json, .jsonb: .json
                default: .text
                }
        }
    }

    private var rest: Substring.UTF8View
    private let element: Element

    /// `{a,"b c",NULL}` as `["a","b c",null]`; nil where the text is no array.
    static func json(_ text: UnsafeBufferPointer<UInt8>, _ element: Element) -> [UInt8]? {
        let text = String(decoding: text, as: UTF8.self)
        var reader = ArrayText(rest: text[...].utf8, element: element)
        guard let value = reader.array() else { return nil }
        reader.skipSpace()
        return reader.rest.isEmpty ? Array(value.utf8) : nil
    }

    /// Whether a text begins as PostgreSQL's arrays do, which no array in JSON does.
    static func isLiteral(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
    }

    /// Whether a text begins as JSON's arrays do.
    static func isJSON(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[")
    }

    private mutating func skipSpace() {
        while let next = rest.first, [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D].contains(next) {
            rest.removeFirst()
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func array() -> String? {
        skipSpace()
        guard take("{") else { return nil }
        var items: [String] = []
        skipSpace()
        if take("}") { return "[]" }
        while true {
            skipSpace()
            guard let item = rest.first == UInt8(ascii: "{") ? array() : item() else { return nil }
            items.append(item)
            skipSpace()
            if take("}") { return "[" + items.joined(separator: ",") + "]" }
            guard take(",") else { return nil }
        }
    }

    private mutating func item() -> String? {
        var value: [UInt8] = []
        let isQuoted = take("\"")
        while let next = rest.first {
            if next == UInt8(ascii: "\\") {
                rest.removeFirst()
                guard let escaped = rest.popFirst() else { return nil }
                value.append(escaped)
                continue
            }
            if isQuoted {
                rest.removeFirst()
                if next == UInt8(ascii: "\"") { return json(String(decoding: value, as: UTF8.self)) }
                value.append(next)
            } else {
                guard !"\"{".utf8.contains(next) else { return nil }
                if ",}".utf8.contains(next) { break }
                rest.removeFirst()
                value.append(next)
            }
        }
        guard !isQuoted, !rest.isEmpty else { return nil }
        while value.last.map({ [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D].contains($0) }) ?? false {
            value.removeLast()
        }
        let text = String(decoding: value, as: UTF8.self)
        if text.isEmpty { return nil }
        return text.lowercased() == "null" ? "null" : json(text)
    }

    private func json(_ text: String) -> String {
        switch (element, text) {
        case (.number, _) where Double(text)?.isFinite == true: text
        case (.boolean, "t"), (.boolean, "true"): "true"
        case (.boolean, "f"), (.boolean, "false"): "false"
        case (.json, _): text
        default: Self.quoted(text)
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// Money as PostgreSQL writes it where no locale says otherwise, https://www.postgresql.org/docs/current/datatype-money.html
enum MoneyText {
    /// The number in `-$1,234.50`; nil where the text is of no such form.
    static func digits(_ text: UnsafeBufferPointer<UInt8>) -> DecimalDigits? {
        let text = String(decoding: text, as: UTF8.self)
        guard text.wholeMatch(of: /-?\$[0-9]{1,3}(,[0-9]{3})*\.[0-9]{2}/) != nil else { return nil }
        return DecimalDigits(decimal: text.utf8.filter { !"$,".utf8.contains($0) })
    }
}
