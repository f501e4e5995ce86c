import Testing

@testable import AppProject

struct CodeLexerTests {
    private func strings(_ code: String, _ language: Language) -> [String] {
        let bytes = Array(code.utf8)
        return CodeLexer(bytes, language).tokens.filter { $0.kind == .string }.map { token in
            StringText(token, in: bytes).text.replacing("\u{1A}", with: "□")
        }
    }

    @Test(arguments: [
        ("a('x') // 'no'\n/* 'no' */ b(\"y\")", ["x", "y"]), ("`a ${b} c`", ["a □ c"]),
        ("`a ${x ? `in ${y}` : 'z'} c`", ["a □ c", "in □", "z"]), ("`a ${ {b: '}'} } c`", ["a □ c", "}"]),
        ("const r = /['\"`]/g; s = 'x'", ["x"]), ("a = b / c; d = '/'; e = f / g", ["/"]),
        ("return /'/.test(s) ? 'a' : 'b'", ["a", "b"]), ("'it\\'s'", ["it's"]), ("'open\nx = 'y'", ["y"]),
        ("<p>don't</p>\nx('y')", ["y"]), ("'a\\\nb'", ["ab"]), ("'\\u0041\\u{42}\\n'", ["AB\n"]),
        ("`\\${x}`", ["${x}"]),
        ("\u{FEFF}x('y')", ["y"]), ("`open ${", ["open ${"]), ("``", [""]),
    ])
    func javascript(code: String, expected: [String]) {
        #expect(strings(code, .javascript) == expected)
    }

    @Test(arguments: [
        ("a('x') # 'no'\nb(\"\"\"y\n'z'\"\"\")", ["x", "y\n'z'"]), ("f'a {b} {{c}}'", ["a □ {{c}}"]),
        ("r'a\\n' b'\\x'", ["a\\n", "x"]), ("rf\"{a}\\d\"", ["□\\d"]), ("x = 'a' 'b'", ["a", "b"]),
        ("'''a''' '''b'''", ["a", "b"]),
    ])
    func python(code: String, expected: [String]) {
        #expect(strings(code, .python) == expected)
    }

    @Test(arguments: [
        ("x = <<~SQL\n  SELECT 1\nSQL\ny('z')", ["  SELECT 1\n", "z"]),
        ("a(<<-A, <<-B)\n1\nA\n2\nB\n'c'", ["1\n", "2\n", "c"]),
        ("%q(a 'b') + \"#{c} d\"", ["a 'b'", "□ d"]), ("a << b; 'c'", ["c"]),
        ("=begin\n'no'\n=end\n'yes'", ["yes"]),
        ("x % 3; 'y'", ["y"]), ("# it's\n'a'", ["a"]),
    ])
    func ruby(code: String, expected: [String]) {
        #expect(strings(code, .ruby) == expected)
    }

    @Test(arguments: [
        ("it's <?php f('a', \"b $c {$d['e']}\"); ?> it's <?= 'g' ?>", ["a", "b □ □", "e", "g"]),
        ("<?php $x = <<<SQL\nSELECT $y\nSQL;\nf('z');", ["SELECT □\n", "z"]),
        ("<?php # it's\n// it's ?> 'no' <?php 'a'", ["a"]),
    ])
    func php(code: String, expected: [String]) {
        #expect(strings(code, .php) == expected)
    }

    @Test(arguments: [
        ("q := `a\\n\n'b'` + \"c\" // \"no\"", ["a\\n\n'b'", "c"]), ("r := '\"'; s := \"x\"", ["\"", "x"]),
    ])
    func go(code: String, expected: [String]) {
        #expect(strings(code, .go) == expected)
    }

    @Test(arguments: [
        ("f(\"\"\"\n  SELECT \"a\"\n\"\"\", \"b\", 'c')", ["\n  SELECT \"a\"\n", "b", "c"]),
        ("/* \"no\" */ \"$x y\"", ["□ y"]),
    ])
    func java(code: String, expected: [String]) {
        #expect(strings(code, .java) == expected)
    }

    @Test func placesOfATextAreThoseInTheFile() {
        let bytes = Array("f('a\\'b', `x ${y} z`)".utf8)
        let tokens = CodeLexer(bytes, .javascript).tokens.filter { $0.kind == .string }
        let text = StringText(tokens[0], in: bytes)
        #expect(text.text == "a'b")
        #expect(text.range(2..<3) == 6..<7)
        let template = StringText(tokens[1], in: bytes)
        #expect(template.range(4..<5) == bytes.count - 3..<bytes.count - 2)
    }

    @Test func nothingThatIsWrittenMakesItFailOrHang() {
        var seed: UInt64 = 3
        let parts = [
            "'", "\"", "`", "${", "}", "{", "\\", "\n", "/", "/*", "*/", "//", "#", "<<~A", "%q(", "?>",
            "<?php", "a", " ", "é",
        ]
        for _ in 0..<3000 {
            var code = ""
            for _ in 0..<12 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                code += parts[Int(seed >> 33) % parts.count]
            }
            let bytes = Array(code.utf8)
            for language in Language.all {
                for token in CodeLexer(bytes, language).tokens where token.kind == .string {
                    let text = StringText(token, in: bytes)
                    #expect(text.offsets.count == text.bytes.count + 1)
                }
            }
        }
    }
}
