"""What users do to one character, in any order, keeps its references right: of files by its versions, and of
its versions by generations.

Hypothesis chooses the steps; after each one the rows are compared with a model of what must be there.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pictures import picture
from services import Product, product
from sqlalchemy import select

from avatarforge.db import files as queries
from avatarforge.db import row_counts
from avatarforge.db.tables import character_files, character_versions, characters, files
from avatarforge.forge.errors import ConflictError, NotFoundError
from avatarforge.forge.export.character_import import ImportOptions
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.routes.character_requests import read_content

pytestmark = pytest.mark.slow

PICTURES = [picture(number) for number in range(3)]
HASHES = [hashlib.sha256(data).hexdigest() for data in PICTURES]
KEPT = 2
Result = Any


@dataclass
class Known:
    """A character as it must be: the file numbers of each version, and the versions that are kept."""

    versions: dict[int, frozenset[int]] = field(default_factory=dict)
    newest: int = 0
    deleted: bool = False


@dataclass(frozen=True)
class Exported:
    """The file of a character, and what it must contain."""

    character_id: str
    data: bytes
    versions: dict[int, frozenset[int]]
    newest: int


def machine(empty: Path, *, with_files: bool) -> type[RuleBasedStateMachine]:
    """`with_files`: with the steps that change files and pictures, next to which imports are rare."""

    class OneCharacter(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.loop = asyncio.new_event_loop()
            self.folder = Path(tempfile.mkdtemp()) / "store"
            shutil.copytree(empty, self.folder)
            self.stack = AsyncExitStack()
            opened = product(self.folder, settings=Settings(max_character_versions=KEPT))
            self.forge = self.run(self.stack.enter_async_context(opened))
            self.known: dict[str, Known] = {}
            self.current: str | None = None
            self.shown: dict[str, tuple[str, int]] = {}
            self.stored: dict[int, str] = {}
            self.exported: list[Exported] = []

        def run(self, job: Coroutine[Any, Any, Result]) -> Result:
            return self.loop.run_until_complete(job)

        def teardown(self) -> None:
            self.run(self.stack.aclose())
            self.loop.close()
            shutil.rmtree(self.folder.parent)

        def references(self, numbers: frozenset[int]) -> list[dict[str, Any]]:
            """Uploads these pictures, as users do before they name them."""
            for number in numbers:
                received = self.run(self.forge.files.receive(whole(number), "a.png"))
                self.stored[number] = received.file.id
            return [{"file_id": self.stored[number]} for number in sorted(numbers)]

        @precondition(lambda self: self.current is None)
        @rule(numbers=st.frozensets(st.integers(0, 2)))
        def create(self, numbers: frozenset[int]) -> None:
            values = {"name": "Mira", "description": "red hair", "references": self.references(numbers)}
            saved = self.run(self.forge.characters.create(values))
            self.current = saved.record.id
            self.known[self.current] = Known({1: numbers}, 1)
            self.take_out()

        @precondition(lambda self: self.current is not None)
        @rule(numbers=st.frozensets(st.integers(0, 2)))
        def edit(self, numbers: frozenset[int]) -> None:
            assert self.current is not None
            values = {"references": self.references(numbers)}
            saved = self.run(self.forge.characters.change(self.current, values))
            known = self.known[self.current]
            known.newest += 1
            assert saved.record.version == known.newest
            known.versions[known.newest] = numbers
            self.release(self.current, up_to=known.newest - KEPT)

        @precondition(lambda self: self.current is not None)
        @rule()
        def delete(self) -> None:
            assert self.current is not None
            self.run(self.forge.characters.delete(self.current))
            self.known[self.current].deleted = True
            self.release(self.current)
            self.current = None

        @precondition(lambda self: self.current is not None)
        @rule(back=st.integers(0, 2))
        def generate(self, back: int) -> None:
            assert self.current is not None
            known = self.known[self.current]
            number = max(1, known.newest - back)
            request = AvatarRequest(character_id=self.current, character_version=number)
            try:
                made = self.run(self.forge.generations.submit(request, "avatar", ("front",)))
            except NotFoundError as error:
                # A version that is not kept, or a file of it that was deleted.
                gone = known.versions.get(number)
                assert error.code == ("character_version_not_found" if gone is None else "file_not_found")
                return
            assert number in known.versions
            self.shown[made.id] = (self.current, number)

        @precondition(lambda self: self.shown)
        @rule(choice=st.integers(0, 5))
        def drop_a_generation(self, choice: int) -> None:
            generation_id = sorted(self.shown)[choice % len(self.shown)]
            self.run(self.forge.generations.delete(generation_id, keep_outputs=False))
            character_id, _ = self.shown.pop(generation_id)
            if self.known[character_id].deleted:
                self.release(character_id)

        @precondition(lambda self: with_files and self.shown)
        @rule(choice=st.integers(0, 5))
        def finish_and_reroll(self, choice: int) -> None:
            generation_id = sorted(self.shown)[choice % len(self.shown)]
            record = self.run(self.forge.generations.get(generation_id))
            if record.prompt_id in self.forge.host.queued:
                self.forge.host.succeed(record.prompt_id)
                self.run(self.forge.until(generation_id, "completed"))
            self.run(self.forge.generations.reroll(generation_id, "front", 5))

        @precondition(lambda self: self.current is not None)
        @rule()
        def export(self) -> None:
            self.take_out()

        def take_out(self) -> None:
            """Each character has a file from the start, so that the steps that import one are not rare."""
            assert self.current is not None
            known = self.known[self.current]
            data = self.run(exported(self.forge, self.current))
            self.exported.append(Exported(self.current, data, dict(known.versions), known.newest))

        @precondition(lambda self: self.exported and self.current is None)
        @rule(choice=st.integers(0, 5), replace=st.booleans())
        def bring_back_what_is_gone(self, choice: int, replace: bool) -> None:
            self.bring_back(choice, replace)

        @precondition(lambda self: self.exported and self.current is not None)
        @rule(choice=st.integers(0, 5), replace=st.booleans())
        def bring_beside(self, choice: int, replace: bool) -> None:
            self.bring_back(choice, replace)

        def bring_back(self, choice: int, replace: bool) -> None:
            # Most files say what is here already: the others first.
            files = sorted(
                self.exported, key=lambda file: self.after_import(file, replace=replace) == "unchanged"
            )
            file = files[choice % len(files)]
            expected = self.after_import(file, replace=replace)
            chunks, options = pieces(file.data), ImportOptions(replace=replace)
            try:
                imported = self.run(self.forge.character_importer.receive(chunks, options, read_content))
            except ConflictError as error:
                assert error.code == expected
                return
            assert imported.restored.outcome == expected
            self.find_files()
            if expected == "unchanged":
                return
            known = self.known.setdefault(file.character_id, Known())
            self.current, known.deleted = file.character_id, False
            if expected == "replaced":
                known.newest += 1
                known.versions[known.newest] = file.versions[file.newest]
            else:
                read = {n: item for n, item in file.versions.items() if n > file.newest - KEPT}
                known.newest, known.versions = file.newest, {**read, **known.versions}
            self.release(self.current, up_to=known.newest - KEPT)

        def after_import(self, file: Exported, *, replace: bool) -> str:
            """The outcome that it must have, or the code of the refusal."""
            known = self.known.get(file.character_id)
            taken = self.current not in (None, file.character_id)
            if known is None:
                return "character_exists" if taken else "created"
            agrees = all(
                known.versions.get(number, numbers) == numbers
                for number, numbers in file.versions.items()
                if number > file.newest - KEPT
            )
            if not known.deleted and agrees and file.newest in known.versions:
                return "unchanged"
            if known.deleted and agrees and max(known.versions) <= file.newest:
                return "character_exists" if taken else "restored"
            if not replace:
                return "character_differs"
            if not known.deleted and known.versions[known.newest] == file.versions[file.newest]:
                return "unchanged"
            return "character_exists" if taken else "replaced"

        def find_files(self) -> None:
            """The ids of the pictures that are stored now."""
            for row in self.forge.database.read_here(lambda c: c.execute(select(files)).all()):
                self.stored[HASHES.index(row.content_hash)] = row.id

        @precondition(lambda self: with_files)
        @rule(number=st.integers(0, 2))
        def delete_a_file(self, number: int) -> None:
            try:
                self.run(self.forge.files.delete(self.stored.get(number, "none"), force=False))
            except NotFoundError:
                return

        @rule()
        def clean_up(self) -> None:
            self.run(self.forge.files.clean_up(0))

        def release(self, character_id: str, up_to: int | None = None) -> None:
            """Forget the versions that no generation shows: of a deleted character all, else the old ones."""
            known, in_use = self.known[character_id], set(self.shown.values())
            for number in list(known.versions):
                old = up_to is None or number <= up_to
                if old and (character_id, number) not in in_use:
                    del known.versions[number]
            if known.deleted and not known.versions:
                del self.known[character_id]

        @invariant()
        def the_rows_are_those_of_the_model(self) -> None:
            def rows(*columns: Any) -> set[tuple[Any, ...]]:
                read = self.forge.database.read_here(
                    lambda connection: connection.execute(select(*columns)).all()
                )
                return {tuple(row) for row in read}

            assert {row[0] for row in rows(characters.c.id)} == self.known.keys()
            assert rows(character_versions.c.character_id, character_versions.c.number) == {
                (character_id, number)
                for character_id, known in self.known.items()
                for number in known.versions
            }
            named = {
                (character_id, number, file_number)
                for character_id, known in self.known.items()
                for number, numbers in known.versions.items()
                for file_number in numbers
            }
            numbers_of = {file_id: number for number, file_id in self.stored.items()}
            columns = (character_files.c.character_id, character_files.c.number, character_files.c.file_id)
            stored = {(*row[:2], numbers_of.get(row[2])) for row in rows(*columns)}
            assert stored == named
            live = int(self.current is not None)
            assert self.forge.database.read_here(row_counts.listed_characters) == live

        @invariant()
        def every_file_is_counted_and_none_is_left_over(self) -> None:
            for row in self.forge.database.read_here(
                lambda connection: connection.execute(select(files)).all()
            ):
                users = self.forge.database.read_here(partial(queries.reference_count, file_id=row.id))
                number = next(number for number, file_id in self.stored.items() if file_id == row.id)
                naming = {
                    character_id
                    for character_id, known in self.known.items()
                    if any(number in numbers for numbers in known.versions.values())
                }
                assert users >= len(naming)
                assert users or row.deleted_at is None

        @precondition(lambda self: with_files)
        @rule()
        def verify(self) -> None:
            report = self.run(self.forge.verifier.run(repair=False))
            assert report.clean, report.problems

    return OneCharacter


async def whole(number: int) -> AsyncIterator[bytes]:
    yield PICTURES[number]


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def exported(forge: Product, character_id: str) -> bytes:
    prepared = await forge.character_exporter.prepare(character_id, "all", None)
    async with forge.character_exporter.make(prepared) as path:
        return path.read_bytes()


@pytest.mark.parametrize("with_files", [True, False])
def test_any_order_of_changes_keeps_the_references_of_a_character(
    empty: Path, examples: Callable[[int], int], with_files: bool
) -> None:
    run_state_machine_as_test(
        machine(empty, with_files=with_files),
        settings=settings(
            max_examples=examples(20),
            stateful_step_count=18,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            # As in test_store_races.py.
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
