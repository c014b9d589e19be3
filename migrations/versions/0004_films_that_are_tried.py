"""Films that are tried on a model without being imported

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=50), nullable=False),
        sa.Column("view", sa.String(length=20), nullable=False),
        sa.Column("context", sa.String(), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_tries_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tries")),
    )
    with op.batch_alter_table("tries", schema=None) as batch_op:
        batch_op.create_index("ix_tries_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tries_place"), ["place"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("tries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tries_place"))
        batch_op.drop_index("ix_tries_state")
    op.drop_table("tries")
