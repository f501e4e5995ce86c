import MigrationEngine

/// What a drill came to.
public struct PointInTimeDrillReport: Codable, Sendable, Equatable {
    public struct Part: Codable, Sendable, Equatable {
        public let name: String
        public let seconds: Double
    }

    public internal(set) var seconds = 0.0
    public internal(set) var parts: [Part] = []
    public internal(set) var moment = ""
    /// What was lost, in words; empty where there was nothing to lose.
    public internal(set) var damage: [String] = []
    /// Tables that equal SQLite after the restore, and their rows.
    public internal(set) var tables = 0
    public internal(set) var rows = 0
    /// Damaged tables that the proof found after the restore to after the damage.
    public internal(set) var seenDamage = 0
    public internal(set) var baseBytes: Int64 = 0
    public internal(set) var walBytes: Int64 = 0
    public internal(set) var walFiles = 0
    /// What did not come back as it should.
    public internal(set) var problems: [String] = []

    public var isProven: Bool { problems.isEmpty }

    /// Runs a part of the drill, which may add to the report, and notes how long it took.
    mutating func timed<T>(_ name: String, _ body: (inout Self) throws -> T) rethrows -> T {
        let start = ContinuousClock.now
        let value = try body(&self)
        parts.append(Part(name: name, seconds: (ContinuousClock.now - start).seconds))
        return value
    }

    private func seconds(of name: String) -> Double { parts.first { $0.name == name }?.seconds ?? 0 }

    public var headline: String {
        guard isProven else { return problems.first ?? "" }
        return "set back to \(moment) in \(Format.seconds(seconds(of: "restore to before"))): "
            + "\(Format.count(tables, "table", "tables")), \(Format.count(rows, "row", "rows")) equal to SQLite"
    }

    /// The most telling first.
    public var lines: [String] {
        var lines = isProven ? [headline] : problems
        lines.append(
            damage.isEmpty
                ? "no table had rows to lose"
                : "lost after it: \(damage.joined(separator: ", ")); none of it is missing")
        if seenDamage > 0 {
            lines.append(
                "restored to after the damage, the proof finds it in \(Format.count(seenDamage, "table", "tables"))"
            )
        }
        lines.append(
            "base backup \(Format.bytes(baseBytes)); \(Format.count(walFiles, "file", "files")) of the log archived, \(Format.bytes(walBytes))"
        )
        return lines
            + [parts.map { "\($0.name) \(Format.seconds($0.seconds))" }.joined(separator: ", ")]
    }

    /// For the text about the way back.
    public var sentence: String? {
        isProven
            ? "\(headline), on a private copy of the rehearsal; the base backup was \(Format.bytes(baseBytes))"
            : nil
    }
}
