"""The compiled kernels. Everything else stands in setup.cfg.

They are optional: where they cannot be built, the package is installed without them and runs on
torch alone.
"""

import platform

from setuptools import Extension, setup

HERE = "spacy_elmo_ner/elmo/"
SOURCES = ("char_cnn.c", "lstm_prediction.c", "lstm_training.c", "parts.c", "softmax.c")
HEADERS = ("kernels.h", "lstm_prediction.h", "parts.h")
# Comparisons with NaN and exact rounding stay as they are written: no -ffast-math.
FLAGS = "-O3 -std=gnu11 -fno-math-errno -fno-trapping-math -ffp-contract=fast -pthread -Wno-psabi"

setup(
    ext_modules=[
        Extension(
            "spacy_elmo_ner.elmo._kernels",
            sources=[HERE + name for name in SOURCES],
            depends=[HERE + name for name in HEADERS],
            extra_compile_args=[] if platform.system() == "Windows" else FLAGS.split(),
            extra_link_args=[] if platform.system() == "Windows" else ["-pthread"],
            optional=True,
        )
    ]
)
