import Foundation

/// Hides secrets in what is shown of a project's files.
enum SecretMask {
    static let mask = "••••"

    /// Parts of names whose values nobody else may see.
    private static let secretWords = [
        "SECRET", "PASSW", "PWD", "TOKEN", "KEY", "PRIVATE", "CREDENTIAL", "AUTH", "SALT", "DSN", "CERT",
        "HMAC",
        "SIGNING", "SESSION", "COOKIE", "WEBHOOK", "PEPPER", "SEED",
    ]

    /// A file's text as it may be shown; `path` tells what kind of file it is.
    static func text(_ bytes: [UInt8], path: String) -> String {
        guard EnvFiles.isEnvFile(path) else { return urls(in: String(decoding: bytes, as: UTF8.self)) }
        let edits = EnvFile(bytes).entries.compactMap { entry -> TextEdit? in
            guard !entry.value.isEmpty else { return nil }
            let shown = isSecret(entry.name, entry.value) ? mask : urls(in: entry.value)
            guard shown != entry.value else { return nil }
            let quote = entry.quote.map { String(Unicode.Scalar($0)) } ?? ""
            return TextEdit(entry.range, quote + shown + quote)
        }
        // What stands beside the entries, such as a comment that keeps an old URL, may hold one too.
        return urls(in: String(decoding: edits.applied(to: bytes), as: UTF8.self))
    }

    /// The values of an .env file that nobody may see.
    static func secrets(in file: EnvFile) -> [String] {
        file.entries.filter { isSecret($0.name, $0.value) && Secrets.isTelling($0.value) }.map(\.value)
    }

    static func isSecret(_ name: String, _ value: String) -> Bool {
        if value.contains("://") || value.hasPrefix("file:") { return false }
        let name = name.uppercased()
        return secretWords.contains { name.contains($0) } || looksRandom(value)
    }

    /// Whether a value has the length and the mixture of a key that a machine has made.
    private static func looksRandom(_ value: String) -> Bool {
        guard value.count >= 20, value.wholeMatch(of: /[A-Za-z0-9+\/=_.:-]+/) != nil else { return false }
        return value.contains(where: \.isNumber) && value.contains(where: \.isLetter)
            && !value.contains("/") && !value.contains(".")
            || value.wholeMatch(of: /[A-Za-z0-9+\/]{40,}={0,2}/) != nil
    }

    /// Hides the passwords in URLs, and parameters of theirs that are secrets.
    static func urls(in text: String) -> String {
        text.replacing(/([A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s\/:@"'`]*:)([^\s@"'`]+)@/) { "\($0.1)\(mask)@" }
            .replacing(/([?&](?:password|pass|token|secret|key|sslpassword)=)([^&\s"'`#]+)/.ignoresCase()) {
                "\($0.1)\(mask)"
            }
    }
}
