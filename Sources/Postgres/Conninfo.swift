import CLibPQ

/// Where to connect: a URL, a `key=value` string or a service name, as libpq reads them.
///
/// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING). What it leaves out comes from
/// PG* variables, the service file and `.pgpass`, at the time of connecting. The password never leaves through
/// `description` or `url`.
public struct Conninfo: Sendable, Equatable, CustomStringConvertible {
    private(set) var settings: [String: String]

    /// Reads a connection string; throws `.connectionString` with libpq's words.
    public init(_ text: String) throws(PostgresError) {
        var message: UnsafeMutablePointer<CChar>?
        let isPlain = text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") || text.contains("=")
        // Taken for a database's name it would be shown, with the password that may be in it.
        if !isPlain, text.contains("://") || text.contains(":/") || text.contains("@") {
            throw PostgresError(.connectionString, "the target looks like a URL, and is none of PostgreSQL's")
        }
        let input = isPlain ? text : "dbname='\(Self.escaped(text))'"
        guard let options = PQconninfoParse(input, &message) else {
            defer { PQfreemem(message) }
            // libpq repeats the part that it could not read, which may hold the password.
            let words = message.map { PostgresError.trimmed(String(cString: $0)) } ?? "out of memory"
            throw PostgresError(
                .connectionString,
                "the target is no connection string: "
                    + (text.contains("@") || text.contains("password") ? "it cannot be read" : words))
        }
        defer { PQconninfoFree(options) }
        var settings: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { settings[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        self.settings = settings
    }

    init(settings: [String: String]) {
        self.settings = settings
    }

    /// Connects to the server that listens on a socket in `directory`.
    public init(socketDirectory: String, port: Int, user: String, database: String) {
        settings = ["host": socketDirectory, "port": String(port), "user": user, "dbname": database]
    }

    /// The same place with another database, user, or the like.
    public func setting(_ keyword: String, to value: String) -> Conninfo {
        var copy = self
        copy.settings[keyword] = value
        return copy
    }

    public subscript(keyword: String) -> String? { settings[keyword] }

    /// A URL without the password.
    public var url: String {
        var rest = settings
        rest["password"] = nil
        rest["sslpassword"] = nil
        let host = rest["host"] ?? ""
        var text = "postgresql://"
        let isSocket = host.hasPrefix("/") || host.contains(",")
        if let user = rest.removeValue(forKey: "user") { text += Self.percentEncoded(user) + "@" }
        // What everybody takes for granted makes a URL only longer.
        if isSocket, rest["port"] == "5432" { rest["port"] = nil }
        if !isSocket {
            rest["host"] = nil
            text += host.contains(":") ? "[\(host)]" : Self.percentEncoded(host)
            if let port = rest.removeValue(forKey: "port") { text += ":\(port)" }
        }
        text += "/" + Self.percentEncoded(rest.removeValue(forKey: "dbname") ?? "")
        let parameters = rest.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(Self.percentEncoded($0.value, keeping: "/"))" }
        return parameters.isEmpty ? text : text + "?" + parameters.joined(separator: "&")
    }

    public var description: String { url }

    /// The URL by which an application's own client connects, password and all: for a file that only its owner reads.
    ///
    /// Clients other than libpq want a host even where a socket is meant.
    public func clientURL(password: String?, schema: String?) -> String {
        let host = settings["host"] ?? "localhost"
        let isSocket = host.hasPrefix("/")
        var text = "postgresql://"
        if let user = settings["user"] {
            text += Self.percentEncoded(user) + (password.map { ":" + Self.percentEncoded($0) } ?? "") + "@"
        }
        text += isSocket ? "localhost" : host.contains(":") ? "[\(host)]" : Self.percentEncoded(host)
        if let port = settings["port"] { text += ":\(port)" }
        text += "/" + Self.percentEncoded(settings["dbname"] ?? "")
        var parameters = schema.map { [("schema", $0)] } ?? []
        if isSocket { parameters.append(("host", host)) }
        if let mode = settings["sslmode"] { parameters.append(("sslmode", mode)) }
        return text + (parameters.isEmpty ? "" : "?")
            + parameters.map { "\($0.0)=\(Self.percentEncoded($0.1, keeping: "/"))" }.joined(separator: "&")
    }

    /// Parameters of a URL that libpq and applications' clients understand alike.
    private static let common: Set<String> = [
        "application_name", "connect_timeout", "host", "options", "port", "sslcert", "sslkey", "sslmode",
        "sslrootcert",
        "target_session_attrs",
    ]

    /// Reads the URL of an application's client, leaving out the parameters that are that client's own, such as Prisma's
    /// `schema` and `connection_limit`.
    public init(clientURL url: String) throws(PostgresError) {
        let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let kept = parts.dropFirst().flatMap { $0.split(separator: "&") }.filter { item in
            Self.common.contains(String(item.prefix { $0 != "=" }))
        }
        try self.init(String(parts.first ?? "") + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&")))
    }

    private static func percentEncoded(_ text: String, keeping kept: String = "") -> String {
        let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~" + kept
        var encoded = ""
        for byte in text.utf8 {
            let character = Character(Unicode.Scalar(byte))
            if byte < 0x80, plain.contains(character) {
                encoded.append(character)
            } else {
                encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    }
}
