"""One way to apply an input, and sentences about what it lacks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..ports import InstalledModels

_NAMED_AT_MOST = 5  # files in a sentence


@dataclass(frozen=True)
class Method:
    """One way to apply an input. `model` is the file that it uses, None if it needs none or brings its own.
    `missing` is None if it works, else the missing files and folders, phrased to follow "needs".
    `family_is_guess`: only the model's name says that it fits."""

    name: str
    works: bool
    model: str | None
    missing: str | None
    family_is_guess: bool = False


def best(methods: Sequence[Method]) -> Method | None:
    """The first method that works; methods are listed best first."""
    return next((method for method in methods if method.works), None)


def lacking(name: str, missing: str) -> Method:
    """A method that does not work."""
    return Method(name, False, None, missing)


def list_some(start: str, items: list[str]) -> str:
    """The first few items in a sentence that begins with `start`; "" if there are none."""
    if not items:
        return ""
    more = f"; and {len(items) - _NAMED_AT_MOST} more" if len(items) > _NAMED_AT_MOST else ""
    return start + "; ".join(items[:_NAMED_AT_MOST]) + more


def describe_skipped(installed: InstalledModels, folder: str, pattern: re.Pattern[str]) -> str:
    """A file of that name that was skipped, and why."""
    for file in installed.skipped:
        if file.folder == folder and file.name is not None and pattern.search(file.name):
            return f" ({file.name!r} {file.reason})"
    return ""
