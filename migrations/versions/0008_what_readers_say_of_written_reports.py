"""What readers say of written reports, the versions they make of them, and blind pairs

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "judgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("writing_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("submitted", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_judgements_study_id_studies")),
        sa.ForeignKeyConstraint(["writing_id"], ["writings.id"], name=op.f("fk_judgements_writing_id_writings")),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_judgements_reader_id_readers")),
        sa.ForeignKeyConstraint(["parent_id"], ["judgements.id"], name=op.f("fk_judgements_parent_id_judgements")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgements")),
    )
    with op.batch_alter_table("judgements", schema=None) as batch_op:
        batch_op.create_index("ix_judgements_writing", ["writing_id", "reader_id", "id"], unique=False)
        batch_op.create_index("ix_judgements_reader", ["reader_id", "submitted", "study_id"], unique=False)
    op.create_table(
        "revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("writing_id", sa.Integer(), nullable=False),
        sa.Column("judgement_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_revisions_study_id_studies")),
        sa.ForeignKeyConstraint(["writing_id"], ["writings.id"], name=op.f("fk_revisions_writing_id_writings")),
        sa.ForeignKeyConstraint(["judgement_id"], ["judgements.id"], name=op.f("fk_revisions_judgement_id_judgements")),
        sa.ForeignKeyConstraint(["parent_id"], ["revisions.id"], name=op.f("fk_revisions_parent_id_revisions")),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_revisions_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.create_index("ix_revisions_study", ["study_id", "id"], unique=False)
    op.create_table(
        "report_pairs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("writing_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("first", sa.String(length=20), nullable=False),
        sa.Column("second", sa.String(length=20), nullable=False),
        sa.Column("preference", sa.String(length=20), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_report_pairs_study_id_studies")),
        sa.ForeignKeyConstraint(["writing_id"], ["writings.id"], name=op.f("fk_report_pairs_writing_id_writings")),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_report_pairs_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_pairs")),
        sa.UniqueConstraint("reader_id", "writing_id", name=op.f("uq_report_pairs_reader_id_writing_id")),
    )


def downgrade() -> None:
    op.drop_table("report_pairs")
    op.drop_table("revisions")
    op.drop_table("judgements")
