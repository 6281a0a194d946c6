"""The settings of a session: from the command line, through the environment, and every mistake as one sentence."""

import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ROOT, Config, UsageError

words = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
texts = st.sampled_from([None, Path("/how to.md")])
shares = st.none() | st.floats(0, 1)


def test_what_is_not_asked_for_is_left_open(tmp_path: Path) -> None:
    """With HOST PORT DATADIR alone, everything else is the default or the run's own earlier choice."""
    datadir = tmp_path / "my pictures"
    datadir.mkdir()
    assert Config.for_session(["localhost", "8077", str(datadir)]) == Config(
        run=ROOT / "runs" / "my pictures", host="localhost", port=8077, datadir=datadir, run_is_named=False
    )


def test_every_option(tmp_path: Path) -> None:
    """Each option of the help ends in its setting, in any place of the command line."""
    options = (
        "--reset --no-ai --no-token --network resnet50 --strategy entropy --finetune off --audit 0.5 --auto-idle 600"
    )
    names = "--positive lynx --negative none --rename"
    run = tmp_path / "run"
    text = tmp_path / "how to.md"
    text.write_text("Look twice.")
    places = ["::1", "1", str(tmp_path), "--run", str(run), "--instructions", str(text)]
    config = Config.for_session([*options.split(), *names.split(), *places])
    assert config == Config(
        run=run,
        host="::1",
        port=1,
        datadir=tmp_path,
        positive="lynx",
        negative="none",
        network="resnet50",
        strategy="entropy",
        finetune="off",
        ai=False,
        tensorboard=False,
        token=False,
        reset=True,
        instructions=text,
        audit=0.5,
        rename=True,
        auto_idle=600.0,
    )


