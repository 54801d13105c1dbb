"""The check of the store: what it finds, and what it leaves alone."""

from __future__ import annotations

import asyncio

import pytest
from damages import Store, receive, without_keys

from avatarforge.forge.errors import ConflictError
from avatarforge.forge.maintenance import run as run_module
from avatarforge.forge.maintenance.report import MOST, Findings, Problem
from avatarforge.forge.spec.request import AvatarRequest


async def test_a_store_that_is_well_is_clean(store: Store) -> None:
    report = await store.forge.verifier.run(repair=False)
    assert report.clean
    assert report.problems == ()
    assert (report.files, report.outputs) == (2, 1)
    assert report.bytes == store.free.size + store.used.size
    assert report.output_bytes == store.picture.stat().st_size


async def test_a_damaged_database_is_told(store: Store) -> None:
    # In one transaction: a reader that looks in between would remember the index, and find nothing wrong.
    without_keys(
        store,
        "CREATE INDEX lame ON files (filename)",
        "PRAGMA writable_schema=ON",
        "DELETE FROM sqlite_master WHERE name = 'lame'",
        "PRAGMA writable_schema=OFF",
    )
    report = await store.forge.verifier.run(repair=True)
    assert report.counts["database"] >= 1
    assert "The database is damaged: " in report.problems[0].detail


async def test_pictures_of_a_generation_that_runs_are_left_alone(store: Store) -> None:
    running = await store.forge.generations.submit(AvatarRequest("x"), "avatar", ("front", "back"))
    store.forge.host.start(running.id)
    store.forge.host.save(running.id)
    while len((await store.forge.generations.get(running.id)).outputs) < 2:
        pass  # every look gives the loop away; pytest's own timeout bounds this
    store.forge.outputs.file(running.id, 0).write_bytes(b"half of the next one")
    store.picture.with_name(".11111111-1111-4111-8111-111111111111.part").write_bytes(b"being written")
    assert (await store.forge.verifier.run(repair=True)).clean


@pytest.mark.parametrize(("page", "go"), [(1, 1), (3, 1), (3, 100_000)])
async def test_a_page_ends_anywhere_and_nothing_is_left_out(
    store: Store, monkeypatch: pytest.MonkeyPatch, page: int, go: int
) -> None:
    for module in ("check_files", "check_outputs", "check_leftovers"):
        monkeypatch.setattr(f"{run_module.__package__}.{module}.PAGE", page)
    monkeypatch.setattr(run_module, "BATCH_BYTES", go)
    for seed in range(10, 30):
        store.blob((await receive(store.forge, seed)).file).unlink()
    report = await store.forge.verifier.run(repair=True)
    assert (report.files, report.counts["missing"], report.outputs) == (22, 20, 1)
    assert (await store.forge.verifier.run(repair=False)).clean


async def test_one_check_at_a_time(store: Store) -> None:
    first = asyncio.ensure_future(store.forge.verifier.run(repair=False))
    await asyncio.sleep(0)
    with pytest.raises(ConflictError, match="running already"):
        await store.forge.verifier.run(repair=False)
    assert (await first).clean
    assert (await store.forge.verifier.run(repair=False)).clean


async def test_a_check_beside_uploads_and_deletes_finds_nothing_wrong(store: Store) -> None:
    forge, busy = store.forge, True

    async def keep_busy(worker: int) -> None:
        seed = worker * 1000
        while busy:
            seed += 1
            received = await receive(forge, seed % 7 if seed % 2 else seed)
            if seed % 3:
                await asyncio.gather(forge.files.delete(received.file.id, force=True), return_exceptions=True)
            if seed % 5 == 0:
                await forge.files.clean_up(0)

    workers = [asyncio.ensure_future(keep_busy(number)) for number in range(3)]
    reports = [await forge.verifier.run(repair=number % 2 == 1) for number in range(6)]
    busy = False
    await asyncio.gather(*workers)
    assert [report.problems for report in reports] == [()] * 6
    assert (await forge.verifier.run(repair=False)).clean


def test_a_report_stays_small_however_much_is_wrong() -> None:
    findings = Findings()
    for _ in range(MOST + 5):
        findings.add(Problem("missing", "gone"))
    report = findings.report(repair=False, seconds=0.0)
    assert (len(report.problems), report.problems_total, report.clean) == (MOST, MOST + 5, False)
