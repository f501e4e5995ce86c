"""The results as Markdown."""

import os
import platform
import re
import subprocess
from pathlib import Path

import curve

METHOD = """\
## Method

Both sides of a line run in turn on the same files and the same private PostgreSQL, every second round backwards, after
a CHECKPOINT and a `sync`. Seconds are medians; the ratio is that of the medians; the spread shows the smallest and the
largest ratio of one round. Whoever loads is held to the number of rows. Programs of the floors and peers are timed from
their start to their end (DuckDB from its first table to its last), howdah's phases as `--json` tells them. The
migration's clock begins when snapshot, profile and plan are there, since the others prepare nothing.

- Preparation is `howdah inspect` without a snapshot, from its start to its end; *with preparation* is the whole of
  `howdah migrate` without a snapshot, after the last rehearsal was dropped.
- The copy, and the migration without the proof, are steps 3.2 and 3.3 as they say themselves, in hundredths of a second
  (the tables are made before): `howdah migrate` compares tables while it loads others. Its own time, with the proof, is
  that of its phases from the tables to the last verdict.
- howdah has no copy of a single table: copy, proof and profile are of all tables. The floors of proof and profile read
  Message alone, which holds nearly everything, so that they do a little less. The floor of the profile is `count`,
  `min`, `max` and `sum(length)` of every column.
- The floor of the whole migration is the DDL of `howdah schema`, with the settings that the server has. It sets no
  sequences and gathers no statistics; howdah does both.
- Peers get what they need to load every row: pgloader a copy with times as text, casts for times and doubles, and
  names in small letters, without which its foreign keys fail; DuckDB a copy with times as text and JSON declared as
  text. Making these copies is not counted.
- The screens' terminal has 100 columns and 30 rows. First paint ends with the last byte before 50 ms of silence. During
  a copy the screen repaints by itself ten times a second, and such a byte may be taken for an answer. The copy with
  the screens open is held against the same step in lines, both as they say themselves, in hundredths of a second.
- Memory is the largest resident set of one process: for howdah's limit the largest of all runs, elsewhere the median.
"""

def write(bench, lines, points, skipped, drawing, file):
    parts = [
        "# Benchmarks",
        "",
        f"Made by `{bench.command}`, {bench.messages:,} messages, {bench.runs} runs.",
        "",
        *machine(bench),
        "",
        METHOD,
        *table(lines),
        "",
        *growth(points, skipped, drawing),
        *not_measured(bench),
    ]
    text = "\n".join(parts).rstrip() + "\n"
    file.write_text(text)
    return text


def machine(bench):
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return [
        "| | |",
        "|---|---|",
        f"| processor | {processor()}, {cores} cores |",
        f"| memory | {memory:.0f} GB |",
        f"| system | {platform.system()} {platform.release()} |",
        f"| PostgreSQL | {bench.versions['PostgreSQL']}, as `howdah rehearsal start` sets it up, on the same machine |",
        f"| SQLite | {first_word(['sqlite3', '--version'])} (its shell) |",
        f"| database | {bench.versions['database']} |",
    ]


def processor():
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def first_word(command):
    return subprocess.run(command, capture_output=True, text=True).stdout.split()[0]


def table(lines):
    yield "## Results"
    yield ""
    yield "| what | floor or peer | its time | howdah | ratio | spread | must be | |"
    yield "|---|---|---:|---:|---:|---:|---:|---|"
    for line in lines:
        cells = (line.what, line.against, line.theirs, line.howdah, line.ratio, line.spread, line.limit, line.verdict)
        yield "| " + " | ".join(cells) + " |"


def growth(points, skipped, drawing):
    if not points and not skipped:
        return
    yield "## Growth"
    yield ""
    yield "Sizes up to a million messages are measured in turn, larger ones once. Every run takes a new snapshot."
    yield ""
    yield from curve.table(points)
    yield ""
    for size, why in skipped:
        yield f"{size:,} messages were left out: {why}."
        yield ""
    if points:
        yield f"![Time and peak memory over the number of messages]({drawing})"
        yield ""


def not_measured(bench):
    yield "## Not measured"
    yield ""
    yield "- Other programs' screens; `benchmarks/screens -- COMMAND` measures any."
    if bench.is_quick:
        yield "- The screens during a copy and without a key: this was a quick run."
    if not bench.has_peers:
        yield "- pgloader and DuckDB: they were left out of this run."
