"""Copies every table of a SQLite file to PostgreSQL by DuckDB: duckdb_copy.py FILE CONNECTION. Prints its seconds.

The extensions are taken from their packages (duckdb-extension-sqlite-scanner, duckdb-extension-postgres-scanner) where
these are installed, which needs no network; else DuckDB loads them by itself.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path

import duckdb


def extension(name):
    package = importlib.util.find_spec(f"duckdb_extension_{name}")
    if package is None:
        return name
    folder = Path(package.origin).parent / "extensions" / f"v{duckdb.__version__}"
    return str(folder / f"{name}.duckdb_extension")


def quoted(words):
    return "'" + words.replace("'", "''") + "'"


file, target = sys.argv[1:]
connection = duckdb.connect()
for name in ("sqlite_scanner", "postgres_scanner"):
    connection.load_extension(extension(name))
connection.execute(f"ATTACH {quoted(file)} AS source (TYPE sqlite, READ_ONLY)")
connection.execute(f"ATTACH {quoted(target)} AS target (TYPE postgres)")
tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'source'").fetchall()
start = time.perf_counter()
for (table,) in tables:
    if not table.startswith("sqlite_"):
        connection.execute(f'CREATE TABLE target.public."{table}" AS SELECT * FROM source."{table}"')
print(json.dumps({"seconds": time.perf_counter() - start}))
