"""What --json says of jobs, models, snapshots and findings. docs/cli.md documents every key; a test sees to that."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.findings import Finding
from core.jobs import Job
from core.metrics import metric_to_json
from core.registry import ModelVersion
from core.snapshots import Snapshot

if TYPE_CHECKING:
    from app.services.searching import Result
    from app.services.try_files import Answered


def job_shape(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "family": job.family,
        "snapshot": job.snapshot,
        "parameters": dict(job.parameters),
        "requested_by": job.requested_by,
        "requested_at": _moment(job.requested_at),
        "started_at": _moment(job.started_at),
        "finished_at": _moment(job.finished_at),
        "done": job.progress.done,
        "total": job.progress.total,
        "message": job.progress.message,
        "seconds_left": job.progress.seconds_left,
        "worker": job.worker,
        "attempts": job.attempts,
        "error": job.error,
        "result": dict(job.result),
    }


def tried_shape(tried: "Answered") -> dict[str, Any]:
    """A film that was read without being imported."""
    return {
        "file": tried.item,
        "width": tried.film.facts.width,
        "height": tried.film.facts.height,
        "findings": [
            {
                "finding": each.finding,
                "probability": each.probability,
                "without_context": each.without_context,
                "with_context": each.has_context,
                "threshold": each.threshold,
                "says": each.says,
                "words": [[word, weight] for word, weight in each.words],
                "nearest": [asdict(near) for near in each.nearest],
                "differential": each.differential,
            }
            for each in tried.said.opinions
        ],
        "remarks": [*tried.film.cautions, *tried.said.remarks],
        "picture": str(tried.picture) if tried.picture else None,
    }


def model_shape(model: ModelVersion) -> dict[str, Any]:
    return {
        "name": model.name,
        "family": model.family,
        "number": model.number,
        "state": model.state,
        "snapshot": model.snapshot,
        "findings": list(model.findings),
        "headline": model.headline,
        "metrics": {name: metric_to_json(metric) for name, metric in model.metrics.items()},
        "promotable": model.promotable,
        "reason": model.reason,
        "created_at": _moment(model.created_at),
        "created_by": model.created_by,
        "job": model.job,
        "folder": model.folder,
    }


def snapshot_shape(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "sha": snapshot.sha,
        "datasets": list(snapshot.datasets),
        "patients": snapshot.counts.patients,
        "studies": snapshot.counts.studies,
        "images": snapshot.counts.images,
        "masks": snapshot.counts.masks,
        "reports": snapshot.counts.reports,
        "by_split": {str(split): count for split, count in snapshot.counts.by_split.items()},
        "by_finding": dict(snapshot.counts.by_finding),
        "left_out": dict(snapshot.counts.left_out),
        "curated": dict(snapshot.counts.curated),
        "fold": asdict(snapshot.fold) if snapshot.fold else None,
        "created_by": snapshot.created_by,
        "created_at": snapshot.created_at,
    }


def finding_shape(finding: Finding) -> dict[str, Any]:
    return {
        "key": finding.key,
        "name": finding.name,
        "kind": finding.kind,
        "prompts": list(finding.prompts),
        "parts": list(finding.parts),
        "retired": finding.retired,
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def hit_shape(found: "Result") -> dict[str, Any]:
    return {
        "similarity": found.hit.similarity,
        "study": found.study.id,
        "dataset": found.study.dataset,
        "key": found.study.key,
        "split": found.study.split,
        "image": next((image.name for image in found.study.images if image.id == found.hit.image), None),
        "labels": {key: {"state": said.state, "source": said.source} for key, said in found.labels},
        "sentence": found.hit.sentence,
    }
