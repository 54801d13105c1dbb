"""ComfyUI's worker thread, which runs one prompt after another.

Whatever it does not catch ends it, a node's `sys.exit()` for one, and ComfyUI neither says so nor starts
another: the prompt stays "running" for ever, and what waits behind it waits for ever.
"""

from __future__ import annotations

import threading

# main.py: `threading.Thread(target=prompt_worker, ...)`. Python puts the target's name into the
# thread's, as "Thread-7 (prompt_worker)".
_TARGET = "prompt_worker"


class PromptWorker:
    """Looks whether the thread that was seen at work is still there."""

    def __init__(self) -> None:
        self._seen: threading.Thread | None = None

    def ended(self) -> bool:
        """True once the thread is gone. One that was never seen counts as alive: a ComfyUI that names it
        otherwise must not be taken for a broken one."""
        if self._seen is None or not self._seen.is_alive():
            there = (thread for thread in threading.enumerate() if _TARGET in thread.name)
            self._seen = next(there, self._seen)
        return self._seen is not None and not self._seen.is_alive()
