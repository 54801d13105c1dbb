"""Numbers of the generations of each character, by status, so that its list is never counted.

As in revision 0007, triggers update them in SQLite, and other databases count the rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLE = "character_tallies"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("character_id", sa.String(36), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("character_id", "status", name="pk_character_tallies"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"INSERT INTO {_TABLE} SELECT character_id, status, count(*) FROM generations "  # noqa: S608
            "WHERE character_id IS NOT NULL GROUP BY character_id, status"
        )
        for statement in _triggers():
            op.execute(statement)


def _triggers() -> list[str]:
    added, gone = _add("NEW"), _remove("OLD")
    changes = [
        ("insert", "INSERT", "NEW.character_id IS NOT NULL", added),
        (
            "update",
            "UPDATE OF status",
            "NEW.character_id IS NOT NULL AND NEW.status <> OLD.status",
            f"{gone} {added}",
        ),
        ("delete", "DELETE", "OLD.character_id IS NOT NULL", gone),
    ]
    return [
        f"CREATE TRIGGER tally_of_a_character_{name} AFTER {change} ON generations WHEN {condition} "
        f"BEGIN {steps} END"
        for name, change, condition, steps in changes
    ]


def _add(row: str) -> str:
    return (
        f"INSERT INTO {_TABLE} VALUES ({row}.character_id, {row}.status, 1) "  # noqa: S608
        "ON CONFLICT (character_id, status) DO UPDATE SET number = number + 1;"
    )


def _remove(row: str) -> str:
    of_it = f"character_id = {row}.character_id AND status = {row}.status"
    return (
        f"UPDATE {_TABLE} SET number = number - 1 WHERE {of_it}; "  # noqa: S608
        f"DELETE FROM {_TABLE} WHERE {of_it} AND number = 0;"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER tally_of_a_character_{change}")
    op.drop_table(_TABLE)
