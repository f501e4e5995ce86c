import Testing

@testable import DemoProject
@testable import MigrationEngine

@Suite struct TextScanTests {
    private func scan(_ bytes: [UInt8]) -> TextScan {
        var characters = 0
        bytes.withUnsafeBufferPointer { buffer in
            characters = buffer.count
        }
        return bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else {
                return withUnsafePointer(to: UInt8(0)) { TextScan($0, count: characters) }
            }
            return TextScan(start, count: buffer.count)
        }
    }

    @Test(arguments: [
        ("", 0, false), ("abc", 3, false), ("größe", 5, false), ("e\u{301}", 2, false), ("🐘🐘", 2, false),
        ("a\0b", 3, true), ("1234567\0", 8, true), ("12345678\0", 9, true), ("12345678901234567", 17, false),
        ("\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}", 9, false),
    ])
    func charactersAreUnicodeScalars(text: String, characters: Int, hasNUL: Bool) {
        var expected = scan([])
        expected.characters = characters
        expected.hasNUL = hasNUL
        #expect(scan(Array(text.utf8)) == expected)
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF],
            [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF0, 0x9F, 0x90], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func illFormedBytesAreFoundWhereverTheyAre(bytes: [UInt8]) {
        for lead in 0..<10 {
            let padding = [UInt8](repeating: 0x61, count: lead)
            #expect(!scan(padding + bytes).isValid)
            #expect(!scan(padding + bytes + [UInt8](repeating: 0x61, count: 9)).isValid)
        }
    }

    @Test func anIllFormedByteCountsOne() {
        #expect(scan([0x61, 0xFF, 0xFE, 0x62]).characters == 4)
    }

    @Test func randomBytesAreJudgedAsTheStandardLibraryJudgesThem() {
        var random = SeededGenerator(seed: 30)
        let edges: [UInt8] = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEE,
            0xEF, 0xF0, 0xF1,
            0xF4, 0xF5, 0xFF,
        ]
        for _ in 0..<50_000 {
            let bytes = (0..<random.below(20)).map { _ in
                random.chance(60)
                    ? edges[random.below(edges.count)] : UInt8(truncatingIfNeeded: random.next()) & 0x7F
            }
            let reference = String(validating: bytes, as: UTF8.self)
            let scan = scan(bytes)
            if scan.isValid != (reference != nil)
                || reference.map({ $0.unicodeScalars.count != scan.characters }) ?? false
                || (scan.isValid && scan.hasNUL != bytes.contains(0))
            {
                Issue.record("\(bytes) gives \(scan)")
                return
            }
        }
    }

    @Test func randomTextsAreValid() {
        var random = SeededGenerator(seed: 31)
        for _ in 0..<5000 {
            var text = ""
            for _ in 0..<random.below(30) {
                if let scalar = Unicode.Scalar(UInt32(random.below(random.chance(50) ? 0x80 : 0x110000))) {
                    text.unicodeScalars.append(scalar)
                }
            }
            let scan = scan(Array(text.utf8))
            if !scan.isValid || scan.characters != text.unicodeScalars.count
                || scan.hasNUL != text.utf8.contains(0)
            {
                Issue.record("\(text.debugDescription) gives \(scan)")
                return
            }
        }
    }
}
