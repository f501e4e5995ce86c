"""The lines of the table about howdah's screens, at rest and while rows are copied."""

from cluster import Cluster
from measure import Failed, alternate, quantile
from program import PREPARED, Project
from result import at_most, within
from terminal import Terminal

UP_AND_DOWN = "jk"
COPY = "3.2"
DONE = "✔"


def at_rest(bench):
    """The first opening of a project: its welcome is closed, then the selection goes up and down."""
    project = Project(bench.project.binary, bench.project.folder, bench.messages, bench.environment, "at-rest")
    bench.say("screens at rest")
    paints = []
    for _ in range(max(5, bench.runs)):
        with opened(project) as terminal:
            paints.append(terminal.painted())
    with opened(project) as terminal:
        terminal.wait_for("Welcome")
        terminal.wait_for_quiet(0.5)
        terminal.press("\r")
        terminal.wait_for_quiet(0.5)
        answers = terminal.answers(UP_AND_DOWN, number=bench.keys)
        idle = terminal.idle(bench.idle) if bench.idle else None
    lines = [
        at_most("screens: first paint", milliseconds(paints), 60, "{:.0f} ms"),
        *latency("screens at rest", answers, (0.5, 2), (0.999, 16)),
    ]
    if idle is not None:
        what = f"screens at rest: processor time in {bench.idle} s without a key"
        lines.append(at_most(what, milliseconds([idle]), 10, "{:.1f} ms"))
    return lines


def at_work(bench):
    """The copy as a step in lines, on the screens, and on the screens while keys are pressed."""
    if bench.is_quick:
        return []
    project = Project(bench.project.binary, bench.project.folder, bench.messages, bench.environment, "at-work")
    answers = []

    def in_lines():
        return taken_out(project, project.timed_step(COPY))

    def on_screens(answer=None):
        with opened(project) as terminal:
            terminal.painted()
            terminal.press("\r")
            terminal.wait_for("copy?")
            terminal.wait_for_quiet(0.1)
            terminal.seen = b""
            terminal.press("\r")
            if answer:
                answer(terminal)
            terminal.wait_for(DONE)
        return taken_out(project, project.seconds_of(COPY))

    def with_keys():
        return on_screens(lambda terminal: answers.extend(terminal.answers(UP_AND_DOWN, until=DONE)))

    with Cluster(project) as cluster:
        for step in PREPARED:
            project.step(step, "run")
        sides = {"copy in lines": in_lines, "copy on screens": on_screens, "copy and keys": with_keys}
        results = alternate(bench.runs, sides, cluster.settle, bench.say)
    return [
        within(
            "copy with the screens open", "howdah step, in lines", results["copy in lines"],
            results["copy on screens"], 1.02,
        ),
        *latency("screens during a copy", answers, (0.999, 50)),
    ]


def opened(project):
    command = [project.binary, "open", project.application, "--state", project.state]
    return Terminal([str(word) for word in command], project.environment)


def taken_out(project, seconds):
    """The seconds, once the rows are out of the tables again."""
    project.step(COPY, "undo", "--yes")
    return seconds


def latency(where, answers, *limits):
    """A line for each (share of the keys, milliseconds that they may take)."""
    answered = milliseconds(seconds for seconds in answers if seconds is not None)
    if not answered:
        raise Failed("no key was answered")
    unanswered = len(answers) - len(answered)
    keys = f"{len(answered):,} keys" + (f", {unanswered} more unanswered" if unanswered else "")
    for share, limit in limits:
        name = "median" if share == 0.5 else f"{share * 100:g} % of them"
        what = f"{where}: key to first byte of the answer, {keys}, {name}"
        yield at_most(what, answered, limit, "{:.1f} ms", lambda values: quantile(values, share))


def milliseconds(values):
    return [seconds * 1000 for seconds in values]
