"""The first shape

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from db import audit, search

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_events_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_events_subject"), ["subject"], unique=False)

    op.create_table(
        "datasets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("split_train", sa.Double(), nullable=False),
        sa.Column("split_validation", sa.Double(), nullable=False),
        sa.Column("split_test", sa.Double(), nullable=False),
        sa.Column("split_seed", sa.Integer(), nullable=False),
        sa.Column("split_frozen", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("name", name=op.f("uq_datasets_name")),
    )
    op.create_table(
        "findings",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("colour", sa.String(length=9), nullable=False),
        sa.Column("prompts", sa.JSON(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_findings")),
    )
    op.create_table(
        "pinned_images",
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("sha", name=op.f("pk_pinned_images")),
    )
    op.create_table(
        "readers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readers")),
        sa.UniqueConstraint("name", name=op.f("uq_readers_name")),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("datasets", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("fold_index", sa.Integer(), nullable=True),
        sa.Column("fold_of", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("name", name=op.f("uq_snapshots_name")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("family", sa.String(length=50), nullable=True),
        sa.Column("snapshot_id", sa.Integer(), nullable=True),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("seconds_left", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=200), nullable=True),
        sa.Column("claim", sa.String(length=40), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("traceback", sa.String(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_jobs_snapshot_id_snapshots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_state_kind", ["state", "kind", "id"], unique=False)

    op.create_table(
        "patients",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("split", sa.String(length=20), nullable=False),
        sa.Column("split_given", sa.Boolean(), nullable=False),
        sa.Column("split_frozen", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_patients_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("dataset_id", "key", name=op.f("uq_patients_dataset_id_key")),
    )
    op.create_table(
        "curve_points",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_curve_points_job_id_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_curve_points")),
    )
    with op.batch_alter_table("curve_points", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_curve_points_job_id"), ["job_id"], unique=False)

    op.create_table(
        "model_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=50), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("folder", sa.String(length=500), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("headline", sa.String(length=50), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("promotable", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_model_versions_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_model_versions_snapshot_id_snapshots")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("family", "number", name=op.f("uq_model_versions_family_number")),
        sa.UniqueConstraint("job_id", name=op.f("uq_model_versions_job_id")),
    )
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("sex", sa.String(length=20), nullable=True),
        sa.Column("notes", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("state_reader_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("patient_key", sa.String(length=200), nullable=False),
        sa.Column("has_mask", sa.Boolean(), nullable=False),
        sa.Column("has_report", sa.Boolean(), nullable=False),
        sa.Column("has_suggestion", sa.Boolean(), nullable=False),
        sa.Column("queue_rank", sa.Double(), nullable=False),
        sa.Column("queue_reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_studies_dataset_id_datasets")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_studies_patient_id_patients")),
        sa.ForeignKeyConstraint(["state_reader_id"], ["readers.id"], name=op.f("fk_studies_state_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("dataset_id", "key", name=op.f("uq_studies_dataset_id_key")),
    )
    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.create_index("ix_studies_changed_at", ["changed_at", "id"], unique=False)
        batch_op.create_index(
            "ix_studies_dataset_state_queue", ["dataset_id", "state", "queue_rank", "id"], unique=False
        )
        batch_op.create_index("ix_studies_has_mask", ["has_mask", "state"], unique=False)
        batch_op.create_index("ix_studies_has_report", ["has_report", "state"], unique=False)
        batch_op.create_index("ix_studies_has_suggestion", ["has_suggestion", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_studies_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index("ix_studies_patient_key", ["patient_key", "id"], unique=False)
        batch_op.create_index("ix_studies_queue", ["queue_rank", "id"], unique=False)
        batch_op.create_index("ix_studies_state_queue", ["state", "queue_rank", "id"], unique=False)
        batch_op.create_index("ix_studies_state_reader_id", ["state_reader_id", "state"], unique=False)

    op.create_table(
        "evaluations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(length=20), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_versions.id"], name=op.f("fk_evaluations_model_id_model_versions")
        ),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_evaluations_snapshot_id_snapshots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
    )
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_evaluations_model_id_snapshot_id_split", ["model_id", "snapshot_id", "split"], unique=False
        )

    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=50), nullable=False),
        sa.Column("view", sa.String(length=20), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bits", sa.Integer(), nullable=False),
        sa.Column("photometric", sa.String(length=20), nullable=False),
        sa.Column("spacing_mm", sa.Double(), nullable=True),
        sa.Column("window_center", sa.Double(), nullable=True),
        sa.Column("window_width", sa.Double(), nullable=True),
        sa.Column("turn", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_images_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_images_study_id_name")),
    )
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_images_sha"), ["sha"], unique=False)
        batch_op.create_index("ix_images_view", ["view", "study_id"], unique=False)

    op.create_table(
        "labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_labels_finding_findings")),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_labels_reader_id_readers")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_labels_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
    )
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.create_index("ix_labels_study_id_finding", ["study_id", "finding"], unique=False)

    op.create_table(
        "promotions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=50), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_versions.id"], name=op.f("fk_promotions_model_id_model_versions")
        ),
        sa.ForeignKeyConstraint(
            ["previous_id"], ["model_versions.id"], name=op.f("fk_promotions_previous_id_model_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    with op.batch_alter_table("promotions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promotions_family"), ["family"], unique=False)

    op.create_table(
        "reports",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("indication", sa.String(), nullable=False),
        sa.Column("comparison", sa.String(), nullable=False),
        sa.Column("technique", sa.String(), nullable=False),
        sa.Column("findings", sa.String(), nullable=False),
        sa.Column("impression", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_reports_study_id_studies")),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_reports")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_reviews_reader_id_readers")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_reviews_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("study_id", "reader_id", name=op.f("uq_reviews_study_id_reader_id")),
    )
    op.create_table(
        "study_findings",
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_study_findings_finding_findings")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_findings_study_id_studies")),
        sa.PrimaryKeyConstraint("finding", "study_id", name=op.f("pk_study_findings")),
    )
    op.create_table(
        "predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("image_sha", sa.String(length=64), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("prompt", sa.String(), nullable=True),
        sa.Column("sha", sa.String(length=64), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("area", sa.Integer(), nullable=True),
        sa.Column("box", sa.JSON(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edit_dice", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by_id"], ["readers.id"], name=op.f("fk_predictions_decided_by_id_readers")),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_predictions_finding_findings")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_predictions_image_id_images")),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_versions.id"], name=op.f("fk_predictions_model_id_model_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
    )
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.create_index("ix_predictions_image_id_finding", ["image_id", "finding"], unique=False)
        batch_op.create_index("ix_predictions_model_id", ["model_id"], unique=False)

    op.create_table(
        "regions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("shape", sa.String(length=20), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["readers.id"], name=op.f("fk_regions_author_id_readers")),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_regions_finding_findings")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_regions_image_id_images")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regions")),
    )
    with op.batch_alter_table("regions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_regions_image_id"), ["image_id"], unique=False)

    op.create_table(
        "asks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prediction_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_asks_finding_findings")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_asks_image_id_images")),
        sa.ForeignKeyConstraint(["prediction_id"], ["predictions.id"], name=op.f("fk_asks_prediction_id_predictions")),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_asks_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asks")),
    )
    with op.batch_alter_table("asks", schema=None) as batch_op:
        batch_op.create_index("ix_asks_state", ["state", "id"], unique=False)

    op.create_table(
        "mask_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("image_sha", sa.String(length=64), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("box", sa.JSON(), nullable=True),
        sa.Column("origin", sa.String(length=30), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("prediction_id", sa.Integer(), nullable=True),
        sa.Column("suggested", sa.Boolean(), nullable=False),
        sa.Column("edit_dice", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["readers.id"], name=op.f("fk_mask_versions_author_id_readers")),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_mask_versions_finding_findings")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_mask_versions_image_id_images")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["mask_versions.id"], name=op.f("fk_mask_versions_parent_id_mask_versions")
        ),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name=op.f("fk_mask_versions_prediction_id_predictions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mask_versions")),
    )
    with op.batch_alter_table("mask_versions", schema=None) as batch_op:
        batch_op.create_index("ix_mask_versions_image_id_finding", ["image_id", "finding"], unique=False)

    op.create_table(
        "mask_drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("image_sha", sa.String(length=64), nullable=False),
        sa.Column("finding", sa.String(length=100), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("branch", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("base_version_id", sa.Integer(), nullable=True),
        sa.Column("prediction_id", sa.Integer(), nullable=True),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("box", sa.JSON(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("discarded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["base_version_id"], ["mask_versions.id"], name=op.f("fk_mask_drafts_base_version_id_mask_versions")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["mask_versions.id"], name=op.f("fk_mask_drafts_closed_by_mask_versions")
        ),
        sa.ForeignKeyConstraint(["finding"], ["findings.key"], name=op.f("fk_mask_drafts_finding_findings")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_mask_drafts_image_id_images")),
        sa.ForeignKeyConstraint(["parent_id"], ["mask_drafts.id"], name=op.f("fk_mask_drafts_parent_id_mask_drafts")),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name=op.f("fk_mask_drafts_prediction_id_predictions")
        ),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_mask_drafts_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mask_drafts")),
    )
    with op.batch_alter_table("mask_drafts", schema=None) as batch_op:
        batch_op.create_index("ix_mask_drafts_parent_id", ["parent_id"], unique=False)
        batch_op.create_index(
            "ix_mask_drafts_reader_id_image_id_finding", ["reader_id", "image_id", "finding"], unique=False
        )
    dialect = op.get_bind().dialect.name
    for statement in search.index_statements(dialect) + audit.guard_statements(dialect):
        op.execute(sa.text(statement.replace(":", "\\:")))


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in audit.unguard_statements(dialect) + search.drop_statements(dialect):
        op.execute(sa.text(statement))
    with op.batch_alter_table("mask_drafts", schema=None) as batch_op:
        batch_op.drop_index("ix_mask_drafts_reader_id_image_id_finding")
        batch_op.drop_index("ix_mask_drafts_parent_id")

    op.drop_table("mask_drafts")
    with op.batch_alter_table("mask_versions", schema=None) as batch_op:
        batch_op.drop_index("ix_mask_versions_image_id_finding")

    op.drop_table("mask_versions")
    with op.batch_alter_table("asks", schema=None) as batch_op:
        batch_op.drop_index("ix_asks_state")

    op.drop_table("asks")
    with op.batch_alter_table("regions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_regions_image_id"))

    op.drop_table("regions")
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.drop_index("ix_predictions_model_id")
        batch_op.drop_index("ix_predictions_image_id_finding")

    op.drop_table("predictions")
    op.drop_table("study_findings")
    op.drop_table("reviews")
    op.drop_table("reports")
    with op.batch_alter_table("promotions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_promotions_family"))

    op.drop_table("promotions")
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.drop_index("ix_labels_study_id_finding")

    op.drop_table("labels")
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.drop_index("ix_images_view")
        batch_op.drop_index(batch_op.f("ix_images_sha"))

    op.drop_table("images")
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_index("ix_evaluations_model_id_snapshot_id_split")

    op.drop_table("evaluations")
    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.drop_index("ix_studies_state_reader_id")
        batch_op.drop_index("ix_studies_state_queue")
        batch_op.drop_index("ix_studies_queue")
        batch_op.drop_index("ix_studies_patient_key")
        batch_op.drop_index(batch_op.f("ix_studies_patient_id"))
        batch_op.drop_index("ix_studies_has_suggestion")
        batch_op.drop_index("ix_studies_has_report")
        batch_op.drop_index("ix_studies_has_mask")
        batch_op.drop_index("ix_studies_dataset_state_queue")
        batch_op.drop_index("ix_studies_changed_at")

    op.drop_table("studies")
    op.drop_table("model_versions")
    with op.batch_alter_table("curve_points", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_curve_points_job_id"))

    op.drop_table("curve_points")
    op.drop_table("patients")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_state_kind")

    op.drop_table("jobs")
    op.drop_table("workers")
    op.drop_table("snapshots")
    op.drop_table("readers")
    op.drop_table("pinned_images")
    op.drop_table("findings")
    op.drop_table("datasets")
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_events_subject"))
        batch_op.drop_index(batch_op.f("ix_audit_events_at"))

    op.drop_table("audit_events")
