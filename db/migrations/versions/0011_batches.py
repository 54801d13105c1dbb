"""Batches: groups of generations that wait until ComfyUI has room for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_generations_batch_id": ["batch_id", "batch_position", "status", "id"],
    "ix_generations_waiting_place": ["waiting_place"],
}


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=True),
        sa.Column("name_key", sa.String(300), nullable=True),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("callback_url", sa.Text, nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("completed_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_created_at_id", "batches", ["created_at", "id"])
    op.add_column("generations", sa.Column("batch_id", sa.String(36), nullable=True))
    op.add_column("generations", sa.Column("batch_position", sa.Integer, nullable=True))
    op.add_column("generations", sa.Column("waiting_place", sa.BigInteger, nullable=True))
    for name, columns in _INDEXES.items():
        where = sa.text(f"{columns[0]} IS NOT NULL")
        op.create_index(name, "generations", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    # What still waits could never run: without the columns, nothing tells it from a lost prompt.
    op.execute(
        "UPDATE generations SET status = 'failed', error = 'Cancelled on request.', "
        "completed_at = created_at WHERE waiting_place IS NOT NULL"
    )
    for name in _INDEXES:
        op.drop_index(name, "generations")
    for column in ("waiting_place", "batch_position", "batch_id"):
        op.drop_column("generations", column)
    op.drop_table("batches")
