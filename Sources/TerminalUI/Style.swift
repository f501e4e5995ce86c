/// A colour of a theme; terminals that have fewer get the nearest one they have.
public enum Color: Hashable, Sendable {
    /// The terminal's own.
    case standard
    /// One of the terminal's first sixteen.
    case ansi(UInt8)
    case rgb(UInt8, UInt8, UInt8)
}

public struct Attributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let bold = Attributes(rawValue: 1)
    public static let dim = Attributes(rawValue: 2)
    public static let underline = Attributes(rawValue: 4)
    public static let reverse = Attributes(rawValue: 8)
    public static let italic = Attributes(rawValue: 16)

    /// By the names that theme files use.
    public static let named: KeyValuePairs<String, Attributes> = [
        "bold": .bold, "dim": .dim, "underline": .underline, "reverse": .reverse, "italic": .italic,
    ]
}

public struct Style: Hashable, Sendable {
    public var foreground: Color
    public var background: Color
    public var attributes: Attributes

    public init(
        foreground: Color = .standard, background: Color = .standard, attributes: Attributes = []
    ) {
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
    }

    public static let standard = Style()

    /// This style over another: what it leaves open, the other one gives.
    public func over(_ base: Style) -> Style {
        Style(
            foreground: foreground == .standard ? base.foreground : foreground,
            background: background == .standard ? base.background : background,
            attributes: attributes.union(base.attributes))
    }
}

/// How many colours a terminal has.
public enum ColorDepth: Int, Sendable, CaseIterable {
    case mono = 0
    case eight = 8
    case sixteen = 16
    case indexed = 256

    public init(colors: Int) {
        self = Self.allCases.last { $0.rawValue <= colors } ?? .mono
    }
}

extension Color {
    /// The terminal's number for this colour, −1 for its own.
    public func index(at depth: ColorDepth) -> Int {
        switch (self, depth) {
        case (.standard, _), (_, .mono): -1
        case (.ansi(let number), .eight): Int(number & 7)
        case (.ansi(let number), _): Int(number & 15)
        case (.rgb(let red, let green, let blue), .indexed): Self.nearestIndexed(red, green, blue)
        case (.rgb(let red, let green, let blue), _):
            Self.nearest(red, green, blue, among: 0..<depth.rawValue)
        }
    }

    /// xterm's sixteen colours.
    static let ansiValues: [(UInt8, UInt8, UInt8)] = [
        (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
        (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255),
        (255, 0, 255), (0, 255, 255), (255, 255, 255),
    ]

    private static func distance(
        _ one: (UInt8, UInt8, UInt8), _ red: UInt8, _ green: UInt8, _ blue: UInt8
    ) -> Int {
        let dr = Int(one.0) - Int(red)
        let dg = Int(one.1) - Int(green)
        let db = Int(one.2) - Int(blue)
        return 2 * dr * dr + 4 * dg * dg + 3 * db * db
    }

    private static func nearest(_ red: UInt8, _ green: UInt8, _ blue: UInt8, among range: Range<Int>) -> Int {
        range.min {
            distance(ansiValues[$0], red, green, blue) < distance(ansiValues[$1], red, green, blue)
        } ?? 7
    }

    /// The 6 × 6 × 6 cube and the 24 greys behind the first sixteen.
    private static func nearestIndexed(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> Int {
        let levels: [UInt8] = [0, 95, 135, 175, 215, 255]
        func step(_ value: UInt8) -> Int {
            levels.indices.min {
                abs(Int(levels[$0]) - Int(value)) < abs(Int(levels[$1]) - Int(value))
            } ?? 0
        }
        let (r, g, b) = (step(red), step(green), step(blue))
        let grey = min(23, max(0, (Int(red) + Int(green) + Int(blue) - 24 + 15) / 30))
        let greyValue = UInt8(8 + 10 * grey)
        let cube = distance((levels[r], levels[g], levels[b]), red, green, blue)
        let isGrey = distance((greyValue, greyValue, greyValue), red, green, blue) < cube
        return isGrey ? 232 + grey : 16 + 36 * r + 6 * g + b
    }
}
