"""The files between the processes: their names, who writes and who reads them, and what they hold.

Each file has one writer. The writer replaces the file as a whole and never edits it.

| file               | written by | read by                  | holds                                          |
| ------------------ | ---------- | ------------------------ | ---------------------------------------------- |
| settings.pickle    | server     | all loops                | `Settings`: network, strategy, names           |
| images.pickle      | server     | all loops                | the paths below DATADIR. The number of an      |
|                    |            |                          | image is its place here and never changes      |
| annotations.pickle | server     | all loops, users         | `{path: True, False or None (skipped)}` in the |
|                    |            |                          | order answered                                 |
| audit.pickle       | server     | all loops                | the answers among them that were sampled at    |
|                    |            |                          | random and that the model must not know        |
|                    |            |                          | (answers.py)                                   |
| predictor.ckpt     | trainer    | inference, server, users | the network with its head: IA/model.py         |
| held_out.pickle    | trainer    | server                   | `{path: probability}` of answered images, each |
|                    |            |                          | by a head that had not learnt this answer, and |
|                    |            |                          | calibrated on all answers together             |
| features.pickle    | inference  | trainer                  | `Features`: mean, PCA basis, a random sample   |
| duplicates.pickle  | inference  | server, trainer          | `Duplicates`: groups of near duplicates        |
| predictions.pickle | inference  | selector, server         | `Predictions`: probability, novelty            |
| ranking.pickle     | selector   | inference, server        | `Ranking`: what to ask next, best first        |
| explanations.pickle| inference  | server                   | `Explanations`: where the model looks in the   |
|                    |            |                          | next images, and which answers are near them   |
| scores.pickle      | server     | inference                | `Scores`: what a person brought along          |
| wanted.pickle      | server     | inference                | `Wanted`: an image or a prompt to find similar |
|                    |            |                          | images to                                      |
| similar.pickle     | inference  | server                   | `Similar`: the images most similar to it       |
| layout.pickle      | inference  | server                   | `Layout`: the map of the folder                |
| networks.pickle    | inference  | server, trainer          | `Networks`: in force, and what comes behind    |
| backbone.ckpt      | finetuning | trainer, inference       | a backbone that is better than the network of  |
|                    | inference  |                          | the run: IA/finetuning/checkpoint.py           |
| finetuning.pickle  | finetuning | trainer                  | `FineTuning`: the outcome of the last run      |

records.py and shown.py declare the record in each file, pickle_file.py alone opens the pickles, and watching.py notices
that a file was replaced.
"""

from typing import Any

from IA.protocol.fields import share, text, typed
from IA.protocol.pickle_file import PickleFile
from IA.protocol.records import Duplicates, Features, FineTuning, Networks, Predictions, Ranking, Scores, Settings
from IA.protocol.shown import Explanations, Layout, Similar, Wanted

PREDICTOR = "predictor.ckpt"
BACKBONE = "backbone.ckpt"
LOOPS = ("trainer", "inference", "selector")
LABELS = (bool, type(None))  # the types that a label may have in annotations.pickle


def _unpack_paths(data: Any) -> list[str]:
    if not all(type(path) is str for path in typed(data, list)):
        raise TypeError("a path that is not text")
    paths: list[str] = data
    return paths


def _unpack_annotations(data: Any) -> dict[str, bool | None]:
    if not all(type(path) is str and type(label) in LABELS for path, label in typed(data, dict).items()):
        raise TypeError("an annotation that is not path: True, False or None")
    return dict(data)


def _unpack_held_out(data: Any) -> dict[str, float]:
    return {text(path): share(probability) for path, probability in typed(data, dict).items()}


SETTINGS = PickleFile[Settings]("settings.pickle", Settings.pack, Settings.unpack)
IMAGES = PickleFile[list[str]]("images.pickle", list, _unpack_paths)
ANNOTATIONS = PickleFile[dict[str, bool | None]]("annotations.pickle", dict, _unpack_annotations)
AUDIT = PickleFile[dict[str, bool | None]]("audit.pickle", dict, _unpack_annotations)
FINE_TUNING = PickleFile[FineTuning]("finetuning.pickle", FineTuning.pack, FineTuning.unpack)
HELD_OUT = PickleFile[dict[str, float]]("held_out.pickle", dict, _unpack_held_out)
FEATURES = PickleFile[Features]("features.pickle", Features.pack, Features.unpack)
DUPLICATES = PickleFile[Duplicates]("duplicates.pickle", Duplicates.pack, Duplicates.unpack)
PREDICTIONS = PickleFile[Predictions]("predictions.pickle", Predictions.pack, Predictions.unpack)
RANKING = PickleFile[Ranking]("ranking.pickle", Ranking.pack, Ranking.unpack)
EXPLANATIONS = PickleFile[Explanations]("explanations.pickle", Explanations.pack, Explanations.unpack)
WANTED = PickleFile[Wanted]("wanted.pickle", Wanted.pack, Wanted.unpack)
SIMILAR = PickleFile[Similar]("similar.pickle", Similar.pack, Similar.unpack)
NETWORKS = PickleFile[Networks]("networks.pickle", Networks.pack, Networks.unpack)
SCORES = PickleFile[Scores]("scores.pickle", Scores.pack, Scores.unpack)
LAYOUT = PickleFile[Layout]("layout.pickle", Layout.pack, Layout.unpack)
PICKLES = (
    SETTINGS,
    IMAGES,
    ANNOTATIONS,
    AUDIT,
    FINE_TUNING,
    HELD_OUT,
    FEATURES,
    DUPLICATES,
    PREDICTIONS,
    RANKING,
    EXPLANATIONS,
    WANTED,
    SIMILAR,
    NETWORKS,
    SCORES,
    LAYOUT,
)
