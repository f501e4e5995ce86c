/// Keys of rows that differ, as texts that PostgreSQL reads: by them a row is found again.
enum KeyText {
    /// The texts of a key's forms; nil for tables without a key and for types that have no text here.
    static func texts(of key: [[UInt8]], _ table: ProofTable, _ columns: [Int]) -> [String]? {
        guard !columns.isEmpty else { return nil }
        var texts: [String] = []
        for (column, form) in zip(columns, key) {
            guard table.foreign[table.columns[column]] == nil,
                let text = text(of: Array(form.dropFirst()), table.codes[column].operation)
            else { return nil }
            texts.append(text)
        }
        return texts
    }

    /// The text of one form, see `Relation`.
    private static func text(of form: [UInt8], _ operation: ColumnCode.Operation) -> String? {
        switch operation {
        case .int2, .int4, .int8: "\(form.reduce(Int64(0)) { $0 << 8 | Int64($1) })"
        case .text, .varchar, .enumeration: String(decoding: form, as: UTF8.self)
        case .bytea: "\\x" + form.hexadecimal
        case .uuid: form.count == 16 ? form.hexadecimal : nil
        case .timestamp, .date: date(form)
        case .boolean: form.count == 1 ? (form[0] == 0 ? "false" : "true") : nil
        case .double: double(form)
        case .numeric: numeric(form)
        default: nil
        }
    }

    private static func double(_ form: [UInt8]) -> String? {
        guard form.count == 8 else { return nil }
        return Double(bitPattern: form.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }).description
    }

    /// A sign, the digits after the point, and the exponent after an `e`; of special values their name.
    private static func numeric(_ form: [UInt8]) -> String? {
        guard let sign = form.first, sign < 2, let end = form.lastIndex(of: UInt8(ascii: "e")) else {
            return form.isEmpty ? nil : String(decoding: form, as: UTF8.self)
        }
        let digits = form[1..<end].map { String($0) }.joined()
        return (sign == 1 ? "-" : "") + "0.\(digits.isEmpty ? "0" : digits)"
            + String(decoding: form[end...], as: UTF8.self)
    }

    private static func date(_ form: [UInt8]) -> String? {
        guard form.count == 13 else { return nil }
        func number(_ bytes: ArraySlice<UInt8>) -> Int {
            Int(Int32(truncatingIfNeeded: bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }))
        }
        func padded(_ number: Int, _ digits: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        let year = number(form[0..<4])
        guard year > 0 else { return nil }
        let parts = form[4..<9].map { padded(Int($0), 2) }
        return "\(padded(year, 4))-\(parts[0])-\(parts[1]) \(parts[2]):\(parts[3]):\(parts[4])"
            + ".\(padded(number(form[9..<13]), 6))+00"
    }
}
