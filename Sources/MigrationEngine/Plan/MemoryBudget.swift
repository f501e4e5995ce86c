import Foundation

/// How much memory large rows may take on their way.
///
/// Rows of ordinary size take none that grows. A row over `largeRow` is read, sent and compared alone, and takes several
/// times its size while libpq, SQLite and the proof hold it at once.
public struct MemoryBudget: Sendable, Equatable {
    /// What howdah may take in all.
    public let bytes: Int

    /// Bytes of a row's values from which on it has its turn alone.
    static let largeRow = 16 << 20
    /// What howdah takes without such rows, and its share for each byte of one.
    private static let base = 64 << 20
    private static let sharePerByte = 4

    public init(bytes: Int) {
        self.bytes = bytes
    }

    /// Half of what the machine has.
    public static let standard = MemoryBudget(
        bytes: Int(clamping: ProcessInfo.processInfo.physicalMemory / 2))

    /// Reads `512MB` or `1.5GB`; nil for anything else.
    public init?(_ text: String) {
        let units = ["KB": 10, "MB": 20, "GB": 30, "TB": 40]
        guard let shift = units[String(text.suffix(2)).uppercased()],
            text.dropLast(2).wholeMatch(of: /[0-9]+(\.[0-9]+)?/) != nil,
            let number = Double(text.dropLast(2)),
            number > 0, number < 1_048_576
        else { return nil }
        bytes = Int(number * Double(1 << shift))
    }

    /// Whether it is what howdah takes without a large row.
    public var isEnough: Bool { bytes >= Self.base }

    static func need(rowBytes: Int) -> Int {
        rowBytes < largeRow ? base : base + sharePerByte * rowBytes
    }

    /// Tables with a row that would take more than there is.
    func findings(_ plan: MigrationPlan, _ profiles: [String: TableProfile]) -> [Finding] {
        plan.tables.filter { !$0.isSkipped }.compactMap { table in
            let row = profiles[table.name]?.maxRowBytes ?? 0
            let need = Self.need(rowBytes: row)
            guard need > bytes else { return nil }
            return Finding(
                .exceedsMemory, blocking: true, table: table.name,
                "a row holds \(Format.bytes(Int64(row))), for which howdah takes about \(Format.bytes(Int64(need))) of memory "
                    + "for a moment, and it may take \(Format.bytes(Int64(bytes))): say --memory \((need >> 20) + 1)MB where there "
                    + "is as much, or leave the table out with skip: true in the plan")
        }
    }
}
