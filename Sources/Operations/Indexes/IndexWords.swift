import Foundation
import MigrationEngine

/// Figures of plans as people read them.
enum IndexWords {
    static func cost(_ cost: Double) -> String {
        cost < 100 ? String(format: "%.1f", cost) : Format.count(Int(cost.rounded()))
    }

    static func milliseconds(_ time: Double) -> String {
        time < 10 ? String(format: "%.2f ms", time) : "\(Format.count(Int(time.rounded()))) ms"
    }
}

extension IndexWords {
    static func rows(_ rows: Double) -> String {
        Format.count(Int(min(max(rows, 0), 1e15).rounded()), "row", "rows")
    }
}
