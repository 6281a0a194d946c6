"""Bicubic resizing of bytes as two matrix products, with the same result as torch and steps that any runtime has.

`interpolate(bytes, mode="bicubic", antialias=True)` of torch follows Pillow: it resizes first along the rows, then
along the columns, each with weights rounded to 16 bit and a result rounded to 8 bit. No exported format has that step.
ONNX's Resize rounds other weights: one byte in 500 differs, and a probability differs by up to 0.001. With whole
numbers as weights, float32 holds all sums exactly if the sides of a picture shrink to a quarter or larger. If they
shrink further, about one byte in 30,000 is rounded the other way.
"""

import torch
from torch import Tensor

A = -0.5  # the parameter of the cubic kernel (Keys 1981), with Pillow's value
REACH = 2.0  # how far the kernel reaches, in pixels of the smaller of the two pictures
BITS = 15  # a weight has this many bits and a sign
MOST_BITS = 22  # at most this many bits of a weight are behind the point


def resized(pixels: Tensor, height: int, width: int) -> Tensor:
    """The whole picture at another size.

    Args:
        pixels: (3, H, W) float32, whole numbers from 0 to 255.
        height: the new height; it may be a symbol of a graph that is being traced.
        width: the new width, likewise.

    Returns:
        (3, height, width) float32, whole numbers from 0 to 255.
    """
    across, unit = _weights(pixels.shape[2], width)
    narrow = _as_bytes(pixels @ across.T, unit)  # (3, H, width)
    down, unit = _weights(pixels.shape[1], height)
    return _as_bytes(down @ narrow, unit)


def _as_bytes(sums: Tensor, unit: Tensor) -> Tensor:
    return torch.floor((sums.double() / unit) + 0.5).clamp(0, 255).float()


def _weights(before: int, after: int) -> tuple[Tensor, Tensor]:
    """The weight of each old pixel in each new one, (after, before), in whole numbers, and the number that means 1."""
    scale = torch.scalar_tensor(before, dtype=torch.float64) / torch.scalar_tensor(after, dtype=torch.float64)
    centre = (torch.arange(after, dtype=torch.float64) + 0.5) * scale  # (after,)
    at = torch.arange(before, dtype=torch.float64)  # (before,)
    weights = _cubic((at - centre[:, None] + 0.5) * scale.clamp(min=1.0).reciprocal())  # (after, before)
    weights = weights / weights.sum(1, keepdim=True)
    exponents = torch.arange(1, MOST_BITS + 1, dtype=torch.float64)
    units = torch.exp2(exponents)
    fit = (0.5 + weights.max() * units < 2.0**BITS).double()
    unit = torch.exp2(fit.sum())  # the finest unit in which the largest weight has no more than 15 bits
    whole = weights * unit
    return torch.where(whole < 0, torch.ceil(whole - 0.5), torch.floor(whole + 0.5)).float(), unit


def _cubic(distance: Tensor) -> Tensor:
    far = distance.abs()
    near = ((A + 2) * far - (A + 3)) * far * far + 1
    middle = (((far - 5) * far + 8) * far - 4) * A
    return torch.where(far < 1, near, torch.where(far < REACH, middle, torch.zeros_like(far)))
