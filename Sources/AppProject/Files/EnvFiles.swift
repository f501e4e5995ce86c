/// The .env files of a folder.
enum EnvFiles {
    /// Endings of files that show others what to set, and are shared: no secret goes into them.
    private static let templates = ["example", "sample", "template", "dist", "defaults"]

    static func isEnvFile(_ path: String) -> Bool {
        let name = Files.name(path)
        return name == ".env" || name.hasPrefix(".env.") || name.hasSuffix(".env")
    }

    static func isTemplate(_ path: String) -> Bool {
        let name = Files.name(path).lowercased()
        return templates.contains { name.hasSuffix(".\($0)") || name.contains(".\($0).") }
    }

    /// Their names, `.env` first.
    static func names(in folder: String) -> [String] {
        Files.names(in: folder).filter { isEnvFile($0) && Files.isFile(Files.join(folder, $0)) }
    }
}
