import MigrationEngine

/// Indexes that others make superfluous, and those that nobody uses.
struct SuperfluousIndexes {
    let catalog: IndexCatalog
    let limits: IndexLimits

    struct Finding {
        let index: IndexCatalog.Index
        let rule: IndexRule
        let evidence: [String]
    }

    /// Never one that a constraint, a replica or a partitioned table rests on.
    private func mayGo(_ index: IndexCatalog.Index) -> Bool {
        !index.isConstraint && !index.isPrimary && !index.isPinned && !index.isBuilding
    }

    var doubled: [Finding] {
        catalog.indexes.values.flatMap { indexes -> [Finding] in
            var gone: Set<String> = []
            return indexes.sorted { $0.name < $1.name }.compactMap { index -> Finding? in
                guard index.isValid, mayGo(index) else { return nil }
                let other = indexes.first { other in
                    other.name != index.name && other.isValid && !gone.contains(other.name)
                        && isCovered(index, by: other)
                }
                guard let other else { return nil }
                gone.insert(index.name)
                return Finding(
                    index: index, rule: .doubled,
                    evidence: [
                        index.keys == other.keys
                            ? "\(other.name) has the same columns"
                            : "\(other.name) begins with the same columns: \(Self.words(other))"
                    ])
            }
        }.sorted { $0.index.name < $1.index.name }
    }

    private static func words(_ index: IndexCatalog.Index) -> String {
        index.keys.map { $0.column ?? $0.expression ?? "?" }.joined(separator: ", ")
    }

    /// Whether `other` answers all that `index` does, and keeps all that it keeps.
    private func isCovered(_ index: IndexCatalog.Index, by other: IndexCatalog.Index) -> Bool {
        guard index.method == other.method, index.predicate == other.predicate else { return false }
        if index.keys == other.keys, Set(index.included).isSubset(of: other.included) {
            // A unique one is needed for its own sake, unless the other one is unique as well.
            return !index.isUnique || other.isUnique
        }
        return index.method == "btree" && !index.isUnique && index.included.isEmpty
            && index.keys.count < other.keys.count
            && Array(other.keys.prefix(index.keys.count)) == index.keys
    }

    /// Indexes without a use, or why that cannot be told. `age` is how long there was something to count, in seconds.
    func unused(age: Double?) -> (findings: [Finding], notice: String?) {
        let wait = Format.count(Int(limits.unusedAfter.seconds / 86_400), "day", "days")
        guard let age, age >= limits.unusedAfter.seconds else {
            let known = age.map { " for \(Self.words(seconds: $0))" } ?? ", since when is not known"
            return (
                [],
                "whether an index is unused cannot be told yet: the server counts\(known), and howdah waits for \(wait)"
            )
        }
        let findings = catalog.tables.flatMap { table -> [Finding] in
            // Where nothing was read or written, nothing was needed.
            guard table.reads ?? 0 > 0, table.writes ?? 0 > 0 else { return [] }
            return (catalog.indexes[table.name] ?? []).compactMap { index in
                guard index.isValid, mayGo(index), !index.isUnique, index.scans == 0,
                    index.bytes ?? 0 >= limits.unusedBytes
                else { return nil }
                return Finding(
                    index: index, rule: .unused,
                    evidence: ["no use in \(Self.words(seconds: age)), while the table was read and written"])
            }
        }
        return (findings, nil)
    }

    private static func words(seconds: Double) -> String {
        switch seconds {
        case ..<3600: Format.count(Int(seconds / 60), "minute", "minutes")
        case ..<172_800: Format.count(Int(seconds / 3600), "hour", "hours")
        default: Format.count(Int(seconds / 86_400), "day", "days")
        }
    }
}
