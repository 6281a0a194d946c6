"""Every setting of a session, as one frozen dataclass; standard library only, no side effects."""

import argparse
import importlib.util
import math
import os
import re
import socket
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Literal, NoReturn

ROOT = Path(__file__).resolve().parent
IS_CLONE = (ROOT / "launch.sh").is_file()  # else it was installed, and this is a folder of packages
COMMAND = "bash launch.sh" if IS_CLONE else "intelligent-annotation"
DEFAULT_NETWORK = "efficientnet_lite0"
STRATEGIES = ("max_prob", "entropy", "min_prob", "min_entropy", "random")
DEFAULT_STRATEGY = STRATEGIES[0]
FINETUNE = ("auto", "on", "off")
ALIKE = ("strict", "off")
DEFAULT_ALIKE = ALIKE[0]
DEFAULT_AUDIT = 0.02
DEFAULT_AUTO_IDLE_S = 180.0
AUTO_IDLE_LEAST_S = 10
EXTRA_SUFFIXES = {".heic": "heic", ".heif": "heic", ".dcm": "dicom"}  # and the extra of pyproject.toml that reads them
EXTRA_PACKAGES = {"heic": "pillow_heif", "dicom": "pydicom"}
MISSING_SUFFIXES = frozenset(
    suffix for suffix, extra in EXTRA_SUFFIXES.items() if importlib.util.find_spec(EXTRA_PACKAGES[extra]) is None
)
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".mpo"}
    | {".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"}
    | (EXTRA_SUFFIXES.keys() - MISSING_SUFFIXES)
)
# Endings of pictures and films that nothing here reads: whoever has many of them is told.
UNREAD_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".gpr", ".iiq", ".kdc", ".mef", ".mos"}
    | {".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"}
    | {".ai", ".eps", ".exr", ".hdr", ".ico", ".j2k", ".jp2", ".jxl", ".pbm"}
    | {".pdf", ".pgm", ".pnm", ".ppm", ".psb", ".psd", ".svg", ".tga"}
    | {".3gp", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".webm", ".wmv"}
)
# Folders that systems, network drives and archives keep beside photos: thumbnails, what was deleted, resource forks.
NO_PHOTOS = frozenset(
    {"#recycle", "#snapshot", "$recycle.bin", "@eadir", "@recently-snapshot", "@recycle", "@tmp"}
    | {"__macosx", "_gsdata_", "~snapshot"}
    | {"lost+found", "lost.dir", "network trash folder", "system volume information", "temporary items"}
)
GRID = re.compile(r"([1-9]\d{0,2})x([1-9]\d{0,2})", re.ASCII)  # columns x rows
MOST_TILES = 1000  # of one photo
NO_EXAMPLES = "none"
EXAMPLES_AT_MOST = 200
INSTRUCTIONS_BYTES = 256 * 1024

Label = Literal["positive", "negative", "skipped"]

CANONICAL: dict[str, Label] = {"positive": "positive", "negative": "negative", "skipped": "skipped"}
USUAL: dict[str, Label] = {
    **CANONICAL,
    **dict.fromkeys(("true", "1", "yes"), "positive"),
    **dict.fromkeys(("false", "0", "no"), "negative"),
}
UNREADABLE = "unreadable"  # what predictions call an image without a label

HELP = f"""\
Answer one yes/no question about a folder of images, in the browser, with a model that learns as you go.

  {COMMAND} HOST PORT DATADIR [options]
  {COMMAND} localhost 8077 demo          a look around, with pictures made on the spot
"""


class UsageError(Exception):
    """A person's mistake, told in one sentence: what is wrong, and what to do."""


