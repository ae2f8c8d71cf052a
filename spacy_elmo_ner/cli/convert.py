"""``python -m spacy elmo convert``: turn official HDF5 weights into safetensors, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from ..errors import Errors
from ..files import make_output_folder

if TYPE_CHECKING:
    from ..elmo import BiLM

_HDF5 = (".hdf5", ".h5")


def convert_cli(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="A folder with options.json and weights.hdf5, model.hdf5 or weights.safetensors; "
            "a weights file (.hdf5); a ZIP archive of NLPL; or a name such as small-en.",
        ),
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder to write, without a biLM in it.")
    ],
    options: Annotated[
        Path | None,
        typer.Option(
            help="The options.json of a weights file. Default: the one beside it, named alike."
        ),
    ] = None,
    half: Annotated[
        bool,
        typer.Option("--half", help="Write safetensors of float16, at half the size, from either."),
    ] = False,
) -> None:
    """Convert a biLM between official HDF5 files and safetensors.

    HDF5 becomes safetensors, which load faster and can be halved; safetensors become HDF5, which
    AllenNLP reads. Vectors stay the same to the last bit, except with --half, which rounds the
    weights once.

    Examples:

    python -m spacy elmo convert elmo_2x1024_128_2048cnn_1xhighway_weights.hdf5 elmo-small

    python -m spacy elmo convert my-bilm my-bilm-hdf5
    """
    try:
        written = convert(source, output, options=options, half=half)
    except (OSError, ValueError) as err:
        msg.fail(str(err), exits=1)
    megabytes = written.stat().st_size / 1e6
    msg.good(f"Wrote options.json and {written.name} ({megabytes:.1f} MB) to {output}")


def convert(source: str, output: Path, *, options: Path | None, half: bool) -> Path:
    """Write a biLM in the other format, or as float16 safetensors; return the weights file.

    Raises OSError for files that are missing or cannot be fetched, ValueError for a biLM that
    cannot be read or options given for a folder (EL514), and FileExistsError if the output folder
    holds a biLM (EL512).
    """
    import torch

    from ..elmo.storage import OPTIONS_FILE, WEIGHTS_FILE

    for name in (OPTIONS_FILE, WEIGHTS_FILE, "weights.hdf5"):
        if (output / name).exists():
            raise FileExistsError(Errors.EL512.format(path=output / name))
    bilm, from_hdf5 = _read(source, options)
    make_output_folder(output)
    if from_hdf5 or half:
        bilm.to_disk(output, dtype=torch.float16 if half else None)
        return output / WEIGHTS_FILE
    bilm.to_hdf5(output)
    return output / "weights.hdf5"


def _read(source: str, options: Path | None) -> "tuple[BiLM, bool]":
    """Return a biLM, and whether it came from HDF5."""
    from ..elmo import BiLM
    from ..elmo.pretrained import is_hdf5

    if options is None:
        return BiLM.from_pretrained(source), is_hdf5(source)
    if not source.endswith(_HDF5):
        raise ValueError(Errors.EL514.format(options=options, source=source))
    return BiLM.from_hdf5(options, source), True
