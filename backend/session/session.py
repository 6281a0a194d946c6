"""One run as the server knows it: answers, images, queue, and what the other loops have published."""

import contextlib
import dataclasses
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from backend.images.damage import Damage
from backend.images.images import Images
from backend.images.names import displayed, names_of
from backend.images.uploads import Uploads
from backend.previews.ahead import Ahead
from backend.previews.previews import Previews, limit_of, name_of
from backend.previews.rendering import Picture
from backend.questions.audit import Audit
from backend.questions.explanations import ExplanationCache, Near
from backend.questions.finishing import UnreviewedImages
from backend.questions.first import First
from backend.questions.queue import Queue
from backend.questions.similar import Likes
from backend.runs import question
from backend.runs.instructions import Instructions
from backend.runs.settings import settle
from backend.session.changes import Changes
from backend.session.curves import Curves, figures
from backend.session.moves import Moves
from backend.store.figures.review import Choice
from backend.store.labels import Labels
from backend.store.model_labels import ModelLabels
from backend.store.table import DRAWN, NOT_DRAWN, Answer, Label
from config import Config, UsageError
from IA.duplicates.groups import ImageState, divided
from IA.images.pictures import UnreadableError
from IA.images.tiles import Grid, photo_of
from IA.protocol import files as protocol
from IA.protocol import locks, pickle_file, watching
from IA.protocol.files import DUPLICATES, EXPLANATIONS, HELD_OUT, PREDICTIONS, RANKING, SETTINGS, SIMILAR
from IA.protocol.pickle_file import Version
from IA.protocol.records import Duplicates, Predictions, Ranking
from IA.protocol.watching import Latest

log = logging.getLogger(__name__)

STARTING_S = 60.0  # a loop not seen yet is starting for that long, then it is down
LOOK_EVERY_S = 0.5
AUDIT_FROM = 100  # positive and negative answers: the first ones are few, and all of them have to begin the model


