"""What a process asks of the kernel, in its order: strace on a running ComfyUI."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TRACED = "fsync,fdatasync,rename,renameat,renameat2,write,writev,pwrite64,sendto,sendmsg"
#: "1234 12:00:00.000000 fsync(34</a/b>) = 0", or the second half of a call that another one came between.
_LINE = re.compile(r"^(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\()(?P<rest>.*)$")
SECONDS = 30.0


@dataclass
class Trace:
    """The finished calls, in the order in which they returned: (call, its arguments and result)."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    def first(self, call: str, pattern: str, after: int = -1) -> int:
        """Place of the first of these calls (names joined by |) behind `after`. AssertionError: none."""
        for place, (name, text) in enumerate(self.calls):
            if place > after and re.fullmatch(call, name) and re.search(pattern, text):
                return place
        shown = "\n".join(f"{name}({text[:160]}" for name, text in self.calls)
        raise AssertionError(f"no {call} of {pattern} behind call {after} in:\n{shown}")


class NotPermitted(Exception):
    """This machine lets no process look at another."""


@contextmanager
def system_calls(strace: Path, pid: int, log: Path) -> Iterator[Trace]:
    """Follow the process and all of its threads; the trace is there after the block."""
    command = [str(strace), "-f", "-y", "-s", "64", "-e", f"trace={TRACED}", "-o", str(log), "-p", str(pid)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    # strace says "Process N attached" once it sees every call of the process.
    said = process.stderr.readline()
    if "attached" not in said:
        process.wait(SECONDS)
        raise NotPermitted(said.strip())
    trace = Trace()
    try:
        yield trace
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
        trace.calls = _finished(log.read_text(errors="replace"))


def _finished(text: str) -> list[tuple[str, str]]:
    begun: dict[tuple[str, str], str] = {}
    calls = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        name = match["call"] or match["resumed"]
        if match["call"] and line.endswith("<unfinished ...>"):
            begun[match["pid"], name] = match["rest"]
            continue
        calls.append((name, begun.pop((match["pid"], name), "") + match["rest"]))
    return calls
