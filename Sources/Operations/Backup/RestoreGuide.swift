import Foundation
import MigrationEngine
import Postgres

/// `RESTORE.md`: what to do on the day when a backup is needed, for this database, with commands that run as they stand.
struct RestoreGuide {
    /// How long a drill took, and when.
    struct Times: Codable, Sendable, Equatable {
        let day: String
        let bytes: Int64
        let restoreSeconds: Double
        let proofSeconds: Double
    }

    let settings: BackupSettings
    let facts: DatabaseFacts
    let programs: String
    let times: Times?
    /// How howdah is called for this database: the words after its name.
    let howdah: [String]

    private var plain: String { settings.name.split(separator: "-").first.map(String.init) ?? settings.name }
    private var restored: String { "\(plain)_restored" }
    private var aside: String { "\(plain)_before_restore" }

    var text: String {
        """
        # How to restore \(code(settings.database))

        Written by howdah for this database, and kept up to date by it. The commands run as they stand, in a shell, in their order:
        the first block says where everything is.

        - **Database:** \(code(settings.database)) of \(code(printable(settings.url))), PostgreSQL \(facts.version)
        - **Backups:** \(code(settings.folder)), made \(settings.schedule.words), the newest \(settings.keep) are kept:
          `\(settings.name)-YYYYMMDDTHHMMSSZ.dump` (UTC), each with its `.sha256`, and with the roles in `.globals.sql`
        - **Expected time:** \(expected)
        - **Extensions** that must be installed on the server: \(extensions)
        - **Programs:** pg_restore and psql of version \(facts.major) or later

        ## 1. Where everything is

        ```sh
        \(setup.joined(separator: "\n"))
        ```

        ## 2. Check the backup

        ```sh
        (cd "$FOLDER" && sha256sum -c "$(basename "$DUMP").sha256")
        pg_restore --list "$DUMP" > /dev/null
        pg_restore -f /dev/null "$DUMP"
        ```

        All three say nothing but `OK`. Otherwise take the backup before it: set `DUMP` to its path.

        ## 3. Roles, on another server only

        On the server that the backup came from the roles are there. On another one they are made first; a role that is there
        already is an error that does no harm. Passwords are not in the file: `\\password ROLE` in psql sets one.

        ```sh
        if [ -f "${DUMP%.dump}.globals.sql" ]; then psql -X -q -d postgres -f "${DUMP%.dump}.globals.sql"; fi
        ```

        ## 4. Restore into a new database

        Nothing is overwritten: the backup goes into a database of its own, \(code(restored)). The role needs CREATEDB, and must be
        a member of the roles that own the objects (or add `--no-owner`).

        ```sh
        \(psql([facts.traits.createSQL(restored)]))
        pg_restore --exit-on-error --jobs=2 --dbname=\(restored) "$DUMP"
        psql -X -q -d \(restored) -c 'ANALYZE'
        ```

        ## 5. Prove it

        While the old database is still there, howdah compares every cell of every table, the schema and the sequences, in a scratch
        database that it drops again:

        ```sh
        \((["howdah", "drill"] + howdah).map(shellQuoted).joined(separator: " ")) --file "$DUMP" --yes
        ```

        Without howdah, or without the old database, look at the newest rows of the tables that matter.

        ## 6. Put it in the place of the old one

        Stop the application first. The old database stays, as \(code(aside)); drop it when you are sure. These need the owner of both,
        or a superuser.

        ```sh
        \(psql(swap))
        ```

        Then start the application, and look at it. To go back, rename both the other way round.

        """
    }

    /// Statements for psql, which no shell expands.
    private func psql(_ statements: [String]) -> String {
        let text = statements.map { $0 + ";\n" }.joined()
        var end = "SQL"
        while text.contains(end) { end += "_" }
        return "psql -X -q -d postgres -v ON_ERROR_STOP=1 <<'\(end)'\n\(text)\(end)"
    }

    private func code(_ text: String) -> String {
        let text = printable(text).replacing("\n", with: " ")
        let fence = text.contains("`") ? "``" : "`"
        return fence.count > 1 ? "\(fence) \(text) \(fence)" : "\(fence)\(text)\(fence)"
    }

    private var expected: String {
        guard let times else { return "not measured yet: a restore drill (howdah drill) measures it" }
        return
            "about \(Format.seconds(times.restoreSeconds)) for the restore, and \(Format.seconds(times.proofSeconds)) to "
            + "prove it (drill of \(times.day), a dump of \(Format.bytes(times.bytes)))"
    }

    private var extensions: String {
        facts.extensions.isEmpty
            ? "none" : facts.extensions.map { code("\($0.name) \($0.version)") }.joined(separator: ", ")
    }

    private var setup: [String] {
        var lines = ["FOLDER=\(shellQuoted(settings.folder))", "PATH=\(shellQuoted(programs)):\"$PATH\""]
        lines += settings.variables.filter { $0.name != "PGDATABASE" }
            .map { "\($0.name)=\(shellQuoted($0.value))" }
        var names = ["PATH"] + settings.variables.map(\.name).filter { $0 != "PGDATABASE" }
        if let file = settings.passwordFile {
            lines.append("PGPASSFILE=\(shellQuoted(file))")
            names.append("PGPASSFILE")
        }
        lines += [
            "export \(names.joined(separator: " "))",
            "DUMP=$(ls -d \"$FOLDER\"/\(settings.name)-*.dump | tail -n 1)",
            "echo \"$DUMP\"",
        ]
        return lines
    }

    /// The restored database takes the old one's name, owner, settings and rights.
    private var swap: [String] {
        let old = quoteIdentifier(settings.database)
        return [
            "ALTER DATABASE \(old) ALLOW_CONNECTIONS false",
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname IN (\(quoteLiteral(settings.database)), \(quoteLiteral(restored)))",
            "ALTER DATABASE \(old) RENAME TO \(quoteIdentifier(aside))",
            "ALTER DATABASE \(quoteIdentifier(restored)) RENAME TO \(old)",
            "ALTER DATABASE \(old) OWNER TO \(quoteIdentifier(facts.traits.owner))",
        ]
            + facts.properties.map { $0.replacing(quoteIdentifier(DatabaseFacts.placeholder), with: old) }
            + ["ALTER DATABASE \(quoteIdentifier(aside)) ALLOW_CONNECTIONS true"]
    }
}
