/// The six phases with every step: the one table that screens, commands and checklist are made from.
public enum Phases {
    public static let all: [Phase] = [
        Phase(number: 1, title: "Schema", shortTitle: "Schema", steps: schema),
        Phase(number: 2, title: "Environment", shortTitle: "Env", steps: environment),
        Phase(number: 3, title: "Data", shortTitle: "Data", steps: data),
        Phase(number: 4, title: "Code", shortTitle: "Code", steps: code),
        Phase(number: 5, title: "Tests", shortTitle: "Tests", steps: tests),
        Phase(number: 6, title: "Production", shortTitle: "Prod", steps: production),
    ]

    public static let steps: [Step] = all.flatMap(\.steps)

    /// From a proven target to an application that runs on it; of the live target alone.
    public static let cutover = Phase(
        number: 0, title: "Cutover", shortTitle: "Cut",
        steps: [
            Step(
                "C.1", "prepare",
                "Carries what was written since the load, and compares every cell, while the application goes on.",
                needs: ["3.4"], basis: [.run]),
            Step(
                "C.2", "switch over",
                "Lets nobody write any more, carries and compares the rest, and changes the settings.",
                needs: ["C.1"], basis: [.run], undo: "goes back to SQLite"),
            Step(
                "C.3", "smoke test",
                "Connects as the application does, and looks whether it can do its work.",
                needs: ["C.2"]),
            Step(
                "C.4", "end", "Makes sure that nobody has written to SQLite since, and lets go of it.",
                needs: ["C.3"]),
        ])

    /// The whole way back, and the end of howdah's part.
    /// The step that copies rows that differ again.
    public static let differences = "3.5"
    /// Said where running it again leaves the same.
    public static let extraStays = "rows that only the target has stay, however often this runs"
    /// Said where it had nothing to copy.
    public static let nothingCopied = "nothing was copied"
    public static let rollback = Step(
        "R", "rollback", "The files of the project, its client, and SQLite, all as they were.")
    public static let finish = Step(
        "F", "finish",
        "Removes what howdah has left: its schema in the target, the rehearsal, older snapshots.")

    private static let others = cutover.steps + [rollback, finish]

    /// A step of the six phases, of the cutover, or one of the two that stand by themselves.
    public static func step(_ id: String) -> Step? {
        steps.first { $0.id == id } ?? others.first { $0.id == id }
    }

    private static let schema = [
        Step(
            "1.1", "source",
            "Opens the SQLite file read only and looks at it: size, log, encoding, settings.",
            basis: [.source]),
        Step(
            "1.2", "backup",
            "Takes a snapshot by SQLite's online backup, checks its integrity, and keeps its sha256.",
            needs: ["1.1"], basis: [.source], undo: "deletes the snapshot"),
        Step(
            "1.3", "target",
            "Connects to PostgreSQL and looks at version, encoding, collation, time zone, rights, space, encryption.",
            basis: [.target]),
        Step(
            "1.4", "database and role",
            "Makes the database and the role that owns it where they are not there yet.", basis: [.target],
            undo: "drops what this step made, and nothing else"),
        Step(
            "1.5", "dependencies", "The application's driver for PostgreSQL.",
            byHand: [
                "Add PostgreSQL's driver to the application: with Prisma 7 @prisma/adapter-pg, otherwise pg",
                "(and @types/pg), psycopg, or what your framework names.",
                "Keep SQLite's driver until the cutover is behind you, then take it out.",
                "An application without a driver of its own needs nothing here: settle it with -.",
            ], undo: "brings package.json back, byte for byte"),
        Step(
            "1.6", "profile",
            "Looks at every value of every column, and finds what would not arrive as it is.",
            needs: ["1.2"], basis: [.snapshot]),
        Step(
            "1.7", "schema plan",
            "Gives every column its type with the reason, and writes plan.yaml, which you may change.",
            needs: ["1.6"], basis: [.snapshot, .plan], undo: "removes plan.yaml; the one before comes back"),
        Step(
            "1.8", "make schema", "Makes the tables in the target, without keys: loading is fastest so.",
            needs: ["1.3", "1.4", "1.7"], basis: [.target, .plan, .run],
            undo: "drops the tables, when they hold no rows but howdah's"),
    ]

