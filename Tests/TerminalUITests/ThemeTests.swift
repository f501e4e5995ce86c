import Foundation
import Testing

@testable import TerminalUI

@Suite struct ThemeTests {
    @Test func everyShippedThemeCanBeRead() {
        #expect(
            Themes.shipped.all.map(\.name) == ["default", "light", "high-contrast", "mono", "colour-blind"])
    }

    @Test func aThemeIsAPatchOverTheDefault() throws {
        var themes = Themes.shipped
        try themes.add("roles: {ok: {color: 4}}", name: "mine")
        let mine = try #require(themes["mine"])
        #expect(mine.style(.ok).foreground == .ansi(4))
        #expect(mine.style(.error) == themes.standard.style(.error))
    }

    @Test func aUsersThemeTakesThePlaceOfAShippedOne() throws {
        var themes = Themes.shipped
        try themes.add("roles: {ok: {attributes: [underline]}}", name: "light")
        #expect(themes.all.count == 5)
        #expect(themes["light"]?.style(.ok).attributes == .underline)
    }

    @Test(arguments: [
        ("roles: {nonsense: {color: 1}}", "has a role nonsense"),
        ("roles: {ok: {color: mauve}}", "has a colour mauve"),
        ("roles: {ok: {color: \"#12345\"}}", "has a colour #12345"),
        ("roles: {ok: {color: 16}}", "has a colour 16"),
        ("roles: {ok: {attributes: [blink]}}", "has an attribute blink"), ("roles: [", "cannot be read"),
    ]) func whatIsWrongIsToldByName(_ yaml: String, _ words: String) {
        var themes = Themes.shipped
        do throws(ThemeFile.Unreadable) {
            try themes.add(yaml, name: "mine")
            Issue.record("\(yaml) was taken")
        } catch {
            #expect(error.description.contains("the theme mine"))
            #expect(error.description.contains(words), "\(error)")
        }
    }

    @Test func monoHasNoColourAndTellsTheRolesApartByAttributes() throws {
        let mono = try #require(Themes.shipped["mono"])
        for role in Role.allCases {
            #expect(
                mono.style(role).foreground == .standard && mono.style(role).background == .standard,
                "\(role)")
        }
        #expect(mono.style(.selection).attributes.contains(.reverse))
        #expect(mono.style(.live).attributes.contains(.reverse))
    }

    @Test(arguments: [
        (Color.rgb(255, 0, 0), ColorDepth.indexed, 196), (.rgb(255, 255, 255), .indexed, 231),
        (.rgb(128, 128, 128), .indexed, 244),
        (.rgb(250, 10, 10), .sixteen, 9), (.rgb(200, 0, 10), .eight, 1), (.rgb(1, 2, 3), .mono, -1),
        (.standard, .indexed, -1),
        (.ansi(12), .eight, 4), (.ansi(12), .sixteen, 12),
    ]) func coloursComeDownToWhatATerminalHas(_ color: Color, _ depth: ColorDepth, _ index: Int) {
        #expect(color.index(at: depth) == index)
    }

    // MARK: Colour-blind eyes

    /// Linear RGB of what deuteranopes and protanopes see (Viénot, Brettel and Mollon 1999).
    private static let deficiencies: [(String, [[Double]])] = [
        (
            "deuteranopia",
            [[0.29275, 0.70725, -0.02234], [0.29275, 0.70725, -0.02234], [-0.02234, 0.02234, 1.0]]
        ),
        ("protanopia", [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    ]

    private static func rgb(_ color: Color) -> [Double]? {
        guard case .rgb(let red, let green, let blue) = color else { return nil }
        return [red, green, blue].map { pow(Double($0) / 255, 2.2) }
    }

    private static func seen(_ color: [Double], _ matrix: [[Double]]) -> [Double] {
        matrix.map { row in max(0, min(1, zip(row, color).reduce(0) { $0 + $1.0 * $1.1 })) }.map {
            pow($0, 1 / 2.2) * 255
        }
    }

    @Test(arguments: [
        (Role.ok, Role.error), (.diffAdded, .diffRemoved), (.ok, .warn), (.warn, .error),
        (.progressDone, .progressTodo),
    ]) func pairsAreToldApartByColourBlindEyes(_ one: Role, _ other: Role) throws {
        let theme = try #require(Themes.shipped["colour-blind"])
        let first = try #require(Self.rgb(theme.style(one).foreground))
        let second = try #require(Self.rgb(theme.style(other).foreground))
        for (name, matrix) in Self.deficiencies {
            let distance = zip(Self.seen(first, matrix), Self.seen(second, matrix)).reduce(0) {
                $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
            }.squareRoot()
            #expect(distance > 60, "\(one) and \(other) with \(name): \(Int(distance))")
        }
    }
}
