import MigrationEngine

/// The two scripts that a way back to a moment takes; neither needs howdah.
enum PointInTimeScripts {
    /// Keeps one finished WAL file; the server calls it.
    static func archiving(archive: String) -> String {
        """
        #!/bin/sh
        # Keeps one finished WAL file in the archive: archive-wal.sh PATH NAME. Written by howdah; PostgreSQL calls it as its
        # archive_command. 0: the file is in the archive, and on the disk. Otherwise PostgreSQL keeps it, and tries again.
        set -u
        umask 077
        archive=\(shellQuoted(archive))

        """ + archivingBody
    }

    private static let archivingBody = #"""
        from=$1
        name=$2
        fail() {
            echo "archive-wal: $1" >&2
            exit 1
        }
        [ -d "$archive" ] && [ -w "$archive" ] || fail "the folder $archive is not there, or cannot be written to"
        if [ -e "$archive/$name" ]; then
            # A server that crashed does not know that it was kept.
            cmp -s "$from" "$archive/$name" && exit 0
            fail "$archive/$name is there with another content: does another server use this archive?"
        fi
        part="$archive/.$name.$$"
        trap 'rm -f "$part"' EXIT
        settle() { sync "$1" 2>/dev/null || sync; }
        cp "$from" "$part" || fail "$from cannot be copied to $archive: is its disk full?"
        settle "$part" || fail "$archive cannot be written to the disk"
        mv "$part" "$archive/$name" || fail "$archive/$name cannot be given its name"
        settle "$archive"
        exit 0

        """#

    /// Makes one base backup, checks it, and removes the oldest ones with the WAL that only they needed.
    ///
    /// `variables` are those of libpq, without a password; `programs` is where pg_basebackup is.
    static func base(
        _ places: PointInTimePlaces, variables: [(name: String, value: String)], programs: String,
        version: Int
    ) -> String {
        let exports = variables.map { "\($0.name)=\(shellQuoted($0.value))" }
        return """
            #!/bin/sh
            # Makes one base backup for a restore to a moment, and needs nothing but sh and PostgreSQL's programs. Written by howdah.
            # Exit codes: 0 a new base backup is there, and was checked; 1 none was made, and none was removed; 3 another run is at
            # work. A password, where the server asks for one, comes from ~/.pgpass of the user that runs this. It goes by a timer,
            # daily or weekly, on the server's machine:
            #   0 3 * * 0  \(places.scripts)/basebackup.sh
            set -u
            umask 077
            bases=\(shellQuoted(places.bases))
            archive=\(shellQuoted(places.archive))
            keep=\(places.keep)
            \(exports.joined(separator: "\n"))
            export \((variables.map(\.name) + ["PGAPPNAME"]).joined(separator: " "))
            PGAPPNAME='howdah base backup'
            PATH=\(shellQuoted(programs)):$PATH
            manifest=\(version >= 130_000 ? "--manifest-checksums=SHA256" : "")

            """ + baseBody
    }

    private static let baseBody = #"""
        fail() {
            echo "base backup: $2" >&2
            exit "$1"
        }
        cd "$bases" 2>/dev/null && [ -w . ] || fail 1 "the folder $bases is not there, or cannot be written to: mkdir -p, or mount its disk"
        if command -v flock >/dev/null 2>&1; then
            exec 9>.lock || fail 1 "$bases/.lock cannot be written"
            flock -n 9 || fail 3 "another run is at work"
        fi
        # What a run that was killed has left.
        rm -rf .base-*.part
        stamp=$(date -u +%Y%m%dT%H%M%SZ)
        part=".base-$stamp.part"
        trap 'rm -rf "$part"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP

        # -X stream: what is written meanwhile comes along. -c fast: the checkpoint that it begins with is not spread over minutes.
        pg_basebackup -w -D "$part" -X stream -c fast $manifest ||
            fail 1 "pg_basebackup failed (its own words are above); the earlier ones are as they were"
        if [ -n "$manifest" ]; then
            pg_verifybackup -q -n "$part" || fail 1 "the new base backup is not what its manifest says: look at the disk of $bases"
        fi
        mv "$part" "base-$stamp" || fail 1 "the new base backup cannot be given its name in $bases"
        sync

        # Only now that a new one is good do the oldest go, and the WAL files that nothing but they needed.
        digit='[0-9]'
        day="$digit$digit$digit$digit$digit$digit$digit$digit"
        time="$digit$digit$digit$digit$digit$digit"
        count=0
        for folder in base-${day}T${time}Z; do count=$((count + 1)); done
        for folder in base-${day}T${time}Z; do
            [ "$count" -gt "$keep" ] && [ "$folder" != "base-$stamp" ] || break
            rm -rf "$folder" && count=$((count - 1))
        done
        for oldest in base-${day}T${time}Z; do break; done
        first=$(sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\)).*/\1/p' "$oldest/backup_label")
        if [ -n "$first" ] && [ -d "$archive" ]; then
            pg_archivecleanup "$archive" "$first" || fail 1 "the new base backup is good, and $archive could not be cleaned up"
        fi
        printf 'good base backup: %s, %s kept, WAL from %s on\n' "$bases/base-$stamp" "$count" "$first"

        """#
}
