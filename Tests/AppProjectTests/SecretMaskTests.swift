import Testing

@testable import AppProject

struct SecretMaskTests {
    @Test(arguments: [
        ("PORT=3000\n", "PORT=3000\n"), ("JWT_SECRET='abc' # x\n", "JWT_SECRET='••••' # x\n"),
        ("API_KEY=\"a\nb\"\nB=1\n", "API_KEY=\"••••\"\nB=1\n"),
        ("DB=postgresql://u:secret@h/d\n", "DB=postgresql://u:••••@h/d\n"),
        ("# DB=postgresql://u:secret@h/d\n", "# DB=postgresql://u:••••@h/d\n"),
        ("DB=file:./dev.db\n", "DB=file:./dev.db\n"),
        ("X=c2VjcmV0IGtleSBmb3IgdGhlIGRlbW8xMjM0\n", "X=••••\n"),
        ("REDIS=redis://:pw@h\n", "REDIS=redis://:••••@h\n"),
        ("MAX_FILE_SIZE=10485760\n", "MAX_FILE_SIZE=10485760\n"),
    ])
    func secretsOfAnEnvFileAreHidden(text: String, shown: String) {
        #expect(SecretMask.text(Array(text.utf8), path: ".env") == shown)
    }

    @Test(arguments: [
        ("url = \"postgresql://u:secret@h/d?schema=x\"", "url = \"postgresql://u:••••@h/d?schema=x\""),
        ("see https://example.org/a:b@c", "see https://example.org/a:b@c"),
        ("postgresql://h/d?user=u&password=p4ss&x=1", "postgresql://h/d?user=u&password=••••&x=1"),
    ])
    func passwordsInURLsAreHiddenAnywhere(text: String, shown: String) {
        #expect(SecretMask.text(Array(text.utf8), path: "a.ts") == shown)
    }
}
