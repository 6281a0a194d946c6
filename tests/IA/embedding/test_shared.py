"""Embeddings that the runs over one folder share, with one writer at a time."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from config import ROOT
from IA.embedding import cache as embeddings
from IA.embedding import shared as shared_embeddings
from IA.embedding.cache import DamagedError, Embeddings
from IA.embedding.shared import PLACE, SharedEmbeddings, folder_cache
from IA.protocol import pickle_file
from IA.protocol.files import PREDICTIONS
from IA.protocol.locks import hold
from tests.IA.embedding.test_cache import some
from tests.IA.test_loops import Loops
from tests.serving import until

WRITER = """
import sys, numpy as np
from pathlib import Path
from IA.embedding.shared import SharedEmbeddings
from tests.IA.embedding.test_cache import some
cache = SharedEmbeddings(Path(sys.argv[1]), Path(sys.argv[2]), 4)
assert cache.lead()
for number in range(1, 10**6):
    cache.append(*some(number, 1))
    print(number, flush=True)
"""


class Place:
    """The caches of two runs over one folder."""

    def __init__(self, folder: Path) -> None:
        self.shared = folder / "shared" / "net"
        self.folder = folder

    def open(self, run: str) -> SharedEmbeddings:
        """Open the cache of one run."""
        return SharedEmbeddings(self.shared, self.own(run), 4)

    def own(self, run: str) -> Path:
        """The directory of one run's own cache."""
        return self.folder / run / "net"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Caches that do not exist yet."""
    return Place(tmp_path)


def has(cache: SharedEmbeddings, first: int, count: int) -> bool:
    """Whether these vectors are stored and right."""
    keys, vectors = some(first, count)
    rows = cache.rows(keys)
    return bool((rows >= 0).all()) and np.array_equal(cache.vectors(rows), vectors)


def test_one_embeds_and_the_others_read(place: Place) -> None:
    """One run finds what the other appends, with a restart and without; only one leads at a time."""
    one, two = place.open("one"), place.open("two")
    assert one.lead()
    assert not two.lead()
    one.append(*some(1, 5))
    assert not has(two, 1, 1)
    assert two.follow()
    assert has(two, 1, 5)
    assert not two.follow()
    one.rest()
    assert two.lead()
    two.append(*some(6, 2))
    assert one.follow()
    assert has(one, 1, 7)
    assert has(place.open("three"), 1, 7)
    assert not place.own("one").exists()
    assert not place.own("two").exists()


def test_a_writer_that_adds_nothing_is_not_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another process holds the lock but makes no progress, each run embeds for itself and shares it later."""
    one, two = place.open("one"), place.open("two")
    assert one.lead()
    monkeypatch.setattr(shared_embeddings, "PATIENCE_S", 0.0)
    assert two.lead()
    two.append(*some(1, 3))
    assert place.own("two").is_dir()
    assert has(two, 1, 3)
    two.served()
    one.rest()
    assert has(place.open("two"), 1, 3)
    assert has(place.open("one"), 1, 3)
    assert not place.own("two").exists()


def test_who_does_not_lead_leads_for_an_append(place: Place) -> None:
    """A trainer, which embeds an image now and then, shares its embedding if no other process is embedding."""
    one, two = place.open("one"), place.open("two")
    two.append(*some(1, 1))
    one.append(*some(1, 3))
    assert two.follow()
    assert has(two, 1, 3)
    assert len(place.open("three")) == 3  # the first image is not stored twice


