import Yams

/// Reads a theme from YAML: a palette of named colours and roles that point at it.
///
/// ```yaml
/// palette: {green: "#5faf5f", sky: 12}
/// roles:
///   ok: {color: green, attributes: [bold]}
/// ```
public enum ThemeFile {
    /// Why a file is no theme, in words for its writer.
    public struct Unreadable: Error, CustomStringConvertible, Equatable {
        public let description: String
    }

    private struct Document: Decodable {
        var palette: [String: ColorText]?
        var roles: [String: RoleText]?
    }

    private struct RoleText: Decodable {
        var color: ColorText?
        var background: ColorText?
        var attributes: [String]?
    }

    /// A colour's name, `#rrggbb`, or a number from 0 to 15.
    private struct ColorText: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            text = try (try? container.decode(Int.self)).map(String.init) ?? container.decode(String.self)
        }
    }

    /// A theme, as a patch over `base`.
    public static func read(_ yaml: String, name: String, over base: Theme) throws(Unreadable) -> Theme {
        let document: Document
        do {
            document = try YAMLDecoder().decode(Document.self, from: yaml)
        } catch {
            throw Unreadable(description: "the theme \(name) cannot be read: \(error)")
        }
        var styles: [Role: Style] = [:]
        for (key, text) in document.roles ?? [:] {
            guard let role = Role(rawValue: key) else {
                throw Unreadable(
                    description: "the theme \(name) has a role \(key); the roles are "
                        + Role.allCases.map(\.rawValue).joined(separator: ", "))
            }
            var style = Style()
            let palette = document.palette ?? [:]
            style.foreground = try color(text.color, palette, name)
            style.background = try color(text.background, palette, name)
            for word in text.attributes ?? [] {
                guard let attribute = Attributes.named.first(where: { $0.key == word })?.value else {
                    throw Unreadable(
                        description: "the theme \(name) has an attribute \(word); there are "
                            + Attributes.named.map(\.key).joined(separator: ", "))
                }
                style.attributes.insert(attribute)
            }
            styles[role] = style
        }
        return base.patched(name: name, with: styles)
    }

    private static func color(
        _ text: ColorText?, _ palette: [String: ColorText], _ theme: String
    ) throws(Unreadable) -> Color {
        guard let text else { return .standard }
        let value = palette[text.text]?.text ?? text.text
        if value == "default" { return .standard }
        if let number = UInt8(value), number < 16 { return .ansi(number) }
        let digits = value.dropFirst()
        guard value.hasPrefix("#"), digits.count == 6, let rgb = UInt32(digits, radix: 16) else {
            throw Unreadable(
                description: "the theme \(theme) has a colour \(value); write a name of its palette, "
                    + "#rrggbb, 0 to 15, or default")
        }
        return .rgb(UInt8(rgb >> 16 & 255), UInt8(rgb >> 8 & 255), UInt8(rgb & 255))
    }
}
