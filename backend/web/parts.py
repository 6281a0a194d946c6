"""The parts of the session by the names under which routes ask for them; FastAPI hands each route the ones it names."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request

from backend.images.images import Images
from backend.images.uploads import Uploads
from backend.map.folder_map import FolderMap
from backend.questions.explanations import ExplanationCache
from backend.questions.first import First
from backend.questions.queue import Queue
from backend.questions.similar import Likes
from backend.runs.instructions import Instructions
from backend.session.answering import Answering
from backend.session.auditing import Auditing
from backend.session.changes import Changes
from backend.session.following import Following
from backend.session.loops import LoopStates
from backend.session.scores import GivenScores
from backend.session.session import Session
from backend.session.settings import CurrentSettings
from backend.session.showing import Showing
from backend.session.suspected_errors import SuspectedErrors
from backend.store.labels import Labels
from backend.store.model_labels import ModelLabels
from backend.web.tensorboard import TensorBoard
from backend.web.turns import Turns
from IA.protocol.records import Settings


def _part(choose: Callable[[Session], Any]) -> Any:
    async def part(request: Request) -> Any:
        return choose(request.app.state.session)

    return Depends(part)


async def _turns(request: Request) -> Turns:
    turns: Turns = request.app.state.turns
    return turns


async def _tensorboard(request: Request) -> TensorBoard | None:
    tensorboard: TensorBoard | None = request.app.state.tensorboard
    return tensorboard


TheAnswering = Annotated[Answering, _part(lambda session: session.answering)]
TheAuditing = Annotated[Auditing, _part(lambda session: session.auditing)]
TheChanges = Annotated[Changes, _part(lambda session: session.changes)]
TheCurrentSettings = Annotated[CurrentSettings, _part(lambda session: session.settings)]
TheExplanations = Annotated[ExplanationCache, _part(lambda session: session.explanations)]
TheFirst = Annotated[First, _part(lambda session: session.first)]
TheFolderMap = Annotated[FolderMap, _part(lambda session: session.folder_map)]
TheFollowing = Annotated[Following, _part(lambda session: session.following)]
TheImages = Annotated[Images, _part(lambda session: session.images)]
TheInstructions = Annotated[Instructions, _part(lambda session: session.instructions)]
TheLabels = Annotated[Labels, _part(lambda session: session.labels)]
TheLikes = Annotated[Likes, _part(lambda session: session.likes)]
TheLoops = Annotated[LoopStates, _part(lambda session: session.loops)]
TheModelLabels = Annotated[ModelLabels, _part(lambda session: session.model_labels)]
TheQueue = Annotated[Queue, _part(lambda session: session.queue)]
TheRun = Annotated[Path, _part(lambda session: session.run)]
TheScores = Annotated[GivenScores, _part(lambda session: session.scores)]
TheSettings = Annotated[Settings, _part(lambda session: session.settings.now)]
TheShowing = Annotated[Showing, _part(lambda session: session.showing)]
TheSuspectedErrors = Annotated[SuspectedErrors, _part(lambda session: session.suspected_errors)]
TheTensorBoard = Annotated[TensorBoard | None, Depends(_tensorboard)]
TheTurns = Annotated[Turns, Depends(_turns)]
TheUploads = Annotated[Uploads | None, _part(lambda session: session.uploads)]
# The status shows something of almost every part; no other route asks for the whole.
TheSession = Annotated[Session, _part(lambda session: session)]
