"""Records the system calls of a running ComfyUI with strace."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TRACED = "fsync,fdatasync,rename,renameat,renameat2,write,writev,pwrite64,sendto,sendmsg"
#: "1234 fsync(34</a/b>) = 0", or the second half of a call that another call interrupted.
_LINE = re.compile(r"^(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\()(?P<rest>.*)$")
SECONDS = 30.0


@dataclass
class Trace:
    """The completed calls, in the order in which they returned: (name, arguments and result)."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    def first(self, call: str, pattern: str, after: int = -1) -> int:
        """Index of the first call after index `after` that matches. Raises AssertionError if none does.

        `call` and `pattern` are regular expressions, such as "fsync|fdatasync" for `call`.
        """
        for index, (name, text) in enumerate(self.calls):
            if index > after and re.fullmatch(call, name) and re.search(pattern, text):
                return index
        shown = "\n".join(f"{name}({text[:160]}" for name, text in self.calls)
        raise AssertionError(f"no {call} of {pattern} after call {after} in:\n{shown}")


class NotPermitted(Exception):
    """This machine does not permit tracing other processes."""


@contextmanager
def system_calls(strace: Path, pid: int, log: Path) -> Iterator[Trace]:
    """Trace the process and all of its threads. The trace is complete after the block."""
    command = [str(strace), "-f", "-y", "-s", "64", "-e", f"trace={TRACED}", "-o", str(log), "-p", str(pid)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    # strace prints "Process N attached" once it traces the process.
    message = process.stderr.readline()
    if "attached" not in message:
        process.wait(SECONDS)
        raise NotPermitted(message.strip())
    trace = Trace()
    try:
        yield trace
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
        trace.calls = _completed_calls(log.read_text(errors="replace"))


def _completed_calls(text: str) -> list[tuple[str, str]]:
    unfinished: dict[tuple[str, str], str] = {}
    calls = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        name = match["call"] or match["resumed"]
        if match["call"] and line.endswith("<unfinished ...>"):
            unfinished[match["pid"], name] = match["rest"]
            continue
        calls.append((name, unfinished.pop((match["pid"], name), "") + match["rest"]))
    return calls
