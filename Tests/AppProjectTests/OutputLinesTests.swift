import Foundation
import Testing

@testable import AppProject

/// What becomes of a program's bytes before anybody sees them.
@Suite struct OutputLinesTests {
    private func lines(
        _ text: String, _ secrets: Secrets = Secrets(url: nil, folders: []), pieces: Int = .max
    )
        -> [String]
    {
        lines(Array(text.utf8), secrets, pieces: pieces)
    }

    private func lines(_ bytes: [UInt8], _ secrets: Secrets, pieces: Int = .max) -> [String] {
        var reader = OutputLines(secrets)
        var shown: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            Array(rest.prefix(pieces)).withUnsafeBytes { reader.take($0) { shown.append($1) } }
            rest = rest.dropFirst(pieces)
        }
        reader.finish { shown.append($1) }
        return shown
    }

    @Test(arguments: [
        ("\u{1B}[31mred\u{1B}[0m", "red"), ("\u{1B}]0;title\u{7}text", "text"),
        ("\u{1B}]8;;http://x\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"), ("10 %\r50 %\r100 %", "100 %"),
        ("line\r", "line"), ("a\u{8}b", "b"), ("\u{1B}(Bplain", "plain"),
        ("\u{1B}Pq#0\u{1B}\\after", "after"),
        ("bell\u{7} and \u{0}nul", "bell and nul"), ("naïve 東京 👍🏽", "naïve 東京 👍🏽"),
        ("tab\tstays", "tab\tstays"),
        ("a\u{9B}31mb", "a31mb"), ("\u{85}\u{9D}0;title\u{9C}x", "0;titlex"),
        ("\u{A0}\u{BF}é", "\u{A0}\u{BF}é"),
        ("\u{1B}[", ""), ("\u{1B}", ""), ("\u{1B}[2J\u{1B}[1;1Hx", "x"),
    ]) func whatATerminalWouldObeyIsTakenOut(_ text: String, _ expected: String) {
        #expect(lines(text) == [expected])
    }

    @Test(arguments: [1, 2, 3, 7, 1000]) func linesAreWholeHoweverTheyCome(_ pieces: Int) {
        #expect(
            lines("one\n\ntwo \u{1B}[1mbold\u{1B}[0m\nrest", pieces: pieces) == [
                "one", "", "two bold", "rest",
            ])
    }

    /// What is taken out must not leave such a control behind.
    @Test(
        arguments: [
            [0xC2, 0x1B, 0x5B, 0x6D, 0x9B, 0x41], [0xC2, 0xC2, 0x9B, 0x9B, 0x41], [0xC2, 0x01, 0x9B, 0x41],
            [0xC2, 0x62, 0x08, 0x9B, 0x41],
        ] as [[UInt8]]) func noControlComesTogetherOutOfPieces(_ bytes: [UInt8])
    {
        let shown = lines(bytes + [0x0A], Secrets(url: nil, folders: []))
        #expect(shown == ["A"])
    }

    @Test func whatIsNoUTF8IsShownAsSuch() {
        #expect(lines([0x61, 0xFF, 0x62, 0x0A], Secrets(url: nil, folders: [])) == ["a\u{FFFD}b"])
    }

    private static let password = "pa ss/w:rd%\"x"
    private static let url = "postgresql://chat:pa%20ss%2Fw%3Ard%25%22x@db.example:5432/chat?schema=public"

    @Test(arguments: [
        "plain: pa ss/w:rd%\"x!", "encoded: pa%20ss%2Fw%3Ard%25%22x", "json: {\"p\": \"pa ss/w:rd%\\\"x\"}",
        "coloured: pa ss\u{1B}[31m/w:rd\u{1B}[0m%\"x",
        "url: postgresql://chat:pa%20ss%2Fw%3Ard%25%22x@db.example:5432/chat",
        "twice: pa ss/w:rd%\"xpa ss/w:rd%\"x", "another: mysql://root:hunter2@h/x?password=hunter2",
        "\u{1B}[2mpa ss/w:rd%\"x",
    ]) func aPasswordIsHiddenHoweverItIsWritten(_ text: String) {
        let secrets = Secrets(url: Self.url, folders: [])
        for pieces in [1, 5, 1000] {
            let shown = lines(text, secrets, pieces: pieces).joined()
            for part in [Self.password, "pa%20ss", "w:rd", "hunter2"] {
                #expect(!shown.contains(part), "\(shown)")
            }
            #expect(shown.contains("••••"))
        }
    }

    /// A line without an end is handed over in pieces: none of them may have half of a secret.
    @Test(arguments: [0, 1, 5, 16_380, 16_384, 32_750, 32_766, 32_768, 49_150])
    func aSecretIsHiddenWhereverALongLineIsCut(_ place: Int) {
        let secrets = Secrets(url: "postgresql://a:SeCrEtWoRd@h/d", folders: [])
        var reader = OutputLines(secrets)
        var whole: [UInt8] = []
        let text = String(repeating: "x", count: place) + "SeCrEtWoRd" + String(repeating: "y", count: 60_000)
        // As it is logged and shown; the lines are longer than what is kept of them, so the bytes are looked at.
        for chunk in [text.prefix(20_000), text.dropFirst(20_000)] {
            Array(chunk.utf8).withUnsafeBytes { reader.take($0) { raw, _ in whole += secrets.masked(raw) } }
        }
        reader.finish { raw, _ in whole += secrets.masked(raw) }
        let shown = String(decoding: whole, as: UTF8.self)
        #expect(
            shown == String(repeating: "x", count: place) + "••••" + String(repeating: "y", count: 60_000))
    }

    @Test func secretsOfEnvFilesAreHiddenAndPlainValuesAreNot() throws {
        let workspace = try Workspace([
            ".env": """
            PORT=3000
            SESSION_TTL=86400
            JWT_SECRET='jwt-very-secret'
            API_KEY=abc
            MODE=development
            PUSH_PRIVATE_KEY="-----BEGIN KEY-----
            c2VjcmV0LWxpbmUtdHdv
            -----END KEY-----"
            """, ".env.example": "API_TOKEN=put-yours-here\n",
            "sub/.env.test": "DB_PASSWORD=from-the-folder\n",
        ])
        let secrets = Secrets(url: nil, folders: [workspace.path, workspace["sub"]])
        let shown = secrets.masked(
            "jwt-very-secret 3000 86400 development abc c2VjcmV0LWxpbmUtdHdv put-yours-here from-the-folder")
        #expect(shown == "•••• 3000 86400 development abc •••• put-yours-here ••••")
    }

    @Test func secretsOfTheEnvironmentAreHiddenAndPlacesAreNot() {
        let secrets = Secrets(
            url: nil, folders: [],
            environment: [
                "PGPASSWORD": "open sesame", "PWD": "/home/ann", "XDG_SESSION_TYPE": "wayland",
                "NPM_TOKEN": "npm_123456",
            ])
        #expect(secrets.masked("open sesame /home/ann wayland npm_123456") == "•••• /home/ann wayland ••••")
    }

    @Test func onlyTheLastLinesAreKept() {
        let tail = OutputTail()
        for number in 0..<10_000 { tail.add("line \(number)") }
        let kept = tail.snapshot
        #expect(kept.end == 10_000)
        #expect(kept.lines.count <= OutputTail.most * 2)
        #expect(kept.lines.first == "line \(kept.first)")
        #expect(tail.last(2) == ["line 9998", "line 9999"])
    }
}
