import Foundation
import MigrationEngine

/// A drawing of numbers, as SVG inside of HTML: colours come from the page's style.
public enum Picture: Sendable {
    public struct Series: Sendable {
        public let name: String
        /// x and y, both from 0.
        public let points: [(x: Double, y: Double)]
    }

    /// At most two curves over seconds.
    case curves([Series], unit: String)
    /// One bar each, with its words.
    case bars([(name: String, value: Double, words: String)])

    func svg(_ words: String) -> String {
        let (height, content) =
            switch self {
            case .curves(let series, let unit): (Self.height, Self.curves(series, unit))
            case .bars(let bars): (Double(bars.count) * Self.step + 4, Self.bars(bars))
            }
        return """
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(height))" role="img" aria-label="\(Markup.html(words))">
            \(content.joined(separator: "\n"))
            </svg>
            """
    }

    // MARK: Curves

    private static let width = 960.0
    private static let height = 260.0
    private static let left = 64.0
    private static let right = 24.0
    private static let top = 30.0
    private static let bottom = 34.0
    private static let styles = ["one", "two"]

    private static func curves(_ series: [Series], _ unit: String) -> [String] {
        let points = series.flatMap(\.points)
        let widest = max(points.map(\.x).max() ?? 1, 0.001)
        let highest = roundedUp(max(points.map(\.y).max() ?? 1, 1))
        func x(_ value: Double) -> Double { left + value / widest * (width - left - right) }
        func y(_ value: Double) -> Double { height - bottom - value / highest * (height - top - bottom) }
        var lines: [String] = []
        for part in 0...4 {
            let value = highest * Double(part) / 4
            lines.append(
                "<line class=\"axis\" x1=\"\(n(left))\" y1=\"\(n(y(value)))\" x2=\"\(n(width - right))\" y2=\"\(n(y(value)))\"/>"
            )
            lines.append(
                "<text x=\"\(n(left - 8))\" y=\"\(n(y(value) + 4))\" text-anchor=\"end\">\(short(value))</text>"
            )
        }
        for part in 0...6 {
            let value = widest * Double(part) / 6
            lines.append(
                "<text x=\"\(n(x(value)))\" y=\"\(n(height - bottom + 18))\" text-anchor=\"middle\">\(seconds(value, of: widest))</text>"
            )
        }
        var legend = left
        for (series, style) in zip(series, styles) {
            let path = series.points.map { "\(n(x($0.x))),\(n(y($0.y)))" }
            if let first = series.points.first, let last = series.points.last {
                let area = ["\(n(x(first.x))),\(n(y(0)))"] + path + ["\(n(x(last.x))),\(n(y(0)))"]
                lines.append("<polygon class=\"area \(style)\" points=\"\(area.joined(separator: " "))\"/>")
                lines.append("<polyline class=\"curve \(style)\" points=\"\(path.joined(separator: " "))\"/>")
            }
            lines.append(
                "<line class=\"curve \(style)\" x1=\"\(n(legend))\" y1=\"12\" x2=\"\(n(legend + 18))\" y2=\"12\"/>"
            )
            lines.append(
                "<text class=\"label\" x=\"\(n(legend + 24))\" y=\"16\">\(Markup.html(series.name)), \(Markup.html(unit))</text>"
            )
            legend += 190
        }
        return lines
    }

    /// 1, 2, 2.5 or 5 times a power of ten.
    private static func roundedUp(_ value: Double) -> Double {
        let power = pow(10, floor(log10(value)))
        return ([1, 2, 2.5, 5, 10].first { $0 * power >= value } ?? 10) * power
    }

    private static func short(_ value: Double) -> String {
        switch value {
        case 1_000_000...: "\(trimmed(value / 1_000_000)) M"
        case 1000...: "\(trimmed(value / 1000)) k"
        default: trimmed(value)
        }
    }

    private static func trimmed(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : String(format: "%.1f", value)
    }

    /// So fine that no two of seven labels are the same.
    private static func seconds(_ value: Double, of widest: Double) -> String {
        switch widest {
        case 600...: String(format: "%.0f min", value / 60)
        case 12...: String(format: "%.0f s", value)
        case 0.6...: String(format: "%.1f s", value)
        case 0.012...: String(format: "%.0f ms", value * 1000)
        default: String(format: "%.1f ms", value * 1000)
        }
    }

    // MARK: Bars

    private static let step = 24.0
    private static let names = 230.0
    private static let numbers = 190.0

    private static func bars(_ bars: [(name: String, value: Double, words: String)]) -> [String] {
        let largest = max(bars.map(\.value).max() ?? 1, 1)
        return bars.enumerated().flatMap { index, bar in
            let y = Double(index) * step + 4
            let length = max(1.5, bar.value / largest * (width - names - numbers))
            let name = bar.name.count > 34 ? bar.name.prefix(33) + "…" : bar.name[...]
            return [
                "<text class=\"label\" x=\"\(n(names - 10))\" y=\"\(n(y + 13))\" text-anchor=\"end\">\(Markup.html(String(name)))</text>",
                "<rect class=\"bar\" x=\"\(n(names))\" y=\"\(n(y + 2))\" width=\"\(n(length))\" height=\"14\" rx=\"2\"/>",
                "<text x=\"\(n(names + length + 8))\" y=\"\(n(y + 13))\">\(Markup.html(bar.words))</text>",
            ]
        }
    }

    private static func n(_ value: Double) -> String { String(format: "%.1f", value) }
}
