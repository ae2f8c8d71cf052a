"""Make the config that trains on a corpus, from the package's own ones."""

from dataclasses import dataclass
from pathlib import Path

from spacy.util import load_config
from thinc.api import Config

from ...elmo.options import BiLMOptions
from ...elmo.pretrained import is_published, read_options
from ...errors import Errors
from ...resources import resource
from ..language import TextLanguage
from ..small import EVALUATIONS, SMALL_CORPUS_TOKENS, steps_for

# What ships in the package knows this language alone.
PACKAGED_LANGUAGE = "en"
BILM, VECTORS = "small-en", "glove-en"


@dataclass(frozen=True)
class Settings:
    """Choose what a pipeline is made of.

    bilm: name or folder. vectors: name or folder of static word vectors, None for none.
    n_tokens: of the train part.
    """

    lang: str
    bilm: str
    vectors: str | None
    learns_entities: bool
    learns_tags: bool
    n_tokens: int


def make_config(settings: Settings, train: Path, dev: Path) -> Config:
    """Return a complete config for `spacy train` that reads these .spacy files.

    It is configs/elmo.cfg without the pipes that have nothing to learn. For a small corpus the
    entity recognizer and the training are those of configs/ner.cfg, with steps for its size.
    Raises ValueError (EL660) for a biLM that is not there, or what `read_options` raises.
    """
    options = read_options(settings.bilm)
    if options is None:
        raise ValueError(Errors.EL660.format(name=settings.bilm))
    config, small = (load_config(resource(f"configs/{name}.cfg")) for name in ("elmo", "ner"))
    score_weights = config["training"]["score_weights"]
    if settings.n_tokens < SMALL_CORPUS_TOKENS:
        config["training"], config["corpora"] = small["training"], small["corpora"]
        config["components"]["elmo_ner"] = small["components"]["elmo_ner"]
        steps = steps_for(settings.n_tokens)
        config["training"] |= {"max_steps": steps, "eval_frequency": steps // EVALUATIONS}
        config["training"]["optimizer"]["learn_rate"]["total_steps"] = steps
    for name, is_learned, others in (
        ("elmo_ner", settings.learns_entities, {"tag_acc": 1.0}),
        ("elmo_tagger", settings.learns_tags, small["training"]["score_weights"]),
    ):
        if not is_learned:
            config["nlp"]["pipeline"].remove(name)
            del config["components"][name]
            score_weights = others
    config["training"]["score_weights"] = score_weights
    config["paths"] |= {"train": str(train), "dev": str(dev)}
    _set_language(config, settings.lang)
    _set_representations(config, settings, options)
    return config


def _set_language(config: Config, lang: str) -> None:
    own = TextLanguage(lang).blank().config
    config["nlp"]["lang"] = lang
    config["nlp"]["tokenizer"] = own["nlp"]["tokenizer"]
    config["initialize"]["tokenizer"] = own["initialize"]["tokenizer"]


def _set_representations(config: Config, settings: Settings, options: BiLMOptions) -> None:
    """Name the biLM and the word vectors in every block that has them."""
    bilm = config["components"]["elmo"]["model"]
    bilm["name"] = settings.bilm
    # A pipeline brings along what others could not get by its name.
    bilm["include_bilm"] = not is_published(settings.bilm)
    for name in ("elmo_tagger", "elmo_ner"):
        if name in config["components"]:
            tok2vec = config["components"][name]["model"]["tok2vec"]
            tok2vec["elmo"]["width"] = 2 * options.lstm.projection_dim
            tok2vec["elmo"]["n_layers"] = options.lstm.n_layers + 1
            if settings.vectors is None:
                del tok2vec["vectors"]
            else:
                tok2vec["vectors"]["name"] = settings.vectors
