import Foundation
import MigrationEngine
import Postgres

/// `RESTORE-TO-A-MOMENT.md`: what to do on the day when rows are gone, for this server, with commands that run as they stand.
struct PointInTimeGuide {
    let places: PointInTimePlaces
    let facts: PointInTimeFacts
    let report: PointInTimeReport
    let url: String
    /// Where pg_ctl is: that of the server's own version.
    let programs: String
    /// Those that lead to the server.
    let variables: [(name: String, value: String)]
    /// What a drill has measured, as a sentence.
    let drill: String?

    private func code(_ text: String) -> String {
        let text = printable(text).replacing("\n", with: " ")
        return text.contains("`") ? "`` \(text) ``" : "`\(text)`"
    }

    private var database: String { quoteIdentifier(facts.database) }

    var text: String {
        if let provider = report.provider { return ofProvider(provider) }
        return """
            # How to go back to a moment

            Written by howdah for the server of \(code(facts.database)), \(code(url)), PostgreSQL \(facts.versionText). A dump is a picture of one
            moment; this is the way to any moment since the oldest base backup: somebody has deleted rows at 14:03, and 14:02 is wanted.

            - **Archive of the log:** \(code(places.archive))
            - **Base backups:** \(code(places.bases)), the newest \(places.keep)
            - **Drill:** \(drill ?? "not tried yet: `howdah pitr PROJECT --drill` tries all of it on a private copy")

            ## 1. What must be there before

            The folders and the scripts, on the server's machine:

            ```sh
            sudo install -d -m 0700 -o postgres \(shellQuoted(places.archive)) \(shellQuoted(places.bases))
            sudo install -D -m 0755 archive-wal.sh \(shellQuoted(places.scripts + "/archive-wal.sh"))
            sudo install -D -m 0755 basebackup.sh \(shellQuoted(places.scripts + "/basebackup.sh"))
            ```

            \(settings)

            Then the first base backup. Where the server asks for a password, `~/.pgpass` of the user postgres has it:

            ```sh
            sudo -u postgres \(shellQuoted(places.scripts + "/basebackup.sh"))
            ```

            An archive on another machine survives this one: mount it there, or let both scripts copy. The last line goes into a timer,
            once a week at least (`sudo crontab -u postgres -e`):

            ```
            0 3 * * 0  \(places.scripts)/basebackup.sh
            ```

            ## 2. Stop the damage

            Stop the application, and have the server archive what it has written last:

            ```sh
            \(exports.joined(separator: "\n"))
            psql -X -d postgres -c 'SELECT pg_switch_wal()'
            ```

            ## 3. Restore beside the server

            Nothing is overwritten: the restored server lies in a folder of its own, and listens on a socket in it alone. Run this as the
            server's own user (`sudo -u postgres -s`), with your moment in the first line; it needs as much room as the base backup, and no
            folder of that name.

            ```sh
            MOMENT='2026-01-31 14:02:00+00'
            \(setup.joined(separator: "\n"))
            mkdir -m 0700 "$NEW" && cp -a "$BASE/." "$NEW"
            rm -rf "$NEW"/pg_replslot/*
            cat > "$NEW/restore.conf" <<CONF
            listen_addresses = ''
            port = 5433
            unix_socket_directories = '$NEW'
            unix_socket_permissions = 0700
            hba_file = '$NEW/restore_hba.conf'
            max_connections = 50
            archive_mode = off
            hot_standby = off
            restore_command = 'cp "$ARCHIVE/%f" "%p"'
            recovery_target_time = '$MOMENT'
            recovery_target_action = 'promote'
            CONF
            echo 'local all all trust' > "$NEW/restore_hba.conf"
            touch "$NEW/recovery.signal"
            pg_ctl -D "$NEW" -o "-c config_file='$NEW/restore.conf'" -l "$NEW/restore.log" -w -t 86400 start
            while pg_ctl -D "$NEW" status >/dev/null && ! pg_isready -q -h "$NEW" -p 5433; do sleep 1; done
            tail -n 3 "$NEW/restore.log"
            ```

            It takes connections once it has come to the moment. `recovery ended before configured recovery target was reached` in
            `restore.log` means that the archive ends before it: a file is missing, or the moment is later than the last archived one.
            To a named point instead of a time: `recovery_target_name`, which `SELECT pg_create_restore_point('before the release')` made.

            ## 4. Look at it

            ```sh
            psql -X -h "$NEW" -p 5433 -d \(shellQuoted(facts.database))
            ```

            Are the rows there that are missed, and is what came after it not? With howdah, every cell of a dump of it:
            `pg_dump -Fc -h "$NEW" -p 5433 -d \(facts.database.utf8.contains(UInt8(ascii: "'")) ? "DATABASE" : facts.database) -f moment.dump`, and `howdah drill`.

            ## 5. Take what is missed

            Rows of one table, into a table beside the one that has lost them (nothing written since is lost):

            ```sh
            pg_dump -h "$NEW" -p 5433 -d \(shellQuoted(facts.database)) --table='public."TABLE"' --file=table.sql
            ```

            Or the whole database as it was, in the place of the one that is there now, which stays under another name:

            ```sh
            pg_dump -Fc -h "$NEW" -p 5433 -d \(shellQuoted(facts.database)) --file=moment.dump
            psql -X -d postgres -v ON_ERROR_STOP=1 -c \(shellQuoted("ALTER DATABASE \(database) ALLOW_CONNECTIONS false")) \
                -c \(shellQuoted("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(quoteLiteral(facts.database))")) \
                -c \(shellQuoted("ALTER DATABASE \(database) RENAME TO \(quoteIdentifier(PointInTimePlaces.plain(facts.database) + "_after_damage"))")) &&
            pg_restore --create --exit-on-error -d postgres moment.dump
            ```

            The old one takes no connections any more until `ALTER DATABASE … ALLOW_CONNECTIONS true`.

            ## 6. Put it away

            Only once what was missed is there: this deletes the restored server.

            ```sh
            pg_ctl -D "$NEW" -m fast stop
            rm -rf "$NEW"
            ```

            Make a new base backup, and start the application.

            """
    }

    private var exports: [String] {
        variables.map { "export \($0.name)=\(shellQuoted($0.value))" }
    }

    private var setup: [String] {
        exports + [
            "ARCHIVE=\(shellQuoted(places.archive))",
            "BASE=$(ls -d \(shellQuoted(places.bases))/base-* | tail -n 1)   # the newest; an older one where the moment is before it",
            "NEW=\(shellQuoted(places.bases))/restored",
            "PATH=\(shellQuoted(programs)):$PATH",
        ]
    }

    private var settings: String {
        guard !report.statements.isEmpty else { return "The server's settings are as they should be." }
        return """
            The server's settings, as a superuser, or in postgresql.conf\(facts.value("config_file").map { " (\(code($0)))" } ?? "")\(report.needsRestart ? "; then restart the server, which some of them need" : ""):

            ```sql
            \(report.statements.map { $0 + ";" }.joined(separator: "\n"))
            ```
            """
    }

    private func ofProvider(_ provider: String) -> String {
        """
        # How to go back to a moment

        The server of \(code(facts.database)), \(code(url)), is one of \(provider): the provider keeps the base backups and the log, and
        restores them into a new server. There: \(report.providerPlace ?? ""). Its manual: \(report.providerSource ?? "")

        1. Look now whether it is on, and how many days it reaches back.
        2. On the day: stop the application, restore to a new server at the moment before the damage, and look at it.
        3. Take what is missed with pg_dump, or let the application connect to the new server.

        """
    }
}
