"""Files that the system will not let go of, as on Windows while somebody reads them.

The functions of `os` themselves refuse, so that every way of removing meets it. Read-only folders and flags
do not stop an administrator, whom tests often run as.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any
from unittest import mock


class SharingViolation(PermissionError):
    """As Windows raises it: errno EACCES, and the code of the system beside it."""

    def __init__(self, winerror: int) -> None:
        super().__init__(errno.EACCES, "The process cannot access the file")
        self.winerror = winerror


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


#: What can pass in a moment.
REFUSALS = {
    "EACCES": os_error(errno.EACCES),
    "EPERM": os_error(errno.EPERM),
    "EBUSY": os_error(errno.EBUSY),
    "access denied": SharingViolation(5),
    "sharing violation": SharingViolation(32),
    "lock violation": SharingViolation(33),
}
#: What a removal can meet.
FAILURES = {
    "EACCES": REFUSALS["EACCES"],
    "EPERM": REFUSALS["EPERM"],
    "EBUSY": REFUSALS["EBUSY"],
    "sharing violation": REFUSALS["sharing violation"],
    "ENOTEMPTY": os_error(errno.ENOTEMPTY),
    "EIO": os_error(errno.EIO),
    "EROFS": os_error(errno.EROFS),
}


@contextmanager
def held(is_held: Callable[[str], object], error: OSError) -> Iterator[list[str]]:
    """While it lasts, no file or folder whose name `is_held` names can be removed. Gives the names that
    somebody tried to remove."""
    tried: list[str] = []

    def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
        def remove(path: Any, *arguments: Any, **named: Any) -> Any:
            name = PurePath(path).name
            if is_held(name):
                tried.append(name)
                raise error
            return real(path, *arguments, **named)

        return remove

    with (
        mock.patch.object(os, "unlink", refusing(os.unlink)),
        mock.patch.object(os, "rmdir", refusing(os.rmdir)),
        mock.patch.object(os, "remove", refusing(os.remove)),
    ):
        yield tried