def test_paths_are_relative_to_where_the_person_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths, `~` and `..` become absolute ones."""
    (tmp_path / "pictures").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for datadir in ("pictures", "~/pictures", "pictures/../pictures/"):
        config = Config.for_session(["localhost", "8077", datadir, "--run", "run"])
        assert (config.datadir, config.run) == (tmp_path / "pictures", tmp_path / "run")


def test_a_file_of_scores(tmp_path: Path) -> None:
    """The file of scores becomes an absolute path; one that is missing, and a folder, are refused in one sentence."""
    file = tmp_path / "scores.csv"
    file.write_text("path,score\n")
    start = ["localhost", "8077", str(tmp_path), "--scores"]
    assert Config.for_session([*start, str(file)]).scores == str(file)
    assert Config.for_session([*start, "none"]).scores == "none"
    for name, says in ((str(tmp_path / "x.csv"), "does not exist"), (str(tmp_path), "is not a file"), ("", "exist")):
        with pytest.raises(UsageError, match=says):
            Config.for_session([*start, name])


def test_demo_has_words_of_its_own() -> None:
    """The demo asks for stars unless the person calls them otherwise."""
    config = Config.for_session(["localhost", "8077", "demo"])
    assert (config.positive, config.negative, config.run.name) == (None, None, "demo")
    assert config.default_names == ("star", "no star")
    assert Config.for_session(["localhost", "8077", "demo", "--positive", "gold"]).positive == "gold"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "required"),
        (["localhost"], "PORT"),
        (["localhost", "8077"], "DATADIR"),
        (["localhost", "http", "."], "'http' is no port"),
        (["localhost", "0", "."], "no port"),
        (["localhost", "-1", "."], "-1"),
        (["localhost", "65535", "."], "no port"),
        (["localhost", "٣", "."], "no port"),
        (["localhost", "8077", ".", "extra"], "extra"),
        (["localhost", "8077", ".", "--res"], "--res"),
        (["localhost", "8077", ".", "--strategy", "best"], "max_prob"),
        (["localhost", "8077", ".", "--positive", " "], "empty"),
        (["localhost", "8077", ".", "--positive", "a", "--negative", "a"], "different names"),
        (["localhost", "8077", ".", "--positive", "negative"], "different names"),
        (["localhost", "8077", ".", "--positive", "Hat", "--negative", "hat"], "cannot tell 'Hat' from 'hat'"),
        (["localhost", "8077", ".", "--positive", "no  hat", "--negative", "no hat"], "cannot tell"),
        (["localhost", "8077", ".", "--positive", "caf\u00e9", "--negative", "cafe\u0301"], "cannot tell"),
        (["localhost", "8077", ".", "--positive", "negative", "--negative", "positive"], "means 'negative' elsewhere"),
        (["localhost", "8077", ".", "--positive", "No"], "means 'negative' elsewhere"),
        (["localhost", "8077", ".", "--positive", "\uff10"], "means 'negative' elsewhere"),
        (["localhost", "8077", ".", "--negative", "yes"], "means 'positive' elsewhere"),
        (["localhost", "8077", ".", "--negative", "skipped"], "means 'skipped' elsewhere"),
        (["localhost", "8077", ".", "--positive", "unreadable"], "cannot be read"),
        (["localhost", "8077", ""], "empty"),
        (["localhost", "8077", ".", "--audit", "2"], "'2' is no share"),
        (["localhost", "8077", ".", "--audit", "nan"], "'nan' is no share"),
        *[
            (["localhost", "8077", ".", "--auto-idle", text], "no time to wait")
            for text in ("3", "-1", "nan", "1e999", "soon")
        ],
        (["", "8077", "."], "empty"),
        (["localhost", "8077", "no/such/folder"], "does not exist"),
        (["localhost", "8077", __file__], "is not a folder"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], says: str) -> None:
    """Every mistake is told in one line that says what is wrong."""
    with pytest.raises(UsageError, match=says) as told:
        Config.for_session(arguments)
    assert "\n" not in str(told.value)
    assert str(told.value).endswith(".")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist"),
        (b"\xff\xfetext", "no UTF-8 text"),
        ("\u00e4".encode() * 131_073, "longer than 256 KiB"),
        (b"a" * 262_143 + "\u00e4".encode(), "longer than 256 KiB"),
    ],
)
def test_instructions_that_cannot_be_shown(tmp_path: Path, content: bytes | None, says: str) -> None:
    """A file of instructions that is away, no text, or endless is one sentence; one of 256 KiB is taken."""
    text = tmp_path / "text.md"
    if content is not None:
        text.write_bytes(content)
    arguments = ["localhost", "8077", str(tmp_path), "--instructions"]
    with pytest.raises(UsageError, match=says):
        Config.for_session([*arguments, str(text)])
    with pytest.raises(UsageError, match="not a file"):
        Config.for_session([*arguments, str(tmp_path)])
    text.write_bytes(b"a" * 262_144)
    assert Config.for_session([*arguments, str(text)]).instructions == text


@given(words, words, words, words, words, st.booleans(), st.booleans(), st.booleans(), texts, shares, shares)
def test_children_read_the_same_settings(
    positive: str | None,
    negative: str | None,
    network: str | None,
    strategy: str | None,
    finetune: str | None,
    ai: bool,
    tensorboard: bool,
    token: bool,
    text: Path | None,
    audit: float | None,
    auto_idle: float | None,
) -> None:
    """What a supervisor leaves in the environment is what its children find there."""
    config = Config(
        Path("/a run"),
        "::1",
        80,
        Path("/a b"),
        positive=positive,
        negative=negative,
        network=network,
        strategy=strategy,
        finetune=finetune,
        ai=ai,
        tensorboard=tensorboard,
        token=token,
        instructions=text,
        audit=audit,
        auto_idle=auto_idle,
    )
    assert Config.from_environment(config.environment()) == config
    assert Config.from_environment({}) is None


def test_every_setting_reaches_the_children() -> None:
    """Also one that is not at its default; only what the supervisor alone needs is left out."""
    config = Config(
        Path("/a run"),
        rename=True,
        alike="off",
        examples="/looked for",
        prompt="a hat, ein Hut",
        scores="/scores.csv",
        tile="6x4",
        follow_links=True,
        allow_upload=True,
        demo=True,
        reset=True,
        run_is_named=False,
    )
    assert Config.from_environment(config.environment()) == replace(config, reset=False, run_is_named=True)


def test_a_loop_alone_needs_a_run(tmp_path: Path) -> None:
    """`--run` wins over the supervisor's environment; with neither the person is told."""
    ours = Config(tmp_path / "ours", datadir=tmp_path)
    assert Config.for_loop([], ours.environment()) == ours
    assert Config.for_loop(["--run", str(tmp_path)], ours.environment()) == Config(tmp_path)
    assert Config.for_loop(["--run", "a", "--datadir", str(tmp_path)], {}).datadir == tmp_path
    with pytest.raises(UsageError, match="--run"):
        Config.for_loop([], {})


