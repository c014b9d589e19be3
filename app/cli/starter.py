"""The starter model, put on record by hand."""

import typer

from app.cli.output import AsJson, answer
from app.cli.shapes import model_shape
from app.house import local_reader, open_house
from app.services.starter import bring_in

commands = typer.Typer()


@commands.command()
def starter(as_json: AsJson = False) -> None:
    """Put the starter model on record, and in use where no segmentation model is. serve does so at its first start.

    Example: python -m app starter
    """
    brought = bring_in(open_house(), local_reader())
    model = brought.model
    how = "is on record" if brought.is_new else "was on record already"
    answer(
        {"model": model_shape(model), "added": brought.is_new},
        as_json,
        lambda out: out.print(f"The starter model {how} as {model.name} ({model.state})."),
    )
