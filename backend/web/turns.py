"""How many requests of a kind are served at a time, so that slow ones leave the others their threads and memory."""

import asyncio
from dataclasses import dataclass, field

from anyio import CapacityLimiter

PICTURES_AT_ONCE = 16  # However long decoding takes, threads remain for answers.
EXPORT_THREADS = 4  # However slow a disk is, threads remain for answers and pictures.
UPLOADS_AT_ONCE = 4


@dataclass(frozen=True)
class Turns:
    """The limits of one app.

    Attributes:
        pictures: threads that may wait for a picture.
        export_threads: threads that all exports share.
        exports: the exports that are under way.
        imports: one import is planned and stored at a time.
        uploads: uploads that are received at a time.
        upload_threads: threads that they share.
    """

    pictures: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(PICTURES_AT_ONCE))
    export_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(EXPORT_THREADS))
    exports: set[object] = field(default_factory=set)
    imports: asyncio.Lock = field(default_factory=asyncio.Lock)
    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UPLOADS_AT_ONCE))
    upload_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(UPLOADS_AT_ONCE))
