"""A run with answers keeps what they are called; another question over the same folder has a run of its own."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backend.runs import question
from backend.runs.checks import check_run
from backend.runs.choice import find_run, why_not_first
from backend.runs.question import is_answered, names_in, renaming
from backend.runs.settings import settle
from config import Config, UsageError
from IA.protocol import pickle_file
from IA.protocol.files import SETTINGS
from tests.serving import Serving, serving, until

HAT = ("hat", "no hat")


@pytest.fixture(scope="module")
def datadir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two pictures."""
    folder = tmp_path_factory.mktemp("question") / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def hats(tmp_path_factory: pytest.TempPathFactory, datadir: Path) -> Path:
    """A run that asked for hats, and has one answer."""
    run = tmp_path_factory.mktemp("hats") / "photos"
    with serving(run, datadir, positive="hat", negative="no hat") as server:
        until(lambda: not server.session.images.listing)
        assert server.answer(0).status_code == 201
    return run


@pytest.fixture
def runs(tmp_path: Path, hats: Path) -> Path:
    """Where runs are kept; `photos` in there is a copy of the run of hats, as if it had been made there."""
    shutil.copytree(hats, tmp_path / "runs" / "photos")
    call(tmp_path / "runs" / "photos")
    return tmp_path / "runs"


def call(run: Path, **changed: str) -> None:
    """Change settings of a run."""
    settings = pickle_file.read(run, SETTINGS).content
    given: dict[str, Any] = {"run": str(run)} | changed
    pickle_file.publish(run, SETTINGS, replace(settings, **given))


def asked(
    runs: Path, datadir: Path, positive: str | None = None, negative: str | None = None, rename: bool = False
) -> Config:
    """What a person asks for who names no run."""
    return Config(
        runs / "photos", datadir=datadir, positive=positive, negative=negative, rename=rename, run_is_named=False
    )


def started(config: Config) -> tuple[str, str]:
    """The names that a start on a run goes by."""
    check_run(config)
    settings = settle(config)
    return settings.positive, settings.negative


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("positive", "negative"),
    [("shoe", None), ("shoe", "no shoe"), (None, "no cap"), ("no hat", "hat"), ("no hat", None), ("Hat", None)],
)
def test_answers_keep_their_names(runs: Path, datadir: Path, positive: str | None, negative: str | None) -> None:
    """Other names, also swapped ones or one alone, are refused with both ways out; with --rename they are taken."""
    config = Config(runs / "photos", datadir=datadir, positive=positive, negative=negative)
    with pytest.raises(UsageError, match=r"'hat' and 'no hat', not .* --run .* --rename") as told:
        check_run(config)
    assert str(told.value).count(". ") == 0
    renamed = replace(config, rename=True)
    after = (positive or "hat", negative or "no hat")
    if len(set(after)) == 1:
        with pytest.raises(UsageError, match="Both answers"):
            check_run(renamed)
        return
    assert started(renamed) == after
    changed = [f"{old!r} is called {new!r}" for old, new in zip(HAT, after, strict=True) if old != new]
    assert renaming(renamed) == f"From now on {', and '.join(changed)}.\n"


@pytest.mark.parametrize(("positive", "negative"), [(None, None), HAT, ("hat", None), (None, "no hat")])
def test_the_same_names_go_on(runs: Path, datadir: Path, positive: str | None, negative: str | None) -> None:
    """Without names, or with the run's own, a start goes on with them, and says nothing of renaming."""
    config = Config(runs / "photos", datadir=datadir, positive=positive, negative=negative)
    assert started(config) == HAT
    assert renaming(replace(config, rename=True)) == ""


def test_one_word_in_two_encodings_is_one_name(runs: Path, datadir: Path) -> None:
    """A terminal that sends an umlaut as two letters asks for the same answers."""
    call(runs / "photos", positive="M\u00fctze")
    check_run(Config(runs / "photos", datadir=datadir, positive="Mu\u0308tze"))


def answer(server: Serving) -> None:
    """A person's answer."""
    server.answer(0)


def skip(server: Serving) -> None:
    """An image that was skipped."""
    server.answer(0, "skipped")


def draw(server: Serving) -> None:
    """An answer to an image that was drawn at random."""
    server.client.put("/api/audit", json={"share": 1})
    [image] = server.client.get("/api/queue?count=1&client=me").json()["images"]
    assert server.answer(image["image"], client="me").status_code == 201
    assert server.session.queue.is_apart(image["image"])


