"""The measurements as a picture: one panel for each figure, one bar for each peer. SVG, written by hand.

Each panel has its own scale, from zero. The colours follow the reader's light or dark theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from figures import Figure
from report import COLUMNS, number

__all__ = ["as_svg"]

PANELS_ABREAST = 2
PANEL, GAP, MARGIN = 430, 20, 20
LABEL, VALUE = 112, 66
"""Room left of the bars for names and right of them for numbers."""
LINE, TITLE = 22, 34

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.hint { font-size: 11px; font-weight: 400; fill: #6a737d }
.paper { fill: #ffffff }
.ours { fill: #1a7f37 }
.floor { fill: #8c959f }
.peer { fill: #539bf5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .hint { fill: #9ba5af }
  .paper { fill: #161b22 }
  .ours { fill: #3fb950 }
  .floor { fill: #6e7681 }
  .peer { fill: #4184e4 }
}
"""


def as_svg(figures: Sequence[Figure]) -> str:
    """The whole picture. Figures nobody was measured for are left out."""
    shown = [figure for figure in figures if _bars(figure)]
    parts: list[str] = []
    top = MARGIN
    for start in range(0, len(shown), PANELS_ABREAST):
        abreast = shown[start : start + PANELS_ABREAST]
        for place, figure in enumerate(abreast):
            parts += _panel(figure, MARGIN + place * (PANEL + GAP), top)
        top += TITLE + LINE * max(len(_bars(figure)) for figure in abreast) + GAP
    width = 2 * MARGIN + PANELS_ABREAST * PANEL + (PANELS_ABREAST - 1) * GAP
    height = top - GAP + MARGIN
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    label = "Benchmarks: " + "; ".join(figure.title for figure in shown)
    return "\n".join(
        [
            f'{head} role="img" aria-label="{escape(label)}">',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _bars(figure: Figure) -> list[tuple[str, float]]:
    return [(name, value) for name in COLUMNS if (value := figure.median(name)) is not None]


def _panel(figure: Figure, left: int, top: int) -> list[str]:
    hint = f"{figure.unit}, {'more' if figure.more_is_better else 'less'} is better"
    parts = [
        f'<text class="title" x="{left}" y="{top + 14}">{escape(figure.title)}'
        f'<tspan class="hint" dx="8">{escape(hint)}</tspan></text>'
    ]
    bars = _bars(figure)
    longest = max(value for _, value in bars)
    for place, (name, value) in enumerate(bars):
        parts += _bar(name, value, value / longest if longest else 0.0, left, top + TITLE - 8 + place * LINE)
    return parts


def _bar(name: str, value: float, share: float, left: int, top: int) -> list[str]:
    room = PANEL - LABEL - VALUE
    width = max(1.0, room * share)
    kind = name if name in ("ours", "floor") else "peer"
    start = left + LABEL
    return [
        f'<text x="{start - 8}" y="{top + 13}" text-anchor="end">{escape(COLUMNS[name])}</text>',
        f'<rect class="{kind}" x="{start}" y="{top + 2}" width="{width:.1f}" height="{LINE - 6}" rx="2"/>',
        f'<text x="{start + width + 6:.1f}" y="{top + 13}">{number(value)}</text>',
    ]
