/// A bar that fills from the left.
public enum Gauge {
    /// A bar of `width` cells, filled by `fraction` from 0 to 1.
    public static func line(_ fraction: Double, width: Int, _ symbols: Symbols) -> Line {
        guard width > 0 else { return Line() }
        let filled = max(0, min(1, fraction.isFinite ? fraction : 0)) * Double(width)
        let full = Int(filled)
        var done = String(repeating: symbols.barFull, count: full)
        var cells = full
        let part = Int((filled - Double(full)) * Double(symbols.barParts.count + 1))
        if full < width, part > 0, symbols.barParts.indices.contains(part - 1) {
            done += symbols.barParts[part - 1]
            cells += 1
        }
        return Line([
            Span(done, .progressDone),
            Span(String(repeating: symbols.barEmpty, count: width - cells), .progressTodo),
        ])
    }
}

/// Values as a row of bars of one cell each.
public enum Sparkline {
    /// The last `width` values; the largest of them takes the whole height.
    public static func line(_ values: [Double], width: Int, _ symbols: Symbols) -> Line {
        let shown = values.suffix(max(0, width))
        guard let largest = shown.max(), largest > 0 else { return Line() }
        let steps = symbols.spark.count
        let text = shown.map { symbols.spark[max(0, min(steps - 1, Int($0 / largest * Double(steps))))] }
        return Line(text.joined(), .progressDone)
    }
}