@dataclass(frozen=True)
class Config:
    """One session. What is None was not asked for: the run's earlier choice stays, else the default.

    Attributes:
        run: the run directory; labels, model and logs live here.
        host: the address to listen on.
        port: the page's TCP port; TensorBoard listens on loopback at `port + 1`.
        datadir: the folder of images; a loop started alone may leave it to the run's settings.
        positive: what the positive answer is called wherever a person sees it.
        negative: what the negative answer is called.
        network: name of the backbone, or a file of weights.
        strategy: one of `STRATEGIES`.
        finetune: whether the backbone learns too, one of `FINETUNE`; auto: with a GPU, or a folder of moderate size.
        ai: start trainer, inference, selector and TensorBoard too.
        tensorboard: TensorBoard is expected at `port + 1`.
        token: ask everybody for the access token.
        reset: move the old run aside and begin anew.
        instructions: a text for whoever answers, copied into the run directory at the start.
        follow_links: show what links in the folder of images lead to, wherever that is.
        allow_upload: take images that people send, into a folder of DATADIR.
        audit: share of the questions that are drawn at random and not learnt, 0 to 1.
        alike: whether near duplicates are one question, one of `ALIKE`.
        examples: absolute path of a folder of pictures of what is looked for; `NO_EXAMPLES`: none any more.
        tile: the grid that every photo is cut up by, such as 6x4; what is asked about are the tiles.
        rename: the answers that the run has are called `positive` and `negative` from now on.
        run_is_named: the person named the run; else it is the folder's first one, and another question has another.
        demo: the images are pictures made on the spot.
        auto_idle: seconds without a sign of a person, at least, after which AUTO asks for one; 0: never.
    """

    run: Path
    host: str = "127.0.0.1"
    port: int = 8077
    datadir: Path | None = None
    positive: str | None = None
    negative: str | None = None
    network: str | None = None
    strategy: str | None = None
    finetune: str | None = None
    ai: bool = True
    tensorboard: bool = True
    token: bool = True
    reset: bool = False
    instructions: Path | None = None
    follow_links: bool = False
    allow_upload: bool = False
    audit: float | None = None
    alike: str | None = None
    examples: str | None = None
    tile: str | None = None
    rename: bool = False
    run_is_named: bool = True
    demo: bool = False
    auto_idle: float | None = None

    @property
    def address(self) -> str:
        """The host as it stands in a link: an address for every interface shows the machine's name."""
        if self.is_everywhere:
            return socket.gethostname()
        return f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host

    @property
    def is_everywhere(self) -> bool:
        """Whether the host stands for every address of this machine."""
        return self.host in {"0.0.0.0", "::", ""}

    @property
    def default_names(self) -> tuple[str, str]:
        """What the positive and the negative answer are called where neither the person nor the run says it."""
        return ("star", "no star") if self.demo else ("positive", "negative")

    @property
    def examples_folder(self) -> str:
        """Absolute path of the examples that were asked for; "" for none."""
        return "" if self.examples in (None, NO_EXAMPLES) else str(self.examples)

    def environment(self) -> dict[str, str]:
        """The settings as environment variables, for a child process to read with `from_environment`."""
        values: dict[str, str | float | Path | None] = {
            "RUN": self.run,
            "HOST": self.host,
            "PORT": self.port,
            "DATADIR": self.datadir,
            "POSITIVE": self.positive,
            "NEGATIVE": self.negative,
            "NETWORK": self.network,
            "STRATEGY": self.strategy,
            "FINETUNE": self.finetune,
            "AUDIT": self.audit,
            "ALIKE": self.alike,
            "EXAMPLES": self.examples,
            "TILE": self.tile,
            "AUTO_IDLE": self.auto_idle,
            "INSTRUCTIONS": self.instructions,
            "RENAME": int(self.rename),
            "DEMO": int(self.demo),
            "AI": int(self.ai),
            "TENSORBOARD": int(self.tensorboard),
            "TOKEN": int(self.token),
            "FOLLOW_LINKS": int(self.follow_links),
            "ALLOW_UPLOAD": int(self.allow_upload),
        }
        return {f"IA_{name}": str(value) for name, value in values.items() if value is not None}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Config | None":
        """The settings that a supervisor left in the environment; None where there are none."""
        if "IA_RUN" not in environ:
            return None
        datadir, instructions = environ.get("IA_DATADIR"), environ.get("IA_INSTRUCTIONS")
        return cls(
            run=Path(environ["IA_RUN"]),
            host=environ.get("IA_HOST", cls.host),
            port=int(environ.get("IA_PORT", cls.port)),
            datadir=Path(datadir) if datadir else None,
            positive=environ.get("IA_POSITIVE"),
            negative=environ.get("IA_NEGATIVE"),
            network=environ.get("IA_NETWORK"),
            strategy=environ.get("IA_STRATEGY"),
            finetune=environ.get("IA_FINETUNE"),
            audit=float(environ["IA_AUDIT"]) if "IA_AUDIT" in environ else None,
            alike=environ.get("IA_ALIKE"),
            examples=environ.get("IA_EXAMPLES"),
            tile=environ.get("IA_TILE"),
            auto_idle=float(environ["IA_AUTO_IDLE"]) if "IA_AUTO_IDLE" in environ else None,
            instructions=Path(instructions) if instructions else None,
            rename=environ.get("IA_RENAME", "0") == "1",
            demo=environ.get("IA_DEMO", "0") == "1",
            ai=environ.get("IA_AI", "1") == "1",
            tensorboard=environ.get("IA_TENSORBOARD", "1") == "1",
            token=environ.get("IA_TOKEN", "1") == "1",
            follow_links=environ.get("IA_FOLLOW_LINKS", "0") == "1",
            allow_upload=environ.get("IA_ALLOW_UPLOAD", "0") == "1",
        )

    @classmethod
    def for_session(cls, arguments: Sequence[str]) -> "Config":
        """Settings of a whole session, from its command line.

        Args:
            arguments: HOST PORT DATADIR and options.

        Raises:
            UsageError: an argument is missing or makes no sense.
        """
        given = _session_parser().parse_args(arguments)
        for name in (given.positive, given.negative):
            if name is not None and not name.strip():
                raise UsageError("The name of an answer is empty; give --positive and --negative a word each.")
            if name is not None and not is_text(name):
                raise UsageError(f"The name of an answer, {name!r}, is no UTF-8 text; give it another.")
        if given.rename and given.positive is None and given.negative is None:
            raise UsageError("Nothing says what to rename the answers to; give --positive or --negative with --rename.")
        if not given.host.strip() or not given.datadir.strip():
            raise UsageError(f"HOST or DATADIR is empty; see {COMMAND} --help.")
        demo = given.datadir == "demo"
        run = Path(given.run).expanduser().resolve() if given.run else None
        datadir = _demo_images(run) if demo else Path(given.datadir).expanduser().resolve()
        if not demo and not datadir.is_dir():
            what = "is not a folder" if datadir.exists() else "does not exist"
            raise UsageError(f"{datadir} {what}; name the folder that holds the images.")
        instructions = None if given.instructions is None else Path(given.instructions).expanduser().resolve()
        if instructions is not None:
            instructions_in(instructions)
        name = "demo" if demo else datadir.name or "root"
        trouble = mistakable(given.positive or "positive", given.negative or "negative")
        first = run or runs_folder() / name
        if trouble and (given.reset or not (first / "settings.pickle").exists()):  # a run may go on with its own names
            raise UsageError(trouble)
        return cls(
            run=first,
            run_is_named=run is not None,
            host=given.host,
            port=given.port,
            datadir=datadir,
            positive=given.positive,
            negative=given.negative,
            rename=given.rename,
            network=given.network,
            strategy=given.strategy,
            finetune=given.finetune,
            audit=given.audit,
            alike=given.alike,
            examples=None if given.examples is None else _examples(given.examples),
            tile=given.tile,
            auto_idle=given.auto_idle,
            instructions=instructions,
            ai=not given.no_ai,
            tensorboard=not given.no_ai,
            token=not given.no_token,
            reset=given.reset,
            follow_links=given.follow_links,
            allow_upload=given.allow_upload,
            demo=demo,
        )

    @classmethod
    def for_loop(cls, arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> "Config":
        """Settings of one loop: those of the supervisor, or `--run DIR` when it is started alone.

        Raises:
            UsageError: neither says which run to work on.
        """
        parser = Parser(
            prog=COMMAND, description="One loop of a run, started alone; settings come from the run itself."
        )
        parser.add_argument("--run", metavar="DIR", help="the run directory")
        parser.add_argument("--datadir", metavar="DIR", help="the images, where this machine sees them elsewhere")
        given = parser.parse_args(arguments)
        if given.run is None:
            config = cls.from_environment(environ)
            if config is None:
                raise UsageError("No run is named; add --run DIR.")
            return config
        datadir = Path(given.datadir).expanduser().resolve() if given.datadir else None
        return cls(run=Path(given.run).expanduser().resolve(), datadir=datadir)


def runs_folder() -> Path:
    """The folder of the runs that nobody has named a place for: of a clone in it, else where the person stands."""
    return (ROOT if IS_CLONE else Path.cwd()) / "runs"


def python_path() -> dict[str, str]:
    """What the processes of a session find our modules by: the folder of a clone comes first, wherever it was moved."""
    theirs = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), theirs]))} if IS_CLONE or theirs else {}


