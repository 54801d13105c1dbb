"""What is known to be lost stays known: a file or a picture whose bytes a check of the store did not find."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("files", sa.Column("lost_at", sa.BigInteger, nullable=True))
    op.add_column("outputs", sa.Column("lost_at", sa.BigInteger, nullable=True))


def downgrade() -> None:
    op.drop_column("outputs", "lost_at")
    op.drop_column("files", "lost_at")
