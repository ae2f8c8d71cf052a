"""The measured part of docs/serving.md, from benchmarks/results/serve.json."""

from collections.abc import Iterator
from typing import Any

from spacy_elmo_ner.comparison.render import markdown_table
from spacy_elmo_ner.comparison.tables import Table


def serve_sections(found: dict[str, Any]) -> Iterator[str]:
    """Write what the load test found: answers, speed, latency and the server's memory."""
    wrong = f"{found['wrong']:,} wrong" if found["wrong"] else "all right"
    yield (
        f"{found['requests']:,} requests of {found['words_per_text']:.0f} words from "
        f"{found['clients']} clients at once, {found['words']:,} words, of which every tenth was "
        f"never there before. Answers, each compared with the pipeline's own: {wrong}, "
        f"{found['refused']:,} refused. {found['workers']} worker and {found['torch_threads']} "
        "threads of torch; clients and server share the machine's "
        f"{found['machine']['cores']} cores ({found['machine']['cpu']}). Measured by "
        "`python benchmarks/serve_load.py corpus/dev.spacy`."
    )
    columns = ["words/s", "requests/s", "p50, ms", "p99, ms", "longest, ms"]
    names = ("words_per_second", "requests_per_second", "p50_ms", "p99_ms", "most_ms")
    row = [f"{found[name]:,.0f}" for name in names]
    yield markdown_table(Table("Load", columns, [row]))
    memory = [*found["memory_mb"][:9], found["memory_mb"][-1]]  # tenths may leave a rest
    yield "The server's memory in MB, after each tenth of the requests:"
    columns = [f"{10 * (i + 1)} %" for i in range(len(memory))]
    yield markdown_table(Table("Memory", columns, [[f"{mb:.0f}" for mb in memory]]))
