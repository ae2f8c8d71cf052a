"""The part of a README that a results file writes, between two marks."""

from pathlib import Path

from ..errors import Errors

BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"


def with_results(readme: str, markdown: str, path: Path) -> str:
    """The README's text with ``markdown`` between the marks, all else untouched.

    ``path`` is for the message only. ValueError (EL316) unless each mark stands there once, in
    order.
    """
    if (
        readme.count(BEGIN) != 1
        or readme.count(END) != 1
        or readme.index(BEGIN) > readme.index(END)
    ):
        raise ValueError(Errors.EL316.format(path=path, begin=BEGIN, end=END))
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{markdown.strip()}\n\n{END}{after}"
