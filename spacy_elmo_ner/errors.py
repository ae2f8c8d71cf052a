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
    EL001 = (
        "{source} has no entry {key!r}. It should be the options.json that belongs to the "
        "weights; official ones hold \"char_cnn\" and \"lstm\"."
    )
    EL002 = (
        "{source} is no usable biLM options file: {problem}. Take the options.json that was "
        "published or written together with the weights."
    )
    EL003 = "No file {path}. Give the path of the {what} of a biLM."
    EL004 = (
        "{path} cannot be read as biLM weights: {problem}. The file is damaged, cut short or "
        "of another format: fetch or write it again."
    )
    EL005 = (
        "{path} holds no dataset {name!r}, which its options.json asks for. Weights and options "
        "must belong together."
    )
    EL006 = (
        "{path}: {name!r} has shape {found} and type {dtype}, but options.json asks for floats "
        "of shape {expected}. Weights and options must belong together."
    )
    EL007 = "{path}: {name!r} holds NaN or infinite values. Fetch or write the file again."
    EL008 = (
        "{path} does not fit its options.json: {name!r} is {problem}. Weights and options must "
        "belong together."
    )
    EL012 = (
        "A sentence is a list of words, but found the str {value!r}. Split it into words first, "
        "for instance [token.text for token in doc]."
    )
    EL013 = "Unknown initial_state {value!r}. Use \"zeros\" or \"warm\"."

    # EL1xx: layers and pipes

    # EL2xx: corpora and label maps

    # EL3xx: comparison

    # EL4xx: pre-training

    # EL5xx: commands
    pass


class Warnings(metaclass=_Coded):
    pass
