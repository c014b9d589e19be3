"""What is drawn of measurements, whatever they are."""

from pathlib import Path

from matplotlib.figure import Figure

from core.metrics import NOT_EVALUABLE, Estimate
from trainers.charts import draw_estimates


def test_a_value_outside_its_own_interval_is_drawn_and_what_is_not_evaluable_is_not(tmp_path: Path) -> None:
    axes = Figure().subplots()
    told = [Estimate(0.2, 0.25, 0.9, 3), NOT_EVALUABLE, Estimate(0.5, 0.4, 0.6, 30)]
    draw_estimates(axes, range(3), told, "AUROC", "#000000")
    (points,) = axes.lines
    assert list(points.get_xdata()) == [0, 2] and list(points.get_ydata()) == [0.2, 0.5]
    ((bars,),) = ([each.get_segments() for each in axes.collections],)
    assert [[tuple(end) for end in bar] for bar in bars] == [[(0, 0.25), (0, 0.9)], [(2, 0.4), (2, 0.6)]]


def test_nothing_evaluable_draws_nothing() -> None:
    axes = Figure().subplots()
    draw_estimates(axes, [0.0], [NOT_EVALUABLE], "AUROC", "#000000")
    assert not axes.lines and not axes.collections