def pip_install(extras: str) -> str:
    """The command that installs some of the extras of pyproject.toml."""
    what = f"-e '{ROOT}[{extras}]'" if IS_CLONE else f"'intelligent-annotation[{extras}]'"
    return f"{sys.executable} -m pip install {what}"


def _demo_images(run: Path | None) -> Path:
    """Where the pictures of the demo are, or are to be made: among the runs, else beside the run."""
    usual = runs_folder() / "demo-images"
    return usual if run is None or usual.exists() or _can_be_written(usual.parent) else run.parent / usual.name


def _can_be_written(folder: Path) -> bool:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def is_text(name: str) -> bool:
    """Whether a name is text: names that are no UTF-8 come with surrogates in place of some bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def instructions_in(path: Path) -> str:
    """The text of a file of instructions; "" where there are only blanks.

    Raises:
        UsageError: it is not there, is no UTF-8 text, or is too long.
    """
    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise UsageError(f"{path} {what}; name a text file with --instructions.")
        with path.open("rb") as file:
            content = file.read(INSTRUCTIONS_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path} cannot be read: {reason}; name another file with --instructions.") from None
    if len(content) > INSTRUCTIONS_BYTES:
        raise UsageError(f"{path} is longer than {INSTRUCTIONS_BYTES // 1024} KiB; shorten the instructions.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no UTF-8 text; save the instructions as UTF-8.") from None
    return text if text.strip() else ""


def is_left_out(name: str) -> bool:
    """Whether nothing of this name, a file or a folder, is or holds a photo to look at: it is hidden, or a system's."""
    return name.startswith(".") or name.lower() in NO_PHOTOS


