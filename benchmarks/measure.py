"""Seconds, peak memory, medians: how anything here is measured."""

import contextlib
import math
import os
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

MEGABYTE = 1 << 20


class Failed(Exception):
    """A command that had to succeed did not, or did not do what it was measured for."""


@dataclass(frozen=True)
class Finished:
    seconds: float
    memory: int  # bytes: the largest resident set of the process, or of a child that it waited for
    output: str


def run(command, *, environment=None, cwd=None, deadline=3600, ends=(0,)):
    """Runs a command to its end; fails with its words where its exit code is none of `ends`, or it takes longer than `deadline` seconds."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment, cwd=cwd
        )
        try:
            # wait4 tells the memory of this one child; RUSAGE_CHILDREN is the largest of all that ever ran. A child
            # starts as a copy of this process, so that nothing below this process's own few megabytes can be seen.
            with time_limit(deadline, command):
                _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            end(process)
            raise
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        output.seek(0)
        if process.returncode not in ends:
            words = (errors.read() + output.read()).decode(errors="replace").strip()[-2000:]
            raise Failed(f"{' '.join(command)}: exit {process.returncode}\n{words}")
        return Finished(seconds, usage.ru_maxrss << 10, output.read().decode(errors="replace"))


def end(process):
    """Asks a process to end, so that it can clean up, and makes it end where it does not."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def time_limit(seconds, command):
    def late(*_):
        raise Failed(f"{' '.join(command)}: not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def alternate(runs, sides, settle=lambda: None, say=lambda words: None):
    """Runs every side `runs` times, one after the other; returns each side's results by its name.

    Every second round goes backwards, so that no side is always the one that follows a certain other. `settle` is
    called before each, to write out what the side before it left in memory.
    """
    results = {name: [] for name in sides}
    for number in range(runs):
        names = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in names:
            say(f"run {number + 1} of {runs}: {name}")
            settle()
            results[name].append(sides[name]())
    return results


def median(values):
    return statistics.median(values)


def quantile(values, share):
    """The smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]
