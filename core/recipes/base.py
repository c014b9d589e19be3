"""What every recipe shares: fields that carry their documentation, choices and bounds, read from text or JSON."""

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

from core.errors import ReadingRoomError


class BadRecipe(ReadingRoomError):
    """A recipe that contradicts itself, or a value that a field cannot take."""


def option(default: Any, doc: str, *, low: float | None = None, high: float | None = None, basic: bool = False) -> Any:
    """A recipe field with its documentation, its inclusive bounds, and whether it shows before Advanced is opened."""
    return field(default=default, metadata={"doc": doc, "low": low, "high": high, "basic": basic})


@dataclass(frozen=True)
class Recipe:
    """What every family's training shares. The loop reads these; a family reads its own."""

    family: ClassVar[str] = ""

    preset: str = option("cpu", "The named starting point that this recipe was made from.")
    epochs: int = option(30, "Passes over the training images.", low=1, high=10_000, basic=True)
    minimum_steps: int = option(0, "Small snapshots repeat their epochs until this many steps are done.", low=0)
    batch_size: int = option(8, "Images in one step.", low=1, high=4096, basic=True)
    learning_rate: float = option(1e-3, "Peak learning rate of the new layers.", low=1e-8, high=10, basic=True)
    weight_decay: float = option(1e-2, "AdamW weight decay (Loshchilov and Hutter 2019).", low=0, high=1)
    warmup_fraction: float = option(0.05, "Share of the steps that warm up before the cosine.", low=0, high=1)
    gradient_clip: float = option(1.0, "Largest norm of the gradient; 0 does not clip.", low=0)
    accumulate: int = option(1, "Batches whose gradients are added up before a step.", low=1, high=1024)
    precision: Literal["auto", "32", "bf16"] = option("auto", "Arithmetic: auto takes bf16 where the machine has it.")
    averaging: float = option(
        0.0,
        "Decay of the running average of the weights that is validated and kept; 0 keeps none.",
        low=0,
        high=0.99999,
    )
    patience: int = option(8, "Epochs without a better validation score before stopping; 0 never stops.", low=0)
    patience_from: float = option(0.5, "Early stopping sleeps until this share of the epochs is done.", low=0, high=1)
    keep: Literal["best", "last"] = option(
        "best", "Whose weights the model gets: those of the epoch that validated best, or the last epoch's."
    )
    seed: int = option(0, "Seed of every random choice in training.", low=0, high=2**31 - 1)
    checkpoint_minutes: float = option(2.0, "At most this long between checkpoints.", low=0.01, high=600)

    def __post_init__(self) -> None:
        for spec in fields(self):
            _require(spec.name, getattr(self, spec.name), _types(type(self))[spec.name], spec.metadata)
        self.check()

    def check(self) -> None:
        """Where a family refuses contradictions between fields. Raises BadRecipe."""

    def to_mapping(self) -> dict[str, Any]:
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    def to_json(self) -> str:
        return json.dumps({"family": self.family} | self.to_mapping(), indent=2, sort_keys=True)


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with some fields changed; text is read as the field's type ("3" for epochs). Raises BadRecipe."""
    known = _types(type(recipe))
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in known:
            raise BadRecipe(f'{recipe.family} recipes have no field "{name}". There are: {", ".join(sorted(known))}.')
        values[name] = _read(name, value, known[name])
    return replace(recipe, **values)


def parse_settings(settings: list[str]) -> dict[str, str]:
    """The changes that a list of "field=value" states. Raises BadRecipe."""
    pairs = [setting.partition("=") for setting in settings]
    for name, equals, _ in pairs:
        if not equals or not name:
            raise BadRecipe(f'"{name}" sets nothing. Write field=value, such as epochs=3.')
    return {name.strip(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True)
class FieldSpec:
    """A recipe field as a form shows it. `kind` is "integer", "number", "choice", "list" or "text"."""

    name: str
    kind: str
    default: Any
    doc: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    basic: bool


def form(recipe: Recipe) -> tuple[FieldSpec, ...]:
    """The fields of a recipe with what a form needs to draw them, in the order they are declared."""
    known = _types(type(recipe))
    return tuple(
        FieldSpec(
            spec.name, _kind(known[spec.name]), getattr(recipe, spec.name), spec.metadata["doc"], spec.metadata["low"],
            spec.metadata["high"], _choices(known[spec.name]), spec.metadata["basic"],
        )
        for spec in fields(recipe)
    )  # fmt: skip


def _types(cls: type[Recipe]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {spec.name: hints[spec.name] for spec in fields(cls)}


def _choices(hint: Any) -> tuple[str, ...]:
    return get_args(hint) if get_origin(hint) is Literal else ()


def _kind(hint: Any) -> str:
    if _choices(hint):
        return "choice"
    if get_origin(hint) is tuple:
        return "list"
    return {int: "integer", float: "number", bool: "flag"}.get(hint, "text")


def _read(name: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        if value in (None, "", "none", "None"):
            return None
        hint = next(inner for inner in get_args(hint) if inner is not type(None))
    if get_origin(hint) is tuple:
        parts = [p.strip() for p in value.split(",") if p.strip()] if isinstance(value, str) else list(value)
        return tuple(_read(name, part, get_args(hint)[0]) for part in parts)
    if hint is bool and isinstance(value, str):
        if value.lower() in ("true", "yes", "1", "false", "no", "0"):
            return value.lower() in ("true", "yes", "1")
        raise BadRecipe(f'{name} is yes or no, not "{value}".')
    if hint in (int, float) and isinstance(value, str | int | float) and not isinstance(value, bool):
        return _number(name, value, hint)
    return value


def _number(name: str, value: str | int | float, hint: type) -> int | float:
    try:
        number = float(value)
        whole = int(number)
    except (ValueError, OverflowError):
        raise BadRecipe(f'{name} is a number, not "{value}".') from None
    if hint is float:
        return number
    if whole != number:
        raise BadRecipe(f"{name} is a whole number, not {value}.")
    return whole


def _require(name: str, value: Any, hint: Any, metadata: Mapping[str, Any]) -> None:
    choices = _choices(hint)
    if choices and value not in choices:
        raise BadRecipe(f'{name} is one of {", ".join(choices)}; "{value}" is not.')
    if hint in (int, float) and (isinstance(value, bool) or not isinstance(value, int | float) or value != value):
        raise BadRecipe(f'{name} is a number, not "{value}".')
    low, high = metadata["low"], metadata["high"]
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {low:g}" if high is None else f"between {low or 0:g} and {high:g}"
        raise BadRecipe(f"{name} is {bounds}; {value} is not.")
