"""The route that takes images, one file or zip a request; only with --allow-upload."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Query, Request
from starlette.requests import ClientDisconnect

from backend.images.uploads import MOST_BYTES, MOST_IMAGE_BYTES, UploadError
from backend.web.parts import TheTurns, TheUploads

PATH = "/api/upload"
OFF = "Images are taken only by a session that was started with --allow-upload."
Name = Annotated[str, Query(pattern=r"^[^\x00]{1,1000}$")]

router = APIRouter()


@router.post(PATH, status_code=201, summary="Add an image, or a zip of them, to the folder")
async def upload(request: Request, name: Name, uploads: TheUploads, turns: TheTurns) -> dict[str, Any]:
    """Receive a file, and say what of it became an image."""
    if uploads is None:
        raise HTTPException(403, OFF)
    limit = MOST_BYTES if name.lower().endswith(".zip") else MOST_IMAGE_BYTES
    if int(request.headers.get("content-length", "0")) > limit:
        raise HTTPException(413, f"{name[-60:]} is larger than {limit >> 20} MiB.")
    async with turns.uploads:
        part = None
        try:
            part = await to_thread.run_sync(uploads.begin, limiter=turns.upload_threads)
            await _receive(request, part, limit, turns.upload_threads)
            outcome = await to_thread.run_sync(uploads.finish, part, name, limiter=turns.upload_threads)
        except UploadError as error:
            raise HTTPException(507, str(error)) from None
        except ClientDisconnect:
            raise HTTPException(400, "The upload broke off; nothing of it was kept.") from None
        finally:
            if part is not None:
                part.unlink(missing_ok=True)
    return {what: _shown(files) for what, files in asdict(outcome).items()}


async def _receive(request: Request, part: Path, limit: int, threads: CapacityLimiter) -> None:
    received = 0
    with part.open("wb") as file:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limit:
                raise HTTPException(413, f"The file is larger than {limit >> 20} MiB.")
            await to_thread.run_sync(file.write, chunk, limiter=threads)


def _shown(value: Any) -> Any:
    """How many there are, and the first hundred of them."""
    first = list(value)[:100]
    return {"files": len(value), "first": {name: value[name] for name in first} if isinstance(value, dict) else first}
