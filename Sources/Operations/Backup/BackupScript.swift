import MigrationEngine
import Postgres

/// `backup.sh`: the script that makes one backup, and needs no howdah for it.
///
/// Everything of the database's is a word in single quotes at its head; what follows is the same for all.
enum BackupScript {
    /// What ends each good run's output, before the file's name.
    static let goodMark = "good backup: "

    /// The script's exit codes, as its head says.
    enum Exit {
        static let good: Int32 = 0
        static let locked: Int32 = 3
        static let goodWithTrouble: Int32 = 4
    }

    static func text(_ settings: BackupSettings) -> String {
        var head = [
            "name=\(shellQuoted(settings.name))", "folder=\(shellQuoted(settings.folder))",
            "keep=\(settings.keep)", "server=\(settings.serverMajor)",
            "programs=\(shellQuoted(settings.programs))",
            // pg_dumpall reads a connection string there.
            "globals=\(shellQuoted("dbname=" + connectionValue(settings.database)))", "",
            "# Nothing of the caller's own decides where this connects to.",
            "unset PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE PGCLIENTENCODING PGDATESTYLE PGTZ",
            "unset " + LibpqVariables.table.map(\.variable).joined(separator: " "),
        ]
        head += settings.variables.map { "\($0.name)=\(shellQuoted($0.value))" }
        var names = settings.variables.map(\.name)
        if let file = settings.passwordFile {
            head.append("PGPASSFILE=\(shellQuoted(file))")
            names.append("PGPASSFILE")
        }
        head.append("export " + names.joined(separator: " "))
        return [preamble(settings), head.joined(separator: "\n"), body].joined(separator: "\n")
    }

    /// A value of a connection string
    /// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE).
    static func connectionValue(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }

    private static func preamble(_ settings: BackupSettings) -> String {
        """
        #!/bin/sh
        # Backs up one database of PostgreSQL's, and needs nothing but sh and PostgreSQL's client programs. Written by howdah.
        # Database: \(printable(settings.url).replacing("\n", with: " "))
        #
        # Exit codes: 0 a new backup is there, and was read to its end; 1 none was made, and none was removed; 2 a program or
        # a folder is missing; 3 another run is at work; 4 the new backup is good, and something beside it went wrong.
        # What went wrong, and what to do, is on stderr. HOWDAH_SNAPSHOT may name a snapshot that another session holds
        # (pg_dump --snapshot); HOWDAH_PG_BINDIR a folder with PostgreSQL's programs.
        set -u
        umask 077
        LC_ALL=C
        export LC_ALL

        """
    }

    private static let body = #"""

        say() { printf 'backup of %s: %s\n' "$name" "$1" >&2; }
        fail() {
            say "$2"
            say "what to do: $3"
            exit "$1"
        }

        cd "$folder" 2>/dev/null && [ -w . ] ||
            fail 2 "the folder $folder is not there, or cannot be written to" "mount its disk, or make it: mkdir -p"

        # One run at a time. Neither lock outlives its process: flock's goes with the open file, the other names its owner.
        part=
        own=
        held=
        clean() {
            [ -z "$part" ] || rm -f "$part" "$part.sha256" "$part.globals"
            [ -z "$own" ] || rm -f "$own"
            [ -z "$held" ] || rm -f "$held"
        }
        trap clean EXIT
        trap 'exit 129' HUP
        trap 'exit 130' INT
        trap 'exit 143' TERM
        lock=".$name.lock"
        if command -v flock >/dev/null 2>&1; then
            (: >>"$lock") 2>/dev/null || fail 2 "$folder/$lock cannot be written" "look at the rights of $folder"
            exec 9>>"$lock"
            flock -n 9 || fail 3 "another run is at work, so this one did nothing" "wait for its end"
        else
            own="$lock.$$"
            printf '%s %s\n' "$$" "$(ps -o lstart= -p "$$" 2>/dev/null)" >"$own" ||
                fail 2 "$folder/$own cannot be written" "look at the rights and the free space of $folder"
            until ln "$own" "$lock.held" 2>/dev/null; do
                owner=$(cat "$lock.held" 2>/dev/null) || continue
                pid=${owner%% *}
                if [ -n "$pid" ] && [ "$owner" = "$pid $(ps -o lstart= -p "$pid" 2>/dev/null)" ] &&
                    kill -0 "$pid" 2>/dev/null; then
                    fail 3 "another run is at work, so this one did nothing" "wait for the end of process $pid"
                fi
                mv "$lock.held" "$own.old" 2>/dev/null || continue
                # Somebody else may have been quicker: what was moved must be what was looked at.
                if [ "$(cat "$own.old")" != "$owner" ]; then
                    ln "$own.old" "$lock.held" 2>/dev/null
                    rm -f "$own.old"
                    fail 3 "another run has just begun, so this one did nothing" "wait for its end"
                fi
                rm -f "$own.old"
            done
            held="$lock.held"
        fi

