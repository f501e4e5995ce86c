/// The signs that a screen is drawn with, for UTF-8 terminals and for those without.
public struct Symbols: Equatable, Sendable {
    public var horizontal, vertical, topLeft, topRight, bottomLeft, bottomRight, teeLeft, teeRight: String
    /// Where keys go, and what is selected where they do not go.
    public var cursor, mark, ellipsis, more, separator: String
    /// A bar's full cell, its empty cell, and the parts of one cell from the thinnest.
    public var barFull, barEmpty: String
    public var barParts: [String]
    public var spark: [String]
    public var tick, untick, open, closed, null: String
    public var waiting, ready, running, undecided, done, failed, stale, skipped: String
    public var arrow: String

    public static let unicode = Symbols(
        horizontal: "─", vertical: "│", topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘",
        teeLeft: "├", teeRight: "┤", cursor: "▌", mark: "▏", ellipsis: "…", more: "…", separator: "│",
        barFull: "█",
        barEmpty: "·", barParts: ["▏", "▎", "▍", "▌", "▋", "▊", "▉"],
        spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"], tick: "[✔]", untick: "[ ]", open: "▾", closed: "▸",
        null: "∅", waiting: "·", ready: "○", running: "▸", undecided: "!", done: "✔", failed: "✘", stale: "~",
        skipped: "–", arrow: "→")

    public static let ascii = Symbols(
        horizontal: "-", vertical: "|", topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+",
        teeLeft: "+", teeRight: "+", cursor: ">", mark: ":", ellipsis: "~", more: "~", separator: "|",
        barFull: "#",
        barEmpty: ".", barParts: [], spark: ["_", ".", "-", "=", "*", "#"], tick: "[x]", untick: "[ ]",
        open: "v", closed: ">", null: "NULL", waiting: ".", ready: "o", running: ">", undecided: "!",
        done: "+", failed: "x", stale: "~", skipped: "-", arrow: "->")

    public var isASCII: Bool { horizontal == "-" }

    /// What a terminal without UTF-8 shows for the signs that sentences have.
    public static let asciiStandIns: [String: String] = [
        "…": "~", "–": "-", "—": "-", "“": "\"", "”": "\"", "×": "x", "→": ">", "•": "*", "·": ".", "’": "'",
        "✔": "+", "↑": "^",
        "↓": "v", "←": "<", "▴": "^", "▾": "v", "›": ">",
    ]
}
