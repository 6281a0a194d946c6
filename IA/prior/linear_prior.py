"""A prompt as a linear function on the space of the pool, fitted on a random sample of its images.

For the sample, the network itself says how well each image fits the prompt: by the classes that it knows, or by its
text encoder. A ridge regression (Hoerl and Kennard 1970) carries this over to all images. So a prompt costs one product
of the pool with a vector. What the space of the pool does not see is left out, which makes the order better, not worse
(docs/concepts/prior.md).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from IA.networks import Backbone
from IA.prior.reading import Reading

SAMPLE = 2048  # At most so many images are asked about.
TEMPERATURE = 3.0  # Of the softmax over the known classes.
RIDGE = 1.0  # The penalty on the squared length of the function.

Floats = NDArray[np.float32]


class LinearPrior:
    """Turns prompts into functions on one space."""

    def __init__(self, backbone: Backbone, embeddings: Tensor, projected: Tensor) -> None:
        """Take up a random sample of the pool.

        Args:
            backbone: has a classifier or a text encoder, see `can_read`.
            embeddings: (m, D) float32, of the sampled images.
            projected: (m, K) float32, the same in the space of the pool.
        """
        self._backbone = backbone
        centred = (projected - projected.mean(0)).double()
        ridge = RIDGE * torch.eye(centred.shape[1], dtype=torch.float64)
        self._solver = torch.linalg.solve(centred.T @ centred + ridge, centred.T).float()  # (K, m)
        if backbone.encode_text is not None:
            self._seen = torch.nn.functional.normalize(embeddings, dim=1)  # (m, D)
        elif backbone.classifier is not None:
            weight, bias = backbone.classifier
            logits = embeddings @ weight.T + bias  # (m, 1000)
            self._seen = torch.log_softmax((logits - logits.mean(0)) / TEMPERATURE, dim=1)

    @staticmethod
    def can_read(backbone: Backbone) -> bool:
        """Whether the network says of an image how well it fits words."""
        return backbone.encode_text is not None or backbone.classifier is not None

    def function(self, reading: Reading) -> Floats | None:
        """The function (K,) float32 on the space: the higher the product with an image, the better it fits.

        Returns:
            None where the words lead nowhere.
        """
        if self._backbone.encode_text is not None:
            fits = (self._seen @ self._backbone.encode_text(reading.phrases).T).amax(1)  # (m,)
        elif reading.weights is None:
            return None
        else:
            share = torch.from_numpy(reading.weights)
            counts = share > 0
            fits = torch.logsumexp(self._seen[:, counts] + share[counts].log(), dim=1)
        function: Floats = (self._solver @ (fits - fits.mean())).numpy()
        return function
