"""Native charts: they stay editable, and draw from the cells of the forms."""

from __future__ import annotations

from typing import Any

from memberops.reports.cells import ReportLanguage, clean_text
from memberops.reports.form import Chart, Form, columns_for

__all__ = ["native_chart"]

# Okabe and Ito's palette: told apart by readers with any color vision.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00",
           "#999999", "#F0E442", "#000000")  # fmt: skip
_WIDTH, _HEIGHT = 760, 380
_PLAIN = "#,##0.##"


def native_chart(
    workbook: Any,
    form: Form,
    chart: Chart,
    *,
    sheet: str,
    heading: int,
    start: int = 0,
    language: ReportLanguage,
) -> Any:
    """
    Make a chart over cells that are written already.

    Args:
        workbook: The open workbook.
        form: The form that is drawn.
        chart: What of it.
        sheet: Name of the sheet that holds the drawn rows.
        heading: Row of the sheet, from 0, that holds the headings.
        start: Row of the form that follows them.
        language: Which columns the sheet shows.
    """
    made = workbook.add_chart({"type": chart.kind})
    percent = all(form.column(name).style == "percent" for name in chart.columns)
    labels = {"value": True, "num_format": "0.0%" if percent else _PLAIN}
    columns = columns_for(form, language)
    names = [column.name for column in columns]
    at = [names.index(name) for name in chart.columns]
    first, last = (heading + 1 + row - start for row in (chart.first, chart.last))
    label = names.index(chart.label)
    if chart.series == "rows":
        series = [
            (
                [sheet, row, label],
                [sheet, heading, at[0], heading, at[-1]],
                [sheet, row, at[0], row, at[-1]],
            )
            for row in range(first, last + 1)
        ]
    else:
        series = [
            (
                [sheet, heading, number],
                [sheet, first, label, last, label],
                [sheet, first, number, last, number],
            )
            for number in at
        ]
    for number, (name, categories, values) in enumerate(series):
        color = _COLORS[number % len(_COLORS)]
        line = chart.kind == "line"
        made.add_series(
            {
                "name": name,
                "categories": categories,
                "values": values,
                **(_line(color) if line else {"fill": {"color": color}}),
                **({"data_labels": labels} if len(series) == 1 else {}),
            }
        )
    _decorate(made, chart, percent=percent, several=len(series) > 1)
    return made


def _line(color: str) -> dict[str, Any]:
    return {"line": {"color": color, "width": 2}, "marker": {"type": "circle"}}


def _decorate(made: Any, chart: Chart, *, percent: bool, several: bool) -> None:
    title = clean_text(f"{chart.title_zh} {chart.title_en}").replace("\n", " ")
    # The writer takes a title with a leading "=" for a reference to a cell.
    plain = f" {title}" if title.startswith("=") else title
    made.set_title({"name": plain, "name_font": {"size": 12}, "overlay": False})
    made.set_legend({"position": "bottom"} if several else {"none": True})
    if chart.kind == "pie":
        made.set_legend({"position": "right"})
    else:
        amounts = {"num_format": "0%" if percent else _PLAIN}
        lines = {"major_gridlines": {"visible": True, "line": {"color": "#E0E0E0"}}}
        made.set_y_axis({**amounts, **lines})
        made.set_x_axis({"label_position": "low"})
        if chart.kind == "bar":
            # A bar chart lays the categories on the other axis, from the bottom up.
            made.set_x_axis({**amounts, **lines})
            made.set_y_axis({"reverse": True, "label_position": "low"})
    made.show_blanks_as("gap")
    made.set_size({"width": _WIDTH, "height": _HEIGHT})
