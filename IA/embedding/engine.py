"""Engines that run the backbone on this machine: stacks of images in, embeddings out."""

import logging
import math
import os
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from IA.dataset import extreme_shapes, normalise
from IA.networks import Backbone
from IA.process.priority import let_give_way, own_threads

if TYPE_CHECKING:
    import openvino

log = logging.getLogger(__name__)

SAME_COSINE = 0.9999  # If embeddings agree less than this with torch, compilation has changed the network.
CPU_BATCH = 8
GPU_BATCH = 128
EAGER_AT_ONCE = (
    2  # Torch on the processor takes two images: with 8, half its time goes to fresh memory for activations.
)
FREQUENT = 64  # Compile for a shape once this many images have it: as many more images earn back the 0.2 s.
MAX_SHAPES = 4  # At most this many shapes get a compiled form of their own, of about 35 MB each.
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")

Vectors = NDArray[np.float32]


class Engine(Protocol):
    """Runs a backbone.

    Attributes:
        name: for the log.
        batch: how many images at once are fastest.
    """

    name: str
    batch: int

    def embed(self, stacks: Sequence[Tensor]) -> list[Vectors]:
        """The embeddings of images.

        Args:
            stacks: each (B, 3, H, W) uint8, with its own height and width; fastest in channels-last order.

        Returns:
            (B, D) float32 for each stack.
        """

    def give_way(self) -> None:
        """Let the engine's own threads, not those that call it, give way to other processes from now on."""


def fastest(backbone: Backbone, cores: int) -> Engine:
    """The fastest engine: torch on a GPU if there is one, else OpenVINO if it can run this network, else torch."""
    device = best_device()
    if device.type != "cpu":
        return TorchEngine(backbone, device)
    try:
        return OpenVinoEngine(backbone, cores)
    except (ImportError, RuntimeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        log.info("%s runs on plain torch, OpenVINO cannot have it: %s", backbone.name, reason)
        return TorchEngine(backbone, device)


class TorchEngine:
    """The network run by torch; in half precision, a batch that overflows is run again in full precision."""

    def __init__(self, backbone: Backbone, device: torch.device, in_half: bool | None = None) -> None:
        """Move the network to the device.

        Args:
            backbone: the network.
            device: to run it on.
            in_half: whether to run it in half precision; None: on CUDA alone.
        """
        self.name = f"torch on {device.type}"
        self.batch = CPU_BATCH if device.type == "cpu" else GPU_BATCH
        self._at_once = EAGER_AT_ONCE if device.type == "cpu" else GPU_BATCH
        self._device = device
        self._half = device.type == "cuda" if in_half is None else in_half
        self._preprocessing = backbone.preprocessing
        self._module = backbone.module.eval().to(device)

    @torch.inference_mode()
    def embed(self, stacks: Sequence[Tensor]) -> list[Vectors]:
        """See `Engine`."""
        return [np.concatenate([self._embed(some) for some in torch.split(images, self._at_once)]) for images in stacks]

    def _embed(self, images: Tensor) -> Vectors:
        if self._device.type == "cuda":
            images = images.pin_memory()
        ready = normalise(images.to(self._device, non_blocking=True), self._preprocessing)
        with torch.autocast(self._device.type, torch.float16, enabled=self._half):
            vectors: Tensor = self._module(ready).float()
        if self._half and not vectors.isfinite().all():
            vectors = self._module(ready).float()
        return vectors.cpu().numpy()

    def give_way(self) -> None:
        """Do nothing: torch starts its threads for the calling thread, and they take over its priority."""


class OpenVinoEngine:
    """The network compiled by OpenVINO in float32; each core runs one image, so that activations stay in its cache.

    One compiled form takes images of any shape; each of the few shapes that a folder is full of gets a faster form of
    its own. Any thread may embed; one thread waits for the other.

    Raises:
        ImportError: OpenVINO is not installed.
        RuntimeError, ValueError: it cannot convert this network, or its embeddings differ from torch's.
    """

    def __init__(self, backbone: Backbone, cores: int) -> None:
        self.name = f"OpenVINO on {cores} cores"
        self.batch = max(CPU_BATCH, 4 * cores)
        self._cores = cores
        self._lock = threading.Lock()
        self._dimension = backbone.dimension
        self._core = without_telemetry().Core()
        self._model = _converted(backbone)
        others = own_threads()
        self._any_shape = self._compiled(self._model)
        self._threads = own_threads() - others
        self._of_shape: dict[tuple[int, int], openvino.AsyncInferQueue] = {}
        self._seen: Counter[tuple[int, int]] = Counter()
        self._compare(backbone)

    @property
    def compiled_shapes(self) -> set[tuple[int, int]]:
        """Height and width of the images that have a compiled form of their own."""
        return set(self._of_shape)

    def embed(self, stacks: Sequence[Tensor]) -> list[Vectors]:
        """See `Engine`."""
        every = [np.empty((len(images), self._dimension), np.float32) for images in stacks]
        with self._lock:
            queues = [self._queue(images) for images in stacks]
            for images, vectors, queue in zip(stacks, every, queues, strict=True):
                rows = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())  # (B, H, W, 3)
                for place in range(len(rows)):
                    queue.start_async({0: rows[place : place + 1]}, (vectors, place))
            for queue in queues:
                queue.wait_all()
        return every

    def give_way(self) -> None:
        """See `Engine`; forms for one shape are dropped, and compiled again by a thread that gives way."""
        let_give_way(self._threads)
        with self._lock:
            self._of_shape.clear()
            self._seen.clear()

    def _queue(self, images: Tensor) -> "openvino.AsyncInferQueue":
        """The compiled form for these images; a shape that has become frequent gets a form of its own."""
        shape = (images.shape[2], images.shape[3])
        self._seen[shape] += len(images)
        if shape not in self._of_shape and self._seen[shape] > FREQUENT and len(self._of_shape) < MAX_SHAPES:
            model = self._model.clone()
            model.reshape([1, *shape, 3])
            self._of_shape[shape] = self._compiled(model)
        return self._of_shape.get(shape, self._any_shape)

    def _compiled(self, model: "openvino.Model") -> "openvino.AsyncInferQueue":
        options = {
            "INFERENCE_PRECISION_HINT": "f32",  # left to itself it may choose bf16, with cosines to float32 of .997
            "NUM_STREAMS": self._cores,
            "INFERENCE_NUM_THREADS": self._cores,
            "ENABLE_CPU_PINNING": False,  # the decoders share these cores
        }
        queue = without_telemetry().AsyncInferQueue(self._core.compile_model(model, "CPU", options), self._cores)
        queue.set_callback(_keep)
        return queue

    @torch.inference_mode()
    def _compare(self, backbone: Backbone) -> None:
        """Raise ValueError if tracing has changed the network, as it does where the steps depend on the shape."""
        noise = torch.Generator().manual_seed(0)
        for height_px, width_px in extreme_shapes(backbone.preprocessing):
            images = torch.randint(256, (1, 3, height_px, width_px), dtype=torch.uint8, generator=noise)
            theirs = torch.from_numpy(self.embed([images])[0])
            ours = backbone.module(normalise(images, backbone.preprocessing))
            if not torch.cosine_similarity(theirs, ours).item() > SAME_COSINE:
                raise ValueError(f"its embeddings of {width_px} x {height_px} px differ")


