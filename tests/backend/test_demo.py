"""The pictures of the demo: so many, so many with a star, the same ones every time, and all of them or none."""

import csv
import random
from pathlib import Path

import pytest
from PIL import Image

from backend import demo
from IA.text.image_files import IMAGE_SUFFIXES


def truth(folder: Path) -> dict[str, str]:
    """What is said about each picture."""
    with (folder / "truth.csv").open(newline="") as file:
        return {row["path"]: row["label"] for row in csv.DictReader(file)}


def gold_share(image: Image.Image) -> float:
    """Part of a picture that has one of the star's colours."""
    colours = image.convert("RGB").getcolors(image.width * image.height)
    assert isinstance(colours, list)
    return sum(count for count, colour in colours if colour in demo.GOLD) / (image.width * image.height)


@pytest.mark.slow
def test_so_many_pictures(tmp_path: Path) -> None:
    """Exactly 8 % are positive, every picture can be opened, and the list names all of them and nothing else."""
    folder = tmp_path / "pictures"
    demo.make(folder, count=100)
    labels = truth(folder)
    assert sorted(labels.values()) == ["negative"] * 92 + ["positive"] * 8
    assert {folder / path for path in labels} == {path for path in folder.rglob("*") if path.suffix in IMAGE_SUFFIXES}
    for path in labels:
        with Image.open(folder / path) as image:
            image.load()


def test_issue_asks_for_600() -> None:
    """The demo is large enough to be worth a ranking."""
    assert demo.COUNT >= 600


@pytest.mark.slow
def test_star_is_what_tells_them_apart() -> None:
    """A positive picture has a star that a person sees at once; a negative one has next to nothing of its colours."""
    chance = random.Random(3)
    for _ in range(20):
        assert gold_share(demo.draw_picture(True, chance)) > 0.01
        assert gold_share(demo.draw_picture(False, chance)) < 0.005


def test_same_seed_same_pictures(tmp_path: Path) -> None:
    """One seed draws the same files, grain included; another draws others."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        demo.make(tmp_path / name, count=12, seed=seed)
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in "ab"
    )
    assert first == second
    assert truth(tmp_path / "c") != truth(tmp_path / "a")


def test_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the pictures are drawn leaves no half-made folder, so that the next start makes it whole."""
    drawn: list[bool] = []
    draw = demo.draw_picture

    def interrupted(is_positive: bool, chance: random.Random) -> Image.Image:
        drawn.append(is_positive)
        if len(drawn) == 5:
            raise KeyboardInterrupt
        return draw(is_positive, chance)

    monkeypatch.setattr(demo, "draw_picture", interrupted)
    with pytest.raises(KeyboardInterrupt):
        demo.make(tmp_path / "pictures", count=10)
    assert list(tmp_path.iterdir()) == []


def test_two_starts_at_once(tmp_path: Path) -> None:
    """Of two starts that make the same folder, the second leaves the first one's as it is, and beside it nothing."""
    folder = tmp_path / "pictures"
    demo.make(folder, count=10, seed=1)
    before = truth(folder)
    demo.make(folder, count=10, seed=2)
    assert truth(folder) == before
    assert list(tmp_path.iterdir()) == [folder]
