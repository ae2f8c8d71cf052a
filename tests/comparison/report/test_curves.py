import json

import pytest

pytest.importorskip("matplotlib", reason="the charts need the extra [project]")

from spacy_elmo_ner.comparison.report.curves import MAX_POINTS, read_training_log


def test_a_log_is_thinned_and_keeps_every_perplexity(tmp_path):
    rows = [{"n_tokens": 10 * i, "loss": float(i)} for i in range(1, 1001)]
    rows[-1] |= {"forward": 200.0, "backward": 190.0}
    path = tmp_path / "small" / "log.jsonl"
    path.parent.mkdir()
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf8")
    log = read_training_log(path)
    assert log.name == "small"
    assert len(log.loss) <= MAX_POINTS
    assert log.loss[0] == (70, 4.0)
    assert log.loss[-1][0] == 10_000
    assert (log.forward, log.backward) == ([(10_000, 200.0)], [(10_000, 190.0)])


@pytest.mark.parametrize("content", ["{", "[1]", '{"loss": 1}', None])
def test_what_is_no_log_is_refused(content, tmp_path):
    path = tmp_path / "log.jsonl"
    if content is not None:
        path.write_text(content, encoding="utf8")
    with pytest.raises(ValueError, match=r"EL319.*log\.jsonl"):
        read_training_log(path)
