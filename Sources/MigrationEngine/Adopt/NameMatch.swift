/// Finds the target's name for each name of the source: the same one, else one in other case, else one that reads the same
/// in snake_case; then the same by other names of the source's.
struct NameMatch: Equatable {
    /// Names of the target by names of the source.
    private(set) var matches: [String: String] = [:]
    /// Names of the source that could be several of the target's, or that share one with another: they are nobody's.
    private(set) var ambiguous: [String: [String]] = [:]

    /// A name that two of the target's read like is nobody's: what it means must be said. `fixed` are those that the plan
    /// names; `aliases` what else a name of the source may go by.
    init(
        _ source: [String], _ target: [String], fixed: [String: String] = [:],
        aliases: [String: Set<String>] = [:]
    ) {
        matches = fixed.filter { target.contains($0.value) }
        let waiting = source.filter { matches[$0] == nil && fixed[$0] == nil }
        for names in [{ [$0] }, { aliases[$0] ?? [] }] as [(String) -> Set<String>] {
            for spelling in [Self.exact, Self.folded, Self.snake] {
                pass(waiting, target) {
                    Set(names($0).map(spelling))
                } target: {
                    spelling($0)
                }
            }
        }
        let taken = Set(matches.values)
        ambiguous = ambiguous.compactMapValues { names in
            let free = names.filter { !taken.contains($0) }
            return free.isEmpty ? nil : free.sorted()
        }
    }

    /// Both together; what this one has found is found.
    func adding(_ other: NameMatch) -> NameMatch {
        var sum = self
        sum.matches.merge(other.matches) { first, _ in first }
        sum.ambiguous.merge(other.ambiguous) { first, _ in first }
        sum.ambiguous = sum.ambiguous.filter { sum.matches[$0.key] == nil }
        return sum
    }

    static func match(_ source: [String], _ target: [String], fixed: [String: String] = [:]) -> [String:
        String]
    {
        NameMatch(source, target, fixed: fixed).matches
    }

    private mutating func pass(
        _ source: [String], _ target: [String], source keys: (String) -> Set<String>,
        target key: (String) -> String
    ) {
        let taken = Set(matches.values)
        let candidates = Dictionary(grouping: target.filter { !taken.contains($0) }, by: key)
        // What is ambiguous by one spelling is not guessed by a looser one.
        let waiting = source.filter { matches[$0] == nil && ambiguous[$0] == nil }
        var askers: [String: Int] = [:]
        for name in waiting { for key in keys(name) { askers[key, default: 0] += 1 } }
        for name in waiting {
            let known = keys(name).filter { candidates[$0] != nil }
            let found = Set(known.flatMap { candidates[$0] ?? [] })
            if found.count == 1, let match = found.first, known.allSatisfy({ askers[$0] == 1 }) {
                matches[name] = match
            } else if !found.isEmpty {
                ambiguous[name] = found.sorted()
            }
        }
    }

    private static func exact(_ name: String) -> String { name }

    private static func folded(_ name: String) -> String { name.lowercased() }

    /// `userID`, `UserId` and `user_id` are one.
    static func snake(_ name: String) -> String {
        let characters = Array(name)
        var words = ""
        for (index, character) in characters.enumerated() {
            if character.isUppercase, index > 0, characters[index - 1] != "_" {
                let isAfterSmall = !characters[index - 1].isUppercase
                let isBeforeSmall = index + 1 < characters.count && characters[index + 1].isLowercase
                if isAfterSmall || isBeforeSmall { words += "_" }
            }
            words += character == "-" || character == " " ? "_" : character.lowercased()
        }
        return words
    }
}
