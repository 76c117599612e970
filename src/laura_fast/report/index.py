"""The index of all results: the part of `results/README.md` between two marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.report.folder import ResultsError, history
from laura_fast.report.markdown import table

if TYPE_CHECKING:
    from pathlib import Path

    from laura_fast.report.folder import Entry

README: Final = "README.md"
BEGIN: Final = "<!-- index: written by `python -m laura_fast report` -->"
END: Final = "<!-- end of index -->"


def write(results: Path) -> None:
    """Puts the list of all runs, newest first, between the marks.

    Raises:
        ResultsError: The file lacks the marks.
    """
    path = results / README
    text = path.read_text(encoding="utf-8") if path.exists() else f"# Results\n\n{BEGIN}\n{END}\n"
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ResultsError(f"{path} lacks the marks of the index: {BEGIN} and {END}")
    rows = [_row(entry) for entry in reversed(history(results))]
    listed = table(["run", "page", "headlines"], rows) if rows else "None yet."
    path.write_text(f"{before}{BEGIN}\n\n{listed}\n\n{END}{after}", encoding="utf-8")


def _row(entry: Entry) -> list[str]:
    headlines = "<br>".join(f"**{value}** {label}" for label, value in entry.headlines.items())
    summary, page = f"[{entry.folder}]({entry.folder}/summary.md)", f"[page]({entry.folder}/index.html)"
    return [summary, page, headlines or ", ".join(entry.kinds)]