def test_a_killed_writer(place: Place) -> None:
    """A killed writer leaves whole vectors and no lock: the other run reads the vectors and goes on."""
    command = [sys.executable, "-c", WRITER, str(place.shared), str(place.own("one"))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        two = place.open("two")
        for line in process.stdout:
            if int(line) == 20:
                break
        assert not two.lead()
        process.send_signal(signal.SIGKILL)
    until(two.lead)
    stored = len(two)
    assert stored >= 20
    assert has(two, 1, stored)
    two.append(*some(stored + 1, 3))
    assert has(place.open("three"), 1, stored + 3)


@pytest.mark.parametrize("torn", [b"", b"\1\2\3", bytes(16)])
def test_a_torn_end_is_written_over(place: Place, torn: bytes) -> None:
    """Readers and the next writer ignore what a crash has left behind the last whole key."""
    one = place.open("one")
    one.append(*some(1, 4))
    reader = place.open("two")
    with (place.shared / "keys").open("ab") as file:
        file.write(torn)
    assert not reader.follow()
    writer = place.open("three")
    writer.append(*some(5, 2))
    assert reader.follow()
    assert has(reader, 1, 6)


def test_another_keys_vector_is_never_given_out(place: Place) -> None:
    """On a file system whose locks do nothing, two writers at once notice a row that was overwritten."""
    one = place.open("one")
    one.append(*some(1, 2))
    other = Embeddings(place.shared, 4)
    one.append(*some(3, 1))
    other.append(*some(4, 1))  # in the same row
    keys, _ = some(3, 1)
    with pytest.raises(DamagedError):
        one.vectors(one.rows(keys))
    again = place.open("one")
    assert again.rows(keys).tolist() == [-1]
    assert has(again, 4, 1)


def test_a_second_writer_ends_the_sharing(place: Place) -> None:
    """A leader that sees another process's vectors arrive writes to its own cache from then on."""
    one = place.open("one")
    assert one.lead()
    Embeddings(place.shared, 4).append(*some(1, 2))
    one.append(*some(3, 2))
    assert place.own("one").is_dir()
    assert has(one, 1, 4)


@pytest.mark.parametrize("error", [PermissionError(13, "no"), OSError(38, "Function not implemented")])
def test_no_place_and_no_locks(place: Place, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """If the shared cache cannot be written or locked, each run writes to its own cache and reads the shared one."""
    place.open("one").append(*some(1, 2))

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(shared_embeddings, "hold", refuse)
    two = place.open("two")
    assert two.lead()
    assert has(two, 1, 2)
    two.append(*some(3, 2))
    assert has(two, 1, 4)
    assert len(Embeddings(place.own("two"), 4)) == 2


def test_deleted_while_in_use(place: Place) -> None:
    """Deleting the shared cache disturbs no process that uses it, and the next start makes a new one."""
    one = place.open("one")
    assert one.lead()
    one.append(*some(1, 3))
    shutil.rmtree(place.shared)
    assert has(one, 1, 3)
    one.append(*some(4, 2))
    assert has(one, 1, 5)
    one.rest()
    assert has(place.open("one"), 4, 2)
    assert has(place.open("two"), 4, 2)


def test_a_cache_of_an_earlier_version_is_taken_over(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start of a run moves its own cache into the shared one, without storing a vector twice."""
    monkeypatch.setattr(embeddings, "MAGIC", embeddings.MAGIC_2)
    Embeddings(place.own("one"), 4)
    monkeypatch.undo()
    Embeddings(place.own("one"), 4).append(*some(1, 9))
    assert (place.own("one") / "keys").read_bytes().startswith(b"IAembed2")
    assert has(place.open("one"), 1, 9)
    assert not place.own("one").exists()
    assert (place.shared / "keys").read_bytes().startswith(b"IAembed3")
    assert has(place.open("two"), 1, 9)


def test_a_full_disk_keeps_what_is_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a full disk prevents the move, the run's own cache stays and is used."""
    Embeddings(place.own("one"), 4).append(*some(1, 3))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Embeddings, "append", full)
    assert has(place.open("one"), 1, 3)
    monkeypatch.undo()
    assert has(place.open("two"), 1, 0)
    assert has(place.open("one"), 1, 3)
    assert has(place.open("two"), 1, 3)


# --- the place --------------------------------------------------------------------------------------------------------


def test_each_folder_has_a_place_beside_the_runs(tmp_path: Path) -> None:
    """Runs side by side share a cache by whatever path they reach the folder; it never lies among the images."""
    (tmp_path / "a" / "photos").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "photos")
    place = folder_cache(tmp_path / "runs" / "one", tmp_path / "a" / "photos")
    assert place == folder_cache(tmp_path / "runs" / "two", tmp_path / "link")
    assert place is not None
    assert place.parent == tmp_path / "runs" / PLACE
    assert place != folder_cache(tmp_path / "runs" / "one", tmp_path / "b" / "photos")
    assert folder_cache(tmp_path / "a" / "photos" / "run", tmp_path / "a" / "photos") is None


def test_the_place_is_as_closed_as_the_run(tmp_path: Path, images_folder: Path) -> None:
    """The permissions of a run also protect the thumbnails and embeddings of its images."""
    run = tmp_path / "runs" / "one"
    run.mkdir(parents=True, mode=0o700)
    place = folder_cache(run, images_folder)
    assert place is not None
    assert place.stat().st_mode & 0o777 == 0o700


# --- the loops --------------------------------------------------------------------------------------------------------


def embedded_anew(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Collect the files that are embedded from now on."""
    from IA.embedding.embedder import Embedder

    asked: list[Path] = []
    embed = Embedder.embed

    def noting(self: Embedder, files: object, inside: Path | None = None) -> object:
        def noted() -> object:
            for file in files:  # type: ignore[attr-defined]
                asked.append(file)
                yield file

        return embed(self, noted(), inside)  # type: ignore[arg-type]

    monkeypatch.setattr(Embedder, "embed", noting)
    return asked


def ranks_and_learns(loops: Loops) -> None:
    """Let the loops embed and rank everything, and learn two answers."""
    loops.answer({"red/0.png": True, "blue/0.png": False})
    predictions = pickle_file.read(loops.run, PREDICTIONS).content
    assert predictions.embedded == 12
    assert predictions.labels == 2


def test_a_second_question_embeds_nothing(
    tmp_path: Path, images_folder: Path, tiny_network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run over the same folder gets every embedding from the first, for inference and for the trainer."""
    runs = tmp_path / "runs"
    runs.mkdir()
    ranks_and_learns(Loops(runs / "photos", images_folder, tiny_network))
    asked = embedded_anew(monkeypatch)
    ranks_and_learns(Loops(runs / "photos-shoe", images_folder, tiny_network))
    assert asked == []


def test_two_sessions_embed_each_image_once(
    tmp_path: Path, images_folder: Path, tiny_network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one session embeds, the other takes up its embeddings; when the first ends, the other goes on."""
    runs = tmp_path / "runs"
    runs.mkdir()
    first = Loops(runs / "photos", images_folder, tiny_network)
    first.inference.step()
    name = next((runs / PLACE).glob("*/tiny-*"))
    shutil.rmtree(name)
    asked = embedded_anew(monkeypatch)
    with hold(name, "writer"):
        shared = Embeddings(name, 24)
        second = Loops(runs / "photos-shoe", images_folder, tiny_network)
        assert second.inference.step()
        assert asked == []
        keys = np.array(list(embeddings.keys(images_folder, second.paths[:5])), np.uint64)
        shared.append(keys, np.random.default_rng(0).random((5, 24), np.float32))
        assert second.inference.step()
        assert asked == []
    second.turn()
    assert sorted(asked) == [images_folder / path for path in sorted(second.paths[5:])]
    assert pickle_file.read(second.run, PREDICTIONS).content.embedded == 12


@pytest.mark.parametrize("moved", ["folder", "run", "nothing", "another"])
def test_nothing_is_embedded_again(
    tmp_path: Path, images_folder: Path, tiny_network: str, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    """Embeddings are found after the folder or the run was moved, and where an earlier version kept them in a run."""
    runs = tmp_path / "runs"
    runs.mkdir()
    first = Loops(runs / "photos", images_folder, tiny_network)
    ranks_and_learns(first)
    run, folder = first.run, images_folder
    if moved == "folder":
        folder = images_folder.rename(tmp_path / "moved")
    elif moved == "run":
        (tmp_path / "elsewhere").mkdir()
        run = run.rename(tmp_path / "elsewhere" / "photos")
    else:
        [shared] = (runs / PLACE).glob("*/tiny-*")
        shutil.rmtree(run / "cache")
        shutil.copytree(shared, run / "cache" / "inference" / shared.name)
        shutil.rmtree(runs / PLACE)
        run = run if moved == "nothing" else runs / "photos-shoe"
    asked = embedded_anew(monkeypatch)
    ranks_and_learns(Loops(run, folder, tiny_network))
    assert asked == []
