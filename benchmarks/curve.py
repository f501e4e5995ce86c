"""How time and memory grow with the number of messages."""

import contextlib
import functools
import shutil
from dataclasses import dataclass

from cluster import Cluster
from lines import whole_run
from measure import MEGABYTE, Failed, alternate, median
from program import MIGRATION, PROVEN, Project
from result import Line, seconds, span
from svg import Axis, Curve, Panel, drawing

# SQLite file, snapshot, PostgreSQL's tables, indexes and log, for each message.
BYTES_A_MESSAGE = 1600
# Sizes up to this one stay on the disk together and are measured in turn, the larger ones alone and once.
TOGETHER = 1_000_000


@dataclass
class Point:
    messages: int
    file: int  # bytes
    unproven: list  # seconds of each run
    proven: list
    whole: list  # with preparation
    memory: list  # bytes


def measure(bench, sizes):
    """The points, and pairs of each size that has none and the reason."""
    sizes = sorted(sizes)
    groups = [[size for size in sizes if size <= TOGETHER]] + [[size] for size in sizes if size > TOGETHER]
    points, skipped = [], []
    for group in groups:
        if not group:
            continue
        if room(bench) < sum(group) * BYTES_A_MESSAGE:
            need = sum(group) * BYTES_A_MESSAGE / (1 << 30)
            skipped += [(size, f"about {need:.0f} GB of disk are needed, and there is less") for size in group]
            continue
        try:
            points += measure_together(bench, group, bench.runs if group[-1] <= TOGETHER else 1)
        except Failed as failure:
            bench.say(failure)
            skipped += [(size, "the run failed") for size in group]
    return points, skipped


def room(bench):
    """Bytes that are free for files and for PostgreSQL's data, whose folders may be gone by now."""
    folders = [bench.folder, next(folder for folder in bench.data.parents if folder.exists())]
    return min(shutil.disk_usage(folder).free for folder in folders)


def measure_together(bench, sizes, runs):
    with contextlib.ExitStack() as stack:
        sides, projects, clusters = {}, {}, []
        for size in sizes:
            bench.say(f"making {size:,} messages")
            project = Project(bench.project.binary, bench.folder / str(size), size, bench.environment)
            stack.callback(shutil.rmtree, project.folder, ignore_errors=True)
            project.make()
            cluster = stack.enter_context(Cluster(project))
            name = f"{size:,} messages"
            clusters.append(cluster)
            projects[name] = project
            sides[name] = functools.partial(whole_run, project, cluster)

        def settle():
            for cluster in clusters:
                cluster.settle()

        results = alternate(runs, sides, settle, bench.say)
        return [point(project, results[name]) for name, project in projects.items()]


def point(project, reports):
    return Point(
        project.messages,
        project.database.stat().st_size,
        [report.seconds(*MIGRATION) for report in reports],
        [report.seconds(*PROVEN) for report in reports],
        [report.wall for report in reports],
        [report.memory for report in reports],
    )


def ten_times(points):
    """Lines about the largest two sizes measured in turn of which one is ten times the other."""
    by_size = {point.messages: point for point in points if point.messages <= TOGETHER}
    pairs = [(by_size[size // 10], by_size[size]) for size in by_size if size % 10 == 0 and size // 10 in by_size]
    if not pairs:
        return []
    small, large = max(pairs, key=lambda pair: pair[1].messages)
    what = f"{large.messages:,} messages: "
    against = f"{small.messages:,} messages"
    time = median(large.proven) / median(small.proven)
    memory = median(large.memory) / median(small.memory)
    return [
        Line(
            what + "time of migration and proof", against, seconds(median(small.proven)),
            seconds(median(large.proven)), f"{time:.2f} ×", spread(small.proven, large.proven), "≤ 10.50 ×",
            time <= 10.5,
        ),
        Line(
            what + "peak memory", against, f"{median(small.memory) / MEGABYTE:.1f} MB",
            f"{median(large.memory) / MEGABYTE:.1f} MB", f"{memory:.3f} ×", spread(small.memory, large.memory),
            "≤ 1.050 ×", memory <= 1.05,
        ),
    ]


def spread(small, large):
    return span([big / little for little, big in zip(small, large)], "{:.2f}")


def table(points):
    yield "| messages | SQLite | without proof | with proof | with preparation too | peak memory | runs |"
    yield "|---:|---:|---:|---:|---:|---:|---:|"
    for point in points:
        times = " | ".join(seconds(median(values)) for values in (point.unproven, point.proven, point.whole))
        yield (
            f"| {point.messages:,} | {point.file / MEGABYTE:,.0f} MB | {times} | "
            f"{max(point.memory) / MEGABYTE:.0f} MB | {len(point.memory)} |"
        )


def draw(points):
    sizes = [point.messages for point in points]
    x = Axis("messages", min(sizes), max(max(sizes), min(sizes) * 10), marks(sizes, "{:,}"), is_logarithmic=True)

    def curve(name, colour, value):
        return Curve(name, colour, [(point.messages, value(point)) for point in points])

    times = [
        curve("without the proof", "#1b6ca8", lambda point: median(point.unproven)),
        curve("with the proof", "#2e7d32", lambda point: median(point.proven)),
        curve("and preparation", "#8a5a00", lambda point: median(point.whole)),
    ]
    heights = [height for curve in times for _, height in curve.points]
    low, high = decade_below(min(heights)), decade_above(max(heights))
    y = Axis("seconds", low, high, marks([low, high], "{:g}"), is_logarithmic=True)
    memory = curve("howdah", "#1b6ca8", lambda point: max(point.memory) / MEGABYTE)
    top = 20 * (int(max(64, *(height for _, height in memory.points)) // 20) + 1)
    y_memory = Axis("MB", 0, top, [(value, str(value)) for value in range(0, top + 1, 20)])
    return drawing(
        [
            Panel("Time of a migration", x, y, times),
            Panel("Peak memory of the whole run", x, y_memory, [memory], limit=(64, "must stay below")),
        ]
    )


def decade_below(value):
    decade = 1.0
    while decade > value:
        decade /= 10
    while decade * 10 <= value:
        decade *= 10
    return decade


def decade_above(value):
    below = decade_below(value)
    return below if below == value else below * 10


def marks(values, form):
    """Every power of ten from the smallest to the largest value."""
    found, decade = [], decade_below(min(values))
    while decade <= max(values) * 1.001:
        if decade >= min(values) * 0.999:
            found.append((decade, form.format(round(decade) if decade >= 1 else decade)))
        decade *= 10
    return found
