"""The lines of the table, one function for those that are measured together.

Each gets the bench (see `run`) and returns its lines.
"""

import floors
from cluster import Cluster
from measure import Failed, median
from peers import DuckDB, PgLoader
from program import CONSTRAINTS, COPY, PREPARED, PROVEN, Project
from result import at_least, at_most, faster, megabytes, missing, within


def demo(bench):
    made = [bench.project.make() for _ in range(bench.runs)]
    return [at_least("howdah demo: messages made a second", [bench.messages / one for one in made], 100_000, "{:,.0f}")]


def encoding(bench):
    """Reading and encoding, on one core; each command reads the database once before it measures."""
    rates = [bench.project.encode(1) for _ in range(bench.runs)]
    return [at_least("read and encode without a server: rows a second on one core", rates, 900_000, "{:,.0f}")]


def preparation(bench):
    def inspect():
        bench.project.remove_snapshots()
        return bench.project.inspect().seconds

    results = bench.alternate(
        {"preparation, one after the other": lambda: floors.prepare(bench.project, bench.scratch), "inspect": inspect}
    )
    theirs, howdah = results.values()
    what = "preparation: snapshot, sha256, integrity, foreign keys, profile"
    return [within(what, "sqlite3 and sha256sum, one after the other", theirs, howdah, 0.7)]


def migration(bench):
    """Everything that loads the whole database: howdah, the floor and the peers, in turn."""
    steps = Project(bench.project.binary, bench.project.folder, bench.messages, bench.environment, "steps")
    with Cluster(steps):
        for step in PREPARED:
            steps.step(step, "run")
        return migration_beside(bench, steps)


def migration_beside(bench, steps):
    """`steps` is the same application in a state of its own, with its tables made."""
    project, cluster = bench.project, bench.cluster
    peers, lines = installed_peers(bench)
    floor = floors.LoadFloor(project, cluster, bench.scratch)

    def migrate():
        report = project.migrate()
        return {"proven": report.seconds(*PROVEN)}

    def load_and_build():
        """The same work in steps, so that no proof is done beside it."""
        copy = steps.timed_step(COPY)
        built = steps.timed_step(CONSTRAINTS)
        for step in (CONSTRAINTS, COPY):
            steps.step(step, "undo", "--yes")
        return {"copy": copy, "unproven": copy + built}

    def migrate_with_preparation():
        report = whole_run(project, cluster)
        return {"whole": report.wall, "memory": report.memory}

    results = bench.alternate(
        {"the floor": floor.run, "copy and constraints": load_and_build, "migrate": migrate, "migrate with preparation": migrate_with_preparation}
        | {peer.name: peer.run for peer in peers}
    )

    def figures(side, name):
        return [result[name] for result in results[side]]

    psql = "psql, binary copies of files made before"
    whole = [
        within("copy of all tables", psql, figures("the floor", "copy"), figures("copy and constraints", "copy"), 1.15),
        within(
            "whole migration: schema, copy, keys, indexes, foreign keys",
            psql + ", then the same DDL",
            figures("the floor", "whole"),
            figures("copy and constraints", "unproven"),
            1.0,
        ),
        within(
            "the same with the proof of every cell",
            "the same floor, which proves nothing",
            figures("the floor", "whole"),
            figures("migrate", "proven"),
        ),
        at_most(
            "peak memory of a whole run, preparation and proof included",
            megabytes(figures("migrate with preparation", "memory")),
            64,
            "{:.0f} MB",
            max,
        ),
    ]
    if PgLoader.name in results:
        seconds = figures(PgLoader.name, "seconds")
        against = f"pgloader {PgLoader.version()}, {median(megabytes(figures(PgLoader.name, 'memory'))):.0f} MB"
        whole += [
            faster("whole migration without the proof", against, seconds, figures("copy and constraints", "unproven"), 6),
            faster("… with the proof", against, seconds, figures("migrate", "proven"), 5),
            faster(
                "… with preparation and proof", against, seconds, figures("migrate with preparation", "whole"), 2.5
            ),
        ]
    if DuckDB.name in results:
        against = f"DuckDB {DuckDB.version()}, {median(megabytes(figures(DuckDB.name, 'memory'))):.0f} MB"
        whole.append(
            within(
                "copy of all tables, no keys",
                against + ", CREATE TABLE AS",
                figures(DuckDB.name, "seconds"),
                figures("copy and constraints", "copy"),
                1.0,
            )
        )
    return whole + lines


def whole_run(project, cluster):
    """Preparation, migration and proof, as on a source that howdah has never seen."""
    project.remove_snapshots()
    cluster.empty()
    return project.migrate()


def installed_peers(bench):
    """The peers that do their work here, and a line for each that does not."""
    peers, lines = [], []
    for kind in (PgLoader, DuckDB) if bench.has_peers else ():
        what = f"against {kind.name}"
        if kind.version() is None:
            lines.append(missing(what, "not installed"))
            continue
        try:
            bench.say(f"{kind.name}, once before it is measured")
            peer = kind(bench.project, bench.cluster, bench.scratch)
            peer.run()
            peers.append(peer)
        except Failed as failure:
            bench.say(failure)
            lines.append(missing(what, f"{kind.name} {kind.version()} failed"))
    return peers, lines


def proof_and_profile(bench):
    project, cluster = bench.project, bench.cluster
    results = bench.alternate(
        {
            "reading Message": lambda: floors.read_messages(cluster),
            "an aggregate over Message": lambda: floors.profile(project.database, ["Message"], project.environment),
            "validate": project.validate,
        }
    )
    reading, aggregate, reports = results.values()
    proof = [report.seconds("proof") for report in reports]
    rates = [report.rows / report.seconds("proof") for report in reports]
    profile = [report.seconds("profile") for report in reports]
    return [
        within(
            "proof of every cell of all tables", "psql, binary COPY of Message alone, to nowhere", reading, proof, 1.5
        ),
        at_least("… in rows a second", rates, 400_000, "{:,.0f}"),
        within(
            "profile of every column of all tables, and orphans",
            "sqlite3, one aggregate over all columns of Message",
            aggregate,
            profile,
            1.5,
        ),
    ]
