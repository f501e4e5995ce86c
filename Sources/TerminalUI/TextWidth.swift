/// One printable unit: what a cell shows, and how many cells it takes.
public struct Glyph: Equatable, Sendable {
    /// A base and the marks that join it; safe to print.
    public var text: String
    /// 1 or 2.
    public var width: Int
}

/// Cuts any text into glyphs that cannot disturb a terminal.
///
/// By scalars, not by `Character`: terminals do not agree on what joins. Controls come out as pictures, formatting
/// characters (joiners, direction marks, selectors) vanish, and what has no known width comes out as `�`. Reads no
/// further than it is asked to, so that a text of a megabyte costs what its visible part costs.
public struct Glyphs: Sequence, IteratorProtocol {
    private var scalars: String.UnicodeScalarView.Iterator
    private var pending: Unicode.Scalar?
    private let showsSpaces: Bool

    /// With `showsSpaces` a space comes out as `·` and a tab as `⇥`.
    public init(_ text: String, showsSpaces: Bool = false) {
        scalars = text.unicodeScalars.makeIterator()
        self.showsSpaces = showsSpaces
    }

    /// The most marks that one base keeps: curses holds four beside it.
    private static let mostMarks = 3

    public mutating func next() -> Glyph? {
        while let scalar = pending ?? scalars.next() {
            pending = nil
            guard var glyph = Self.glyph(scalar, showsSpaces: showsSpaces) else { continue }
            // Marks join printable bases only.
            guard scalar.value > 0x20, glyph.text.unicodeScalars.first == scalar else { return glyph }
            var marks = 0
            while let mark = scalars.next() {
                guard TextWidth.isMark(mark) else {
                    pending = mark
                    break
                }
                marks += 1
                if marks <= Self.mostMarks { glyph.text.unicodeScalars.append(mark) }
            }
            return glyph
        }
        return nil
    }

    private static func glyph(_ scalar: Unicode.Scalar, showsSpaces: Bool) -> Glyph? {
        switch scalar.value {
        case 0x20: return Glyph(text: showsSpaces ? "·" : " ", width: 1)
        case 0x21...0x7E: return Glyph(text: String(Character(scalar)), width: 1)
        case 0x09: return Glyph(text: showsSpaces ? "⇥" : " ", width: 1)
        case 0x00...0x1F: return Glyph(text: picture(0x2400 + scalar.value), width: 1)
        case 0x7F: return Glyph(text: "␡", width: 1)
        // Flags are two letters; terminals differ on the width of the pair.
        case 0x1F1E6...0x1F1FF:
            return Glyph(text: picture(UInt32(UInt8(ascii: "A")) + scalar.value - 0x1F1E6), width: 1)
        default: break
        }
        // A mark without a base gets a circle to stand on.
        if TextWidth.isMark(scalar) { return Glyph(text: "◌" + String(Character(scalar)), width: 1) }
        guard let width = TextWidth.width(of: scalar) else {
            return TextWidth.isInvisible(scalar) ? nil : Glyph(text: "\u{FFFD}", width: 1)
        }
        return Glyph(text: String(Character(scalar)), width: width)
    }

    private static func picture(_ value: UInt32) -> String {
        Unicode.Scalar(value).map { String(Character($0)) } ?? "\u{FFFD}"
    }
}

public enum TextWidth {
    /// Cells that a text takes, at most `limit`.
    public static func cells(_ text: String, limit: Int = .max) -> Int {
        var count = 0
        for glyph in Glyphs(text) {
            count += glyph.width
            if count >= limit { return limit }
        }
        return count
    }

    /// 1 or 2; nil for what has no place of its own or none that is known.
    static func width(of scalar: Unicode.Scalar) -> Int? {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .unassigned, .privateUse, .lineSeparator, .paragraphSeparator,
            .nonspacingMark, .enclosingMark:
            return nil
        default: return isWide(scalar.value) ? 2 : 1
        }
    }

    static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x300 else { return false }
        switch scalar.properties.generalCategory {
        // Selectors ask for another width than the base's own.
        case .nonspacingMark, .enclosingMark:
            return !(0xFE00...0xFE0F).contains(scalar.value) && !(0xE0100...0xE01EF).contains(scalar.value)
        default: return false
        }
    }

    static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .format || scalar.properties.isVariationSelector
    }

    private static func isWide(_ value: UInt32) -> Bool {
        guard value >= 0x1100 else { return false }
        var low = 0
        var high = wide.count
        while low < high {
            let middle = (low + high) / 2
            if wide[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < wide.count && wide[low].contains(value)
    }

    /// East Asian Width W and F (https://www.unicode.org/reports/tr11/), runs joined over unassigned places.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x23F0...0x23F0, 0x23F3...0x23F3,
        0x25FD...0x25FE, 0x2614...0x2615, 0x2648...0x2653, 0x267F...0x267F, 0x2693...0x2693, 0x26A1...0x26A1,
        0x26AA...0x26AB, 0x26BD...0x26BE, 0x26C4...0x26C5, 0x26CE...0x26CE, 0x26D4...0x26D4, 0x26EA...0x26EA,
        0x26F2...0x26F3, 0x26F5...0x26F5, 0x26FA...0x26FA, 0x26FD...0x26FD, 0x2705...0x2705, 0x270A...0x270B,
        0x2728...0x2728, 0x274C...0x274C, 0x274E...0x274E, 0x2753...0x2755, 0x2757...0x2757, 0x2795...0x2797,
        0x27B0...0x27B0, 0x27BF...0x27BF, 0x2B1B...0x2B1C, 0x2B50...0x2B50, 0x2B55...0x2B55, 0x2E80...0x303E,
        0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19,
        0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18D08, 0x1AFF0...0x1B2FB,
        0x1F004...0x1F004, 0x1F0CF...0x1F0CF, 0x1F18E...0x1F18E, 0x1F191...0x1F19A, 0x1F200...0x1F320,
        0x1F32D...0x1F335, 0x1F337...0x1F37C, 0x1F37E...0x1F393, 0x1F3A0...0x1F3CA, 0x1F3CF...0x1F3D3,
        0x1F3E0...0x1F3F0, 0x1F3F4...0x1F3F4, 0x1F3F8...0x1F43E, 0x1F440...0x1F440, 0x1F442...0x1F4FC,
        0x1F4FF...0x1F53D, 0x1F54B...0x1F54E, 0x1F550...0x1F567, 0x1F57A...0x1F57A, 0x1F595...0x1F596,
        0x1F5A4...0x1F5A4, 0x1F5FB...0x1F64F, 0x1F680...0x1F6C5, 0x1F6CC...0x1F6CC, 0x1F6D0...0x1F6D2,
        0x1F6D5...0x1F6D7, 0x1F6DC...0x1F6DF, 0x1F6EB...0x1F6EC, 0x1F6F4...0x1F6FC, 0x1F7E0...0x1F7EB,
        0x1F7F0...0x1F7F0, 0x1F90C...0x1F93A, 0x1F93C...0x1F945, 0x1F947...0x1F9FF, 0x1FA70...0x1FAFF,
        0x20000...0x2FFFD, 0x30000...0x3FFFD,
    ]
}
