"""What the tensors of a test's network are expected to hold: distribution and quantization."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist, fmean, pstdev

Shape = tuple[int, ...]
Real = Callable[[float], float]

LOW, HIGH = -128, 127
REACH = 3.5
"""A range holds this many deviations on either side."""
QUANTILES = tuple(NormalDist().inv_cdf((step + 0.5) / 64) for step in range(64))
ACTIVATIONS: Mapping[str, Real] = {
    "NONE": lambda x: x,
    "RELU": lambda x: max(x, 0.0),
    "RELU6": lambda x: min(max(x, 0.0), 6.0),
}


@dataclass(frozen=True, slots=True)
class Quant:
    """Scale and zero-point of an int8 tensor."""

    scale: float
    zero_point: int

    @classmethod
    def over(cls, low: float, high: float) -> "Quant":
        """A range that also holds 0, which is represented exactly, as converters see to."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = (high - low) / (HIGH - LOW) or 1.0
        return cls(scale, max(LOW, min(HIGH, round(LOW - low / scale))))

    def value(self, real: float) -> int:
        """The int8 value of a real number."""
        return max(LOW, min(HIGH, round(real / self.scale) + self.zero_point))


PROBABILITY = Quant(1 / 256, LOW)


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of a network in the making; float32 where it has no quantization."""

    shape: Shape
    mean: float
    deviation: float
    quant: Quant | None = None
    index: int = -1
    """In the model; none yet of what an operator is about to give."""

    @property
    def own(self) -> Quant:
        """The quantization of an int8 tensor."""
        assert self.quant is not None
        return self.quant

    def through(self, function: Real) -> tuple[float, float, Quant]:
        """Mean, deviation and quantization of a function of the value."""
        ends = (self.mean + sign * REACH * self.deviation for sign in (-1, 1))
        middle = [function(self.mean + z * self.deviation) for z in QUANTILES]
        every = [*middle, *map(function, ends)]
        return fmean(middle), pstdev(middle), Quant.over(min(every), max(every))

    def calibrated(self) -> "Value":
        """The same with the quantization that its distribution asks for."""
        return Value(self.shape, self.mean, self.deviation, self.through(lambda x: x)[2])


def averaged(x: Value, shape: Shape) -> Value:
    """The means of many positions: what channels have of their own remains."""
    return Value(shape, x.mean, 0.5 * x.deviation).calibrated()
