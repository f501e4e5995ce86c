"""The private PostgreSQL that howdah makes for a rehearsal, which the floors and peers use too."""

import os
import signal
from urllib.parse import parse_qs, urlsplit

from measure import Failed, run


class Cluster:
    """Runs while its `with` block does, and is removed with all that it holds at its end."""

    def __init__(self, project):
        self.project = project

    def __enter__(self):
        try:
            url = self.project.with_state("rehearsal", "start", self.project.application).output.strip()
        except BaseException:
            self.remove()
            raise
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self.user = parts.username
        self.folder = query["host"][0]
        self.port = query.get("port", ["5432"])[0]
        self.rehearsal = parts.path.lstrip("/")
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        """Not to be stopped by an impatient second Ctrl-C, which would leave a server behind."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.remove_undisturbed()
        finally:
            signal.signal(signal.SIGINT, before)

    def remove_undisturbed(self):
        self.project.with_state("rehearsal", "remove", self.project.application)

    def url(self, database):
        return f"postgresql://{self.user}@/{database}?host={self.folder}&port={self.port}"

    def psql(self, database, *arguments):
        command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), *map(str, arguments)]
        return run(command, environment=self.project.environment)

    def ask(self, database, query):
        return self.psql(database, "-c", query).output.strip()

    def settle(self):
        """Writes out what was written so far, so that nobody pays for what another wrote."""
        self.ask("postgres", "CHECKPOINT")
        os.sync()

    def make_database(self, name):
        self.drop_database(name)
        self.psql("postgres", "-c", f"CREATE DATABASE {name} TEMPLATE template0")

    def drop_database(self, name):
        self.psql("postgres", "-c", f"DROP DATABASE IF EXISTS {name}")

    def empty(self):
        """Drops what the last rehearsal loaded, which the next would otherwise do first."""
        self.drop_database(self.rehearsal)
        self.settle()

    def tables(self, database):
        """Names as they are written in SQL, the largest first."""
        return self.ask(
            database,
            "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " ORDER BY pg_relation_size(oid) DESC, relname",
        ).split("\n")

    def rows(self, database):
        counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in self.tables(database))
        return int(self.ask(database, f"SELECT {counts}"))

    def hold(self, database, rows, whose):
        """Fails where a database does not hold that many rows: who loads less is not fast."""
        found = self.rows(database)
        if found != rows:
            raise Failed(f"{whose} loaded {found} rows of {rows}")
