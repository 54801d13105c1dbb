"""Files by age, for the list that shows the newest first."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_files_created_at_id", "files", ["created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_files_created_at_id", "files")