        # The programs: those of the server's own version, or the next newer ones.
        bin=
        best=
        newest=
        client=
        look() {
            [ -x "$1/pg_dump" ] && [ -x "$1/pg_restore" ] && [ -x "$1/psql" ] || return 0
            major=$("$1/pg_dump" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9]*\).*/\1/p')
            [ -n "$major" ] || return 0
            if [ -z "$newest" ] || [ "$major" -gt "$newest" ]; then
                newest=$major
                client=$1
            fi
            [ "$major" -ge "$server" ] || return 0
            if [ -z "$best" ] || [ "$major" -lt "$best" ]; then
                best=$major
                bin=$1
            fi
        }
        search() {
            bin=
            best=
            if [ -n "${HOWDAH_PG_BINDIR:-}" ]; then
                look "$HOWDAH_PG_BINDIR"
                [ -z "$bin" ] || return 0
            fi
            for place in "$programs" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib/postgresql*/bin \
                /opt/homebrew/opt/postgresql*/bin /opt/homebrew/opt/libpq/bin /usr/local/opt/postgresql*/bin \
                /usr/local/opt/libpq/bin /usr/local/pgsql/bin; do
                look "$place"
            done
            rest="$PATH:"
            while [ -n "$rest" ]; do
                look "${rest%%:*}"
                rest=${rest#*:}
            done
        }
        search
        [ -n "$client" ] ||
            fail 2 "pg_dump, pg_restore and psql were not found" \
                "install PostgreSQL's client programs (Debian: apt-get install postgresql-client), or set HOWDAH_PG_BINDIR"
        version=$("$client/psql" -XAtqw -c 'SHOW server_version_num') ||
            fail 1 "the server cannot be reached (its own words are above)" \
                "look whether it runs, and whether user, password file and rights are as they were"
        server=$((version / 10000))
        search
        [ -n "$bin" ] ||
            fail 2 "the server is PostgreSQL $server, and the newest pg_dump here is of version $newest, which cannot dump it" \
                "install the client programs of version $server or later (Debian: postgresql-client-$server)"

        # What a run that was killed has left.
        rm -f ".$name"-*.part ".$name"-*.part.sha256 ".$name"-*.part.globals

        stamp=$(date -u +%Y%m%dT%H%M%SZ)
        while [ -e "$name-$stamp.dump" ]; do
            sleep 1
            stamp=$(date -u +%Y%m%dT%H%M%SZ)
        done
        new="$name-$stamp"
        part=".$new.part"
        began=$(date +%s)

        "$bin/pg_dump" -Fc -w --lock-wait-timeout=60s ${HOWDAH_SNAPSHOT:+"--snapshot=$HOWDAH_SNAPSHOT"} -f "$part" ||
            fail 1 "pg_dump failed (its own words are above); the earlier backups are as they were" \
                "look at the rights of the role, at the free space of $folder (df), and at the server's log"
        [ -s "$part" ] || fail 1 "pg_dump wrote nothing" "look at the free space of $folder (df)"
        "$bin/pg_restore" --list "$part" >/dev/null ||
            fail 1 "the new dump has no readable list of contents" "look at the disk of $folder, and run this again"
        "$bin/pg_restore" -f /dev/null "$part" ||
            fail 1 "the new dump cannot be read to its end" "look at the disk of $folder, and run this again"

        if command -v sha256sum >/dev/null 2>&1; then
            sum=$(sha256sum "$part")
        elif command -v shasum >/dev/null 2>&1; then
            sum=$(shasum -a 256 "$part")
        else
            sum=$(openssl dgst -sha256 -r "$part")
        fi || fail 1 "the sha256 of the new dump cannot be taken" "install coreutils, or openssl, and run this again"
        printf '%s  %s\n' "${sum%% *}" "$new.dump" >"$part.sha256" ||
            fail 1 "the sha256 cannot be written" "look at the free space of $folder (df)"
        settle() { sync "$@" 2>/dev/null || sync; }
        settle "$part" "$part.sha256"
        mv "$part.sha256" "$new.dump.sha256" && mv "$part" "$new.dump" ||
            fail 1 "the new dump cannot be given its name in $folder" "look at the rights of $folder"
        settle .
        code=0

        # Roles and their settings are no part of a database; their passwords stay on the server.
        if [ ! -x "$bin/pg_dumpall" ]; then
            say "the roles are not in this backup: there is no pg_dumpall in $bin"
        elif "$bin/pg_dumpall" --globals-only --no-role-passwords -w -l "$globals" -f "$part.globals"; then
            mv "$part.globals" "$new.globals.sql" || code=4
        else
            say "the roles are not in this backup: this role may not read them (pg_dumpall's words are above)"
        fi

        # Only now that a new one is good do the oldest go, and never the new one, whatever the clock says.
        digit='[0-9]'
        day="$digit$digit$digit$digit$digit$digit$digit$digit"
        time="$digit$digit$digit$digit$digit$digit"
        count=0
        for file in "$name"-${day}T${time}Z.dump; do
            [ ! -f "$file" ] || count=$((count + 1))
        done
        for file in "$name"-${day}T${time}Z.dump; do
            [ "$count" -gt "$keep" ] || break
            [ -f "$file" ] && [ "$file" != "$new.dump" ] || continue
            if rm -f "$file" "$file.sha256" "${file%.dump}.globals.sql"; then
                count=$((count - 1))
            else
                say "$folder/$file is older than the newest $keep, and cannot be removed"
                say "what to do: look at the rights of $folder"
                code=4
            fi
        done

        printf 'took %s s, %s bytes, %s kept\n' "$(($(date +%s) - began))" "$(wc -c <"$new.dump" | tr -d ' ')" "$count"
        printf 'good backup: %s\n' "$new.dump"
        exit "$code"

        """#
}
