"""The check of the whole store: every file is hashed, rows and bytes are compared both ways.

It runs beside everything else: page by page, on one thread of its own. What looks wrong is looked at
again while nobody else can touch that content, before it is called a problem.
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
    """Checks, and repairs where it is asked to. One run at a time."""

    def __init__(self, parts: CheckedParts) -> None:
        self._parts = parts
        self._running = False

    async def retry_removals(self) -> int:
        """Try again to remove what the system refused to; give back how much has gone. Raises OSError,
        SQLAlchemyError."""
        return await retry_removals(self._parts)

    async def run(self, *, repair: bool) -> Report:
        """Raises ConflictError while another run goes on, UnavailableError or StorageFullError when the disk
        fails, SQLAlchemyError when the database does."""
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
    # Before the files: what these notes name has to go, and is not to be taken back as an orphan.
    await check_journal(run)
    await check_rows(run)
    await check_files(run)
    if run.parts.outputs is not None:
        await check_outputs(run, run.parts.outputs)
