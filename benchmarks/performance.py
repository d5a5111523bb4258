"""Write where the time of a request goes into ``docs/performance.md``, and the chart beside it."""

from __future__ import annotations

import argparse
import os
import platform
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape

from benchmarks.around import Used, around
from benchmarks.installed import ROOT
from benchmarks.results import Table
from benchmarks.stages import STAGES, Profile, profiles

PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "images" / "performance.svg"

_MEASURED = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", re.DOTALL)

# Of the chart, in pixels.
_WIDTH, _LEFT, _BAR, _GAP, _LEGEND = 760, 140, 26, 16, 18
_COLUMNS = 3
_COLOURS: tuple[str, ...] = ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948")
_COLOURS += ("#b07aa1", "#ff9da7", "#9c755f", "#bab0ac", "#2f4b7c", "#d4a6c8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="print it, of few rounds")
    asked = parser.parse_args()
    found = profiles(400 if asked.quick else 10_000)
    used = around(1, 1 if asked.quick else 5)
    text = "\n".join(line for each in tables(found, used) for line in each.markdown("###"))
    if asked.quick:
        print(text)
        return
    made = f"{_machine()}\n\n![Stages of a request](images/performance.svg)\n\n{text}\n"
    PAGE.write_text(_MEASURED.sub(lambda _: made, PAGE.read_text("utf-8")), "utf-8")
    CHART.write_text(chart(found), "utf-8")


def tables(found: Mapping[str, Profile], used: Mapping[str, Used]) -> Iterator[Table]:
    """Give the tables of the page."""
    rows = [
        [
            stage,
            *(
                f"{each.stages[stage]:.1f}" if stage in each.stages else ""
                for each in found.values()
            ),
        ]
        for stage in STAGES
    ]
    rows.append(["**together**", *(f"**{each.total:.1f}**" for each in found.values())])
    rows.append(
        ["allocated at the most", *(f"{each.peak / 1024:.1f} KiB" for each in found.values())]
    )
    yield Table("The line, in process: microseconds a request", ["", *found], rows)
    if used:
        rows = [[name, f"{each.server:.0f}", f"{each.client:.0f}"] for name, each in used.items()]
        title = "Over a socket, 8 connections: microseconds of the processor a request"
        yield Table(title, ["", "server", "load generator"], rows)


def chart(found: Mapping[str, Profile]) -> str:
    """Return the stages as bars, an SVG."""
    scale = (_WIDTH - _LEFT - 60) / max(each.total for each in found.values())
    parts = []
    for number, (name, profile) in enumerate(found.items()):
        top, left = _GAP + number * (_BAR + _GAP), float(_LEFT)
        parts.append(_text(_LEFT - 8, top + 18, name, "end"))
        for stage, colour in zip(STAGES, _COLOURS, strict=True):
            width = profile.stages.get(stage, 0) * scale
            title = f"<title>{escape(stage)}: {profile.stages.get(stage, 0):.1f} µs</title>"
            shape = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"'
            parts.append(f"<rect {shape}>{title}</rect>")
            left += width
        parts.append(_text(left + 6, top + 18, f"{profile.total:.0f} µs"))
    below = _GAP + len(found) * (_BAR + _GAP)
    for number, (stage, colour) in enumerate(zip(STAGES, _COLOURS, strict=True)):
        row, column = divmod(number, _COLUMNS)
        left, top = 20 + column * (_WIDTH - 20) // _COLUMNS, below + row * _LEGEND
        parts.append(f'<rect x="{left}" y="{top}" width="11" height="11" fill="{colour}"/>')
        parts.append(_text(left + 16, top + 10, stage))
    height = below + -(-len(STAGES) // _COLUMNS) * _LEGEND + 8
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
    style = 'font-family="sans-serif" font-size="12" role="img">'
    title = "<title>Microseconds of a request by stage</title>"
    ground = f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    return "\n".join([opening + style, title, ground, *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="#222222">{escape(text)}</text>'


def _machine() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()}, {python}."


if __name__ == "__main__":
    main()
