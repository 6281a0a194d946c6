"""Every setting of a session, declared once: `Config`; standard library only, no side effects.

Each setting is a field of `Config`, and the field says all there is to say of it. The command line and its help, the
environment of the processes, and what a run keeps are made from the fields.
"""

import argparse
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
if __name__ == "__main__":  # launch.sh runs this file before there is a .venv, with a path that does not lead here
    sys.path.insert(0, str(ROOT))

from IA.strategies import STRATEGIES
from IA.text import arguments
from IA.text.answer_words import mistakable
from IA.text.given_files import NOTHING, examples_in, instructions_in, scores_in
from IA.text.image_files import is_text
from IA.text.network_names import FIRST_OF_AUTO
from IA.text.settings import Setting, about, add_arguments, environment_of, from_environment, kept, setting, settings_of

IS_CLONE = (ROOT / "launch.sh").is_file()  # else it was installed, and ROOT is a folder of packages
COMMAND = "bash launch.sh" if IS_CLONE else "intelligent-annotation"
DEFAULT_NETWORK = FIRST_OF_AUTO
DEFAULT_STRATEGY = "max_prob"
DEFAULT_AUDIT = 0.02
ALIKE = ("strict", "off")
DEFAULT_ALIKE = ALIKE[0]
DEFAULT_AUTO_IDLE_S = 180.0

HELP = f"""\
Answer one yes/no question about a folder of images, in the browser, with a model that learns as you go.

  {COMMAND} HOST PORT DATADIR [options]
  {COMMAND} localhost 8077 demo          a look around, with pictures made on the spot
"""


class UsageError(Exception):
    """A person's mistake; the message is one sentence that says what is wrong, and what to do."""


class Parser(argparse.ArgumentParser):
    """A command line that reports a mistake in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message[0].upper()}{message[1:]}; see {self.prog} --help.")


@dataclass(frozen=True)
class Config:
    """The settings of one session. What is None was not asked for: the run's earlier choice stays, else the default.

    A loop that is started alone may leave `datadir` to the run. Where `run_is_named` is false, the run is the folder's
    first one, and another question has another run. TensorBoard listens on loopback at `port + 1`.
    """

    run: Path = field(
        metadata=about(
            "labels, model, logs; the same one resumes (runs/<DATADIR>, or runs/<DATADIR>-<positive> for another "
            "question)",
            metavar="DIR",
        )
    )
    host: str = setting(
        "127.0.0.1",
        "address to listen on: localhost, or 0.0.0.0 or :: for your network",
        metavar="HOST",
        parse=arguments.host,
    )
    port: int = setting(8077, "port of the page; TensorBoard takes the next one", metavar="PORT", parse=arguments.port)
    datadir: Path | None = setting(None, "folder of images, searched with its subfolders; or: demo", metavar="DATADIR")
    reset: bool = setting(False, "begin anew; the old run is moved aside, never deleted", is_passed_on=False)
    positive: str | None = kept("what the positive answer is called", "positive", None, metavar="NAME")
    negative: str | None = kept("what the negative answer is called", "negative", None, metavar="NAME")
    rename: bool = setting(False, "call the answers that the run has by these names from now on; what they mean stays")
    ai: bool = setting(True, "only the annotation server")
    network: str | None = kept(
        "the backbone; A,B: A ranks at once, and B takes over if it is better; auto: the same with the best B there is",
        DEFAULT_NETWORK,
        None,
        metavar="NAME",
        parse=arguments.networks,
    )
    strategy: str | None = kept("what to ask first", DEFAULT_STRATEGY, None, choices=tuple(STRATEGIES))
    finetune: str | None = kept(
        "whether the network itself learns too, from 500 answers on; auto: on a GPU, or with up to 20,000 images, all "
        "embedded",
        "auto",
        "off",
        choices=("auto", "on", "off"),
    )
    audit: float | None = kept(
        "share of the questions that is drawn at random, to tell how many positives are still to be found; the model "
        "does not learn those; 0: none",
        DEFAULT_AUDIT,
        0.0,
        metavar="SHARE",
        parse=arguments.share,
    )
    alike: str | None = kept(
        "whether near duplicates, copies and the frames of a burst, are one question; strict: where they can hardly be "
        "told apart",
        DEFAULT_ALIKE,
        "off",
        choices=ALIKE,
    )
    examples: str | None = kept(
        "pictures of what you look for, from anywhere: what is like them is asked first; kept with the run; "
        f"{NOTHING}: without them again",
        "",
        "",
        metavar="FOLDER",
    )
    prompt: str | None = kept(
        "what you look for, in words; commas separate phrases", "", "", metavar="TEXT", parse=arguments.prompt
    )
    scores: str | None = kept(
        f"scores you have already, a table of path and score; {NOTHING}: without them again", "", "", metavar="FILE"
    )
    tile: str | None = kept(
        "for large photos of small things: cut each into columns x rows, and ask about the tiles",
        "",
        "",
        metavar="6x4",
        parse=arguments.grid,
    )
    auto_idle: float | None = kept(
        "AUTO asks whether somebody is there after so long without a sign, or later where positives are rare; 0 or "
        "off: never",
        DEFAULT_AUTO_IDLE_S,
        180.0,
        metavar="SECONDS",
        parse=arguments.idle_s,
    )
    instructions: Path | None = setting(
        None, "a text for whoever answers, shown by the page; kept with the run", metavar="FILE.md"
    )
    follow_links: bool = setting(False, "also show what links in DATADIR lead to, wherever that is")
    allow_upload: bool = setting(False, "take images that are dropped on the page, into DATADIR/uploads")
    token: bool = setting(True, "no access token (only on a machine of your own)")
    tensorboard: bool = setting(True)
    run_is_named: bool = setting(True, is_passed_on=False)
    demo: bool = setting(False)

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

    def environment(self) -> dict[str, str]:
        """The settings as environment variables, for a child process to read with `from_environment`."""
        return environment_of(self)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Config | None":
        """The settings that a supervisor left in the environment; None where there are none."""
        given = from_environment(cls, environ)
        return cls(**given) if "run" in given else None

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
        try:
            if instructions is not None:
                instructions_in(instructions)
            examples = None if given.examples is None else examples_in(given.examples)
            scores = None if given.scores is None else scores_in(given.scores)
        except ValueError as mistake:
            raise UsageError(str(mistake)) from None
        name = "demo" if demo else datadir.name or "root"
        trouble = mistakable(given.positive or "positive", given.negative or "negative")
        first = run or runs_folder() / name
        if trouble and (given.reset or not (first / "settings.pickle").exists()):  # a run may go on with its own names
            raise UsageError(trouble)
        own = {
            "run": first,
            "run_is_named": run is not None,
            "datadir": datadir,
            "examples": examples,
            "scores": scores,
            "instructions": instructions,
            "tensorboard": given.ai,
            "demo": demo,
        }
        return cls(**{**vars(given), **own})

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


def kept_settings() -> dict[str, Setting]:
    """The settings that a run keeps, by name."""
    return {one.name: setting for one, setting in settings_of(Config) if setting.is_kept}


def _session_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=COMMAND,
        usage=argparse.SUPPRESS,
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_arguments(parser, Config)
    return parser


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


if __name__ == "__main__":  # launch.sh asks for help, and for a first look at the arguments, before there is a .venv
    try:
        Config.for_session(sys.argv[1:])
    except UsageError as mistake:
        sys.stderr.write(f"{mistake}\n")
        raise SystemExit(2) from None
