"""Files that cannot be removed, as on Windows while another process reads them.

The functions of `os` are patched, so that every way of removing a file is affected. Read-only folders and
flags do not stop an administrator, and tests often run as one.
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
    """An error as Windows raises it: errno EACCES and a Windows error code."""

    def __init__(self, winerror: int) -> None:
        super().__init__(errno.EACCES, "The process cannot access the file")
        self.winerror = winerror


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


#: Errors that can be temporary.
REFUSALS = {
    "EACCES": os_error(errno.EACCES),
    "EPERM": os_error(errno.EPERM),
    "EBUSY": os_error(errno.EBUSY),
    "access denied": SharingViolation(5),
    "sharing violation": SharingViolation(32),
    "lock violation": SharingViolation(33),
}
#: Errors that removing a file can raise.
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
    """Make removing a file or folder fail with `error` if `is_held` returns true for its name.

    Yields the list of names for which a removal was attempted.
    """
    tried: list[str] = []

    def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
        def remove(path: Any, *args: Any, **kwargs: Any) -> Any:
            name = PurePath(path).name
            if is_held(name):
                tried.append(name)
                raise error
            return real(path, *args, **kwargs)

        return remove

    with (
        mock.patch.object(os, "unlink", refusing(os.unlink)),
        mock.patch.object(os, "rmdir", refusing(os.rmdir)),
        mock.patch.object(os, "remove", refusing(os.remove)),
    ):
        yield tried
