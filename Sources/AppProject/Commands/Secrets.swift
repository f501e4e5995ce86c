import Foundation

/// Values that must not be shown: the password of the database's URL, and those of secret-looking keys of .env files.
public struct Secrets: Sendable {
    /// As bytes, the longest first, so that none hides a part of another.
    private let values: [ByteSearch]
    private static let colon = ByteSearch("://")
    private let mask = Array(SecretMask.mask.utf8)

    /// `url` is the database's, `passwords` are known ones; `folders` are those whose .env files are read; of `environment` the variables count whose names
    /// look like secrets.
    public init(
        url: String?, passwords: [String] = [], folders: [String], environment: [String: String] = [:]
    ) {
        // Short ones would hide half of every line; those are hidden in URLs only.
        var values = passwords.reduce(into: Set<String>()) { $0.formUnion(Self.forms($1)) }
        if let url, let encoded = url.firstMatch(of: /:\/\/[^:@\/]*:([^@\/]*)@/)?.1 {
            for text in [String(encoded), encoded.removingPercentEncoding ?? ""] where text.utf8.count >= 3 {
                values.formUnion(Self.forms(text))
            }
        }
        for folder in Set(folders) {
            for name in EnvFiles.names(in: folder) where !EnvFiles.isTemplate(name) {
                guard let data = FileManager.default.contents(atPath: Files.join(folder, name)) else {
                    continue
                }
                for secret in SecretMask.secrets(in: EnvFile([UInt8](data))) {
                    values.formUnion(Self.forms(secret))
                }
            }
        }
        for (name, value) in environment
        where SecretMask.isSecret(name, value) && Self.isTelling(value)
            && !Self.harmless.contains(where: name.hasPrefix)
        {
            values.formUnion(Self.forms(value))
        }
        self.values = values.map { ByteSearch($0) }.sorted { $0.bytes.count > $1.bytes.count }
    }

    /// Whether a value is one that only a secret has; a port or `true` is none.
    static func isTelling(_ value: String) -> Bool {
        value.utf8.count >= 6 && !(value.utf8.count < 9 && value.allSatisfy(\.isNumber))
            && !value.hasPrefix("/")
    }

    /// A value as programs may print it: over lines, in JSON, in a URL.
    private static func forms(_ value: String) -> Set<String> {
        var forms: Set<String> = []
        for line in value.split(whereSeparator: \.isNewline).map(String.init) where line.utf8.count >= 3 {
            forms.insert(line)
            if let json = try? JSONEncoder().encode(line) {
                let text = String(decoding: json.dropFirst().dropLast(), as: UTF8.self)
                forms.formUnion([text, text.replacing("\\/", with: "/")])
            }
            if let encoded = line.addingPercentEncoding(withAllowedCharacters: unreserved) {
                forms.insert(encoded)
            }
        }
        return forms
    }

    /// RFC 3986's.
    private static let unreserved = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")

    /// Variables of a session that only sound like secrets.
    private static let harmless = ["XDG_", "DBUS_", "SSH_", "DESKTOP_", "GNOME_"]

    /// A line with every secret hidden, and the passwords of all URLs.
    func masked(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let places = self.places(in: line)
        var line = line
        if !places.isEmpty {
            var shown: [UInt8] = []
            var start = line.startIndex
            for place in places {
                shown += line[start..<place.lowerBound] + mask
                start = place.upperBound
            }
            line = (shown + line[start...])[...]
        }
        guard Self.colon.isIn(line) else { return line }
        return Array(SecretMask.urls(in: String(decoding: line, as: UTF8.self)).utf8)[...]
    }

    /// Text with every secret hidden.
    public func masked(_ text: String) -> String {
        String(decoding: masked(Array(text.utf8)[...]), as: UTF8.self)
    }

    /// Where secrets are, from the left; one that begins inside of another belongs to that one.
    private func places(in line: ArraySlice<UInt8>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        for value in values {
            var start = line.startIndex
            while let place = value.place(in: line, from: start) {
                found.append(place)
                start = place.lowerBound + 1
            }
        }
        var merged: [Range<Int>] = []
        for place in found.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, place.lowerBound < last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, place.upperBound)
            } else {
                merged.append(place)
            }
        }
        return merged
    }

    /// A place at which a line can be cut: none of the secrets goes over it, nor may one that has only begun.
    func cut(in line: [UInt8], near wanted: Int) -> Int {
        let longest = values.first?.bytes.count ?? 0
        var cut = min(wanted, max(0, line.count - longest))
        if let place = places(in: line[...]).first(where: { $0.lowerBound < cut && cut < $0.upperBound }) {
            cut = place.upperBound
        }
        // Within a character of several bytes it would show as two broken ones.
        while cut < line.count, line[cut] & 0xC0 == 0x80 { cut += 1 }
        return cut == 0 ? line.count : cut
    }
}
