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
        row.key == text || texts != nil && texts == row.place?.keys
    }

    /// Whether the name is the shown key of a row, and could be that of another one too.
    func isUnclear(_ keys: [String]) -> Bool {
        guard texts != keys, keys.count > 1 else { return false }
        return text.components(separatedBy: Self.separator).count != keys.count
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