def test_address_is_one_to_open() -> None:
    """A link for every interface names the machine; IPv6 stands in brackets."""
    config = Config(Path("run"))
    assert config.address == "127.0.0.1"
    assert replace(config, host="::1").address == "[::1]"
    assert {replace(config, host=host).address for host in ("0.0.0.0", "::")} == {socket.gethostname()}


def test_help_names_every_option() -> None:
    """Any Python prints the help, without the project being installed, and it names every option of the contract."""
    shown = subprocess.run([sys.executable, "-I", ROOT / "config.py", "--help"], capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "")
    options = {
        *("--run", "--reset", "--positive", "--negative", "--rename", "--no-ai", "--network", "--strategy"),
        *(
            "--finetune",
            "--audit",
            "--alike",
            "--examples",
            "--prompt",
            "--scores",
            "--tile",
            "--auto-idle",
            "--instructions",
        ),
        *("--follow-links", "--allow-upload", "--no-token"),
    }
    assert set(re.findall(r"^  (--[a-z-]+)", shown.stdout, re.MULTILINE)) == options
    assert [name for name in ("HOST", "PORT", "DATADIR", "demo") if name not in shown.stdout] == []


def test_a_first_look_at_the_arguments() -> None:
    """The same file, with arguments, says what is wrong with them, in one line and by exit code 2."""
    looked = subprocess.run(
        [sys.executable, "-I", ROOT / "config.py", "localhost", "x", "."], capture_output=True, text=True
    )
    assert (looked.returncode, looked.stdout, looked.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("text", "host", "address"),
    [
        ("[::1]", "::1", "[::1]"),
        ("0:0:0:0:0:0:0:0", "::", socket.gethostname()),
        ("[::]", "::", socket.gethostname()),
        ("0", "0.0.0.0", socket.gethostname()),
        ("::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("fe80::1%lo", "fe80::1%lo", "[fe80::1%25lo]"),
        ("LocalHost", "LocalHost", "LocalHost"),
        ("no such host", "no such host", "no such host"),
    ],
)
def test_a_host_in_any_form(tmp_path: Path, text: str, host: str, address: str) -> None:
    """Brackets, long forms and interfaces are understood, and the link has what a browser takes."""
    config = Config.for_session([text, "8077", str(tmp_path)])
    assert (config.host, config.address) == (host, address)


def test_names_of_answers_are_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 would fail in every answer, export and page: they are refused at once."""
    for option in ("--positive", "--negative"):
        with pytest.raises(UsageError, match="no UTF-8 text"):
            Config.for_session(["localhost", "8077", str(tmp_path), option, os.fsdecode(b"K\xe4fer")])


def test_the_demo_is_beside_the_run_where_a_clone_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among the runs else."""
    arguments = ["localhost", "8077", "demo", "--run", str(tmp_path / "mine" / "run")]
    monkeypatch.setattr("config.ROOT", tmp_path / "clone")
    assert Config.for_session(arguments).datadir == tmp_path / "clone" / "runs" / "demo-images"
    (tmp_path / "clone").write_text("nothing can be written below a file")
    assert Config.for_session(arguments).datadir == tmp_path / "mine" / "demo-images"
    assert Config.for_session(arguments[:3]).run == tmp_path / "clone" / "runs" / "demo"
