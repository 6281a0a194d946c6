"""A run about tiles, in the loops and whatever else reads it: nobody takes the path of a tile for a file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from config import Config
from IA.compare import read_answers
from IA.comparison import compare
from IA.exporting.evidence import evidence
from IA.finetuning import training as finetuning
from IA.finetuning.__main__ import run_once
from IA.images.decoding import parts
from IA.images.tiles import Grid
from IA.inference import Inference
from IA.model import load_head
from IA.protocol import pickle_file
from IA.protocol.files import (
    ANNOTATIONS,
    DUPLICATES,
    EXPLANATIONS,
    FINE_TUNING,
    IMAGES,
    PREDICTIONS,
    PREDICTOR,
    RANKING,
    SETTINGS,
)
from IA.protocol.records import Settings
from IA.selector import Selector
from IA.training import Trainer
from tests.IA.test_loops import Loops

GRID = Grid(3, 2)
PHOTOS = 12


class TiledLoops(Loops):
    """Loops over the tiles of some photos."""

    def __post_init__(self) -> None:
        """Publish what the server would publish for such a run."""
        self.run.mkdir()
        settings = Settings(str(self.datadir), self.network, "max_prob", "red", "blue", "1d", tile=str(GRID))
        pickle_file.publish(self.run, SETTINGS, settings)
        self.paths = [path for number in range(PHOTOS) for path in GRID.paths(f"{number:02}.png")]
        pickle_file.publish(self.run, IMAGES, self.paths)
        config = Config(run=self.run)
        self.inference, self.selector, self.trainer = Inference(config), Selector(config), Trainer(config)

    def reds(self) -> set[str]:
        """The tiles that are red."""
        return {path for number, path in enumerate(self.paths) if _is_red(*divmod(number, len(GRID)))}


def _is_red(photo: int, tile: int) -> bool:
    return tile in {photo % 6, (photo + 2) % 6}


@pytest.fixture
def loops(tmp_path: Path, tiny_network: str) -> TiledLoops:
    """Loops over twelve photos, each with two red tiles among blue ones."""
    dice = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for number in range(PHOTOS):
        pixels = np.array([40, 40, 200]) + dice.integers(-30, 30, (2 * 40, 3 * 60, 3))
        for tile in filter(lambda tile: _is_red(number, tile), range(len(GRID))):
            row, column = divmod(tile, GRID.columns)
            pixels[40 * row : 40 * row + 40, 60 * column : 60 * column + 60] += np.array([160, 0, -160])
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / f"{number:02}.png")
    return TiledLoops(tmp_path / "run", tmp_path / "photos", tiny_network)


def truth(loops: TiledLoops, count: int) -> dict[str, bool | None]:
    """The right answers to the first tiles."""
    return {path: path in loops.reds() for path in loops.paths[:count]}


@pytest.mark.slow
def test_tiles_are_learnt_and_ranked(loops: TiledLoops) -> None:
    """Two answers are enough to rank the red tiles first, and the checkpoint says what it has learnt."""
    loops.answer({loops.paths[0]: True, loops.paths[1]: False})
    reds = loops.reds() - {loops.paths[0]}
    assert set(loops.ranked()[: len(reds)]) == reds
    assert load_head(loops.run / PREDICTOR).tile == "3x2"


@pytest.mark.slow
def test_a_photo_is_decoded_once(loops: TiledLoops, monkeypatch: pytest.MonkeyPatch) -> None:
    """One decoding is enough to embed all tiles of a photo."""
    decoded: list[Path] = []

    def watched(photo: Path, *arguments: object) -> object:
        decoded.append(photo)
        return parts(photo, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("IA.dataset.parts", watched)
    loops.turn()
    assert pickle_file.read(loops.run, PREDICTIONS).content.embedded == PHOTOS * len(GRID)
    assert sorted(decoded) == sorted(loops.datadir / f"{number:02}.png" for number in range(PHOTOS))


@pytest.mark.slow
def test_an_unreadable_photo_takes_its_tiles_along(loops: TiledLoops) -> None:
    """An unreadable photo takes its tiles along and no others; once it is mended, its tiles are asked."""
    whole = (loops.datadir / "03.png").read_bytes()
    (loops.datadir / "03.png").write_bytes(b"torn")
    loops.answer(truth(loops, 12))
    assert list(pickle_file.read(loops.run, PREDICTIONS).content.unreadable) == list(range(18, 24))
    assert not any(path.startswith("03.png") for path in loops.ranked())
    (loops.datadir / "03.png").write_bytes(whole)
    pickle_file.publish(loops.run, IMAGES, loops.paths)
    loops.turn()
    assert list(pickle_file.read(loops.run, PREDICTIONS).content.unreadable) == []


@pytest.mark.slow
def test_tiles_are_explained(loops: TiledLoops) -> None:
    """Each tile has a map and the nearest answered tiles."""
    loops.answer(truth(loops, 12))
    while loops.inference.step():
        pass
    content = pickle_file.read(loops.run, EXPLANATIONS).content
    assert list(content.images) == list(pickle_file.read(loops.run, RANKING).content.images)[: len(content.images)]
    assert np.asarray(content.shapes).min() > 1
    assert {int(number) for number in content.neighbours} <= {-1, *range(12)}


@pytest.mark.slow
def test_tiles_of_a_copy_are_copies(loops: TiledLoops) -> None:
    """Each tile of a copy is a near duplicate of the tile in the same place."""
    (loops.datadir / "07.png").write_bytes((loops.datadir / "04.png").read_bytes())
    dice = np.random.default_rng(1)
    shown = Image.fromarray(dice.integers(0, 255, (6, 9, 3), dtype=np.uint8)).resize((360, 240))
    for name in ("04.png", "07.png"):
        shown.save(loops.datadir / name)
    pickle_file.publish(loops.run, IMAGES, loops.paths)
    while loops.inference.step():
        pass
    first = np.asarray(pickle_file.read(loops.run, DUPLICATES).content.first)
    assert list(first[7 * 6 : 8 * 6]) == list(range(4 * 6, 5 * 6))


@pytest.mark.slow
def test_mistakes_are_pictured(loops: TiledLoops) -> None:
    """TensorBoard shows the tiles that the answers contradict."""
    answers = truth(loops, 40)
    wrong = loops.paths[1]
    loops.answer(answers | {wrong: True})
    loops.trainer.close()
    events = EventAccumulator(str(loops.run / "tensorboard" / "trainer")).Reload()
    (name,) = [name for name in events.Tags()["images"] if name.startswith("mistakes/0")]
    picture = events.Images(name)[0]
    assert (picture.width, picture.height) == (192, 192)


def test_networks_are_compared_on_tiles(loops: TiledLoops) -> None:
    """Each tile is compared by its own pixels, which tell red from blue."""
    pickle_file.publish(loops.run, ANNOTATIONS, truth(loops, 40))
    (row,) = compare(read_answers(loops.run), [loops.network])
    assert (row.answers, row.average_precision) == (40, 1.0)


@pytest.mark.slow
def test_a_network_is_tuned_on_tiles(loops: TiledLoops, monkeypatch: pytest.MonkeyPatch) -> None:
    """No tile is taken for a missing file."""
    monkeypatch.setattr(finetuning, "EPOCHS", 1)
    monkeypatch.setattr(finetuning, "LEAST_HELD_OUT", 2)
    pickle_file.publish(loops.run, ANNOTATIONS, truth(loops, 72))
    told = run_once(loops.run)
    assert told.labels == 72
    assert told.before == 1.0
    assert pickle_file.read(loops.run, FINE_TUNING).content.labels == 72


@pytest.mark.slow
def test_the_card_counts_tiles_and_photos(loops: TiledLoops) -> None:
    """The card has the numbers of tiles and photos of the run."""
    loops.answer(truth(loops, 20))
    known = evidence(loops.run, 1, 0.5)
    assert (known.images, known.photos) == (72, 12)


@pytest.mark.slow
def test_one_warning_for_an_unreadable_photo(loops: TiledLoops, caplog: pytest.LogCaptureFixture) -> None:
    """An unreadable photo causes one warning for all its tiles, and another one when the file has changed."""
    torn = loops.datadir / "00.png"
    for content in (b"no picture", b"none either"):
        torn.write_bytes(content)
        pickle_file.publish(loops.run, IMAGES, loops.paths)
        loops.turn()
        loops.turn()
    said = [record.message for record in caplog.records if "unreadable" in record.message]
    assert [each.split(" ")[0] for each in said] == ["'00.png'", "'00.png'"]
    assert list(pickle_file.read(loops.run, PREDICTIONS).content.unreadable) == list(range(len(GRID)))
