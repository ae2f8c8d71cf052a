"""Find configs, label maps and the sample corpus by the path they have in a checkout.

They are kept once, in the checkout's `configs` and `assets`; the build copies them into the
installed package (setup.py).
"""

from pathlib import Path

_INSTALLED = Path(__file__).parent / "data"
_CHECKOUT = Path(__file__).parent.parent

FOLDERS = ("configs", "assets/label_maps", "assets/sample")


def resource(name: str) -> Path:
    """Return the path of a file or folder that comes with the package, such as configs/ner.cfg."""
    is_installed = (_INSTALLED / FOLDERS[0]).is_dir()
    return (_INSTALLED if is_installed else _CHECKOUT) / name


def find(path: Path) -> Path:
    """Return a path that exists here as it is; otherwise the package's own file of that name.

    A relative path below one of FOLDERS names it, so that commands written for a checkout work
    anywhere. A path that neither has is returned unchanged.
    """
    parts = path.parts
    is_ours = any(parts[: len(Path(folder).parts)] == Path(folder).parts for folder in FOLDERS)
    if path.exists() or not is_ours or ".." in parts:
        return path
    ours = resource(path.as_posix())
    return ours if ours.exists() else path
