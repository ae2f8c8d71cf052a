"""Every message of the package, one catalogue: what was seen, where, and how to mend it.

Codes carry their own prefix (EL, WL) because spaCy and weasel both own E001. By area:
EL0xx weights and options, EL1xx layers and pipes, EL2xx corpora and label maps,
EL3xx comparison, EL4xx pre-training, EL5xx commands.
"""


class _Coded(type):
    """Prefix each message with its attribute's name, as spaCy does: ``[EL001] ...``."""

    def __getattribute__(cls, code: str) -> str:
        message = super().__getattribute__(code)
        return message if code.startswith("__") else f"[{code}] {message}"


class Errors(metaclass=_Coded):
    # EL0xx: weights and options

    # EL1xx: layers and pipes

    # EL2xx: corpora and label maps

    # EL3xx: comparison

    # EL4xx: pre-training

    # EL5xx: commands
    pass


class Warnings(metaclass=_Coded):
    pass
