"""howdah as a user calls it: commands in, one JSON document out."""

import json
import re
import shutil
from pathlib import Path

from measure import Failed, run

# What a migration does once snapshot, profile and plan are ready.
MIGRATION = ("prepare", "copy", "constraints")
PROVEN = (*MIGRATION, "proof")

# The steps before the copy, the copy, and what follows it before the proof.
PREPARED = ("1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8")
COPY, CONSTRAINTS, PROOF = "3.2", "3.3", "3.4"


class Report:
    """The JSON of a command, with the seconds and the memory that it took."""

    def __init__(self, finished):
        self.json = json.loads(finished.output)
        self.wall = finished.seconds
        self.memory = finished.memory

    def seconds(self, *phases):
        """Of phases together. They follow one another even where their work overlaps, so that the sum is a time."""
        found = [phase["seconds"] for phase in self.json["phases"] if phase["name"] in phases]
        if not found:
            raise Failed(f"the report has none of the phases {', '.join(phases)}")
        return sum(found)

    @property
    def rows(self):
        return sum(table["source_rows"] for table in self.json["tables"])


class Project:
    """A demo application in a folder of its own, with howdah's state beside it."""

    def __init__(self, binary, folder, messages, environment, state="state"):
        self.binary = binary
        self.folder = Path(folder)
        self.messages = messages
        self.environment = environment
        self.application = self.folder / "application"
        self.state = self.folder / state

    @property
    def database(self):
        return self.application / "prisma" / "dev.db"

    def howdah(self, *arguments, ends=(0,)):
        return run([str(self.binary), *map(str, arguments)], environment=self.environment, ends=ends)

    def with_state(self, *arguments, ends=(0,)):
        return self.howdah(*arguments, "--state", self.state, ends=ends)

    def make(self):
        """Makes the application anew; returns the seconds it took."""
        self.remove_application()
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.howdah("demo", self.application, "--messages", self.messages, "--no-open").seconds

    def remove_application(self):
        shutil.rmtree(self.application, ignore_errors=True)

    def remove_snapshots(self):
        """The next command then takes, checks and profiles a new one."""
        shutil.rmtree(self.state / "snapshots", ignore_errors=True)

    def inspect(self):
        return self.with_state("inspect", self.application, "--json")

    def encode(self, workers):
        """Rows read and encoded in a second, with no server."""
        found = json.loads(self.with_state("encode", self.application, "--workers", workers, "--json").output)
        return found["rows"] / found["seconds"]

    def schema(self):
        """The DDL before the load, and the DDL after it."""
        before, mark, after = self.with_state("schema", self.application).output.partition("\n-- After the load")
        if not mark:
            raise Failed("howdah schema says nowhere what comes after the load")
        return before, "--" + after

    def migrate(self):
        return self.proven(self.with_state("migrate", self.application, "--json"))

    def validate(self):
        return self.proven(self.with_state("validate", self.application, "rehearsal", "--json"))

    def step(self, identifier, action, *options):
        return self.with_state("step", self.application, identifier, action, "--json", *options)

    def timed_step(self, identifier):
        """Runs a step; returns the seconds that it says it took."""
        self.step(identifier, "run")
        return self.seconds_of(identifier)

    def seconds_of(self, identifier):
        """The seconds that a step that is done says it took."""
        words = " ".join(self.evidence(identifier))
        found = re.search(r"in ([\d.]+) s\b", words)
        if not found:
            raise Failed(f"step {identifier} says nowhere how long it took: {words}")
        return float(found[1])

    def evidence(self, identifier):
        """What a step that is done says of itself."""
        status = json.loads(self.with_state("status", self.application, "--json").output)
        steps = [step for phase in status["phases"] for step in phase["steps"]]
        return next(step["evidence"] for step in steps if step["id"] == identifier)

    @staticmethod
    def proven(finished):
        report = Report(finished)
        if report.json["outcome"] != "proven":
            raise Failed(f"{report.json['command']} ended as {report.json['outcome']}")
        return report
