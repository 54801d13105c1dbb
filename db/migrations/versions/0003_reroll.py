"""The view of a generation that is being re-rolled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("reroll", sa.Text, nullable=True))


def downgrade() -> None:
    op.drop_column("generations", "reroll")