def finish(server: Serving) -> None:
    """Labels of a model alone."""
    server.session.labels.database.submit(
        lambda connection: (
            None,
            connection.execute(
                "INSERT INTO finishes (id, client, time, threshold, checkpoint, state)"
                " VALUES ('f', 'me', 1.0, 0.5, 1, 'standing')"
            ),
        ),
        lambda _: None,
    ).result()


def take_back(server: Serving) -> None:
    """An answer that was taken back."""
    server.answer(0, client="me")
    assert server.client.post("/api/undo", json={"client": "me"}).status_code == 200


@pytest.mark.parametrize("does", [answer, skip, draw, finish])
def test_whatever_stands_keeps_the_names(tmp_path: Path, datadir: Path, does: Callable[[Serving], None]) -> None:
    """Answers, skipped images, answers drawn at random and labels of the model: none may change its question."""
    with serving(tmp_path / "run", datadir, positive="hat") as server:
        until(lambda: not server.session.images.listing)
        does(server)
    with pytest.raises(UsageError, match="--rename"):
        check_run(Config(tmp_path / "run", datadir=datadir, positive="shoe"))


def test_a_run_without_answers_is_renamed_freely(tmp_path: Path, datadir: Path) -> None:
    """A run that nobody has answered in, or not any more, takes the names that are asked for."""
    with serving(tmp_path / "run", datadir, positive="hat") as server:
        until(lambda: not server.session.images.listing)
        take_back(server)
    assert started(Config(tmp_path / "run", datadir=datadir, positive="shoe")) == ("shoe", "negative")


@pytest.mark.parametrize("content", [b"torn", None])
def test_names_outlive_the_settings(runs: Path, datadir: Path, content: bytes | None) -> None:
    """Where settings.pickle is torn or gone the names stand beside the answers: none changes without a word."""
    run = runs / "photos"
    (run / SETTINGS.name).unlink()
    if content is not None:
        (run / SETTINGS.name).write_bytes(content)
    assert names_in(run) == HAT
    assert started(Config(run, datadir=datadir)) == HAT
    with pytest.raises(UsageError, match="--rename"):
        check_run(Config(run, datadir=datadir, positive="shoe"))


