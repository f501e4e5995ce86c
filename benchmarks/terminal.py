"""A program on a terminal of its own: when it paints, how soon it answers, what it costs when nothing is asked."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

from measure import Failed

QUIET = 0.05  # seconds without a byte that end a picture
PATIENCE = 0.5  # seconds after which a key counts as unanswered
DEADLINE = 60


class Terminal:
    """Runs while its `with` block does."""

    def __init__(self, command, environment, columns=100, rows=30):
        self.seen = b""  # what was painted since it was last emptied
        self.start = time.perf_counter()
        self.process, self.end = pty.fork()
        if self.process == 0:
            try:
                # The size is set before the program asks for it.
                fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                described = {name: value for name, value in environment.items() if name != "NO_COLOR"}
                os.execvpe(command[0], command, described | {"TERM": "xterm-256color"})
            finally:
                os._exit(127)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.process, signal.SIGTERM)
        # Read on: a program that waits for its last words to be taken does not end.
        end = time.perf_counter() + DEADLINE
        while self.read(end - time.perf_counter()) and time.perf_counter() < end:
            pass
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.end)

    def read(self, seconds):
        """What comes within some seconds, perhaps nothing; None where the program has ended."""
        ready, _, _ = select.select([self.end], [], [], max(0, seconds))
        if not ready:
            return b""
        try:
            words = os.read(self.end, 1 << 16)
        except OSError:
            return None
        self.seen += words
        return words or None

    def expect(self, seconds):
        """What comes within some seconds, perhaps nothing, from a program that is not to end."""
        words = self.read(seconds)
        if words is None:
            raise Failed("the program on the terminal ended before it was asked to")
        return words

    def painted(self):
        """Waits for a picture to be complete; returns the seconds since the start."""
        if not self.expect(DEADLINE):
            raise Failed(f"nothing was painted in {DEADLINE} s")
        last = time.perf_counter()
        while self.expect(QUIET):
            last = time.perf_counter()
        return last - self.start

    def wait_for_quiet(self, seconds):
        """Waits until nothing was painted for some seconds."""
        end = time.perf_counter() + DEADLINE
        while self.expect(seconds):
            if time.perf_counter() > end:
                raise Failed(f"the screen did not come to rest in {DEADLINE} s")

    def wait_for(self, words):
        """Waits until some words were painted since `seen` was emptied.

        Only what changes is painted: they are words of which nothing stood in their place before.
        """
        end = time.perf_counter() + DEADLINE
        while words.encode() not in self.seen:
            self.expect(end - time.perf_counter())
            if time.perf_counter() > end:
                raise Failed(f"“{words}” was not painted in {DEADLINE} s")

    def press(self, key):
        """The seconds from a key to the first byte after it; None where none comes."""
        while self.expect(0):
            pass
        start = time.perf_counter()
        os.write(self.end, key.encode())
        return time.perf_counter() - start if self.expect(PATIENCE) else None

    def answers(self, keys, number=None, until=None):
        """The seconds of each answer to keys pressed in turn: to a number of them, or until some words are painted."""
        found = []
        while len(found) < number if until is None else until.encode() not in self.seen:
            found.append(self.press(keys[len(found) % len(keys)]))
            # The rest of this answer is none to the next key.
            while self.expect(0.01):
                pass
        return found

    def processor_time(self):
        """Seconds of the program with all its threads, by its own clock: the ticks of /proc are too coarse."""
        return time.clock_gettime((~self.process << 3) | 2)

    def idle(self, seconds):
        """The processor time in some seconds without a key."""
        self.wait_for_quiet(1)
        before, end = self.processor_time(), time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.expect(left)
        return self.processor_time() - before
