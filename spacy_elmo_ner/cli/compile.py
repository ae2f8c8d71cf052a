"""``python -m spacy elmo compile``: say that it is no longer needed."""

from wasabi import msg


def compile_cli() -> None:
    """Say whether this installation has the compiled kernels. Nothing is left to compile.

    Since version 0.2 wheels contain them; from source, they are built where there is a C compiler.

    Example:

    python -m spacy elmo compile
    """
    from ..elmo import kernels

    if kernels.available():
        msg.good("This command is no longer needed: the compiled kernels came with the package.")
    else:
        msg.warn(
            "This command is no longer needed: kernels are built when the package is installed.",
            "Here they were not, and everything runs on torch alone, slower. Install a C compiler "
            "(on Debian: apt install gcc), then: pip install --force-reinstall --no-deps "
            "--no-binary spacy-elmo-ner spacy-elmo-ner",
        )
