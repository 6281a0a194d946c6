"""The answers that the model may learn: all of them but those in audit.pickle, which were drawn at random.

What was drawn tells how many positives there are that the model has not asked for. It would tell nothing any more if
the model knew of it, so nothing that learns, validates or orders opens annotations.pickle but by way of this module.
"""

from pathlib import Path

from IA.protocol.files import ANNOTATIONS, AUDIT
from IA.protocol.pickle_file import Version, read
from IA.protocol.watching import Latest, signature

WATCHED = (ANNOTATIONS.name, AUDIT.name)

Answers = dict[str, bool | None]


class LearnableAnswers:
    """`{path: label}` in the order answered, without the answers that were drawn; read again when it changes."""

    def __init__(self, run: Path) -> None:
        self._audit_file = run / AUDIT.name
        self._annotations = Latest(run, ANNOTATIONS)
        self._audit = Latest(run, AUDIT)
        self._seen: tuple[object, object] = (None, None)
        self._version: Version[Answers] | None = None

    def version(self) -> Version[Answers] | None:
        """The answers, as the same object while they are the same.

        None before there are any, and while audit.pickle is there but cannot be read: then it is not known which
        answers they are.
        """
        annotations, audit = self._both()
        if annotations is None or (audit is None and self._audit_file.exists()):
            return None
        if (annotations, audit) != self._seen:
            drawn = audit.content if audit else {}
            content = {path: label for path, label in annotations.content.items() if path not in drawn}
            if self._version is None or list(content.items()) != list(self._version.content.items()):
                self._version = Version(annotations.generation, content)
            self._seen = (annotations, audit)
        return self._version

    def content(self) -> Answers | None:
        """The content of `version()`."""
        version = self.version()
        return None if version is None else version.content

    def _both(self) -> tuple[Version[Answers] | None, Version[Answers] | None]:
        """Both files, as they belong together.

        The server publishes audit.pickle first where an answer is to be in both, and last where it is to be in neither.
        So audit.pickle must be read after annotations.pickle, and before that is replaced.
        """
        annotations = self._annotations.version()
        while True:
            audit = self._audit.version()
            again = self._annotations.version()
            if again is annotations:
                return annotations, audit
            annotations = again


def read_learnable(run: Path) -> Answers:
    """The same, once.

    Raises:
        OSError, ValueError: as `pickle_file.read`; without any answer it is a FileNotFoundError.
    """
    while True:
        before = signature(run / ANNOTATIONS.name)
        annotations = read(run, ANNOTATIONS).content
        drawn = read(run, AUDIT).content if (run / AUDIT.name).exists() else {}
        if before == signature(run / ANNOTATIONS.name):
            return {path: label for path, label in annotations.items() if path not in drawn}
