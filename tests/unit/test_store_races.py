"""Any interleaving of what users do to files and generations keeps the promises of the store.

Hypothesis chooses batches of operations that run at once, and before each operation how often it gives
the loop away; between batches the promises are checked.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from pictures import picture
from services import product
from sqlalchemy import select

from avatarforge.db import files as queries
from avatarforge.db.tables import files, generation_inputs, generations
from avatarforge.forge.errors import ConflictError, NotFoundError, UnprocessableError
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.store.blobs import hash_file

pytestmark = pytest.mark.slow

CONTENTS = 3
PICTURES = [picture(number) for number in range(CONTENTS)]
EXPECTED = (NotFoundError, ConflictError, UnprocessableError)

contents = st.integers(0, CONTENTS - 1)
operations = st.one_of(
    st.tuples(st.just("upload"), contents),
    st.tuples(st.just("delete"), contents),
    st.tuples(st.just("force"), contents),
    st.tuples(st.just("generate"), contents),
    st.tuples(st.just("refused"), contents),
    st.tuples(st.just("legacy"), contents),
    st.tuples(st.just("drop"), st.integers(0, 5)),
    st.tuples(st.just("finish"), st.integers(0, 5)),
    st.tuples(st.just("cleanup"), st.just(0)),
    st.tuples(st.just("verify"), st.just(0)),
)
batches = st.lists(st.tuples(operations, st.integers(0, 6)), min_size=1, max_size=8)


def machine(empty: Path) -> type[RuleBasedStateMachine]:
    class Store(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.loop = asyncio.new_event_loop()
            self.folder = Path(tempfile.mkdtemp()) / "store"
            shutil.copytree(empty, self.folder)
            self.stack = AsyncExitStack()
            self.forge = self.loop.run_until_complete(self.stack.enter_async_context(product(self.folder)))
            self.ids: dict[int, str] = {}

        def teardown(self) -> None:
            self.loop.run_until_complete(self.stack.aclose())
            self.loop.close()
            shutil.rmtree(self.folder.parent)

        @rule(batch=batches)
        def at_once(self, batch: list[tuple[tuple[str, int], int]]) -> None:
            self.loop.run_until_complete(self.run_batch(batch))

        async def run_batch(self, batch: list[tuple[tuple[str, int], int]]) -> None:
            jobs = [self.later(turns, self.do(name, number)) for (name, number), turns in batch]
            await asyncio.gather(*jobs)
            await self.check()

        async def later(self, turns: int, job: Coroutine[Any, Any, None]) -> None:
            for _ in range(turns):
                await self.forge.workers.disk(int)  # a real wait, during which the others go on
            with contextlib.suppress(*EXPECTED):
                await job

        async def do(self, name: str, number: int) -> None:
            forge = self.forge
            if name == "upload":
                received = await forge.files.receive(whole(number), "a.png")
                self.ids[number] = received.file.id
            elif name in ("delete", "force"):
                await forge.files.delete(self.ids.get(number, "none"), force=name == "force")
            elif name == "generate":
                request = AvatarRequest("a knight", reference_file_id=self.ids.get(number, "none"))
                await forge.generations.submit(request, "avatar", ("front",))
            elif name in ("refused", "legacy"):
                await self.legacy(number, refused=name == "refused")
            elif name == "cleanup":
                await forge.files.clean_up(0)
            elif name == "verify":
                report = await forge.verifier.run(repair=bool(number))
                assert report.clean, report.problems
            else:
                await self.end(number, drop=name == "drop")

        async def legacy(self, number: int, *, refused: bool) -> None:
            """A picture in the body, of a request that may be refused after it was stored."""
            text = base64.b64encode(PICTURES[number]).decode()
            request = AvatarRequest("a knight", reference_image=text)
            if refused:
                request = replace(request, checkpoint="none.safetensors")
            await self.forge.generations.submit(request, "avatar", ("front",))

        async def end(self, number: int, *, drop: bool) -> None:
            page = await self.forge.generations.page(status=None, limit=100, offset=0, cursor=None)
            if not page.records:
                return
            chosen = page.records[number % len(page.records)]
            if drop:
                await self.forge.generations.delete(chosen.id, keep_outputs=False)
            elif chosen.prompt_id in self.forge.host.queued:
                self.forge.host.succeed(chosen.prompt_id)

        async def check(self) -> None:
            forge = self.forge
            rows = await forge.database.read(lambda connection: connection.execute(select(files)).all())
            used = await forge.database.read(
                lambda connection: connection.execute(
                    select(generation_inputs.c.file_id, generations.c.id).join(generations)
                ).all()
            )
            on_disk = {path.stem: path for path in forge.blobs.blobs.rglob("*") if path.is_file()}
            # One content, one id; referenced bytes exist; deleted bytes that nobody refers to are gone.
            assert len({row.content_hash for row in rows}) == len(rows)
            assert set(on_disk) == {row.content_hash for row in rows}
            for content_hash, path in on_disk.items():
                assert hash_file(path)[0] == content_hash
            referenced = {file_id for file_id, _ in used}
            assert referenced <= {row.id for row in rows}
            for row in rows:
                users = {generation_id for file_id, generation_id in used if file_id == row.id}
                counted = await forge.database.read(partial(queries.reference_count, file_id=row.id))
                assert counted == len(users)
                assert users or row.deleted_at is None
            # Nothing half done is left when all is quiet.
            assert list(forge.blobs.incoming.iterdir()) == []
            assert forge.blobs.journal.stale() == []

    return Store


async def whole(number: int) -> AsyncIterator[bytes]:
    data = PICTURES[number]
    for start in range(0, len(data), 4096):
        yield data[start : start + 4096]


def test_no_interleaving_breaks_a_promise_of_the_store(empty: Path, examples: Callable[[int], int]) -> None:
    run_state_machine_as_test(
        machine(empty),
        settings=settings(
            max_examples=examples(25),
            stateful_step_count=8,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            # Making a failure small would take minutes; what is printed repeats it.
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
