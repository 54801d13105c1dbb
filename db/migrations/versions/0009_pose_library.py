"""The pose library: named poses that users saved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "library_poses",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_key", sa.String(300), nullable=False),
        sa.Column("file_id", sa.String(36), nullable=False),
        sa.Column("drawing", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_library_poses"),
        sa.UniqueConstraint("name_key", name="uq_library_poses_name_key"),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], ondelete="CASCADE", name="fk_library_poses_file_id"
        ),
    )
    op.create_index("ix_library_poses_created_at_id", "library_poses", ["created_at", "id"])
    op.create_index("ix_library_poses_file_id", "library_poses", ["file_id"])


def downgrade() -> None:
    op.drop_table("library_poses")
