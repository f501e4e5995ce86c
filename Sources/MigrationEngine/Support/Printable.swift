/// The text with everything that a terminal or a reader would obey, and everything that turns the direction of writing,
/// shown as an escape instead.
public func printable(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x0A || $0 == 0x09 }) { return text }
    var shown = ""
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0A, 0x09: shown.unicodeScalars.append(scalar)
        case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF:
            shown += "\\u{\(String(scalar.value, radix: 16))}"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return shown
}
