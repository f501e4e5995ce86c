import Foundation

/// Numbers as people read them.
public enum Format {
    /// 1065000 as 1,065,000.
    public static func count(_ number: Int) -> String {
        var digits = Array(String(number.magnitude))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (number < 0 ? "-" : "") + String(digits)
    }

    /// 1 row, 2 rows: a number with the word that it asks for.
    public static func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(count(number)) \(number == 1 ? one : many)"
    }

    public static func bytes(_ number: Int64) -> String {
        if number < 1 << 10 { return "\(number) bytes" }
        if number < 1 << 20 { return "\(number >> 10) kB" }
        if number < 10 << 30 { return "\(number >> 20) MB" }
        return "\(number >> 30) GB"
    }

    public static func seconds(_ seconds: Double) -> String {
        seconds < 10 ? String(format: "%.2f s", seconds) : String(format: "%.0f s", seconds)
    }

    /// Lines with their columns under each other; the columns named are set to the right.
    public static func table(_ rows: [[String]], right: Set<Int>) -> [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "") + (right.contains(column) ? padding + cell : cell + padding)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}
