#!/usr/bin/env bash
# Make the environment that AllenNLP's ELMo runs in: .peer/ at the root of the checkout.
# Arguments go to the pip command that installs torch (an index of CPU-only wheels, say).
set -euo pipefail
cd "$(dirname "$0")/../.."

"${PYTHON:-python3}" -m venv .peer
.peer/bin/python -m pip install --quiet torch==2.13.0 "$@"
.peer/bin/python -m pip install --quiet numpy h5py
# AllenNLP asks for torch<1.13 and half of PyPI, none of which its ELMo runs.
.peer/bin/python -m pip install --quiet --no-deps allennlp==2.10.1
