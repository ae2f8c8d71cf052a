"""A pipeline whose process dies at some texts, also in processes that tests do not start."""

import textwrap
from pathlib import Path

import spacy

_CODE = """
import os, signal
from pathlib import Path
from spacy.language import Language

@Language.factory("deadly", default_config={"once": ""})
def deadly(nlp, name, once):
    def pipe(doc):
        if "dies always" in doc.text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "dies once" in doc.text and not Path(once).exists():
            Path(once).write_text("died")
            os.kill(os.getpid(), signal.SIGKILL)
        return doc
    return pipe
"""


def make_deadly_pipeline(folder: Path) -> tuple[str, str]:
    """Write a pipeline and a folder for PYTHONPATH that makes it known to any process."""
    code = folder / "code"
    info = code / "deadly_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (code / "deadly_plugin.py").write_text(textwrap.dedent(_CODE))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spacy_factories]\ndeadly = deadly_plugin:deadly\n")
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    config = nlp.config.copy()
    config["nlp"]["pipeline"].append("deadly")
    config["components"]["deadly"] = {"factory": "deadly", "once": str(folder / "died")}
    pipeline = folder / "pipeline"
    nlp.to_disk(pipeline)
    config.to_disk(pipeline / "config.cfg")
    return str(pipeline), str(code)
