import Postgres

enum Names {
    /// Names in double quotes with commas between.
    static func list(_ names: [String]) -> String {
        names.map(quoteIdentifier).joined(separator: ", ")
    }
}
