"""The weights of a model's heads, in eight bits.

A weight is a whole number of steps, -127 to 127, times the scale of its label (symmetric
quantisation: Jacob and others, Quantization and Training of Neural Networks, CVPR 2018, section
2.1). That is how a bundle stores them and how the kernel reads them; a quarter of the memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .kernel import PANEL, Heads, Layer
from .stack import Stack

Matrix = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int8]

_MOST = 127  # steps to either side
_LINE = 64  # bytes of a cache line


class Weights:
    """Grams x labels, and experts behind them where a layer is told of some.

    `steps` is padded with zeros to a multiple of the kernel's panel of labels.

    Raises:
        ValueError: there is not a scale for each label.
    """

    def __init__(self, steps: Steps, scale: Matrix) -> None:
        if steps.shape[1:] != scale.shape:
            raise ValueError("the scales do not fit the weights")
        self.shape = len(steps), len(scale)
        self.steps = _padded(steps)
        self.scale = scale

    @classmethod
    def of(cls, weights: npt.NDArray[np.floating[Any]]) -> Weights:
        """The nearest weights that eight bits hold; `weights` is grams x labels."""
        largest = np.abs(weights).max(axis=0, initial=0)
        scale = np.where(largest > 0, largest / _MOST, 1).astype(np.float32)
        return cls(np.rint(weights / scale).astype(np.int8), scale)

    @classmethod
    def mapped(cls, path: Path, scale: Matrix) -> Weights:
        """Weights whose padded steps lie in a file and are shared by all processes that map it.

        Raises:
            ValueError, OSError: the file is another one.
        """
        weights = cls(np.empty((0, len(scale)), dtype=np.int8), scale)
        weights.steps = np.load(path, mmap_mode="r")
        weights.shape = len(weights.steps), len(scale)
        return weights

    @property
    def columns(self) -> slice:
        """Where labels and experts stand among the padded columns."""
        return slice(self.shape[1])

    def heads(self, bias: Matrix, stack: Stack | None = None) -> Heads:
        """The weights as the kernel reads them, with a bias for each label and a layer over the scores."""
        return Heads(self.steps, self.pad(self.scale), self.pad(bias), self._layer(stack) if stack else None)

    def _layer(self, stack: Stack) -> Layer:
        """A stack with as many labels and units as the kernel reads; those added weigh nothing."""
        told, units = stack.inward.shape
        columns, more = self.steps.shape[1], -units % PANEL
        inward = np.pad(stack.inward, ((0, columns - told), (0, more)))
        outward = np.pad(stack.outward, ((0, more), (0, columns - stack.labels)))
        offset, gates = np.pad(stack.offset, (0, more)), np.ascontiguousarray(stack.gates)
        return np.ascontiguousarray(inward), offset, np.ascontiguousarray(outward), gates, stack.labels

    def pad(self, values: npt.NDArray[np.floating[Any]]) -> Matrix:
        """A value for each label as a value for each padded column."""
        padded = np.zeros(self.steps.shape[1], dtype=np.float32)
        padded[self.columns] = values
        return padded

    def of_grams(self, grams: npt.NDArray[np.integer[Any]], labels: slice = slice(None)) -> Matrix:
        """The weights of some grams for some labels: grams x labels, float32."""
        return self.steps[grams, self.columns][:, labels] * self.scale[labels]


def _padded(steps: Steps) -> Steps:
    """A copy that begins where a cache line does: its rows then lie on as few lines as they can."""
    grams, labels = steps.shape
    stride = -(-labels // PANEL) * PANEL
    room = np.zeros(grams * stride + _LINE, dtype=np.int8)
    start = -room.ctypes.data % _LINE
    padded = room[start : start + grams * stride].reshape(grams, stride)
    padded[:, :labels] = steps
    return padded
