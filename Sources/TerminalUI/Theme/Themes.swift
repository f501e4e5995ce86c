/// The themes that come with howdah, from the folder `themes` at the top, and those of the user's.
public struct Themes: Sendable {
    public private(set) var all: [Theme]

    /// The compiled themes; a test holds that each of them can be read.
    public static let shipped = Themes(files: [
        ("default", PackageResources.default_yaml), ("light", PackageResources.light_yaml),
        ("high-contrast", PackageResources.high_contrast_yaml), ("mono", PackageResources.mono_yaml),
        ("colour-blind", PackageResources.colour_blind_yaml),
    ])

    private init(files: [(name: String, bytes: [UInt8])]) {
        all = []
        for file in files {
            let yaml = String(decoding: file.bytes, as: UTF8.self)
            if let theme = try? ThemeFile.read(yaml, name: file.name, over: base) { all.append(theme) }
        }
    }

    private var base: Theme { all.first ?? Theme(name: "plain", styles: [:]) }

    public subscript(name: String) -> Theme? { all.first { $0.name == name } }

    public var standard: Theme { base }

    /// Adds a user's theme; one of a known name takes its place.
    public mutating func add(_ yaml: String, name: String) throws(ThemeFile.Unreadable) {
        let theme = try ThemeFile.read(yaml, name: name, over: base)
        if let index = all.firstIndex(where: { $0.name == name }) {
            all[index] = theme
        } else {
            all.append(theme)
        }
    }
}
