"""Databases of earlier versions are brought up to date with what they hold."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from avatarforge.db import files
from avatarforge.db.engine import MIGRATIONS, newest_revision, open_database


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


def test_thenewest_revision_is_read_off_the_names(tmp_path: Path) -> None:
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()
