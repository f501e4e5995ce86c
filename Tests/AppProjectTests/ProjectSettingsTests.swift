import Foundation
import Testing

@testable import AppProject

struct ProjectSettingsTests {
    @Test(
        "The major version of Prisma is told where the manifest tells one",
        arguments: [
            ("^6.19.0", 6), ("5.22.0", 5), ("~4", 4), ("7.x", 7), ("latest", nil), ("workspace:*", nil),
            ("5 || 6", nil), (">=5 <7", nil), ("v6.1.0-dev.1", 6),
        ] as [(String, Int?)])
    func version(text: String, major: Int?) {
        let manifest = PackageManifest(Data(#"{"devDependencies": {"prisma": "\#(text)"}}"#.utf8))
        #expect(manifest?.prismaVersion == text)
        #expect(manifest?.prismaMajor == major)
    }

    @Test("A manifest may say anything", arguments: ["", "[]", "{", "7", "null"])
    func noManifest(text: String) {
        #expect(PackageManifest(Data(text.utf8)) == nil)
        #expect(
            PackageManifest(
                Data(#"{"prisma": 5, "dependencies": [], "devDependencies": {"prisma": 6}}"#.utf8))?.schema
                == nil)
    }

    @Test(
        "A prisma.config file is read without being run",
        arguments: [
            (#"export default { schema: "db/x.prisma" }"#, "db/x.prisma", nil),
            (
                """
                import { defineConfig, env } from 'prisma/config' // schema: "no"
                /* schema: "no" */
                export default defineConfig({
                  migrations: { path: 'x', schema: 'no' },
                  'schema': path.join('prisma', "schema"),
                  datasource: { url: env("MY_URL"), },
                })
                """, "prisma/schema", .environment("MY_URL")
            ),
            ("x = { datasource: { url: process.env.A_B! } }", nil, .environment("A_B")),
            ("x = { datasource: { url: process.env['C'] ?? 'file:x' } }", nil, .environment("C")),
            ("x = { datasource: { url: `file:./dev.db` }, schema: `a` }", "a", .literal("file:./dev.db")),
            ("x = { datasource: { url: `file:${dir}` }, adapter: { url: 'no' }, schema: name }", nil, nil),
            ("const r = /\"/; x = { schema: 'a' }", "a", nil), ("{{{{'", nil, nil),
            ("}}}} schema:", nil, nil),
        ] as [(String, String?, PrismaSchema.Setting?)])
    func config(script: String, schema: String?, url: PrismaSchema.Setting?) {
        let config = PrismaConfig(script)
        #expect(config.schema == schema)
        #expect(config.url == url)
    }

    @Test(
        "A file URL gives its path",
        arguments: [
            ("file:./dev.db", "./dev.db"), ("file:dev.db?connection_limit=1&x=2", "dev.db"),
            ("file:///data/a.db", "///data/a.db"), ("sqlite:x.db", "x.db"), ("file::memory:", nil),
            ("file:", nil),
            ("postgresql://u:p@h/d", nil), ("libsql://x.turso.io", nil), ("", nil),
        ] as [(String, String?)])
    func url(text: String, path: String?) {
        #expect(DatabaseURL(text)?.path == path)
    }
}
