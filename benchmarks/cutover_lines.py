"""The standstill of a cutover: how long nobody can write, with a hundredth of the messages changed since the last preparation."""

import json

from measure import run
from result import at_most

DATABASE = "cutover"
LIMIT = 5.0  # seconds, for 1 % of a million messages


def standstill(bench):
    project, cluster = bench.project, bench.cluster
    cluster.make_database(DATABASE)
    target = cluster.url(DATABASE)
    project.with_state("migrate", project.application, target, "--yes")
    found = []
    for turn in range(bench.runs):
        project.with_state("cutover", project.application, target, "--prepare", "--yes")
        change = f"UPDATE Message SET editedAt = {1_700_000_000_000 + turn}, encryptedContent = randomblob(200) WHERE id % 100 = {turn}"
        run(["sqlite3", str(project.database), change], environment=project.environment)
        cluster.settle()
        # The preparation that it begins with would carry the change: the switch alone is what stands still.
        project.with_state("step", project.application, "C.2", "run", "--live", "--yes", "--target", target)
        status = json.loads(project.with_state("cutover", project.application, target, "--json", "--yes").output)
        found.append(status["standstill"]["seconds"])
        carried = status["standstill"]["carried"]["tables"]
        if not any(table["name"] == "Message" and table["updated"] >= bench.messages // 100 for table in carried):
            raise ValueError(f"the switch did not carry what was changed: {carried}")
        project.with_state("rollback", project.application, "--live", "--target", target, "--yes")
    cluster.drop_database(DATABASE)
    words = f"standstill of a cutover, {bench.messages // 100:,} of {bench.messages:,} messages changed"
    return [at_most(words, found, LIMIT, "{:.2f} s")]
