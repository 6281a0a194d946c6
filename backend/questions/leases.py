"""Which images are in whose hands: for a minute nobody else is given them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backend.questions.orders import Prediction
from backend.questions.states import ImageStates

LEASE_S = 60.0
FORGET_FROM = 10_000  # From so many leases on, those that are over and answered are dropped.


@dataclass(frozen=True)
class Lease:
    """An image that was handed to a client, with its near duplicates.

    Attributes:
        client: in whose hands it is.
        until_s: nobody else is given it before.
        predicted: what the model predicted then.
        is_sampled: whether it was drawn at random.
        passed: images that stand right before it in the ranking and were drawn; answering it selects them.
        image: the number of the image that is shown.
    """

    client: str
    until_s: float
    predicted: Prediction
    is_sampled: bool
    passed: tuple[int, ...]
    image: int


class Leases:
    """All leases, by the number of each image that they cover; the queue changes them under its lock."""

    def __init__(self, states: ImageStates, clock: Callable[[], float]) -> None:
        """Begin without any; `clock` gives seconds."""
        self._states = states
        self._clock = clock
        self._leases: dict[int, Lease] = {}
        self._forget_from = FORGET_FROM

    def __len__(self) -> int:
        """How many images are covered, those whose lease is over included."""
        return len(self._leases)

    @property
    def now_s(self) -> float:
        """The time by which leases end."""
        return self._clock()

    def of(self, image: int) -> Lease | None:
        """The last lease of an image, also if it is over."""
        return self._leases.get(image)

    def to(self, client: str, image: int) -> Lease | None:
        """The last lease of an image, if this client has it."""
        lease = self._leases.get(image)
        return lease if lease is not None and lease.client == client else None

    def in_force(self, image: int, now_s: float) -> list[Lease]:
        """The leases of an image and its near duplicates that are not over, and whose image is not answered."""
        leases = map(self._leases.get, self._states.members(image))
        return [lease for lease in leases if lease and lease.until_s > now_s and not self._states[lease.image]]

    def in_hands(self) -> set[int]:
        """The open images that a lease which is not over covers."""
        now_s = self.now_s
        return {image for image, lease in self._leases.items() if lease.until_s > now_s and not self._states[image]}

    def begin(self, leases: Mapping[int, Lease], now_s: float) -> None:
        """Let these leases hold, by the images that they cover."""
        self._leases |= leases
        if len(self._leases) > self._forget_from:
            # The lease of an answered image is kept until it is over, because the answer may be taken back.
            self._keep(lambda image, lease: lease.until_s > now_s or not self._states[image])
            self._forget_from = max(FORGET_FROM, 2 * len(self._leases))

    def release(self, client: str) -> None:
        """End the leases of a client, but for images that were drawn at random or are answered."""
        self._keep(lambda _, lease: lease.client != client or lease.is_sampled or bool(self._states[lease.image]))

    def regroup(self) -> None:
        """Drop the leases of images that are no longer near duplicates of the image that is shown."""
        unit = self._states.unit
        self._keep(lambda image, lease: unit(image) == unit(lease.image))

    def _keep(self, is_kept: Callable[[int, Lease], bool]) -> None:
        self._leases = {image: lease for image, lease in self._leases.items() if is_kept(image, lease)}
