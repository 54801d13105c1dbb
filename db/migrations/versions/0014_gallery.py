"""Favourites and tags, and what generations are filtered by and searched for."""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

log = logging.getLogger("avatarforge")

_STATUSES = ("queued", "processing", "completed", "failed")
_AT_ONCE = 1_000
_LONGEST_TEXT, _LONGEST_VALUE = 4_000, 512
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OF_STATUS = "SELECT id FROM terms WHERE kind = 'status' AND value = {row}.status"


def upgrade() -> None:
    op.add_column(
        "generations", sa.Column("favourite", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("generations", sa.Column("tags", sa.Text, nullable=True))
    op.create_table(
        "terms",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.String(512), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_terms"),
        sa.UniqueConstraint("kind", "value", name="uq_terms_kind_value"),
    )
    op.create_index("ix_terms_kind_number", "terms", ["kind", "number"])
    op.create_table(
        "generation_terms",
        sa.Column("term_id", sa.Integer, nullable=False),
        sa.Column("sequence", _BIG, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("term_id", "sequence", name="pk_generation_terms"),
        _belongs_to_a_generation("generation_terms"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_generation_terms_sequence", "generation_terms", ["sequence"])
    op.create_table(
        "generation_texts",
        sa.Column("sequence", _BIG, nullable=False, autoincrement=False),
        sa.Column("search_key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_generation_texts"),
        _belongs_to_a_generation("generation_texts"),
    )
    connection = op.get_bind()
    _add_existing(connection)
    # As in revision 0007: other databases count the rows, and look the status up.
    if connection.dialect.name == "sqlite":
        for status in _STATUSES:
            op.execute(f"INSERT INTO terms (kind, value, number) VALUES ('status', '{status}', 0)")  # noqa: S608
        op.execute(
            "INSERT INTO generation_terms SELECT terms.id, generations.sequence, generations.created_at "
            "FROM generations JOIN terms ON terms.kind = 'status' AND terms.value = generations.status"
        )
        op.execute(
            "UPDATE terms SET number = (SELECT count(*) FROM generation_terms WHERE term_id = terms.id)"
        )
        for statement in _triggers():
            op.execute(statement)


def _belongs_to_a_generation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["sequence"], ["generations.sequence"], ondelete="CASCADE", name=f"fk_{table}_sequence"
    )


def _triggers() -> list[str]:
    new, old = _OF_STATUS.format(row="NEW"), _OF_STATUS.format(row="OLD")
    added = f"INSERT INTO generation_terms SELECT id, NEW.sequence, NEW.created_at FROM ({new});"  # noqa: S608
    gone = f"DELETE FROM generation_terms WHERE term_id = ({old}) AND sequence = OLD.sequence;"  # noqa: S608
    return [
        f"CREATE TRIGGER term_of_a_status_insert AFTER INSERT ON generations BEGIN {added} END",
        "CREATE TRIGGER term_of_a_status_update AFTER UPDATE OF status ON generations "
        f"WHEN NEW.status <> OLD.status BEGIN {gone} {added} END",
        "CREATE TRIGGER number_of_a_term_insert AFTER INSERT ON generation_terms BEGIN "
        "UPDATE terms SET number = number + 1 WHERE id = NEW.term_id; END",
        # Values that nobody chooses from a fixed list go with the last generation that has them.
        "CREATE TRIGGER number_of_a_term_delete AFTER DELETE ON generation_terms BEGIN "
        "UPDATE terms SET number = number - 1 WHERE id = OLD.term_id; "
        "DELETE FROM terms WHERE id = OLD.term_id AND number = 0 AND kind IN ('model', 'character', 'tag'); "
        "END",
    ]


def _add_existing(connection: sa.Connection) -> None:
    """Index what is there, a part at a time: a spec can have many kilobytes."""
    ids: dict[tuple[str, str], int] = {}
    add_term = sa.text("INSERT INTO terms (id, kind, value, number) VALUES (:id, :kind, :value, 0)")
    add_use = sa.text("INSERT INTO generation_terms VALUES (:term_id, :sequence, :created_at)")
    add_text = sa.text("INSERT INTO generation_texts VALUES (:sequence, :search_key)")
    done = 0
    for rows in _parts(connection):
        uses, texts = [], []
        for row in rows:
            found, words = _of(row)
            for term in found:
                if term not in ids:
                    ids[term] = len(ids) + 1
                    values = {"id": ids[term], "kind": term[0], "value": term[1]}
                    connection.execute(add_term, values)
                uses.append({"term_id": ids[term], "sequence": row.sequence, "created_at": row.created_at})
            texts.append({"sequence": row.sequence, "search_key": words})
        connection.execute(add_use, uses)
        connection.execute(add_text, texts)
        done += len(rows)
        if done % (100 * _AT_ONCE) == 0:
            log.info("AvatarForge: %s generations are in the gallery's index", done)
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text("SELECT setval(pg_get_serial_sequence('terms', 'id'), :next)"), {"next": len(ids) + 1}
        )


def _parts(connection: sa.Connection) -> Iterator[list[Any]]:
    read = sa.text(
        "SELECT sequence, kind, spec, character_id, created_at FROM generations "
        "WHERE sequence > :after ORDER BY sequence LIMIT :most"
    )
    after = 0
    while rows := list(connection.execute(read, {"after": after, "most": _AT_ONCE})):
        yield rows
        after = rows[-1].sequence


def _of(row: Any) -> tuple[set[tuple[str, str]], str]:
    """The terms and the text of a generation; as they were when this revision was written."""
    found = {("all", ""), ("kind", row.kind)}
    if row.character_id is not None:
        found.add(("character", row.character_id))
    try:
        spec = json.loads(row.spec)
    except ValueError:
        spec = None
    if not isinstance(spec, dict):
        return found, ""
    views = spec.get("views")
    found.update(("view", view) for view in views or () if isinstance(views, list) and isinstance(view, str))
    model = spec.get("checkpoint")
    if isinstance(model, str) and model:
        found.add(("model", model[:_LONGEST_VALUE]))
    character = spec.get("character")
    named = character.get("name") if isinstance(character, dict) else None
    parts = [named, *(spec.get(name) for name in ("prompt", "clothing", "outfit", "style", "checkpoint"))]
    text = "\n".join(part for part in parts if isinstance(part, str) and part)[:_LONGEST_TEXT]
    key = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    return found, key[:_LONGEST_TEXT]


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("term_of_a_status_insert", "term_of_a_status_update"):
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TABLE IF EXISTS generation_search")
        op.execute("DELETE FROM tallies WHERE what = 'generation search'")
    op.drop_table("generation_texts")
    op.drop_table("generation_terms")
    op.drop_table("terms")
    op.drop_column("generations", "tags")
    op.drop_column("generations", "favourite")
