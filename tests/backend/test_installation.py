"""The first start: where torch comes from, with real pip, real indexes on this machine and wheels that hold nothing."""

import contextlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pip
import pytest

from backend.installation import CPU_INDEX, index_for, install, pins, trouble
from config import ROOT

TORCH, VISION = pins(ROOT).values()
PROJECT = f"""
[build-system]
requires = []
build-backend = "making"
backend-path = ["."]
[project]
name = "project"
version = "1"
dependencies = ["torch=={TORCH}", "torchvision=={VISION}"]
"""
MAKING = f"""
import zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    needs = "Requires-Dist: torch=={TORCH}\\nRequires-Dist: torchvision=={VISION}\\n"
    files = {{"METADATA": "Metadata-Version: 2.1\\nName: project\\nVersion: 1\\n" + needs, "RECORD": ""}}
    files["WHEEL"] = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    with zipfile.ZipFile(Path(folder, "project-1-py3-none-any.whl"), "w") as wheel:
        for name, content in files.items():
            wheel.writestr(f"project-1.dist-info/{{name}}", content)
    return "project-1-py3-none-any.whl"
"""


def add_wheel(index: Path, name: str, version: str) -> None:
    """Put a package that holds nothing into an index."""
    (index / name).mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(index / name / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files, and lists of them, which are what pip takes for an index."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Fresh:
    """A project and an empty environment, on a machine with two indexes: `cpu` and `usual`."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.cpu, self.root = folder, folder / "cpu", folder / "project"
        self.root.mkdir()
        (self.root / "pyproject.toml").write_text(PROJECT)
        (self.root / "making.py").write_text(MAKING)
        for name, version in pins(self.root).items():
            add_wheel(self.cpu, name, f"{version}+cpu")
            add_wheel(folder / "usual", name, version)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        [site] = folder.glob("venv/lib/python*/site-packages")
        (site / "pip").symlink_to(Path(pip.__file__).parent)
        self.python = str(folder / "venv" / "bin" / "python")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
        self.environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PATH": f"{folder}:/bin"}
        self.environment |= {"PIP_INDEX_URL": f"{address}/usual", "IA_TORCH_INDEX": f"{address}/cpu"}

    def install(self) -> bool:
        """Install the project."""
        return install(self.python, self.root, self.environment)

    def versions(self) -> list[str]:
        """What is installed of torch, torchvision and the project."""
        [site] = self.folder.glob("venv/lib/python*/site-packages")
        return sorted(path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info"))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    """A machine before the first start."""
    with served(tmp_path) as address:
        yield Fresh(tmp_path, address)


@pytest.mark.slow
def test_torch_comes_from_the_index_of_builds_without_cuda(fresh: Fresh, capfd: pytest.CaptureFixture[str]) -> None:
    """2.14.1+cpu is what pyproject.toml pins as 2.14.1, and one sentence says where it is from; once there it stays."""
    assert fresh.install()
    assert fresh.versions() == ["project-1", f"torch-{TORCH}+cpu", f"torchvision-{VISION}+cpu"]
    assert "torch comes from http://127.0.0.1" in capfd.readouterr().err
    (fresh.folder / "cpu").rename(fresh.folder / "away")
    assert fresh.install()
    assert "torch c" not in capfd.readouterr().err


@pytest.mark.slow
def test_a_broken_index_falls_back(fresh: Fresh, capfd: pytest.CaptureFixture[str]) -> None:
    """Where what the index lists is no package, torch comes from the usual one."""
    for wheel in fresh.cpu.rglob("*.whl"):
        wheel.write_bytes(b"no wheel")
    assert fresh.install()
    assert fresh.versions() == ["project-1", f"torch-{TORCH}", f"torchvision-{VISION}"]
    assert "it comes from the usual index" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("code", [0, 1])
def test_uv_installs_where_it_is(fresh: Fresh, code: int) -> None:
    """It is asked before pip; where it fails, pip goes on."""
    uv = fresh.folder / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {fresh.folder}/asked\nexit {code}\n')
    uv.chmod(0o755)
    assert fresh.install()
    asked = (fresh.folder / "asked").read_text().splitlines()
    assert [line.split()[:5] for line in asked] == [["pip", "install", "--quiet", "--python", fresh.python]] * 2
    assert f"torch=={TORCH}" in asked[0]
    assert asked[1].endswith(f"--editable {fresh.root}")
    assert bool(fresh.versions()) == bool(code)


def test_what_keeps_torch_from_an_index(tmp_path: Path) -> None:
    """Nobody there, nobody who answers, no page, other versions: each within the time."""
    add_wheel(tmp_path, "torch", "2.0.0+cpu")
    wanted = {"torch": "2.14.1"}
    with served(tmp_path) as address, socket.create_server(("127.0.0.1", 0)) as mute:
        assert trouble(address, wanted) == "it has no torch 2.14.1"
        assert trouble(address, {"torchvision": "1"}) == "File not found"
        add_wheel(tmp_path, "torch", "2.14.1+cpu")
        assert trouble(address, wanted) == ""
        assert "no answer" in trouble(f"http://127.0.0.1:{mute.getsockname()[1]}", wanted, 0.3)
        gone = mute.getsockname()[1]
    assert trouble(f"http://127.0.0.1:{gone}", wanted) == "Connection refused"
    assert "unknown url type" in trouble("no address", wanted)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the usual index has no builds with CUDA")
def test_an_nvidia_gpu_is_known_without_torch(tmp_path: Path) -> None:
    """By what its driver leaves on the machine; a variable names a mirror, or the usual index."""
    nothing = {"PATH": ""}
    assert index_for(nothing, tmp_path) == CPU_INDEX
    assert index_for(nothing | {"IA_TORCH_INDEX": "none"}, tmp_path) == ""
    assert index_for(nothing | {"IA_TORCH_INDEX": "http://mirror/cpu/"}, tmp_path) == "http://mirror/cpu"
    (tmp_path / "nvidia-smi").write_text("")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert index_for({"PATH": str(tmp_path)}, tmp_path) == ""
    for path in ("a/proc/driver/nvidia", "b/dev/nvidia0"):
        (tmp_path / path).mkdir(parents=True)
        assert index_for(nothing, tmp_path / path[0]) == ""
