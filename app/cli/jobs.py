"""Long work: what there is, how one stands, stopping and repeating one."""

from typing import Annotated

import typer
from rich.console import Console

from app.cli.output import AsJson, answer, table
from app.cli.shapes import job_shape
from app.house import local_reader, open_house
from app.services import training
from core.jobs import Job

commands = typer.Typer()
_jobs = typer.Typer(invoke_without_command=True)
commands.add_typer(_jobs, name="jobs")

Number = Annotated[int, typer.Argument(help="The job's number.", min=1)]


@_jobs.callback()
def jobs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List the latest jobs; with a word more, look at one, cancel it or repeat it.

    Example: python -m app jobs --limit 5
    """
    if context.invoked_subcommand is not None:
        return
    found = training.recent_jobs(open_house(), limit)
    columns = ("job", "kind", "state", "asked by", "at", "progress", "doing")
    rows = [
        (j.id, j.kind, j.state, j.requested_by, f"{j.requested_at:%Y-%m-%d %H:%M}", _share(j), j.error or _doing(j))
        for j in found
    ]
    data = {"jobs": [job_shape(job) for job in found]}
    answer(data, as_json, lambda out: table(out, columns, rows, "No job has been asked for yet."))


@_jobs.command()
def show(job: Number, as_json: AsJson = False) -> None:
    """How a job stands, the newest points of its curves, and the end of its log.

    Example: python -m app jobs show 3
    """
    house = open_house()
    found = training.job(house, job)
    latest = {point.name: point for point in training.curve(house, job)}
    log = training.log_tail(house, job)
    curves = {name: {"step": point.step, "value": point.value} for name, point in latest.items()}
    data = {"job": job_shape(found), "latest": curves, "log": log, "traceback": found.traceback}

    def show_it(out: Console) -> None:
        _show(out, found)
        table(out, ("curve", "step", "value"), [(n, p.step, f"{p.value:.4g}") for n, p in latest.items()], "")
        out.print(log or found.traceback or "", markup=False)

    answer(data, as_json, show_it)


@_jobs.command()
def cancel(job: Number, as_json: AsJson = False) -> None:
    """Ask a job to stop. One that still waits is cancelled at once.

    Example: python -m app jobs cancel 3
    """
    found = training.cancel(open_house(), job, local_reader())
    answer({"job": job_shape(found)}, as_json, lambda out: _show(out, found))


@_jobs.command()
def retry(job: Number, as_json: AsJson = False) -> None:
    """Queue a failed job again. A training goes on from its last checkpoint.

    Example: python -m app jobs retry 3
    """
    found = training.retry(open_house(), job, local_reader())
    answer({"job": job_shape(found)}, as_json, lambda out: _show(out, found))


def _show(out: Console, job: Job) -> None:
    out.print(f"Job {job.id}: {job.kind}, {job.state}. {job.error or _doing(job)}".rstrip(), markup=False)


def _share(job: Job) -> str:
    return f"{job.progress.share:.0%}" if job.progress.total else ""


def _doing(job: Job) -> str:
    left = job.progress.seconds_left
    return job.progress.message + (f", {left:.0f} s left" if left is not None and not job.state.is_over else "")
