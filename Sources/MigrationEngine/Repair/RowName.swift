import Foundation

/// What an operator names a row by: its key as it is shown, or a JSON array of the key's texts, which is exact.
struct RowName {
    let text: String
    /// The key's texts, where the name is such an array.
    private let texts: [String]?

    /// Between the texts of a key that is shown; they may hold it themselves.
    private static let separator = ", "

    init(_ text: String) {
        self.text = text
        texts = text.hasPrefix("[") ? try? JSONDecoder().decode([String].self, from: Data(text.utf8)) : nil
    }

    func means(_ row: RowDifference) -> Bool {
        Self.isSame(row.key, text) || isExact(row.place?.keys)
    }

    private func isExact(_ keys: [String]?) -> Bool {
        guard let texts, let keys else { return false }
        return Self.areSame(texts, keys)
    }

    /// Whether the name is the shown key of a row, and could be that of another one too: its texts may hold what stands between them, and
    /// a text may look like an array of as many.
    func isUnclear(_ keys: [String]) -> Bool {
        if isExact(keys) { return false }
        if texts?.count == keys.count { return true }
        return keys.count > 1 && text.components(separatedBy: Self.separator).count != keys.count
    }

    /// To the last byte: Swift compares texts by what they stand for.
    static func areSame(_ one: [String], _ other: [String]) -> Bool {
        one.elementsEqual(other, by: isSame)
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        one.utf8.elementsEqual(other.utf8)
    }

    /// The array that names a row.
    static func exact(_ keys: [String]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: (try? encoder.encode(keys)) ?? Data(), as: UTF8.self)
    }
}

extension RowDifference {
    /// By what a repair is told to mean this row.
    public var name: String {
        guard let keys = place?.keys, keys.count > 1 || key.hasPrefix("[") else { return key }
        return RowName.exact(keys)
    }
}
