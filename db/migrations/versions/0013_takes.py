"""Takes: the pictures that a re-roll has replaced are kept, and re-rolls wait for one another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COUNTERS = ("take", "takes", "last_take")
_INDEX = "ix_generations_waiting_rerolls"


def upgrade() -> None:
    # Until now each picture had one take.
    for name in _COUNTERS:
        op.add_column("outputs", sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("1")))
    op.create_table(
        "takes",
        sa.Column("generation_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("take", sa.Integer, nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("view", sa.String(16), nullable=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("lost_at", sa.BigInteger, nullable=True),
        sa.Column("made", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("generation_id", "position", "take", name="pk_takes"),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], ondelete="CASCADE", name="fk_takes_generation_id"
        ),
    )
    op.add_column("generations", sa.Column("waiting_rerolls", sa.Text, nullable=True))
    some_wait = sa.text("waiting_rerolls IS NOT NULL")
    op.create_index(
        _INDEX, "generations", ["waiting_rerolls"], sqlite_where=some_wait, postgresql_where=some_wait
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "generations")
    op.drop_column("generations", "waiting_rerolls")
    op.drop_table("takes")
    for name in reversed(_COUNTERS):
        op.drop_column("outputs", name)
