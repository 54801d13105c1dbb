"""Databases of earlier versions are brought up to date with what they hold."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from avatarforge.db import (
    batches,
    characters,
    files,
    gallery,
    generations,
    pose_library,
    row_counts,
    scores,
    takes,
    templates,
    terms,
)
from avatarforge.db.engine import MIGRATIONS, newest_revision, open_database
from avatarforge.db.records import CharacterRecord, CharacterVersionRecord, LibraryPoseRecord
from avatarforge.forge.generations.take_transactions import add_take, choose_take
from avatarforge.forge.spec.scores import PictureScores

SPEC = (Path(__file__).resolve().parents[1] / "data" / "specs" / "0.1.0.json").read_text(encoding="utf-8")


def test_the_files_of_revision_0001_are_kept(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{(tmp_path / 'avatarforge.db').as_posix()}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO files VALUES ('id', 'hash', 'a.png', 1, 'image/png', 'png', 64, 65, 2, 3, NULL)"
            )
        )
    engine.dispose()
    database = open_database("", tmp_path)
    record = database.read_here(lambda connection: files.get_any(connection, "id"))
    database.close()
    assert record is not None
    assert (record.filename, record.height, record.pose_kind, record.derived) == ("a.png", 65, None, False)


EARLIER = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))[:-1]


@pytest.mark.parametrize("revision", EARLIER)
def test_a_generation_and_its_file_of_every_earlier_revision_are_kept(tmp_path: Path, revision: str) -> None:
    engine = create_engine(f"sqlite:///{(tmp_path / 'avatarforge.db').as_posix()}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.execute(
            text(
                "INSERT INTO files (id, content_hash, filename, size, mime_type, extension, width, height, "
                "created_at, last_used_at) "
                "VALUES ('file', 'hash', 'a.png', 1, 'image/png', 'png', 64, 65, 2, 3)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO generations (sequence, id, kind, status, prompt_id, spec, prompt, receipt, "
                "attempts, created_at) "
                "VALUES (7, 'made', 'avatar', 'failed', 'run', :spec, '{}', '{}', 1, 5)"
            ),
            {"spec": SPEC},
        )
        if revision >= "0014":  # from then on the terms of a generation come with its row
            row = {"id": "made", "kind": "avatar", "status": "failed", "spec": SPEC, "created_at": 5}
            terms.add_rows(connection, [{**row, "character_id": None}])
        connection.execute(text("INSERT INTO generation_inputs VALUES ('made', 'pose', 'file')"))
        connection.execute(
            text(
                "INSERT INTO outputs (generation_id, position, filename, view, size, width, height, "
                "content_hash) VALUES ('made', 0, 'avatarforge_00001.png', 'front', 1, 64, 65, 'bytes')"
            )
        )
    engine.dispose()
    database = open_database("", tmp_path)
    try:
        record = database.read_here(lambda connection: generations.get(connection, "made"))
        assert record is not None
        assert (record.sequence, record.status, record.spec.prompt) == (7, "failed", "a knight")
        assert record.spec.template is None
        assert (record.batch_id, record.waiting_place, record.waiting_rerolls) == (None, None, ())
        assert (record.favourite, record.tags) == (False, ())
        for found, words in (
            ((), ()),
            ((("status", "failed"), ("kind", "avatar")), ()),
            ((("model", record.spec.checkpoint),), ("knight",)),
        ):
            wanted = gallery.GalleryFilter(found, words)
            assert database.read_here(partial(gallery.count, wanted=wanted)) == 1
            page = partial(gallery.page, wanted=wanted, limit=5, offset=0, after=None)
            assert database.read_here(page) == [7]
        assert database.read_here(lambda connection: files.reference_count(connection, "file")) == 1
        assert database.read_here(templates.count) == 0
        assert (record.character_id, record.character_version) == (None, None)
        assert database.read_here(row_counts.find_mismatches) == []
        # What the new tables are for works at once.
        character = CharacterRecord("mira", "Mira", 1, "red hair", "file", 1, 1)
        version = CharacterVersionRecord("mira", 1, "{}", 1)
        database.write_here(partial(characters.add, record=character, content=version, file_ids=["file"]))
        assert database.read_here(partial(files.reference_count, file_id="file")) == 2
        assert database.read_here(row_counts.listed_characters) == 1
        assert database.read_here(batches.count_waiting) == 0
        # Each picture has one take, and can get the next.
        (picture,) = record.outputs
        assert (picture.filename, picture.take, picture.takes, picture.last_take) == (
            "avatarforge_00001.png",
            1,
            1,
            1,
        )
        assert database.read_here(takes.waiting_generations) == []
        again = replace(picture, filename="avatarforge_00001_take_002.png", take=2)
        database.write_here(lambda connection: add_take(connection, record, again))
        assert database.read_here(partial(takes.count, generation_id="made", position=0)) == 1
        chosen = database.write_here(lambda connection: choose_take(connection, "made", 0, 1))
        assert chosen.outputs == (replace(picture, takes=2, last_take=2),)
        # No picture was judged, and each can be.
        assert (record.judging, record.tries, record.next_try) == (None, {}, None)
        assert picture.scores is None
        database.write_here(lambda connection: scores.put(connection, "made", 0, 1, '{"measures":{}}'))
        judged = database.read_here(lambda connection: generations.get(connection, "made"))
        assert judged is not None
        assert judged.outputs[0].scores == PictureScores()
    finally:
        database.close()


def test_templates_of_revision_0008_are_kept_beside_the_pose_library(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{(tmp_path / 'avatarforge.db').as_posix()}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        connection.execute(
            text(
                "INSERT INTO files (id, content_hash, filename, size, mime_type, extension, width, height, "
                "created_at, last_used_at) "
                "VALUES ('file', 'hash', 'a.json', 1, 'application/json', 'json', 64, 65, 2, 3)"
            )
        )
        connection.execute(text("INSERT INTO templates VALUES ('t', 'Mine', 'mine', 1, 4, 4, NULL)"))
        connection.execute(text("INSERT INTO template_versions VALUES ('t', 1, '{}', NULL, '{}', 4)"))
        connection.execute(text("INSERT INTO template_files VALUES ('t', 1, 'file')"))
    engine.dispose()
    database = open_database("", tmp_path)
    record = LibraryPoseRecord("p", "Mine", "file", "{}", 5)
    try:
        assert database.read_here(pose_library.count) == 0
        database.write_here(lambda connection: pose_library.add(connection, record))
        assert database.read_here(lambda connection: pose_library.by_name(connection, "MINE")) == record
        kept = database.read_here(lambda connection: templates.by_name(connection, "mine"))
        assert kept is not None and kept.id == "t"
        assert database.read_here(lambda connection: files.reference_count(connection, "file")) == 2
    finally:
        database.close()


def test_thenewest_revision_is_read_off_the_names(tmp_path: Path) -> None:
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def test_the_generations_of_characters_of_revision_0011_are_counted(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{(tmp_path / 'avatarforge.db').as_posix()}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0011")
        shown = [("a", "completed"), ("a", "completed"), ("a", "failed"), ("b", "queued"), (None, "queued")]
        for number, (character_id, status) in enumerate(shown):
            connection.execute(
                text(
                    "INSERT INTO generations (sequence, id, kind, status, prompt_id, spec, prompt, receipt, "
                    "attempts, created_at, character_id) "
                    "VALUES (:number, :id, 'avatar', :status, :id, :spec, '{}', '{}', 1, 5, :character_id)"
                ),
                {
                    "number": number + 1,
                    "id": f"made {number}",
                    "status": status,
                    "spec": SPEC,
                    "character_id": character_id,
                },
            )
    engine.dispose()
    database = open_database("", tmp_path)
    try:
        for (of, wanted), expected in {
            ("a", None): 3,
            ("a", "completed"): 2,
            ("b", None): 1,
            ("c", None): 0,
        }.items():
            count = partial(generations.count, character_id=of, status=wanted)
            assert database.read_here(count) == expected
        assert database.read_here(row_counts.find_mismatches) == []
    finally:
        database.close()


def test_a_reroll_that_runs_in_revision_0012_makes_the_second_take(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{(tmp_path / 'avatarforge.db').as_posix()}")
    reroll = '{"position":1,"view":"back","seed":3,"inputs":[]}'
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
        connection.execute(
            text(
                "INSERT INTO generations (sequence, id, kind, status, prompt_id, spec, prompt, receipt, "
                "attempts, created_at, reroll) "
                "VALUES (7, 'made', 'avatar', 'processing', 'run', :spec, '{}', '{}', 1, 5, :reroll)"
            ),
            {"spec": SPEC, "reroll": reroll},
        )
    engine.dispose()
    database = open_database("", tmp_path)
    try:
        (record,) = database.read_here(generations.active)
        assert record.reroll is not None
        assert (record.reroll.take, record.reroll.seed, record.is_rerolling) == (2, 3, True)
    finally:
        database.close()


def test_what_is_tried_and_judged_is_complete_when_revision_0015_is_taken_back(tmp_path: Path) -> None:
    open_database("", tmp_path).close()
    engine = create_engine(f"sqlite:///{(tmp_path / 'avatarforge.db').as_posix()}")
    with engine.begin() as connection:
        for name, column in (("tried", "next_try"), ("judged", "judging"), ("other", "error")):
            connection.execute(
                text(
                    "INSERT INTO generations (id, kind, status, prompt_id, spec, prompt, receipt, attempts, "  # noqa: S608
                    f"created_at, {column}) "
                    "VALUES (:name, 'avatar', 'queued', :name, :spec, '{}', '{}', 1, 5, '[0, 3]')"
                ),
                {"spec": SPEC, "name": name},
            )
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.downgrade(config, "0014")
        rows = connection.execute(text("SELECT id, status, completed_at FROM generations ORDER BY id")).all()
        assert [tuple(row) for row in rows] == [
            ("judged", "completed", 5),
            ("other", "queued", None),
            ("tried", "completed", 5),
        ]
    engine.dispose()


def test_the_present_revision_can_be_taken_back_and_keeps_the_current_pictures(tmp_path: Path) -> None:
    open_database("", tmp_path).close()
    engine = create_engine(f"sqlite:///{(tmp_path / 'avatarforge.db').as_posix()}")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO generations (sequence, id, kind, status, prompt_id, spec, prompt, receipt, "
                "attempts, created_at, waiting_rerolls) "
                "VALUES (7, 'made', 'avatar', 'completed', 'run', :spec, '{}', '{}', 1, 5, '[[0, 3]]')"
            ),
            {"spec": SPEC},
        )
        columns = "generation_id, position, take, filename, size, width, height, content_hash"
        for table, more, take in (("outputs", "", 2), ("takes", ", made", 1)):
            value = ", '{}'" if more else ""
            connection.execute(
                text(
                    f"INSERT INTO {table} ({columns}{more}) "  # noqa: S608
                    f"VALUES ('made', 0, {take}, 'a{take}.png', 1, 64, 64, 'hash'{value})"
                )
            )
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.downgrade(config, "0012")
        kept = connection.execute(text("SELECT filename FROM outputs")).scalars().all()
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
        assert (kept, "takes" in tables) == (["a2.png"], False)
    engine.dispose()
