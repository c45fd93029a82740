"""Tables that fit the screen: what is too wide goes onto a line of its own, or is left out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from pavedroad.core.showing import shown

_GAP = "  "
_INDENT = "    "


class Rows:
    """Rows under headings. Where they are too wide, the columns of `beneath` move under their row one by one,
    then those of `spare` are left out; where nothing limits the width, all stay."""

    def __init__(self, *columns: str, beneath: Sequence[str] = (), spare: Sequence[str] = ()) -> None:
        self._columns = columns
        self._beneath = beneath
        self._spare = spare
        self._rows: list[tuple[Text, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, *cells: str | Text) -> None:
        """A row, a cell for each column; it is one line, whatever the cells hold."""
        self._rows.append(tuple(_one_line(cell) for cell in cells))

    def text(self, width: int | None) -> Text:
        """As lines of at most `width` columns, as far as the narrowest form allows; None is without limit."""
        beside, under = list(self._columns), list[str]()
        for column in self._beneath:
            if self._fits(beside, width):
                break
            beside.remove(column)
            under.append(column)
        for column in self._spare:
            if self._fits(beside, width):
                break
            beside.remove(column)
        return self._lines(beside, under, width)

    def _fits(self, columns: list[str], width: int | None) -> bool:
        return width is None or len(_GAP) * (len(columns) - 1) + sum(map(self._width, columns)) <= width

    def _width(self, column: str) -> int:
        at = self._columns.index(column)
        return max(cell_len(column), *(row[at].cell_len for row in self._rows), 0)

    def _lines(self, beside: list[str], under: list[str], width: int | None) -> Text:
        lines = [self._line([Text(column, style="bold") for column in beside], beside)]
        for row in self._rows:
            cells = dict(zip(self._columns, row, strict=True))
            lines.append(self._line([cells[column] for column in beside], beside))
            lines += [
                Text(line, style="dim")
                for column in reversed(under)
                for line in textwrap.wrap(
                    cells[column].plain,
                    max(width or 0, 2 * len(_INDENT)),
                    initial_indent=_INDENT,
                    subsequent_indent=_INDENT,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            ]
        return Text("\n").join(lines)

    def _line(self, cells: list[Text], columns: list[str]) -> Text:
        line = Text()
        for cell, column in zip(cells, columns, strict=True):
            line.append_text(cell)
            line.append(" " * (self._width(column) - cell.cell_len) + _GAP)
        line.rstrip()
        return line


def _one_line(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(shown(" ".join(cell.split())))
