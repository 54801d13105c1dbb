"""Scores of pictures, generations that are judged later, and re-rolls until a picture is good enough."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INDEX = "ix_generations_next_try"


def upgrade() -> None:
    op.create_table(
        "picture_scores",
        sa.Column("generation_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("take", sa.Integer, nullable=False),
        sa.Column("scores", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("generation_id", "position", "take", name="pk_picture_scores"),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], ondelete="CASCADE", name="fk_picture_scores_generation_id"
        ),
    )
    for name in ("judging", "tries", "next_try"):
        op.add_column("generations", sa.Column(name, sa.Text, nullable=True))
    some_wait = sa.text("next_try IS NOT NULL")
    op.create_index(_INDEX, "generations", ["next_try"], sqlite_where=some_wait, postgresql_where=some_wait)


def downgrade() -> None:
    # Their pictures are complete. Without the columns, a prompt that has ended or that makes no picture would
    # run again as if it made all of them.
    op.execute(
        "UPDATE generations SET status = 'completed', completed_at = COALESCE(completed_at, started_at, "
        "created_at) WHERE next_try IS NOT NULL OR judging IS NOT NULL"
    )
    op.drop_index(_INDEX, "generations")
    for name in ("next_try", "tries", "judging"):
        op.drop_column("generations", name)
    op.drop_table("picture_scores")