class Session:
    """The state behind the routes; everything here may be called from any thread."""

    def __init__(self, config: Config) -> None:
        if config.datadir is None:
            raise UsageError("No folder of images is named; give HOST PORT DATADIR.")
        self.config = config
        self.run = config.run
        self.settings = settle(config)
        try:
            pickle_file.publish(self.run, SETTINGS, self.settings)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(
                f"The run directory {self.run} cannot be written: {reason}; start again when it can."
            ) from None
        self.changes = Changes()
        self.queue = Queue()
        self.on_return: list[Callable[[], None]] = []  # what else writes files of the run directory that was gone
        self.labels = Labels(self.run, self._on_label, self._group, self._write_again)
        question.remember(self.labels.database, question.Names(self.settings.positive, self.settings.negative))
        self.model_labels = ModelLabels(self.labels.database, self.changes.notify)
        self._follow_share()
        datadir = Path(self.settings.datadir)
        self.images = Images(self.run, datadir, self._on_image, config.follow_links, Grid.from_text(self.settings.tile))
        self.moves = Moves(self.images, self.labels)
        bounds = self.settings.bounds(datadir)
        self._damage = Damage(bounds)
        self.uploads = Uploads(datadir, self.images.files, self._damage_of) if config.allow_upload else None
        self.previews = Previews(self.run / "cache" / "previews", bounds)
        self.explanations = ExplanationCache(self.images.version)
        self.likes = Likes(self.run)
        self.first = First(self.queue)
        self.ahead = Ahead(self.queue.head, self._prepare)
        self.instructions = Instructions(self.run, config.instructions)
        self.on_return += [self.images.publish_again, self.instructions.write_again, self._write_settings]
        self.predictions: Version[Predictions] | None = None
        self.ranking: Version[Ranking] | None = None
        self.held_out: Mapping[str, float] = {}
        self.duplicates: Version[Duplicates] | None = None
        self._grouped = 0  # images that are divided into groups
        self._same: dict[str, str] | None = None  # near duplicates, by the path of the one that stands for them
        self.loops = dict.fromkeys(protocol.LOOPS, "starting" if config.ai else "off")
        self._undecodable: set[int] = set()  # what the previews could not decode
        self._told: set[tuple[str, str, str]] = set()  # what was logged of which photo, and of which version of it
        self._unscorable: set[int] = set()  # what inference could not decode
        self._started_s = time.monotonic()
        self._lock = threading.Lock()
        self._grouping = threading.Lock()
        self._setting = threading.Lock()
        self._audit: tuple[int, Audit] | None = None  # the figures, and how often something had changed before
        self._rest: tuple[Audit, Version[Predictions], UnreviewedImages] | None = None  # with what it was looked at
        self._auditing = threading.Lock()  # one counts, the others wait for what it has found
        self._curves: Curves | None = None
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._follow, name="follow", daemon=True)]
        if config.ai:
            self._threads.append(threading.Thread(target=self._look_at_loops, name="loops", daemon=True))

    def start(self) -> None:
        """List the images and follow the other loops."""
        self.images.start()
        self.moves.start()
        if self.uploads is not None:
            self.uploads.sweep()
        self.ahead.start()
        for thread in self._threads:
            thread.start()
        if self.config.tensorboard:
            self._curves = Curves(self.run / "tensorboard" / "server", self._figures)

    @property
    def is_ending(self) -> bool:
        """Whether event streams are to end."""
        return self._stop.is_set()

    def end_streams(self) -> None:
        """Let the event streams end, and what waits for a decoder, so that the server can."""
        self._stop.set()
        self.previews.close()
        self._damage.close()
        self.changes.notify()

    def close(self) -> None:
        """Store and publish what is waiting; end threads and workers."""
        self.end_streams()
        self.images.close()
        self.moves.close()
        self.ahead.close()
        self.model_labels.close()
        if self._curves is not None:
            self._curves.close()
        self.labels.close()

    # --- answers ------------------------------------------------------------------------------------------------------

    def answer(self, image: int, client: str, **given: Any) -> Answer:
        """The answer of a client to an image, with what the queue knows of the question.

        Raises:
            IndexError: no image has this number.
        """
        drawn = self.queue.is_sampled(image, client)
        said = self.queue.said(image, client)
        path = self.images.path(image)
        return Answer(
            path=self.labels.now_at(path) if self.images.is_gone(image) else path,  # a page may have the old number
            client=client,
            probability=said.probability,
            checkpoint=said.checkpoint,
            audit=DRAWN if drawn else NOT_DRAWN,
            **given,
        )

    def copies(self, answer: Answer, alike: Sequence[int]) -> list[Answer]:
        """The same answer for near duplicates, as far as they are; all of them are taken back together."""
        image = self.images.number(answer.path)
        numbers = [] if image is None else self.queue.among(image, alike)
        return [
            dataclasses.replace(
                answer,
                id=f"{answer.id}:{number}",
                path=self.images.path(number),
                copy_of=answer.path,
                group=answer.group or answer.id,
            )
            for number in numbers
        ]

    def taken_back(self, taken: Sequence[Answer], client: str) -> list[dict[str, Any]]:
        """What a page needs to show the images of answers that its client took back; they stay in its hands.

        Near duplicates that were answered together are one again.
        """
        paths = {answer.path for answer in taken}
        asked = [answer for answer in taken if answer.copy_of not in paths]
        images = [self.image_of(answer) for answer in asked]
        for image, answer in zip(images, asked, strict=True):
            number = image["image"]
            if number is not None:
                self.queue.hold(number, client, answer.audit == DRAWN)
            image["alike"] = [] if number is None else self.queue.alike(number, client)
        return images

    def split(self, image: int, client: str) -> "Future[None] | None":
        """Have an image and its near duplicates asked one by one from now on; None where it has none.

        Raises:
            IndexError: no image has this number.
        """
        self.images.path(image)
        members = self.queue.members(image)
        return self.labels.split([self.images.path(each) for each in members], client) if len(members) > 1 else None

    def rejoined(self, paths: Sequence[str], client: str) -> dict[str, Any]:
        """What a page needs of near duplicates that its client has split, and that are one question again.

        In `images` there is the one to show, as in `taken_back`, if one is still to be asked.
        """
        numbers = [number for path in paths if (number := self.images.number(path)) is not None]
        shown = self.queue.rejoin(numbers, client)
        images = [] if shown is None else [self._shown(shown) | {"alike": self.queue.alike(shown, client)}]
        first = {"image": None, "path": displayed(paths[0])} if shown is None else images[0]
        return {**first, "label": None, "images": images, "together": numbers}

    def _shown(self, image: int) -> dict[str, Any]:
        return {
            "image": image,
            "path": displayed(self.images.path(image)),
            "version": self.images.version(image),
            "label": None,
        }

    def image_of(self, answer: Answer) -> dict[str, Any]:
        """What a page needs to show the image of an answer; its number is None once the listing lost it."""
        image = self.images.number(answer.path)
        version = None if image is None else self.images.version(image)
        return {"image": image, **names_of(answer.path), "label": answer.label, "version": version}

    def record(self, answer: Answer) -> dict[str, Any]:
        """An answer as it is listed."""
        return self.image_of(answer) | {
            "source": answer.source,
            "client": answer.client,
            "time": answer.when,
            "shown_ms": answer.shown_ms,
            "probability": answer.probability,
            "held_out": self.held_out.get(answer.path),
            "repeat": answer.repeat,
            "copy_of": None if answer.copy_of is None else self.images.number(answer.copy_of),
        }

    def chosen(self, choice: Choice, limit: int, offset: int) -> tuple[Iterable[Answer], int]:
        """The standing answers that are asked for, and how many there are without `limit` and `offset`."""
        if not choice.is_plain:
            return self.labels.stored.chosen(choice, self.held_out, limit, offset)
        counts = self.labels.counts()
        total = counts[choice.label] if choice.label else sum(counts.values())
        return self.labels.stored.standing(choice.label, limit, offset), total

    def counts(self) -> dict[str, int]:
        """Positives, negatives, skipped and left."""
        counts = self.labels.counts()
        return {
            "positives": counts["positive"],
            "negatives": counts["negative"],
            "skipped": counts["skipped"],
            "left": self.queue.left,
        }

    # --- questions ----------------------------------------------------------------------------------------------------

    def next(self, client: str, count: int) -> dict[str, Any]:
        """The next images for one client."""
        self._end_draws()
        images = [
            {
                "image": image,
                **names_of(self.images.path(image)),
                "probability": probability,
                "version": self.images.version(image),
                "alike": self.queue.alike(image, client),
            }
            for image, probability in self.queue.next(client, count)
        ]
        return {"images": images, "ranking": self.ranking and self.ranking.generation, "left": self.queue.left}

    def explanation(self, image: int) -> dict[str, Any] | None:
        """Where the model looks in an image, and the answers nearest to it; None where nothing is to be told."""
        explained = None if self.queue.is_apart(image) else self.explanations.of(image)
        if explained is None:
            return None
        height, width = explained.shape
        return {
            "image": image,
            "checkpoint": explained.checkpoint,
            "map": {"height": height, "width": width, "values": explained.said} if explained.said else None,
            "positive": self._near(explained.positive, "positive"),
            "negative": self._near(explained.negative, "negative"),
        }

    def _near(self, near: Near, label: Label) -> list[dict[str, Any]]:
        """What a page needs to show these images, less those that have another answer by now, or none to be told."""
        return [
            {
                "image": image,
                **names_of(self.images.path(image)),
                "version": self.images.version(image),
                "similarity": similarity,
                "label": label,
            }
            for image, similarity in near
            if image < len(self.images)
            and self.labels.label(self.images.path(image)) == label
            and not self.queue.is_apart(image)
            and not self.images.is_gone(image)
        ]

    def tag(self, image: int, size_px: int | None, whole: bool = False) -> str:
        """What tells one picture for display from any other: file, content and size. Raises FileNotFoundError."""
        self.images.file(image)
        return name_of(self.images.version(image, whole), size_px)

    def render(self, image: int, size_px: int | None, whole: bool = False) -> Picture:
        """One picture for display.

        Args:
            image: its number.
            size_px: at most this many pixels on the long side; None: as it is.
            whole: of a tile the photo that it is of.

        Raises:
            OSError: there is no such image, or its file cannot be opened.
            UnreadableError: it cannot be decoded; it is not asked any more.
        """
        limit_px = limit_of(size_px)
        if limit_px is not None and not whole and self.queue.is_open(image):
            self.ahead.asked(limit_px)
            self.moves.shown(image)
        with self._told_of(image):
            file = self.images.file(image, whole)
            picture = self.previews.render(file, lambda: self.images.version(image, whole), size_px)
        if picture.damage:
            self._tell_once(logging.WARNING, "%r is damaged, and shown as far as it goes. %s", image, picture.damage)
        return picture

    def _tell_once(self, level: int, message: str, image: int, reason: str) -> None:
        """Log what is wrong with a photo, once for each version of its file, however many tiles of it are asked for."""
        photo = photo_of(self.images.path(image))
        known = message, photo, self.images.version(image, whole=True)
        if known not in self._told:
            self._told.add(known)
            log.log(level, message, photo, reason)

    def _prepare(self, image: int, size_px: int) -> None:
        """Have a picture ready before it is asked for; trouble is told when it is."""
        with contextlib.suppress(OSError, UnreadableError), self._told_of(image):
            self.previews.prepare(self.images.file(image), lambda: self.images.version(image), size_px)

    def _damage_of(self, photo: Path) -> str | None:
        """Why nothing of a photo can be shown; None: it can."""
        grid = self.images.grid
        return self._damage.look(photo if grid is None else Path(next(grid.paths(str(photo)))))

    @contextlib.contextmanager
    def _told_of(self, image: int) -> Iterator[None]:
        """Take note of an image that turns out to be unreadable in the block: it is not asked any more."""
        try:
            yield
        except UnreadableError as error:
            if image not in self._undecodable:
                level = logging.INFO if self.config.ai else logging.WARNING  # inference warns of it too
                self._tell_once(level, "%r is unreadable. %s", image, str(error))
                self._undecodable.add(image)
                self.queue.mark(image, ImageState.UNREADABLE, True)
                self.changes.notify()
            raise

    def strategy(self, name: str) -> None:
        """Order by another strategy from now on. Raises OSError where that cannot be stored."""
        self._set(strategy=name)

    def _set(self, **changed: Any) -> None:
        with self._setting:
            self.settings = dataclasses.replace(self.settings, **changed)
            self._follow_share()
            pickle_file.publish(self.run, SETTINGS, self.settings)
        self.changes.notify()

    def _write_settings(self) -> None:
        with self._setting:
            pickle_file.publish(self.run, SETTINGS, self.settings)

    def _write_again(self) -> None:
        """The run directory was gone and is there again: write what is known in it."""
        for write in self.on_return:
            try:
                write()
            except OSError as error:
                log.warning("%s could not be written again (%s)", self.run, error)
        self.changes.notify()

    # --- the audit ----------------------------------------------------------------------------------------------------

    def audit(self) -> Audit:
        """What the questions drawn at random say by now; counted again after a change."""
        with self._auditing:
            count = self.changes.count
            if self._audit is None or self._audit[0] != count:
                self._audit = count, Audit(self.queue.counted(), self.settings)
            return self._audit[1]

    def audit_status(self) -> dict[str, Any]:
        """The short form."""
        return self.audit().short()

    def statistics(self, points: int) -> dict[str, Any]:
        """How the work goes, with all that the audit says."""
        return {**self.labels.stored.statistics(points, self._same_images()), "audit": self._whole_audit()}

    def _whole_audit(self) -> dict[str, Any]:
        predictions = self.predictions.content if self.predictions else None
        return self.audit().whole(self.labels.asked_at_random(self._same_images()), predictions)

    def _figures(self) -> tuple[int, dict[str, float]]:
        """For TensorBoard: how many answers there are, and what the audit says."""
        counts = self.labels.counts()
        return counts["positive"] + counts["negative"], figures(self._whole_audit())

    def set_audit(
        self, share: float, recall: float | None = None, confidence: float | None = None, until: int | None = None
    ) -> None:
        """Draw this share of the questions at random from now on.

        All of them only until so many random answers from the rest are there; None: until the certificate is given.

        Raises:
            OSError: that cannot be stored.
        """
        now = self.settings
        before = now.audit if now.audit_after is None else now.audit_after
        self._set(
            audit=share,
            audit_after=before if share == 1 and before < 1 else None,
            audit_until=until if share == 1 else None,
            recall=now.recall if recall is None else recall,
            confidence=now.confidence if confidence is None else confidence,
        )
        if self.settings.audit_until is not None:
            self.first.forget()
        self._end_draws()

    def _end_draws(self) -> None:
        """Draw the usual share again, once that for which all were drawn is there."""
        after, until = self.settings.audit_after, self.settings.audit_until
        if (after is not None or until is not None) and self.audit().has_enough_sampled:
            self._draw_as_before()
            if until is not None:
                self.first.end_random(until)

    def _draw_as_before(self) -> None:
        """Draw the share of the questions that was drawn before all of them were."""
        now = self.settings
        share = now.audit if now.audit_after is None else now.audit_after
        log.info("of the questions %g are drawn at random again", share)
        try:
            self._set(audit=share, audit_after=None, audit_until=None)
        except OSError as error:
            log.warning("%s; it is asked again after a restart", error)

    # --- what the model may label ------------------------------------------------------------------------------------

    def rest(self) -> UnreviewedImages | None:
        """The images without an answer as the model sees them now; None before it has learnt anything."""
        version, audit = self.predictions, self.audit()
        if version is None or version.content.checkpoint is None:
            return None
        known = self._rest
        if known is None or known[0] is not audit or known[1] is not version:
            known = self._rest = audit, version, UnreviewedImages(audit, version.content)
        return known[2]

    def asks_first(self) -> None:
        """A person has chosen what is asked first: no longer random images, of which so many were wanted."""
        if self.settings.audit_until is not None:
            self._draw_as_before()
        self.ahead.wake()
        self.changes.notify()

    # --- status -------------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Everything a page shows of the run."""
        images = self.images.present
        predictions = self.predictions and self.predictions.content
        embedded = min(predictions.embedded, images) if predictions else 0
        ranking, finish = self.ranking, self.model_labels.standing
        return {
            "id": self.settings.id,
            "run": displayed(str(self.run)),
            "datadir": displayed(self.settings.datadir),
            "classes": {"positive": self.settings.positive, "negative": self.settings.negative},
            "images": images,
            "photos": self.images.photos,
            "photos_positive": self.labels.photos_positive,
            "tile": self.settings.tile or None,
            **self.counts(),
            "alike": self.queue.copies,
            "unreadable": len(self._undecodable | self._unscorable),
            "listing": self.images.listing,
            "strategy": self.settings.strategy,
            "network": self.settings.network,
            "model": _model(predictions.checkpoint) if predictions else None,
            "ranking": ranking and {"generation": ranking.generation, "labels": ranking.content.labels},
            "embedding": {
                "done": embedded,
                "total": images,
                "percent": _percent(embedded, images - len(self._unscorable)),
            },
            "loops": dict(self.loops),
            "tensorboard": self.config.tensorboard,
            "instructions": self.instructions.version,
            "upload": self.uploads is not None,
            "auto_idle": self.settings.auto_idle,
            "audit": self.audit_status(),
            "asked_first": self.first.told(self.settings, self.audit()),
            "finished": finish and finish.told(),
        }

    # --- what changes -------------------------------------------------------------------------------------------------

    def _follow_share(self) -> None:
        counts = self.labels.counts()
        begins = counts["positive"] + counts["negative"] >= AUDIT_FROM or self.settings.audit == 1
        self.queue.share = self.settings.audit if begins else 0.0

    def _on_label(self, path: str) -> None:
        self._follow_share()
        image = self.images.number(path)
        if image is not None:
            self._mark_answered(image)
            self.moves.answered(image)
            self.ahead.wake()
        self.changes.notify()

    def _on_image(self, image: int) -> None:
        """An image came, went, or was written anew: what was unreadable may not be any more."""
        self._undecodable.discard(image)
        self.queue.mark(image, ImageState.GONE, self.images.is_gone(image))
        self.queue.mark(image, ImageState.UNREADABLE, image in self._unscorable)
        self._mark_answered(image)
        self.moves.changed(image)
        self.ahead.wake()
        self.changes.notify()

    def _mark_answered(self, image: int) -> None:
        path = self.images.path(image)
        with self._lock:  # two threads come here: the label must be read and marked in one go
            passed = self.queue.answer(image, self.labels.label(path), self.labels.is_sampled(path))
        reached = [path for path in map(self.images.path, passed) if self.labels.is_sampled(path)]
        if reached:
            self.labels.reach(reached)

    def _follow(self) -> None:
        held_out = Latest(self.run, HELD_OUT)
        duplicates = Latest(self.run, DUPLICATES)
        predictions, ranking = Latest(self.run, PREDICTIONS), Latest(self.run, RANKING)
        explanations, taken = Latest(self.run, EXPLANATIONS), None
        similar = Latest(self.run, SIMILAR)
        files = (HELD_OUT, DUPLICATES, PREDICTIONS, RANKING, EXPLANATIONS, SIMILAR)
        watched = [file.name for file in files]
        for _ in watching.changes(self.run, *watched, stop=self._stop):
            self.held_out = held_out.content() or {}
            self._take_duplicates(duplicates.version())
            self._take_predictions(predictions.version())
            self._take_ranking(ranking.version())
            self.likes.take(similar.version())
            explained = explanations.version()
            if explained is not None and explained is not taken:
                self.explanations.take(explained.content)
                taken = explained

    def _take_duplicates(self, version: Version[Duplicates] | None) -> None:
        if version is None or self.settings.alike == "off":
            return
        if version is not self.duplicates or self._grouped < min(len(version.content.first), len(self.images)):
            self.duplicates = version
            self._group()

    def _group(self) -> None:
        """Ask near duplicates as one, but for those that were split."""
        with self._grouping:
            if self.duplicates is None:
                return
            split = [number for path in self.labels.splits if (number := self.images.number(path)) is not None]
            first = divided(self.duplicates.content.first, len(self.images), split)
            self.queue.group(first)
            self._same, self._grouped = None, len(first)
        self.ahead.wake()
        self.changes.notify()

    def _same_images(self) -> Mapping[str, str]:
        """Near duplicates by the path of the one that stands for them; the same object while they are the same."""
        with self._grouping:
            if self._same is None:
                self._same = {self.images.path(image): self.images.path(unit) for image, unit in self.queue.copied()}
            return self._same

    def _take_predictions(self, version: Version[Predictions] | None) -> None:
        if version is None or version is self.predictions:
            return
        self.predictions = version
        checkpoint = version.content.checkpoint
        self.queue.score(version.content.probability, checkpoint["generation"] if checkpoint else None)
        self.first.follow(version.content.probability)
        unscorable = {image for image in version.content.unreadable if image < len(self.images)}
        for image in unscorable ^ self._unscorable:
            self.queue.mark(image, ImageState.UNREADABLE, image in unscorable or image in self._undecodable)
        self._unscorable = unscorable
        self.changes.notify()

    def _take_ranking(self, version: Version[Ranking] | None) -> None:
        if version is None or version is self.ranking:
            return
        self.ranking = version
        self.queue.rank(version.content)
        self.ahead.wake()
        self.changes.notify()

    def _look_at_loops(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            states = {name: self._state(name) for name in protocol.LOOPS}
            if states != self.loops:
                self.loops = states
                self.changes.notify()

    def _state(self, name: str) -> str:
        try:
            if locks.is_held(self.run, name):
                return "running"
        except OSError:  # no descriptors left, for one: as it was, for all that is known
            return self.loops[name]
        fresh = time.monotonic() - self._started_s < STARTING_S
        return "starting" if fresh and self.loops[name] == "starting" else "down"


def _percent(part: int, whole: int) -> float:
    return round(100 * min(part / whole, 1), 1) if whole > 0 else 0.0


def _model(checkpoint: dict[str, Any] | None) -> dict[str, Any] | None:
    if checkpoint is None:
        return None
    metrics = {
        name: value
        for name, value in checkpoint["metrics"].items()
        if isinstance(value, int | float) and math.isfinite(value)
    }
    return {"generation": checkpoint["generation"], "labels": checkpoint["labels"], "metrics": metrics}