    private static let environment = [
        Step(
            "2.1", ".env", "The application's DATABASE_URL leads to PostgreSQL.",
            // Whatever restarts the application meanwhile must not send it to a database without its rows.
            liveNeeds: ["3.4"],
            byHand: [
                "Set DATABASE_URL in .env (and .env.*, docker-compose.yml) to the new database:",
                "  postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters percent-encoded.",
                "Leave every other line as it is; keep a copy of the file for the way back.",
            ], basis: [.target], undo: "brings the .env files back, byte for byte"),
        Step(
            "2.2", "schema.prisma", "The ORM's own settings name PostgreSQL.",
            byHand: [
                "Prisma: set provider = \"postgresql\" in schema.prisma or prisma.config.ts.",
                "Django, Rails and others: set the adapter in settings.py, database.yml, or the like.",
                "No ORM: nothing to do; settle it with -.",
            ], basis: [.plan], undo: "brings the schema's files back, byte for byte"),
        Step(
            "2.3", "migrations", "Old migrations are kept aside, and a first one for PostgreSQL is there.",
            needs: ["1.7"],
            byHand: [
                "Prisma: move prisma/migrations aside and make a baseline:",
                "  npx prisma migrate diff --from-empty --to-schema-datamodel prisma/schema.prisma --script",
                "into prisma/migrations/0_init/migration.sql, then npx prisma migrate resolve --applied 0_init.",
            ], basis: [.plan, .target], undo: "brings the migrations back, byte for byte"),
        Step(
            "2.4", "client", "The client that the application uses is made anew.", needs: ["2.2"],
            byHand: [
                "Prisma: npx prisma generate.", "Others: whatever builds your models, if anything does.",
            ], basis: [.target], undo: "the client for SQLite comes back with 2.2"),
    ]

    private static let data = [
        Step(
            "3.1", "export", "Every table as files, for keeping or for another machine (optional).",
            needs: ["1.2"],
            byHand: [
                "Not needed for the migration: the snapshot of step 1.2 holds everything.",
                "Want readable files? howdah export SOURCE FOLDER.",
            ], basis: [.snapshot], undo: "deletes the files, where none was changed", isOptional: true),
        Step(
            "3.2", "copy",
            "Loads every row, each piece exactly once; it can be paused, cancelled, and gone on with, but for a table in one piece.",
            needs: ["1.8"], basis: [.run], undo: "takes out the rows that were loaded"),
        Step(
            "3.3", "constraints",
            "Makes keys, indexes, checks, foreign keys, views and triggers, and sets every sequence past its maximum.",
            needs: ["3.2"], basis: [.run],
            undo: "drops keys, indexes, views and triggers"),
        Step(
            "3.4", "proof", "Compares every cell of every table with the snapshot.", needs: ["3.3"],
            basis: [.run]),
        Step(
            "3.5", "differences", "Rows that differ are looked at, and copied again or settled.",
            needs: ["3.3"],
            byHand: [
                "Open a table in phase 3 with Enter: it shows the rows that differ, with both values.",
                "After a proof without differences there is nothing to do: tick it.",
            ], undo: "puts back the rows that were there before"),
    ]

    private static let code = [
        Step(
            "4.1", "scan", "SQLite-only SQL and drivers in the application's code.",
            byHand: [
                "Look for: raw SQL, PRAGMA, INSERT OR REPLACE, strftime, datetime('now'), GLOB, ROWID,",
                "LIKE that must not tell cases apart (ILIKE), double-quoted texts, SQLITE_ error codes.",
            ], undo: "forgets what was found"),
        Step(
            "4.2", "raw SQL", "Every raw query runs on PostgreSQL.", needs: ["4.1"],
            byHand: ["Run each raw query by psql on the rehearsal: howdah rehearsal url shows where it is."],
            basis: [.target, .run], undo: "forgets the server's answers"),
        Step(
            "4.3", "review", "Each place found is fixed, or accepted with a reason.", needs: ["4.1"],
            byHand: ["Fix or accept each place, then tick this with a note of what you accepted and why."],
            undo: "takes translations out of the files, byte for byte"),
        Step(
            "4.4", "database layer", "Connections, errors, transactions and the pool fit PostgreSQL.",
            byHand: [
                "Unique violations are SQLSTATE 23505, foreign keys 23503, deadlocks 40P01: catch those.",
                "A failed statement ends its transaction: use savepoints where the code goes on.",
                "Without ORDER BY rows have no order. A pool of 2 × cores + 1 connections is a good start.",
            ]),
    ]