def folded(word: str) -> str:
    """A word as people tell it from others: without regard to case, spaces and Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold()).split())


@lru_cache(maxsize=16)
def mistakable(positive: str, negative: str) -> str | None:
    """Why files could not tell what answers with these names mean, as one sentence; None where they can."""
    if positive == negative:
        return f"Both answers are called {positive!r}; give them different names."
    if folded(positive) == folded(negative):
        return f"Files cannot tell {positive!r} from {negative!r}; give the answers names that differ by a letter."
    for label, name in (("positive", positive), ("negative", negative)):
        word = folded(name)
        if word == UNREADABLE or USUAL.get(word, label) != label:
            means = "an image that cannot be read" if word == UNREADABLE else f"{USUAL[word]!r}"
            return f"The {label} answer is called {name!r}, which means {means} elsewhere; give it another name."
    return None


def images_below(folder: Path) -> Iterator[str]:
    """The first `EXAMPLES_AT_MOST` images in a folder of examples and its subfolders, by name, relative to it."""
    return islice(_images_below(folder), EXAMPLES_AT_MOST)


def _images_below(folder: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_left_out(name))
        for name in sorted(names):
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not is_left_out(name):
                yield os.path.relpath(os.path.join(parent, name), folder)  # noqa: PTH118 - names that are no UTF-8 too


def _examples(given: str) -> str:
    """The absolute path of a folder of examples, or `NO_EXAMPLES`. Raises UsageError."""
    if given == NO_EXAMPLES:
        return given
    folder = Path(given).expanduser().resolve()
    if not given.strip() or not folder.is_dir():
        what = "is not a folder" if folder.is_file() else "does not exist"
        raise UsageError(f"{given!r} {what}; name a folder of examples with --examples.")
    if next(images_below(folder), None) is None:
        raise UsageError(f"There are no images in {folder}; name a folder of examples with --examples.")
    return str(folder)


class Parser(argparse.ArgumentParser):
    """A command line, of which a mistake is one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message[0].upper()}{message[1:]}; see {self.prog} --help.")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:6]) <= 65534:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, a number from 1 to 65534")
    return int(text)


def _host(text: str) -> str:
    """An address in its usual form, without the brackets that it has in links; a name as it is."""
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in host:  # with an interface, which the usual form does not name
        return host
    try:
        *_, (address, *_) = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)[0]
    except (OSError, UnicodeError):
        return host
    return str(address).removeprefix("::ffff:") if "." in str(address) else str(address)


