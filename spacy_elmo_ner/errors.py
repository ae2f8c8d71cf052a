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
    EL301 = (
        "These results have schema version {version!r}, but this version reads {expected}. Run "
        "`python -m spacy elmo compare` again."
    )
    EL302 = (
        "These results are incomplete or have been edited: {error}. Run `python -m spacy elmo "
        "compare` again."
    )
    EL303 = "Comparing needs {package}, which is not installed: pip install spacy-elmo-ner[project]"
    EL304 = (
        "{path} cannot be read as a gold corpus: {problem}. Give a .spacy file, as `python -m "
        "spacy elmo corpus` or `python -m spacy convert` writes it."
    )
    EL305 = "{path} holds no words, so there is nothing to compare on. Give a corpus with text."
    EL306 = (
        "{path} holds neither entities nor tags, so there is no gold to compare with. Give an "
        "annotated corpus."
    )
    EL307 = (
        "{source} is not installed. Get it with `python -m spacy download {source}` "
        "(en_core_web_sm also comes with `pip install spacy-elmo-ner[project]`), or give a pipeline's folder."
    )
    EL308 = (
        "There is no folder {source}. Train it first (`python -m spacy project run train`) or give "
        "another folder."
    )
    EL309 = "{source} does not load: {problem}"
    EL310 = (
        "{pipeline} predicts the {kind} {labels}, which is in no label map given for it and not "
        'in gold ({gold}). Add a line to "{section}" of a label map, "{first}": <gold label> '
        "or null where gold has nothing like it, and give the file as --label-map."
    )
    EL311 = (
        'The name {name!r} is taken ("gold" always is). Name each pipeline differently, '
        "for instance --pipeline ours=training/elmo/model-best."
    )
    EL312 = "{source} has no component that sets entities or tags, so it cannot be compared."
    EL313 = "No pipeline is left to compare. {reasons}"
    EL314 = (
        "Two label maps for the same pipelines: {first} and {second}. Give one map for all, and "
        "NAME=PATH for a pipeline that needs another."
    )
    EL315 = (
        "The label map {path} is for {name!r}, which is no pipeline of this comparison "
        "({pipelines}). Use the name given as --pipeline."
    )
    EL316 = "{path} must hold the lines {begin} and {end} once each, in this order."

    # EL4xx: pre-training
    EL401 = "No file {path}. Give text files (.txt, .txt.gz, .txt.xz) or a pre-training config."
    EL402 = "No words to train on in: {paths}. Give files with one sentence or paragraph a line."
    EL403 = (
        "{path}, line {line}: not plain UTF-8 text ({problem}). Convert the file to UTF-8 text "
        "with one sentence or paragraph a line."
    )
    EL404 = (
        "{path}, line {line}: more than {limit} characters in one line. Put one sentence or "
        "paragraph on a line."
    )
    EL405 = "{path} is no usable pre-training config: {problem}."
    EL406 = (
        "{path} was written by a run with another config. Resume with the config it began with, "
        "or choose another --output."
    )
    EL407 = (
        "No file {path}. Perplexity needs the softmax a biLM was trained with: give a folder "
        "that `python -m spacy elmo pretrain` wrote."
    )
    EL408 = (
        "{path} holds checkpoints of an earlier run. Add --resume to go on with it, or choose "
        "another --output."
    )
    EL409 = (
        "The loss is {loss} at step {step}. Lower [training] learning_rate, or set bf16 = false, "
        "and go on from the last checkpoint with --resume."
    )

    # EL5xx: commands
    pass


class Warnings(metaclass=_Coded):
    pass
