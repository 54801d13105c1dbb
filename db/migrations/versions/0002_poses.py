"""The kind of a pose, and the skeletons that were read from photos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("files", sa.Column("pose_kind", sa.String(16), nullable=True))
    op.add_column("files", sa.Column("derived", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "extracted_poses",
        sa.Column("source_hash", sa.String(64), nullable=False),
        sa.Column("extractor", sa.String(16), nullable=False),
        sa.Column("bones", sa.String(16), nullable=False),
        sa.Column("file_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("source_hash", "extractor", "bones", name="pk_extracted_poses"),
        sa.ForeignKeyConstraint(
            ["source_hash"],
            ["files.content_hash"],
            ondelete="CASCADE",
            name="fk_extracted_poses_source_hash",
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], ondelete="CASCADE", name="fk_extracted_poses_file_id"
        ),
    )
    op.create_index("ix_extracted_poses_file_id", "extracted_poses", ["file_id"])


def downgrade() -> None:
    op.drop_table("extracted_poses")
    op.drop_column("files", "derived")
    op.drop_column("files", "pose_kind")
