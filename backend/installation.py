"""Installs a clone into its environment: python backend/installation.py PYTHON ROOT; standard library only.

On Linux without an NVIDIA GPU, torch and torchvision come from PyTorch's own index of builds without CUDA, which are
far smaller, if that index answers within a few seconds and has them; otherwise they come from the usual index. uv
installs the packages where it exists, otherwise pip does.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
VARIABLE = "IA_TORCH_INDEX"  # It holds the address of a mirror of that index, or `NO_INDEX` for the usual index.
NO_INDEX = "none"
TRY_S = 5.0
PAGE_BYTES = 16_000_000
FROM_PYTORCH = ("torch", "torchvision")
OTHER_INDEXES = ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
IMPATIENT = {"PIP_TIMEOUT": "15", "PIP_RETRIES": "1", "UV_HTTP_TIMEOUT": "15"}  # for an index that has a substitute
INTERRUPTED = 130  # exit code


def pins(root: Path) -> dict[str, str]:
    """The versions of torch and torchvision that pyproject.toml asks for."""
    wanted = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    found = (requirement.partition("==") for requirement in wanted)
    return {name: version for name, _, version in found if name in FROM_PYTORCH}


def index_for(environ: Mapping[str, str], machine: Path = Path("/")) -> str:
    """The address of the index that torch is installed from; "" for the usual index."""
    if given := environ.get(VARIABLE, ""):
        return "" if given == NO_INDEX else given.rstrip("/")
    return CPU_INDEX if sys.platform == "linux" and not has_nvidia(machine, environ) else ""


def has_nvidia(machine: Path, environ: Mapping[str, str]) -> bool:
    """Whether there is an NVIDIA GPU, as far as can be known without torch."""
    is_driven = (machine / "proc/driver/nvidia").exists() or any(machine.glob("dev/nvidia[0-9]*"))
    return is_driven or shutil.which("nvidia-smi", path=environ.get("PATH")) is not None


def trouble(index: str, wanted: Mapping[str, str], try_s: float = TRY_S) -> str:
    """Why an index cannot provide these versions; "" where it can.

    Args:
        index: its address.
        wanted: version by package.
        try_s: how many seconds the index may take to answer.
    """
    reasons = [_silence(try_s)]
    asking = threading.Thread(target=lambda: reasons.append(_missing(index, wanted, try_s)), daemon=True)
    asking.start()
    asking.join(try_s)  # A socket's own limit starts again with each byte that a slow server sends.
    return reasons[-1]


def _silence(try_s: float) -> str:
    return f"no answer within {try_s:.0f} s"


def _missing(index: str, wanted: Mapping[str, str], try_s: float) -> str:
    for name, version in wanted.items():
        try:
            with urllib.request.urlopen(f"{index}/{name}/", timeout=try_s) as answer:
                page = answer.read(PAGE_BYTES).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                return _silence(try_s)
            return str(getattr(reason, "strerror", None) or reason)
        if version not in re.findall(rf"\b{name}-([^-+]+)(?:\+[^-]+)?-", unquote(page)):
            return f"it has no {name} {version}"
    return ""


def install(python: str, root: Path, environ: Mapping[str, str] = os.environ) -> bool:
    """Install a clone, in place, with all packages that it needs; returns whether that succeeded.

    Args:
        python: the interpreter of the environment to install into.
        root: the clone.
        environ: the environment variables of the installers.
    """
    index, wanted = index_for(environ), pins(root)
    if index and not _are_there(python, wanted):
        _install_torch(python, index, wanted, environ)
    return _install(python, ["--editable", str(root)], environ)


def _install_torch(python: str, index: str, wanted: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Install torch from this index, if it can provide it; torch's dependencies come from the usual index later."""
    reason = trouble(index, wanted)
    if not reason:
        why = "There is no NVIDIA GPU here" if index == CPU_INDEX else f"{VARIABLE} is set"
        _say(f"{why}: torch comes from {index}.")
        here = {name: value for name, value in environ.items() if name not in OTHER_INDEXES} | IMPATIENT
        versions = [f"{name}=={version}" for name, version in wanted.items()]  # 2.14.1+cpu satisfies ==2.14.1
        if _install(python, ["--no-deps", "--index-url", index, *versions], here):
            return
        reason = "the lines above say why"
    _say(f"torch cannot come from {index} ({reason}); it comes from the usual index.")


def _are_there(python: str, wanted: Mapping[str, str]) -> bool:
    """Whether these versions are installed already, in any build."""
    script = "import sys; from importlib.metadata import version; [print(version(name)) for name in sys.argv[1:]]"
    known = subprocess.run([python, "-c", script, *wanted], capture_output=True, text=True, check=False)
    return [line.partition("+")[0] for line in known.stdout.splitlines()] == list(wanted.values())


def _install(python: str, arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    uv = shutil.which("uv", path=environ.get("PATH"))
    if uv is not None:
        if _runs([uv, "pip", "install", "--quiet", "--python", python, *arguments], environ):
            return True
        _say("uv did not succeed; pip tries it.")
    return _runs([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments], environ)


def _runs(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    try:
        return subprocess.run(command, env=environ, stdout=sys.stderr, check=False).returncode == 0
    except OSError:
        return False


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError, AttributeError):  # standard error is full or closed
        sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    try:
        raise SystemExit(0 if install(sys.argv[1], Path(sys.argv[2])) else 1)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
