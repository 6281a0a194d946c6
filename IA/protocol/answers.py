"""The answers that the model may learn: all of them except those in audit.pickle, which were sampled at random.

The audit sample tells how many positives there are among the images that the model has not asked for. It would tell
nothing any more if the model knew it. So whatever learns, validates or orders takes the answers from this module and
never opens annotations.pickle itself.
"""

from pathlib import Path

from IA.protocol.files import ANNOTATIONS, AUDIT
from IA.protocol.pickle_file import Version, read
from IA.protocol.watching import Latest, signature

WATCHED = (ANNOTATIONS.name, AUDIT.name)

Answers = dict[str, bool | None]


class LearnableAnswers:
    """`{path: label}` in the order answered, without the audit sample; the files are read again when they change."""

    def __init__(self, run: Path) -> None:
        self._audit_file = run / AUDIT.name
        self._annotations = Latest(run, ANNOTATIONS)
        self._audit = Latest(run, AUDIT)
        self._seen: tuple[object, object] = (None, None)
        self._version: Version[Answers] | None = None

    def version(self) -> Version[Answers] | None:
        """The answers; the same object is returned until they change.

        None before there are any. None too while audit.pickle exists but cannot be read, because nobody knows then
        which answers the model may learn.
        """
        annotations, audit = self._both()
        if annotations is None or (audit is None and self._audit_file.exists()):
            return None
        if (annotations, audit) != self._seen:
            sampled = audit.content if audit else {}
            content = {path: label for path, label in annotations.content.items() if path not in sampled}
            if self._version is None or list(content.items()) != list(self._version.content.items()):
                self._version = Version(annotations.generation, content)
            self._seen = (annotations, audit)
        return self._version

    def content(self) -> Answers | None:
        """The content of `version()`."""
        version = self.version()
        return None if version is None else version.content

    def _both(self) -> tuple[Version[Answers] | None, Version[Answers] | None]:
        """Two versions of the files that belong together.

        The server publishes audit.pickle first when an answer joins both files, and last when an answer leaves both.
        So this reads audit.pickle after annotations.pickle, and again if annotations.pickle was replaced meanwhile.
        """
        annotations = self._annotations.version()
        while True:
            audit = self._audit.version()
            again = self._annotations.version()
            if again is annotations:
                return annotations, audit
            annotations = again


def read_learnable(run: Path) -> Answers:
    """The answers that the model may learn, for whoever reads them only once.

    Raises:
        OSError, ValueError: as for `pickle_file.read`. It is a FileNotFoundError while there is no answer.
    """
    while True:
        before = signature(run / ANNOTATIONS.name)
        annotations = read(run, ANNOTATIONS).content
        sampled = read(run, AUDIT).content if (run / AUDIT.name).exists() else {}
        if before == signature(run / ANNOTATIONS.name):
            return {path: label for path, label in annotations.items() if path not in sampled}
