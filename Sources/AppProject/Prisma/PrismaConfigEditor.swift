/// Changes a prisma.config file: a SQLite URL that is written there comes from the environment.
enum PrismaConfigEditor {
    /// nil where there is nothing to change.
    static func edited(_ bytes: [UInt8], variable: String) -> [UInt8]? {
        let config = PrismaConfig(bytes)
        guard let range = config.urlRange, case .literal(let url)? = config.url, DatabaseURL(url) != nil
        else {
            return nil
        }
        // Whatever is imported, and whether or not .env was read, this is JavaScript.
        let edited = [TextEdit(range, "process.env.\(variable)")].applied(to: bytes)
        return PrismaConfig(edited).url == .environment(variable) ? edited : nil
    }
}