def test_names_that_are_lost(runs: Path, datadir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing says what the answers of an earlier version are called, none takes a new name without --rename."""
    run = runs / "photos"
    (run / SETTINGS.name).write_bytes(b"torn")
    monkeypatch.setattr(question, "stored_names", lambda connection: None)
    assert started(Config(run, datadir=datadir)) == ("positive", "negative")
    config = Config(run, datadir=datadir, positive="hat", negative="no hat")
    with pytest.raises(UsageError, match=r"cannot be read any more; .*--rename"):
        check_run(config)
    assert started(replace(config, rename=True)) == HAT


def test_nothing_to_rename_to(tmp_path: Path) -> None:
    """--rename without a name is a mistake."""
    with pytest.raises(UsageError, match="--positive or --negative"):
        Config.for_session(["localhost", "8077", str(tmp_path), "--rename"])


# --- the run of a question --------------------------------------------------------------------------------------------


def test_each_question_has_a_run(runs: Path, datadir: Path) -> None:
    """The first question is found again, by its name or without one; another one has another run, found again too."""
    first = runs / "photos"
    for positive in (None, "hat", "HAT"):
        assert find_run(asked(runs, datadir, positive)).run == first
    shoe = find_run(asked(runs, datadir, "shoe"))
    assert shoe.run == runs / "photos-shoe"
    assert "'hat'" in why_not_first(shoe, first)
    assert str(shoe.run) in why_not_first(shoe, first)
    assert started(shoe) == ("shoe", "negative")
    begin(shoe, first)
    assert find_run(asked(runs, datadir, "shoe")).run == runs / "photos-shoe"
    assert find_run(asked(runs, datadir, "hat")).run == find_run(asked(runs, datadir)).run == first
    assert why_not_first(asked(runs, datadir, "hat"), first) == ""


def begin(config: Config, like: Path) -> None:
    """Make the run of a question, with the answers of another one."""
    shutil.copytree(like, config.run, dirs_exist_ok=True)
    assert config.positive is not None
    call(config.run, positive=config.positive, datadir=str(config.datadir))


def test_a_run_that_was_named_is_taken(runs: Path, datadir: Path) -> None:
    """With --run nobody looks for another one: then other names are refused."""
    config = replace(asked(runs, datadir, "shoe"), run_is_named=True)
    assert find_run(config) == config


@pytest.mark.parametrize(
    "positive",
    ["a/b", "../up", "..", ".", "/", "no hat?", "\u5e3d\u5b50", "\u091f\u094b\u092a\u0940", "Mu\u0308tze", "x" * 400,
     "\u00e4" * 200, "a\nb", "\udcff", "CON", "images.", " hat shop "],
)  # fmt: skip
def test_any_name_gives_a_safe_folder(runs: Path, datadir: Path, positive: str) -> None:
    """Slashes, dots, other alphabets and long names: one folder beside the first, which can also be moved aside."""
    run = find_run(asked(runs, datadir, positive)).run
    assert run.parent == runs
    assert run.name.startswith("photos-")
    run.with_name(f"{run.name}.20260101-120000-2").mkdir()


def test_names_with_one_file_name_share_no_run(runs: Path, datadir: Path) -> None:
    """Two questions whose names give the same file name have two runs, and each is found again."""
    first = runs / "photos"
    found = []
    for positive in ("a/b", "a:b", "x" * 200 + "y", "x" * 200 + "z"):
        config = find_run(asked(runs, datadir, positive))
        begin(config, first)
        found.append(config.run.name)
    assert found[:2] == ["photos-a-b", "photos-a-b-2"]
    assert len(set(found)) == 4
    again = [find_run(asked(runs, datadir, name)).run.name for name in ("a/b", "a:b", "x" * 200 + "y", "x" * 200 + "z")]
    assert again == found


def test_a_folder_that_is_no_run_is_left_alone(runs: Path, datadir: Path, tmp_path: Path) -> None:
    """What stands where the run would be, other files or a run over another folder, is not written to."""
    (runs / "photos-shoe").mkdir()
    (runs / "photos-shoe" / "a.jpg").touch()
    other = tmp_path / "other"
    other.mkdir()
    begin(Config(runs / "photos-shoe-2", datadir=other, positive="shoe"), runs / "photos")
    assert find_run(asked(runs, datadir, "shoe")).run == runs / "photos-shoe-3"


def test_runs_that_were_moved_aside_are_not_found(runs: Path, datadir: Path) -> None:
    """What --reset has moved aside is nobody's run any more."""
    shoe = find_run(asked(runs, datadir, "shoe"))
    begin(shoe, runs / "photos")
    shoe.run.rename(runs / "photos-shoe.20260101-120000")
    assert find_run(asked(runs, datadir, "shoe")).run == runs / "photos-shoe"


def test_a_renamed_run_is_found_by_its_new_name(runs: Path, datadir: Path) -> None:
    """The name of the folder does not count, but what the run's answers are called."""
    shoe = find_run(asked(runs, datadir, "shoe"))
    begin(shoe, runs / "photos")
    call(shoe.run, positive="boot")
    assert find_run(asked(runs, datadir, "boot")).run == shoe.run
    assert find_run(asked(runs, datadir, "shoe")).run == runs / "photos-shoe-2"


def test_renaming_finds_the_run_that_is_meant(runs: Path, datadir: Path) -> None:
    """--rename is for the run that has the name already, or for the only one; between two it does not guess."""
    first = runs / "photos"
    assert find_run(asked(runs, datadir, "cap", rename=True)).run == first
    shoe = find_run(asked(runs, datadir, "shoe"))
    begin(shoe, first)
    assert find_run(asked(runs, datadir, "shoe", "none", rename=True)).run == shoe.run
    with pytest.raises(UsageError, match="--run"):
        find_run(asked(runs, datadir, "cap", rename=True))


def test_a_run_without_answers_takes_another_question(runs: Path, datadir: Path, tmp_path: Path) -> None:
    """Where nobody has answered yet the first run is taken, unless another one has this question."""
    shoe = find_run(asked(runs, datadir, "shoe"))
    begin(shoe, runs / "photos")
    shutil.rmtree(runs / "photos")
    with serving(runs / "photos", datadir, positive="hat"):
        pass
    assert not is_answered(runs / "photos")
    assert find_run(asked(runs, datadir, "cap")).run == runs / "photos"
    assert find_run(asked(runs, datadir, "shoe")).run == shoe.run
