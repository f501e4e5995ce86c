import Foundation

/// A document as one line of JSON, the same for the same value.
func jsonText(_ document: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
}

/// A document from a file; nil where there is none, or one that cannot be read any more.
func readJSON<T: Decodable>(_ type: T.Type, _ path: String) -> T? {
    FileManager.default.contents(atPath: path).flatMap { try? JSONDecoder().decode(type, from: $0) }
}
