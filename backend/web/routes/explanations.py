"""The route that explains a prediction."""

from typing import Any

from fastapi import APIRouter, HTTPException

from backend.web import shapes
from backend.web.bodies import Number
from backend.web.parts import TheExplanations, TheImages, TheLabels, TheQueue

NONE = "There is no explanation of this image; they are made for the next 24 images."

router = APIRouter()


@router.get("/api/explanation/{image}", summary="Why the model thinks so, of one of the next images")
def explanation(
    image: Number, explanations: TheExplanations, images: TheImages, labels: TheLabels, queue: TheQueue
) -> dict[str, Any]:
    """Explain a prediction, but not one of an image that was drawn at random: nobody is told that one."""
    explained = None if queue.is_apart(image) else explanations.of(image)
    if explained is None:
        raise HTTPException(404, NONE)
    return shapes.explanation(explained, image, images, labels, queue)
