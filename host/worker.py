"""Detects when ComfyUI's worker thread, which runs one prompt after another, has died.

An exception that it does not catch, such as a node's `sys.exit()`, ends the thread. ComfyUI neither reports
this nor starts another thread: the prompt stays "running" forever, and the prompts behind it never start.
"""

from __future__ import annotations

import threading

# main.py: `threading.Thread(target=prompt_worker, ...)`. Python adds the target's name to the thread's, as in
# "Thread-7 (prompt_worker)".
_TARGET = "prompt_worker"


class PromptWorker:
    """Finds the worker thread by its name and watches it."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def ended(self) -> bool:
        """Whether the thread was found before and has ended. A thread that was never found counts as alive,
        in case a version of ComfyUI names it differently."""
        if self._thread is None or not self._thread.is_alive():
            workers = (thread for thread in threading.enumerate() if _TARGET in thread.name)
            self._thread = next(workers, self._thread)
        return self._thread is not None and not self._thread.is_alive()