    private static let tests = [
        Step(
            "5.1", "test commands", "The application's own tests pass on PostgreSQL.",
            byHand: [
                "howdah found no test command. Add yours: howdah test PROJECT --add NAME=\"COMMAND\".",
                "Or run the tests with DATABASE_URL on what howdah rehearsal url prints, and note what passed.",
            ], basis: [.target, .run], undo: "forgets that they were run"),
        item(
            "5.2", "encryption", "Encrypt, decrypt, ratchet and multi-device all work on old conversations."),
        item("5.3", "real-time messaging", "Messages arrive at once, on every device."),
        item("5.4", "files", "Old uploads open, new ones can be made."),
        item("5.5", "conversations", "Conversations can be made, renamed, left and deleted."),
        item("5.6", "authentication", "Old users sign in, new ones register."),
        item("5.7", "service layer", "The database services answer as before."),
        item("5.8", "history", "Message history pages in the right order, to its beginning."),
        item("5.9", "key rotation", "Keys rotate, and older messages still open."),
        Step(
            "5.10", "concurrent users",
            "Many users at once ask the target and SQLite the same: no errors, and how long it takes.",
            needs: ["3.3"],
            byHand: ["Try the application with several users at once; watch for errors and slow answers."],
            basis: [.target, .run], undo: "forgets the figures"),
        Step(
            "5.11", "file paths", "Paths kept in the data lead to files that are there.", needs: ["1.2"],
            byHand: ["Look through columns that hold paths, and check a handful of files."],
            basis: [.snapshot], undo: "forgets what was found"),
    ]

    private static func item(_ id: String, _ title: String, _ purpose: String) -> Step {
        Step(
            id, title, purpose,
            byHand: [
                "Try it by hand on the rehearsal, with the application's DATABASE_URL set to what",
                "howdah rehearsal url SOURCE prints. An application without it: settle it with -.",
            ])
    }

    private static let production = [
        Step(
            "6.1", "indexes", "Foreign keys and frequent queries have their indexes.", needs: ["3.3"],
            byHand: [
                "PostgreSQL makes no index for a foreign key's own columns. For example, in a chat application:",
                "  CREATE INDEX CONCURRENTLY ON \"Message\" (\"conversationId\", \"timestamp\");",
                "  CREATE INDEX CONCURRENTLY ON \"ConversationParticipant\" (\"conversationId\", \"userId\");",
            ], basis: [.target, .run],
            undo: "drops the indexes that it made, where they are as it made them"),
        Step(
            "6.2", "pool", "The connection pool fits the server.",
            byHand: [
                "Prisma: ?connection_limit=N in the URL (2 × cores + 1), or a PgBouncer before the server."
            ], basis: [.target],
            undo: "brings the .env files and the database's settings back"),
        Step(
            "6.3", "query performance", "The application's queries are quick enough.", needs: ["3.3"],
            byHand: [
                "Turn on pg_stat_statements; look at the slowest queries with EXPLAIN (ANALYZE, BUFFERS)."
            ]),
        Step(
            "6.4", "backups", "A backup is made every day, read to its end, and kept with those before.",
            needs: ["3.3"],
            byHand: [
                "pg_dump -Fc DATABASE every night by cron or a systemd timer; keep several; write down how to restore."
            ], basis: [.target],
            undo: "removes script and schedule; the backups stay"),
        Step(
            "6.5", "restore drill",
            "A backup is restored beside the database, and every cell of it compared.",
            needs: ["6.4"],
            byHand: [
                "pg_restore the last dump into a scratch database, then howdah validate SOURCE that database."
            ], basis: [.target], undo: "forgets the drill"),
        Step(
            "6.6", "point in time",
            "What the server lacks to be set back to a moment, and a try of it on a private copy.",
            byHand: [
                "archive_mode = on, an archive_command, and a base backup; or your provider's own way.",
                "Where a dump a day is enough, settle it with -.",
            ], basis: [.target], undo: "deletes the files that it wrote, where none was changed"),
        Step(
            "6.7", "monitoring",
            "Looks at the server, and writes what tells of trouble while no screen is open.",
            byHand: ["Watch connections, locks, slow queries, disk and the age of the last backup."],
            basis: [.target], undo: "takes away what it wrote and installed; files that were changed stay"),
    ]
}
