"""What each part of a migration costs at least, by the databases' own tools, one thing after the other."""

import contextlib
import sqlite3

from measure import run


class LoadFloor:
    """psql loads binary files made before, then makes the same keys, indexes and foreign keys."""

    def __init__(self, project, cluster, folder):
        """The rehearsal holds a finished migration, whose tables are written to files in `folder`."""
        self.cluster = cluster
        self.rows = cluster.rows(cluster.rehearsal)
        self.files = {name: folder / f"{name}.sql" for name in ("before", "load", "after")}
        before, after = project.schema()
        load = ""
        for number, table in enumerate(cluster.tables(cluster.rehearsal)):
            data = folder / f"{number}.binary"
            cluster.psql(cluster.rehearsal, "-c", f"\\copy {table} to '{data}' (format binary)")
            load += f"\\copy {table} from '{data}' (format binary)\n"
        for name, words in (("before", before), ("load", load), ("after", after)):
            self.files[name].write_text(words)

    def run(self):
        """Returns the seconds of the copy alone, and of everything."""
        self.cluster.make_database("floor")
        before, copy, after = (self.cluster.psql("floor", "-f", file).seconds for file in self.files.values())
        self.cluster.hold("floor", self.rows, "the floor")
        self.cluster.drop_database("floor")
        return {"copy": copy, "whole": before + copy + after}


def read_messages(cluster):
    """The seconds of reading Message out of PostgreSQL in the order of its key, to nowhere."""
    query = 'COPY (SELECT * FROM "Message" ORDER BY id) TO STDOUT (FORMAT binary)'
    return cluster.psql(cluster.rehearsal, "-o", "/dev/null", "-c", query).seconds


def prepare(project, folder):
    """The seconds of a backup, its sum, both checks and a profile of every table."""
    backup = folder / "backup.db"
    backup.unlink(missing_ok=True)
    environment = project.environment
    seconds = run(["sqlite3", str(project.database), f".backup '{backup}'"], environment=environment).seconds
    seconds += run(["sha256sum", str(backup)], environment=environment).seconds
    for statement in ("PRAGMA integrity_check", "PRAGMA foreign_key_check"):
        seconds += run(["sqlite3", str(backup), statement], environment=environment).seconds
    seconds += profile(backup, tables(backup), environment)
    backup.unlink()
    return seconds


def profile(database, names, environment):
    """The seconds of one aggregate over all columns of each of the tables."""
    statements = [aggregate(database, name) for name in names]
    return run(["sqlite3", str(database), ";\n".join(statements)], environment=environment).seconds


def aggregate(database, table):
    parts = []
    for column in columns(database, table):
        name = f'"{column}"'
        parts += [f"count({name})", f"min({name})", f"max({name})", f"sum(length({name}))"]
    return f'SELECT {", ".join(parts)} FROM "{table}"'


def tables(database):
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    return [name for (name,) in ask(database, query)]


def columns(database, table):
    return [row[1] for row in ask(database, f'PRAGMA table_info("{table}")')]


def ask(database, query):
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()
