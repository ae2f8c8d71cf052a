"""Build what a release uploads, and try it where there is no checkout: `make release`.

    python -m scripts.release [--output dist] [--torch-index URL]

Builds the source distribution of the plugin and from it the wheel, and both of each pipeline in
assets/pipelines. Checks their metadata with twine and what they hold, installs the wheels by name
in a fresh environment, and runs every example of the README there in an empty folder. Ends with a
table of the files. Nothing is uploaded: CONTRIBUTING.md says what is, and by whom.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

from spacy_elmo_ner.files import sha256_of
from spacy_elmo_ner.resources import FOLDERS

ROOT = Path(__file__).parents[1]
PIPELINES = ROOT / "assets/pipelines"
EXAMPLES = (ROOT / "scripts/installed_examples.py", ROOT / "tests/docs/blocks.py")
# Tracked, but no part of the source distribution: MANIFEST.in.
LEFT_OUT = ("assets/bilms/", ".github/", ".gitignore")

PACKAGE_CFG = """[metadata]
long_description_content_type = text/markdown
license_files = LICENSE
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    parser.add_argument("--torch-index", default="", help="where torch's builds for CPUs are")
    arguments = parser.parse_args()
    output = arguments.output.resolve()
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    pipelines = sorted(path.name for path in PIPELINES.iterdir() if path.is_dir())
    build(output, pipelines)
    check_content(output)
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(map(str, output.iterdir())))
    with tempfile.TemporaryDirectory() as work:
        try_installed(output, pipelines, Path(work), arguments.torch_index)
    for path in sorted(output.iterdir()):
        print(f"{path.stat().st_size / 1e6:6.1f} MB  {sha256_of(path)}  {path.name}")


def run(*command: str | Path, folder: Path = ROOT) -> None:
    print("$", " ".join(map(str, command)), flush=True)
    subprocess.run(command, cwd=folder, check=True)


def build(output: Path, pipelines: list[str]) -> None:
    """Write the source distribution and the wheel of the plugin and of each pipeline."""
    run(sys.executable, "-m", "build", "--outdir", output, ROOT)
    for name in pipelines:
        with tempfile.TemporaryDirectory() as work:
            run(sys.executable, "-m", "spacy", "package", PIPELINES / name, work, "--build", "none")
            (folder,) = Path(work).iterdir()
            # spaCy's setup.py leaves open how its README is written, and brings no licence.
            (folder / "setup.cfg").write_text(PACKAGE_CFG, encoding="utf8")
            shutil.copy(ROOT / "LICENSE", folder)
            run(sys.executable, "-m", "build", "--outdir", output, folder)


def check_content(output: Path) -> None:
    """Exit where a file is missing that people need who have no checkout."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    (source,) = output.glob("spacy_elmo_ner-*.tar.gz")
    with tarfile.open(source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    missing = [name for name in tracked if not name.startswith(LEFT_OUT) and name not in packed]
    (wheel,) = output.glob("spacy_elmo_ner-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    for name in tracked:
        is_resource = name.rpartition("/")[0] in FOLDERS
        inside = f"spacy_elmo_ner/data/{name}" if is_resource else name
        if (is_resource or name.startswith("spacy_elmo_ner/")) and inside not in packed:
            missing.append(f"{wheel.name}: {inside}")
    if missing:
        sys.exit(f"Not packed: {', '.join(missing)}")


def try_installed(output: Path, pipelines: list[str], work: Path, torch_index: str) -> None:
    """Install the wheels by name in a fresh environment, and run the README in an empty folder."""
    venv.create(work / "env", with_pip=True)
    python = work / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = (python, "-m", "pip", "install", "--quiet")
    index = ("--retries", "1", "--extra-index-url", torch_index) if torch_index else ()
    run(*pip, *index, "--no-deps", "-c", ROOT / "constraints.txt", "torch")
    run(*pip, "--find-links", output, "spacy-elmo-ner", *pipelines)
    (work / "empty").mkdir()
    for path in EXAMPLES:
        shutil.copy(path, work / path.name)
    run(python, work / EXAMPLES[0].name, *pipelines, folder=work / "empty")


if __name__ == "__main__":
    main()
