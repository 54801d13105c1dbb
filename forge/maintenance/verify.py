"""Checks the whole store: hashes every file, and compares rows with bytes and bytes with rows.

It runs while the store is in use, page by page, in a thread of its own. Whatever looks wrong is checked again
under the lock of its content before it is reported.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from ..errors import ConflictError
from ..store.blobs import storage_error
from .check_files import check_files
from .check_leftovers import check_database, check_journal, check_rows, check_temp_files
from .check_outputs import check_outputs
from .recovery import retry_removals
from .report import Findings, Report
from .run import CheckedParts, CheckRun


class Verifier:
    """Checks the store and repairs it on request. One run at a time."""

    def __init__(self, parts: CheckedParts) -> None:
        self._parts = parts
        self._running = False

    async def retry_removals(self) -> int:
        """Retry removals that the system refused; returns how many succeeded. Raises OSError,
        SQLAlchemyError."""
        return await retry_removals(self._parts)

    async def run(self, *, repair: bool) -> Report:
        """Check the store. Raises ConflictError while another run is in progress, UnavailableError or
        StorageFullError if the disk fails, and SQLAlchemyError if the database fails."""
        if self._running:
            raise ConflictError(
                "A check of the store is running already. Wait until it has ended.",
                code="verification_running",
            )
        self._running = True
        started = time.monotonic()
        findings = Findings()
        thread = ThreadPoolExecutor(1, "avatarforge-verify")
        try:
            await _check(CheckRun(self._parts, findings, repair, thread))
        except OSError as error:
            raise storage_error(error) from error
        finally:
            thread.shutdown(wait=False)
            self._running = False
        return findings.report(repair=repair, seconds=time.monotonic() - started)


async def _check(run: CheckRun) -> None:
    await check_database(run)
    await check_temp_files(run)
    # Before the files: what these entries name must be removed, not restored as an orphan.
    await check_journal(run)
    await check_rows(run)
    await check_files(run)
    if run.parts.outputs is not None:
        await check_outputs(run, run.parts.outputs)
