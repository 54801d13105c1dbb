"""What keeps reading cheap at a million rows: totals that are kept, not counted, and indexes that hold all
that a page needs to be found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATUSES = ("queued", "processing", "completed", "failed")
_LISTED = "({row}.deleted_at IS NULL AND {row}.lost_at IS NULL AND NOT {row}.derived)"
_STORED = "({row}.lost_at IS NULL)"


def upgrade() -> None:
    # The primary key of SQLite is the table itself: who walks along it passes by every prompt.
    op.create_index("ix_generations_sequence", "generations", ["sequence"])
    op.drop_index("ix_generation_inputs_file_id", "generation_inputs")
    op.create_index("ix_generation_inputs_file_id", "generation_inputs", ["file_id", "generation_id"])
    op.create_table(
        "tallies",
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("what", name="pk_tallies"),
    )
    # Other databases have triggers of other kinds; there the rows are counted.
    if op.get_bind().dialect.name == "sqlite":
        _count()
        for statement in _triggers():
            op.execute(statement)


def _count() -> None:
    for status in STATUSES:
        op.execute(
            f"INSERT INTO tallies SELECT '{status}', count(*), 0 FROM generations WHERE status = '{status}'"  # noqa: S608
        )
    listed, stored = (text.format(row="files") for text in (_LISTED, _STORED))
    op.execute(
        "INSERT INTO tallies SELECT 'files listed', count(*), coalesce(sum(size), 0) FROM files "  # noqa: S608
        f"WHERE {listed}"
    )
    op.execute(
        "INSERT INTO tallies SELECT 'files stored', count(*), coalesce(sum(size), 0) FROM files "  # noqa: S608
        f"WHERE {stored}"
    )


def _triggers() -> list[str]:
    """In the transaction of the change itself, whatever makes it: no crash and no forgotten writer comes
    between."""
    added, gone = _generation("NEW", "+"), _generation("OLD", "-")
    kept, lost = _file("NEW", "+"), _file("OLD", "-")
    counted = "size, deleted_at, lost_at, derived"
    changes = [
        ("generations", "insert", "INSERT", added),
        ("generations", "update", "UPDATE OF status", f"{gone} {added}"),
        ("generations", "delete", "DELETE", gone),
        ("files", "insert", "INSERT", kept),
        ("files", "update", f"UPDATE OF {counted}", f"{lost} {kept}"),
        ("files", "delete", "DELETE", lost),
    ]
    return [
        f"CREATE TRIGGER tally_{table}_{name} AFTER {change} ON {table} BEGIN {steps} END"
        for table, name, change, steps in changes
    ]


def _generation(row: str, sign: str) -> str:
    return f"UPDATE tallies SET number = number {sign} 1 WHERE what = {row}.status;"  # noqa: S608


def _file(row: str, sign: str) -> str:
    change = f"UPDATE tallies SET number = number {sign} 1, bytes = bytes {sign} {row}.size"  # noqa: S608
    return " ".join(
        f"{change} WHERE what = '{what}' AND {wanted.format(row=row)};"
        for what, wanted in (("files listed", _LISTED), ("files stored", _STORED))
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in ("generations", "files"):
            for change in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER tally_{table}_{change}")
    op.drop_table("tallies")
    op.drop_index("ix_generation_inputs_file_id", "generation_inputs")
    op.create_index("ix_generation_inputs_file_id", "generation_inputs", ["file_id"])
    op.drop_index("ix_generations_sequence", "generations")