def _grid(text: str) -> str:
    found = GRID.fullmatch(text)
    if found is None or not 2 <= int(found[1]) * int(found[2]) <= MOST_TILES:
        raise argparse.ArgumentTypeError(f"{text!r} is no grid of 2 to {MOST_TILES} tiles, columns x rows, such as 6x4")
    return text


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share, a number from 0 to 1")
    return share


def _idle(text: str) -> float:
    if text == "off":
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if seconds != 0 and not AUTO_IDLE_LEAST_S <= seconds < math.inf:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time to wait, {AUTO_IDLE_LEAST_S} seconds or more; 0 or off: never"
        )
    return seconds


def _session_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=COMMAND,
        usage=argparse.SUPPRESS,
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "host", metavar="HOST", type=_host, help="address to listen on: localhost, or 0.0.0.0 or :: for your network"
    )
    parser.add_argument("port", metavar="PORT", type=_port, help="port of the page; TensorBoard takes the next one")
    parser.add_argument("datadir", metavar="DATADIR", help="folder of images, searched with its subfolders; or: demo")
    parser.add_argument(
        "--run",
        metavar="DIR",
        help="labels, model, logs; the same one resumes (runs/<DATADIR>, or runs/<DATADIR>-<positive> for another "
        "question)",
    )
    parser.add_argument("--reset", action="store_true", help="begin anew; the old run is moved aside, never deleted")
    parser.add_argument("--positive", metavar="NAME", help="what the positive answer is called (positive)")
    parser.add_argument("--negative", metavar="NAME", help="what the negative answer is called (negative)")
    parser.add_argument(
        "--rename",
        action="store_true",
        help="call the answers that the run has by these names from now on; what they mean stays",
    )
    parser.add_argument("--no-ai", action="store_true", help="only the annotation server")
    parser.add_argument("--network", metavar="NAME", help=f"the backbone ({DEFAULT_NETWORK})")
    parser.add_argument("--strategy", choices=STRATEGIES, help=f"what to ask first ({DEFAULT_STRATEGY})")
    parser.add_argument(
        "--finetune",
        choices=FINETUNE,
        help="whether the network itself learns too, from 500 answers on; auto: on a GPU, or with up to 20,000 images, "
        "all embedded (auto)",
    )
    parser.add_argument(
        "--audit",
        metavar="SHARE",
        type=_share,
        help="share of the questions that is drawn at random, to tell how many positives are still to be found; the "
        f"model does not learn those; 0: none ({DEFAULT_AUDIT})",
    )
    parser.add_argument(
        "--alike",
        choices=ALIKE,
        help="whether near duplicates, copies and the frames of a burst, are one question; strict: where they can "
        f"hardly be told apart ({DEFAULT_ALIKE})",
    )
    parser.add_argument(
        "--examples",
        metavar="FOLDER",
        help="pictures of what you look for, from anywhere: what is like them is asked first; kept with the run; "
        f"{NO_EXAMPLES}: without them again",
    )
    parser.add_argument(
        "--tile",
        metavar="6x4",
        type=_grid,
        help="for large photos of small things: cut each into columns x rows, and ask about the tiles",
    )
    parser.add_argument(
        "--auto-idle",
        metavar="SECONDS",
        type=_idle,
        help="AUTO asks whether somebody is there after so long without a sign, or later where positives are rare; "
        f"0 or off: never ({DEFAULT_AUTO_IDLE_S:.0f})",
    )
    parser.add_argument(
        "--instructions", metavar="FILE.md", help="a text for whoever answers, shown by the page; kept with the run"
    )
    parser.add_argument(
        "--follow-links", action="store_true", help="also show what links in DATADIR lead to, wherever that is"
    )
    parser.add_argument(
        "--allow-upload", action="store_true", help="take images that are dropped on the page, into DATADIR/uploads"
    )
    parser.add_argument("--no-token", action="store_true", help="no access token (only on a machine of your own)")
    return parser


if __name__ == "__main__":  # launch.sh asks for help, and for a first look at the arguments, before there is a .venv
    try:
        Config.for_session(sys.argv[1:])
    except UsageError as mistake:
        sys.stderr.write(f"{mistake}\n")
        raise SystemExit(2) from None
