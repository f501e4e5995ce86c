"""Other programs that move a SQLite database to PostgreSQL, where they are installed."""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Failed, run


class PgLoader:
    """pgloader on a copy whose times are text, since it loads no row of a table whose times are numbers.

    It spells names in small letters here: only so can it make the foreign keys. Doubles need a cast too, without which
    it makes them `real`, and the largest do not fit.
    """

    name = "pgloader"

    def __init__(self, project, cluster, folder):
        self.cluster = cluster
        self.rows = cluster.rows(cluster.rehearsal)
        self.environment = project.environment
        self.root = folder / "pgloader"
        self.file = folder / "pgloader.load"
        copy = copy_with_times_as_text(project.database, folder / "pgloader.db")
        self.file.write_text(
            f"""LOAD DATABASE
              FROM sqlite://{copy}
              INTO postgresql://{cluster.user}@unix:{cluster.folder}:{cluster.port}/pgloader
              WITH create tables, create indexes, foreign keys, reset sequences, downcase identifiers
              CAST type datetime to timestamp, type real to "double precision" using float-to-string;
            """
        )

    @staticmethod
    def version():
        """None where it is not installed."""
        if not shutil.which("pgloader"):
            return None
        # It makes the folder of its logs even to say this.
        with tempfile.TemporaryDirectory() as folder:
            command = ["pgloader", "--root-dir", folder, "--version"]
            words = subprocess.run(command, capture_output=True, text=True).stdout
        found = re.search(r'pgloader version "([^"]+)"', words)
        return found[1] if found else "unknown"

    def run(self):
        self.cluster.make_database("pgloader")
        finished = run(["pgloader", "--root-dir", str(self.root), str(self.file)], environment=self.environment)
        self.cluster.hold("pgloader", self.rows, "pgloader")
        if self.foreign_keys("pgloader") != self.foreign_keys(self.cluster.rehearsal):
            raise Failed("pgloader did not make all foreign keys")
        self.cluster.drop_database("pgloader")
        return {"seconds": finished.seconds, "memory": finished.memory}

    def foreign_keys(self, database):
        query = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        return self.cluster.ask(database, query)


class DuckDB:
    """DuckDB on a copy whose times are text and whose JSON is declared as text, since it refuses both as they are."""

    name = "DuckDB"

    def __init__(self, project, cluster, folder):
        self.cluster = cluster
        self.rows = cluster.rows(cluster.rehearsal)
        self.environment = project.environment
        self.copy = copy_with_times_as_text(project.database, folder / "duckdb.db", declares_json_as_text=True)

    @staticmethod
    def python():
        return os.environ.get("DUCKDB_PYTHON", sys.executable)

    @classmethod
    def version(cls):
        words = "import duckdb; print(duckdb.__version__)"
        with contextlib.suppress(OSError):
            tried = subprocess.run([cls.python(), "-c", words], capture_output=True, text=True)
            return tried.stdout.strip() or None
        return None

    def run(self):
        self.cluster.make_database("duckdb")
        script = Path(__file__).with_name("duckdb_copy.py")
        target = f"dbname=duckdb user={self.cluster.user} host={self.cluster.folder} port={self.cluster.port}"
        finished = run([self.python(), str(script), str(self.copy), target], environment=self.environment)
        self.cluster.hold("duckdb", self.rows, "DuckDB")
        self.cluster.drop_database("duckdb")
        # Of the process only its copying counts, not Python's start.
        return {"seconds": json.loads(finished.output)["seconds"], "memory": finished.memory}


def copy_with_times_as_text(database, copy, declares_json_as_text=False):
    shutil.copy(database, copy)
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        columns = {table: connection.execute(f'PRAGMA table_info("{table}")').fetchall() for (table,) in tables}
        if declares_json_as_text:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ' JSONB', ' TEXT') WHERE type = 'table'")
            connection.commit()
    # A new connection reads the new declarations.
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        for table, described in columns.items():
            changes = []
            for _, name, declared, *_ in described:
                if declared == "DATETIME":
                    text = f"strftime('%Y-%m-%d %H:%M:%f', \"{name}\" / 1000.0, 'unixepoch')"
                    # What is text or NULL already stays as it is.
                    changes.append(f"\"{name}\" = iif(typeof(\"{name}\") = 'integer', {text}, \"{name}\")")
                elif declared == "JSONB" and declares_json_as_text:
                    changes.append(f'"{name}" = CAST("{name}" AS TEXT)')
            if changes:
                connection.execute(f'UPDATE "{table}" SET {", ".join(changes)}')
        connection.commit()
    return copy
