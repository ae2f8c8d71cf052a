"""kill -9, really: a process of its own, without a chance to clean up."""

from pathlib import Path

from benchmarks.pretrain_resume import differences, killed_run
from benchmarks.pretrain_run import finish, rows, start

from .test_processes import CONFIG


def test_a_killed_run_resumed_equals_the_undisturbed_one_to_the_last_bit(
    text_file: Path, tmp_path: Path
) -> None:
    config = tmp_path / "run.cfg"
    config.write_text(CONFIG.format(text=text_file))
    # Both as commands: whether they find a compiled cell must not be the difference.
    finish(start(config, tmp_path / "whole"), tmp_path / "whole")
    killed_at = killed_run(config, tmp_path / "killed", kills=1, n_steps=60, seed=4)
    assert 0 < killed_at[0] < 60
    assert differences(tmp_path / "whole", tmp_path / "killed") == []
    (tmp_path / "killed" / "softmax.safetensors").write_bytes(b"another")
    assert differences(tmp_path / "whole", tmp_path / "killed") == ["softmax.safetensors differs"]
    assert len(rows(tmp_path / "killed")) == 60