def _keep(request: "openvino.InferRequest", place: tuple[Vectors, int]) -> None:
    vectors, row = place
    vectors[row] = request.get_output_tensor().data[0]


def _converted(backbone: Backbone) -> "openvino.Model":
    """The network for OpenVINO, (1, H, W, 3) uint8 -> (1, D) float32, with the normalisation inside.

    Raises:
        RuntimeError: the network has a step that OpenVINO lacks.
    """
    package = without_telemetry()
    from openvino.frontend import FrontEndManager, GeneralFailure, NotImplementedFailure, OpConversionFailure
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    from openvino.preprocess import PrePostProcessor

    size_px, module = backbone.preprocessing.size_px, backbone.module.cpu()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing always warns
        decoder = TorchScriptPythonDecoder(module, example_input=torch.zeros(1, 3, size_px, size_px))
    frontend = FrontEndManager().load_by_framework("pytorch")
    try:
        model = frontend.convert(frontend.load(decoder))
    except (GeneralFailure, NotImplementedFailure, OpConversionFailure) as error:
        # The last line of the message names the step.
        raise RuntimeError(str(error).strip().splitlines()[-1].lstrip("- ")) from error
    takes_any_shape = backbone.preprocessing.resize == "area"
    height, width = (-1, -1) if takes_any_shape else (size_px, size_px)
    model.reshape([1, 3, height, width])
    steps = PrePostProcessor(model)
    images = steps.input(0)
    images.tensor().set_element_type(package.Type.u8).set_layout(package.Layout("NHWC"))
    images.model().set_layout(package.Layout("NCHW"))
    scaled = images.preprocess().convert_element_type(package.Type.f32)
    scaled.mean([255 * value for value in backbone.preprocessing.mean])
    scaled.scale([255 * value for value in backbone.preprocessing.std])
    return steps.build()


def without_telemetry() -> Any:
    """The module openvino, without the telemetry that it otherwise sends at each import.

    Raises:
        ImportError: it is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as if not installed: it has a stub
    import openvino

    return openvino


def best_device() -> torch.device:
    """CUDA or Metal if the machine has it, else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def usable_cores() -> int:
    """How many cores this process may use: fewer than the machine has, in a container or under taskset."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = CPU_QUOTA.read_text().split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # the file does not exist, or says "max"
        return cores
