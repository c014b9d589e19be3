"""Reports that models wrote, and questions for more of them

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "writings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("sentences", sa.JSON(), nullable=False),
        sa.Column("decoding", sa.JSON(), nullable=False),
        sa.Column("remarks", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_writings_study_id_studies")),
        sa.ForeignKeyConstraint(["model_id"], ["model_versions.id"], name=op.f("fk_writings_model_id_model_versions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_writings")),
    )
    with op.batch_alter_table("writings", schema=None) as batch_op:
        batch_op.create_index("ix_writings_study", ["study_id", "id"], unique=False)
        batch_op.create_index("ix_writings_model", ["model_id", "study_id"], unique=False)
    op.create_table(
        "writing_asks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("decoding", sa.JSON(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("writing_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_writing_asks_study_id_studies")),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_writing_asks_reader_id_readers")),
        sa.ForeignKeyConstraint(["writing_id"], ["writings.id"], name=op.f("fk_writing_asks_writing_id_writings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_writing_asks")),
    )
    with op.batch_alter_table("writing_asks", schema=None) as batch_op:
        batch_op.create_index("ix_writing_asks_state", ["state", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("writing_asks")
    op.drop_table("writings")
