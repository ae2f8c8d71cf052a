"""The parts of a page that results files write, each between two marks."""

from pathlib import Path

from ..errors import Errors


def with_results(readme: str, markdown: str, path: Path, name: str = "results") -> str:
    """The page's text with ``markdown`` between the marks of this name, all else untouched.

    ``path`` is for the message only. ValueError (EL316) unless each mark stands there once, in
    order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if (
        readme.count(begin) != 1
        or readme.count(end) != 1
        or readme.index(begin) > readme.index(end)
    ):
        raise ValueError(Errors.EL316.format(path=path, begin=begin, end=end))
    before, _, rest = readme.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{markdown.strip()}\n\n{end}{after}"
