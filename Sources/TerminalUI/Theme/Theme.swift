/// How every role looks. A theme file is a patch over the default theme.
public struct Theme: Equatable, Sendable {
    public let name: String
    private let styles: [Role: Style]

    init(name: String, styles: [Role: Style]) {
        self.name = name
        self.styles = styles
    }

    public func style(_ role: Role) -> Style {
        styles[role] ?? .standard
    }

    func patched(name: String, with other: [Role: Style]) -> Theme {
        Theme(name: name, styles: styles.merging(other) { _, new in new })
    }
}

/// All that a drawing asks for beside its content.
public struct Look: Equatable, Sendable {
    public var theme: Theme
    public var symbols: Symbols

    public init(theme: Theme, symbols: Symbols) {
        self.theme = theme
        self.symbols = symbols
    }

    public func style(_ role: Role) -> Style { theme.style(role) }
}
