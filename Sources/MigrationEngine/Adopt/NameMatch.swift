/// Finds the target's name for each name of the source: the same one, else one in other case, else one that reads the same
/// in snake_case.
enum NameMatch {
    /// Names of the target by names of the source. A name that two of the target's read like is nobody's: what it means
    /// must be said. `fixed` are those that the plan names.
    static func match(_ source: [String], _ target: [String], fixed: [String: String] = [:]) -> [String:
        String]
    {
        var matches = fixed.filter { target.contains($0.value) }
        for spelling in [exact, folded, snake] {
            let free = target.filter { !matches.values.contains($0) }
            let waiting = source.filter { matches[$0] == nil && fixed[$0] == nil }
            let candidates = Dictionary(grouping: free, by: spelling)
            let askers = Dictionary(grouping: waiting, by: spelling)
            for name in waiting {
                let key = spelling(name)
                guard let found = candidates[key], found.count == 1, askers[key]?.count == 1 else { continue }
                matches[name] = found[0]
            }
        }
        return matches
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
