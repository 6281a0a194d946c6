"""Measures whether explanations show what decides: what covering their highest places costs, and what they find.

    python -m IA.simulate.explanations PHOTOS --positive hat

PHOTOS holds a folder of images for each class. A simulated person answers the real engine. Then two measures are taken
on held-out photos:

- deletion (Petsiuk et al. 2018): a fifth of the places is covered, and the network predicts again;
- localisation: small photos of either kind are pasted anywhere on photos of other classes. Only the pasted photo tells
  positive from negative, so the highest place of a map should lie on it.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate
from tqdm import tqdm

from config import UsageError
from IA.dataset import load, normalise
from IA.explanations.activation_map import ProjectedFeatureMap, activation_map
from IA.explanations.feature_maps import FeatureMaps
from IA.learning.head import Head
from IA.learning.projection import Projection
from IA.networks import Backbone, build
from IA.process.loop import one_sentence
from IA.simulate.command import SortedPhotos, checked_folder, count, shared_parser, sorted_photos, write_lines
from IA.simulate.person import simulate
from IA.simulate.sorted_photos import draw
from IA.text.network_names import named

COVERED = 0.2  # Deletion covers this share of the places.
PASTED = 0.4  # The sides of a pasted photo have this share of the sides of the photo behind it.
EXAMPLES = 100  # The head of the localisation learns from this many pictures of either class.
TESTED = 100  # The localisation is measured on this many pictures.

Method = Callable[[Head, Tensor], Tensor]
"""Turns a head and a feature map (D, h, w) into a map (h, w)."""


def closed_form(head: Head, features: Tensor) -> Tensor:
    """The map that the page shows."""
    return activation_map(head, ProjectedFeatureMap.from_features(features, head.space))


def left_out(head: Head, features: Tensor) -> Tensor:
    """The map to compare with: how much the score falls, exactly, when a place is left out of the mean."""
    places = features.flatten(1).T  # (h * w, D)
    without = (places.sum(0) - places) / (len(places) - 1)
    falls = head.scores(head.project(places.mean(0)[None])) - head.scores(head.project(without))
    return falls.view(features.shape[1:])


METHODS: dict[str, Method] = {"the map": closed_form, "leaving out": left_out}


@dataclass(frozen=True)
class Network:
    """A backbone and its feature maps."""

    backbone: Backbone
    maps: FeatureMaps

    @torch.inference_mode()
    def embed(self, image: Tensor) -> Tensor:
        """The embedding (1, D) of an image (3, H, W) uint8."""
        embedding: Tensor = self.backbone.module(normalise(image[None], self.backbone.preprocessing))
        return embedding.float()

    def probability(self, head: Head, image: Tensor) -> float:
        """Probability of positive."""
        return float(head(self.embed(image))[0])

    def features(self, image: Tensor) -> Tensor:
        """The feature map of an image. Raises UsageError where the embedding is no mean over places."""
        if (features := self.maps.feature_map(image)) is None:
            raise UsageError(f"The embedding of {self.backbone.name} is no mean over places; choose another network.")
        return features


def deletion(network: Network, head: Head, image: Tensor, random: np.random.Generator) -> dict[str, float]:
    """How far the probability falls when a fifth of the places is covered, by the choice of the places."""
    features = network.features(image)
    before = network.probability(head, image)
    chances = torch.from_numpy(random.random(features.shape[1:], np.float32))
    height, width = chances.shape
    middle = -torch.hypot(torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)[None])
    rankings = {name: method(head, features) for name, method in METHODS.items()}
    rankings |= {"the map, lowest": -rankings["the map"], "the middle": middle, "at random": chances}
    return {
        name: before - network.probability(head, covered(image, highest(shares), network))
        for name, shares in rankings.items()
    }


def highest(shares: Tensor) -> Tensor:
    """The highest fifth of a map (h, w), as (h, w) bool."""
    chosen = torch.zeros(shares.numel(), dtype=torch.bool)
    chosen[shares.flatten().topk(round(COVERED * shares.numel())).indices] = True
    return chosen.view_as(shares)


def covered(image: Tensor, places: Tensor, network: Network) -> Tensor:
    """Cover these places (h, w) of an image (3, H, W) with the mean colour."""
    hidden = interpolate(places[None, None].float(), image.shape[1:])[0, 0] > 0
    colour = torch.tensor([round(255 * value) for value in network.backbone.preprocessing.mean], dtype=torch.uint8)
    return torch.where(hidden, colour[:, None, None], image)


def pasted(behind: Tensor, photo: Tensor, random: np.random.Generator) -> tuple[Tensor, tuple[int, int, int, int]]:
    """Paste a small copy of a photo anywhere on another one; returns its top, left, bottom and right too."""
    height, width = (round(PASTED * side) for side in behind.shape[1:])
    small = interpolate(photo[None].float(), (height, width), mode="area")[0].to(torch.uint8)
    top, left = (
        int(random.integers(0, 1 + whole - part)) for whole, part in zip(behind.shape[1:], (height, width), strict=True)
    )
    image = behind.clone()
    image[:, top : top + height, left : left + width] = small
    return image, (top, left, top + height, left + width)


def is_on(shares: Tensor, box: tuple[int, int, int, int], shape: Sequence[int]) -> bool:
    """Whether the middle of the highest place of a map lies in the box, in an image of this shape."""
    row, column = divmod(int(shares.argmax()), shares.shape[1])
    y, x = (row + 0.5) * shape[0] / shares.shape[0], (column + 0.5) * shape[1] / shares.shape[1]
    return box[0] <= y < box[2] and box[1] <= x < box[3]


def localisation(
    network: Network, positives: Sequence[Path], negatives: Sequence[Path], random: np.random.Generator
) -> dict[str, float]:
    """The share of the pictures whose map is highest on the pasted photo, and the share of the area that it covers."""

    def one(is_positive: bool) -> tuple[Tensor, tuple[int, int, int, int]]:
        source = positives if is_positive else negatives
        behind, photo = (
            load(files[int(random.integers(len(files)))], network.backbone.preprocessing)
            for files in (negatives, source)
        )
        return pasted(behind, photo, random)

    labels = [bool(number % 2) for number in range(2 * EXAMPLES)]
    vectors = torch.cat([network.embed(one(label)[0]) for label in tqdm(labels, desc="learning what is pasted")])
    space = Projection.from_vectors(vectors)
    head = Head.fit(space.project(vectors), torch.tensor(labels), space)
    hits = {name: 0.0 for name in METHODS} | {"at random": 0.0}
    for _ in tqdm(range(TESTED), desc="looking for it"):
        image, box = one(is_positive=True)
        features = network.features(image)
        for name, method in METHODS.items():
            hits[name] += is_on(method(head, features), box, image.shape[1:]) / TESTED
        hits["at random"] += (box[2] - box[0]) * (box[3] - box[1]) / image[0].numel() / TESTED
    return hits


def held_out_falls(
    network: Network, photos: SortedPhotos, truth: NDArray[np.bool_], given: argparse.Namespace
) -> tuple[list[dict[str, float]], list[float]]:
    """Measure deletion on the held-out positives that the head predicts positive; returns the probabilities too."""
    falls, before = [], []
    for seed in range(given.seeds):
        pool, held_out = draw(truth, None, seed)
        inside = torch.from_numpy(photos.vectors[pool])
        space = Projection.from_vectors(inside)
        course = simulate(inside, truth[pool], given.answers, seed=seed)
        head = Head.fit(space.project(inside[course.images]), torch.tensor(course.labels), space)
        random = np.random.default_rng(seed)
        for number in tqdm(held_out[truth[held_out]], desc=f"seed {seed}"):
            image = load(photos.files[number], network.backbone.preprocessing)
            if (probability := network.probability(head, image)) >= 0.5:
                before.append(probability)
                falls.append(deletion(network, head, image, random))
    return falls, before


def lines(falls: Sequence[dict[str, float]], before: Sequence[float], hits: dict[str, float]) -> Iterator[str]:
    """The lines that are printed."""
    yield f"deletion: probability {np.mean(before):.3f}, {len(falls)} photos; a fifth of the places covered"
    for name in falls[0] if falls else ():
        values = np.array([fall[name] for fall in falls])
        yield f"  {name:18} falls by {values.mean():+.3f} ± {values.std(ddof=1) / len(values) ** 0.5:.3f}"
    yield f"localisation: {TESTED} pictures, highest place on what was pasted"
    yield from (f"  {name:18} {hit:5.0%}" for name, hit in hits.items())


def main() -> None:
    """Measure and print."""
    given = _parser().parse_args()
    photos = sorted_photos(checked_folder(given, [given.positive]), given)
    truth = photos.classes == given.positive
    backbone = build(named(given.network)[0])
    network = Network(backbone, FeatureMaps(backbone))
    falls, before = held_out_falls(network, photos, truth, given)
    positives, negatives = (
        [file for file, is_positive in zip(photos.files, truth, strict=True) if is_positive == label]
        for label in (True, False)
    )
    hits = localisation(network, positives, negatives, np.random.default_rng(0))
    write_lines(lines(falls, before, hits))


def _parser() -> argparse.ArgumentParser:
    parser = shared_parser(__doc__, has_jobs=False)
    parser.add_argument("--positive", required=True, metavar="NAME", help="the class that is looked for")
    parser.add_argument("--answers", type=count, default=200, metavar="N", help="before the head is looked at (200)")
    parser.add_argument("--seeds", type=count, default=5, metavar="N", help="simulated people (5)")
    return parser


if __name__ == "__main__":
    one_sentence(main)
