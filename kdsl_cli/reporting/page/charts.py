"""Charts of tables as inline SVG: no script, sharp in print, and in the page's own colours, light or dark.

A colour is the name of a custom property of the page (``var(--rules)``), which a browser looks up when it
draws. Charts are narrow, so that a phone shows their words at full size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from markupsafe import Markup, escape

from kdsl_cli.extras import installed
from kdsl_cli.reporting.systems import SYSTEMS

if TYPE_CHECKING:
    import altair as alt

EXTRA: Final = "report"
"""The extra that brings the plotting library."""

_MODULES: Final = ("altair", "vl_convert")
_WIDTH, _HEIGHT = 300, 210
_COLOURS: Final = [f"var(--{system})" for system in SYSTEMS]
_DASHES: Final[list[list[float]]] = [[5, 3], [1.5, 2.5], [1, 0]]
_SHAPES: Final = ["triangle-up", "square", "circle"]

TRAINING: Final = {
    "loss": "loss in training",
    "val_log_loss": "log loss in validation",
    "val_weighted_f1": "weighted F1 in validation",
    "learning_rate": "learning rate",
    "gradient": "norm of the gradient",
}
"""Columns of the table of training steps that are drawn, and what they are called."""

_MOST_STEPS, _SINGLE_POINTS = 300, 40

_AXIS: Final[dict[str, Any]] = {
    "labelColor": "var(--soft)",
    "titleColor": "var(--soft)",
    "gridColor": "var(--line)",
    "domainColor": "var(--line)",
    "tickColor": "var(--line)",
    "labelFontSize": 11,
    "titleFontSize": 11,
    "titleFontWeight": "normal",
    "titlePadding": 8,
    "tickCount": 5,
}
_CONFIG: Final[dict[str, Any]] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "padding": 4,
    "aria": False,  # the chart as a whole has a name; its numbers stand in a table
    "mark": {"aria": False},
    "view": {"stroke": None},
    "axis": _AXIS,
}


def available() -> bool:
    """Whether charts can be drawn here; without the extra `report` they cannot."""
    return all(map(installed, _MODULES))


def reliability_chart(frame: pl.DataFrame) -> Markup:
    """Draw `curves.reliability`."""
    import altair as alt

    base = alt.Chart(frame)
    x = alt.X("confidence:Q", title="probability it gave", scale=_from_0_to_1(), axis=_percent())
    diagonal = (
        alt.Chart(pl.DataFrame({"x": [0.0, 1.0]}))
        .mark_line(color="var(--soft)", strokeDash=[2, 3], strokeWidth=1)
        .encode(x="x:Q", y="x:Q")
    )
    spread = base.mark_rule(strokeWidth=1.5, opacity=0.45).encode(
        x=x,
        y=alt.Y("low:Q", title="share it got right", scale=_from_0_to_1(), axis=_percent()),
        y2="high:Q",
        color=_colour(),
    )
    joined = base.mark_line(strokeWidth=1, opacity=0.5).encode(x=x, y="accuracy:Q", color=_colour())
    points = base.mark_point(filled=True, size=46, opacity=1).encode(
        x=x, y="accuracy:Q", color=_colour(), shape=_shape()
    )
    return _svg(diagonal + spread + joined + points, "How often each system was right, by how sure it was")


def selective_chart(frame: pl.DataFrame) -> Markup:
    """Draw `curves.selective`."""
    import altair as alt

    low = max(0.0, min([*frame["precision"], 1.0]) - 0.05)
    lines = (
        alt.Chart(frame)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X(
                "coverage:Q", title="share of dialogues, surest first", scale=_from_0_to_1(), axis=_percent()
            ),
            y=alt.Y(
                "precision:Q",
                title="share of these it got right",
                scale=alt.Scale(domain=[low, 1.0]),
                axis=_percent(),
            ),
            color=_colour(),
            strokeDash=alt.StrokeDash(
                "system:N", scale=alt.Scale(domain=list(SYSTEMS), range=_DASHES), legend=None
            ),
        )
    )
    return _svg(lines, "Precision of each system on the dialogues it is surest of")


def training_charts(frame: pl.DataFrame) -> dict[str, Markup]:
    """Draw those of `TRAINING` that a table of steps has, by name, where they were measured."""
    measured = {
        name: frame.select("step", name).drop_nulls().drop_nans() for name in TRAINING if name in frame
    }
    return {name: _training_chart(kept, name) for name, kept in measured.items() if kept.height > 1}


def _training_chart(frame: pl.DataFrame, name: str) -> Markup:
    import altair as alt

    thinned = frame.gather_every(-(-frame.height // _MOST_STEPS)).rename({name: "value"})
    few = thinned.height <= _SINGLE_POINTS
    line = (
        alt.Chart(thinned)
        .mark_line(
            color="var(--large)", strokeWidth=2, point={"color": "var(--large)", "size": 18} if few else False
        )
        .encode(
            x=alt.X("step:Q", title="step", axis=alt.Axis(format="~s")),
            y=alt.Y("value:Q", title=TRAINING[name], scale=alt.Scale(zero=False), axis=alt.Axis(format="~g")),
        )
    )
    return _svg(line, f"{TRAINING[name]}, by training step")


def _from_0_to_1() -> alt.Scale:
    import altair as alt

    return alt.Scale(domain=[0, 1])


def _percent() -> alt.Axis:
    import altair as alt

    return alt.Axis(format=".0%")


def _colour() -> alt.Color:
    import altair as alt

    return alt.Color("system:N", scale=alt.Scale(domain=list(SYSTEMS), range=_COLOURS), legend=None)


def _shape() -> alt.Shape:
    import altair as alt

    return alt.Shape("system:N", scale=alt.Scale(domain=list(SYSTEMS), range=_SHAPES), legend=None)


def _svg(chart: alt.LayerChart | alt.Chart, name: str) -> Markup:
    """Render a chart under the name that a screen reader says."""
    import vl_convert

    sized = chart.properties(width=_WIDTH, height=_HEIGHT).configure(**_CONFIG)
    drawn = vl_convert.vegalite_to_svg(sized.to_dict())
    return Markup(drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(name)}" ', 1))
