"""The compiled kernels, what the package takes along from the checkout, and what PyPI shows.

Everything else is in setup.cfg. The kernels are optional: where they cannot be built, the package
is installed without them and runs on torch alone.
"""

import platform
import re
import runpy
from configparser import ConfigParser
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
HERE = "spacy_elmo_ner/elmo/"
SOURCES = ("char_cnn.c", "lstm_training.c", "parts.c", "prediction.c", "softmax.c", "tiles.c")
HEADERS = (
    "bfloat16.h",
    "char_cnn.h",
    "char_cnn_prediction.h",
    "kernels.h",
    "lstm_prediction.h",
    "parts.h",
    "prediction_kind.h",
    "tiles.h",
)
# Comparisons with NaN and exact rounding stay as they are written: no -ffast-math.
FLAGS = "-O3 -std=gnu11 -fno-math-errno -fno-trapping-math -ffp-contract=fast -pthread -Wno-psabi"


class BuildWithResources(build_py):
    """Copy configs, label maps and the sample corpus into the package that is built.

    The checkout keeps each of them once; installed in editable mode, the package reads those.
    """

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for folder in runpy.run_path("spacy_elmo_ner/resources.py")["FOLDERS"]:
            target = Path(self.build_lib, "spacy_elmo_ner/data", folder)
            self.mkpath(str(target))
            for path in sorted(Path(folder).iterdir()):
                if path.is_file():
                    self.copy_file(str(path), str(target / path.name))


def description() -> str:
    """Return README.md with absolute links, as PyPI has no files beside it."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf8")
    lines = config["metadata"]["project_urls"].strip().splitlines()
    urls = dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines)
    readme = (ROOT / "README.md").read_text(encoding="utf8")
    # Pictures need the file itself, links its page. "(#part)" and "(https://...)" stay.
    readme = re.sub(r"(!\[[^]]*\]\()(?!https?:|#)", rf"\g<1>{urls['Source']}/raw/main/", readme)
    return re.sub(r"(\]\()(?!https?:|#)", rf"\g<1>{urls['Source']}/blob/main/", readme)


def extension(name: str, sources: list[str], depends: list[str]) -> Extension:
    """Return a library of plain C functions, which `libraries.py` loads."""
    windows = platform.system() == "Windows"
    return Extension(
        name,
        sources=sources,
        depends=depends,
        extra_compile_args=[] if windows else FLAGS.split(),
        extra_link_args=[] if windows else ["-pthread"],
        optional=True,
    )


setup(
    cmdclass={"build_py": BuildWithResources},
    long_description=description(),
    long_description_content_type="text/markdown",
    ext_modules=[
        extension(
            "spacy_elmo_ner.elmo._kernels",
            [HERE + name for name in SOURCES],
            [HERE + name for name in HEADERS],
        ),
        extension("spacy_elmo_ner.decoding._walks", ["spacy_elmo_ner/decoding/walks.c"], []),
    ],
)
