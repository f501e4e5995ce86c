"""The lines of the table about rows that differ: a proof that finds every row of a table changed, and the opening of what it found."""

import json
import time

from cluster import Cluster
from measure import MEGABYTE, Failed, run
from program import CONSTRAINTS, COPY, PREPARED, PROOF, Project
from result import at_most
from screen_lines import opened

DIFFERS = 4
KEYED = "keyed"


def differing(bench):
    """Every message has moved by an hour: in the table of the demo, whose key is a number, and in one whose key is a text."""
    project = Project(bench.project.binary, bench.project.folder, bench.messages, bench.environment, "differing")
    with Cluster(project) as cluster:
        for step in (*PREPARED, COPY, CONSTRAINTS, PROOF):
            project.step(step, "run")
        cluster.psql(cluster.rehearsal, "-c", """UPDATE "Message" SET "timestamp" = "timestamp" + interval '1 hour'""")
        project.with_state("step", project.application, PROOF, "run", "--json", ends=(0, 1, DIFFERS))
        cluster.settle()
        walked = [proof(bench, project, project.application, "rehearsal") for _ in range(bench.runs)]
        openings = [opening(bench, project) for _ in range(bench.runs)]
        cluster.make_database(KEYED)
        hashed = keyed(bench, project, cluster)
    words = f"{bench.messages:,} rows that differ"
    return [
        at_most(f"peak memory of a proof that finds {words}, by number", memory(walked), 64, "{:.0f} MB", max),
        at_most(f"peak memory of a proof that finds {words}, by text", memory(hashed), 64, "{:.0f} MB", max),
        at_most(f"screens: opening {words}", [seconds * 1000 for seconds in openings], 200, "{:.0f} ms"),
    ]


def memory(results):
    return [finished.memory / MEGABYTE for finished in results]


def proof(bench, project, source, target):
    finished = project.with_state("validate", source, target, "--json", ends=(DIFFERS,))
    found = sum(table["differences"] for table in json.loads(finished.output)["tables"])
    if found != bench.messages:
        raise Failed(f"the proof found {found} of {bench.messages} rows that differ")
    return finished


def keyed(bench, project, cluster):
    """The same messages under keys that are texts."""
    source = project.folder / "keyed.db"
    source.unlink(missing_ok=True)
    run(
        [
            "sqlite3", str(source),
            f"ATTACH '{project.database}' AS chat; CREATE TABLE message (id TEXT PRIMARY KEY, content TEXT, data BLOB, at DATETIME NOT NULL); "
            "INSERT INTO message SELECT 'cm' || substr('0000000000' || id, -10), content, encryptedContent, timestamp FROM chat.Message",
        ],
        environment=project.environment,
    )
    other = Project(project.binary, project.folder, bench.messages, project.environment, "keyed")
    target = cluster.url(KEYED)
    other.with_state("migrate", source, target, "--yes", "--style", "prisma")
    cluster.psql(KEYED, "-c", "UPDATE message SET at = at + interval '1 hour'")
    cluster.settle()
    found = [proof(bench, other, source, target) for _ in range(bench.runs)]
    source.unlink()
    return found


def opening(bench, project):
    """The seconds from Enter on a table to the rows that differ."""
    with opened(project) as terminal:
        terminal.painted()
        terminal.wait_for_quiet(0.5)
        for key in ("\x1b", "3", "\t", "/", "Message", "\r"):
            terminal.press(key)
            terminal.wait_for_quiet(0.2)
        terminal.seen = b""
        start = time.perf_counter()
        terminal.press("\r")
        terminal.wait_for("always by +3,600 s")
        return time.perf_counter() - start
