"""A person's mistakes on the command line: exit code 2 and one sentence, through launch.sh itself."""

import socket
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from config import ROOT
from tests.processes.suite import free_port, running

pytestmark = pytest.mark.processes


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """A folder with one image."""
    folder = tmp_path / "my images"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    return folder


def launch(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run launch.sh to its end."""
    return subprocess.run(
        ["bash", str(ROOT / "launch.sh"), *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def assert_one_sentence(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2, nothing on stdout, one sentence on stderr that holds these words."""
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.endswith(".\n")
    assert all(word in ended.stderr for word in words)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["localhost", "8077", ".", "--help"]])
def test_help(arguments: list[str]) -> None:
    """Without arguments, or asked for it, the help is printed."""
    ended = launch(*arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "bash launch.sh localhost 8077 demo" in ended.stdout
    assert "--no-token" in ended.stdout


def test_no_such_folder(tmp_path: Path) -> None:
    """A folder that is not there."""
    assert_one_sentence(launch("localhost", "8077", str(tmp_path / "nothing")), "does not exist")


def test_no_images(tmp_path: Path) -> None:
    """A folder without images, or with none but links that lead elsewhere."""
    run = str(tmp_path / "r")
    assert_one_sentence(launch("localhost", str(free_port()), str(tmp_path), "--run", run), "no images")
    folder = tmp_path / "links"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "elsewhere.png")
    (folder / "link.png").symlink_to(tmp_path / "elsewhere.png")
    assert_one_sentence(launch("localhost", str(free_port()), str(folder), "--run", run), "no images", "links")


def test_no_port(datadir: Path) -> None:
    """A port that is no number."""
    assert_one_sentence(launch("localhost", "http", str(datadir)), "port")


def test_port_in_use(tmp_path: Path, datadir: Path) -> None:
    """A port that another program has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_sentence(launch("127.0.0.1", port, str(datadir), "--run", str(tmp_path / "r")), port, "use")


def test_no_such_network(tmp_path: Path, datadir: Path) -> None:
    """A network that nobody knows."""
    given = ["127.0.0.1", str(free_port()), str(datadir), "--run", str(tmp_path / "r"), "--network", "no_such_net"]
    assert_one_sentence(launch(*given), "no_such_net", "efficientnet_lite0")


def test_a_run_of_another_folder_and_a_run_in_use(tmp_path: Path, datadir: Path) -> None:
    """A run is opened once at a time, and for its own folder alone; --reset moves it aside."""
    run, other = tmp_path / "run", tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (8, 8)).save(other / "a.png")
    options = ["--run", str(run), "--no-ai"]
    with running(run, datadir, "--no-ai") as suite:
        suite.answer(0, "positive")
        assert_one_sentence(launch("127.0.0.1", str(free_port()), str(datadir), *options), "another session")
    assert_one_sentence(launch("127.0.0.1", str(free_port()), str(other), *options), str(datadir), "--reset")
    with running(run, other, "--no-ai", "--reset") as suite:
        assert suite.status()["positives"] == 0
    assert len(list(tmp_path.glob("run.2*/labels.sqlite3"))) == 1


def test_launched_from_anywhere(tmp_path: Path, datadir: Path) -> None:
    """A relative DATADIR is relative to where the person stands, and files there do not stand in for ours."""
    (tmp_path / "config.py").write_text("raise SystemExit('the wrong config')")
    (tmp_path / "backend").mkdir()
    port = free_port()
    command = ["bash", str(ROOT / "launch.sh"), "127.0.0.1", str(port), datadir.name, "--run", "my run", "--no-ai"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        link = process.stdout.readline()
        process.terminate()
        assert process.wait(30) == 0
    assert link.startswith(f"http://127.0.0.1:{port}/?token=")
    assert (tmp_path / "my run" / "labels.sqlite3").exists()
    assert (tmp_path / "my run" / "token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("grid", ["6", "1x1", "0x4", "6x4x2", "40x40", "a"])
def test_no_grid(datadir: Path, grid: str) -> None:
    """Tiles are columns x rows, and at least two."""
    assert_one_sentence(launch("localhost", "8077", str(datadir), "--tile", grid), "no grid", "6x4")
