"""Every code block of the README and of docs/ does what the page says."""

from pathlib import Path

import pytest

from .blocks import Block, Page, blocks, comparable

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Has a test of its own, which looks closer.
ELSEWHERE = {"docs/pretraining.md": "tests/pretraining/test_docs.py"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def to_run(path: Path) -> list[Block]:
    found = blocks(path.read_text(encoding="utf8"))
    return [block for block in found if block.language in ("python", "bash", "ini") or block.kind]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a reader has: a checkout, in which the blocks may leave files."""
    for folder in ("assets", "configs", "scripts", "benchmarks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


HERE = [path for path in PAGES if to_run(path) and name(path) not in ELSEWHERE]


@pytest.mark.parametrize("path", HERE, ids=name)
def test_a_page_does_what_it_says(path: Path, checkout: Path) -> None:
    page = Page(name(path))
    for block in to_run(path):
        page.run(block)


@pytest.mark.parametrize("page", ELSEWHERE)
def test_a_page_that_is_not_run_here_is_run_there(page: str) -> None:
    assert Path(page).name in (ROOT / ELSEWHERE[page]).read_text(encoding="utf8")


def test_the_readme_begins_with_what_the_pipeline_finds_and_prints_it() -> None:
    runnable = [block for block in to_run(ROOT / "README.md") if block.kind != "skip"]
    # By its name, as pip installs it; a checkout has its folder.
    assert [block.kind for block in runnable[:2]] == ["replace", "output"]
    assert len(runnable[1].code.splitlines()) >= 4


def test_blocks_are_found_with_their_comments_and_lines() -> None:
    page = (
        "# A\n\n```python\nx = 1\n```\n\n<!-- test: output -->\n```text\n1\n```\n\n"
        "=== tab\n\n    <!-- test: file a/b.txt -->\n    ```json\n    {}\n    ```\n\n"
        "Some text.\n\n```\nas it is\n```\n"
    )
    assert blocks(page) == [
        Block("python", "x = 1\n", 3),
        Block("text", "1\n", 8, "output"),
        Block("json", "{}\n", 15, "file", "a/b.txt"),
        Block("", "as it is\n", 21),
    ]


def test_a_comment_of_another_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"line 2: .*'outptu'"):
        blocks("<!-- test: outptu -->\n```text\n1\n```\n")


def test_only_decimals_are_left_open_in_an_output() -> None:
    assert comparable("Nairobi geo 0.98 \n") == comparable("Nairobi geo 0.71")
    assert comparable("Nairobi geo 0.98") != comparable("Nairobi org 0.98")
    assert comparable("(3, 3, 256)") != comparable("(3, 4, 256)")


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (Block("text", "2\n", 9, "output"), "line 9: printed was\n1"),
        (Block("python", "assert 1 == 2", 9), None),
        (Block("bash", "false", 9), "line 9: false"),
        (Block("bash", "python -m spacy elmo perplexity nowhere", 9), "line 9: .*nowhere"),
        (Block("bash", "true", 9, "skip"), "say why"),
        (Block("ini", '[a]\n@architectures = "nobody.Knows.v1"', 9), "nobody.Knows.v1"),
        (Block("bash", "true", 9, "replace", "x => y"), "'x' is not in the block"),
    ],
)
def test_a_block_that_does_not_do_what_the_page_says_fails(
    block: Block, problem: str | None, checkout: Path
) -> None:
    page = Page("p.md")
    page.printed = "1\n"
    with pytest.raises(AssertionError, match=problem):
        page.run(block)
