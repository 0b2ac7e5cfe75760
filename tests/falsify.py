"""A small sound model, and functions that falsify one thing in its records."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tests.builder import ModelBuilder
from tests.examples import weights
from tinyrt import load, schema
from tinyrt.errors import ModelError

Falsify = Callable[[schema.Model], schema.Model]
KEYS = {"serve": ({"a": 0}, {"b": 3})}


def sound() -> ModelBuilder:
    """Tensors: 0 x, 1 weights, 2 y, 3 z. Operators: 0 FULLY_CONNECTED x → y, 1 ADD y, y → z."""
    model = ModelBuilder()
    x = model.tensor("x", (1, 4), scale=0.5, zero_point=3)
    filter_ = model.add(weights(2, 4, axis=0), "w")
    y = model.tensor("y", (1, 2), scale=0.5, zero_point=3)
    z = model.tensor("z", (1, 2), scale=0.75, zero_point=-1)
    model.operator("FULLY_CONNECTED", [x, filter_], [y])
    model.operator("ADD", [y, y], [z])
    return model


def sound_model() -> schema.Model:
    return sound().model([0], [3], signatures=KEYS)


def graph(**fields: Any) -> Falsify:
    """Falsify fields of the subgraph."""

    def falsify(model: schema.Model) -> schema.Model:
        first = dataclasses.replace(model.subgraphs[0], **fields)
        return dataclasses.replace(model, subgraphs=(first, *model.subgraphs[1:]))

    return falsify


def operator(index: int, **fields: Any) -> Falsify:
    """Falsify fields of an operator."""

    def falsify(model: schema.Model) -> schema.Model:
        operators = list(model.subgraphs[0].operators)
        operators[index] = dataclasses.replace(operators[index], **fields)
        return graph(operators=tuple(operators))(model)

    return falsify


def tensor(index: int, **fields: Any) -> Falsify:
    """Falsify fields of a tensor."""

    def falsify(model: schema.Model) -> schema.Model:
        tensors = list(model.subgraphs[0].tensors)
        tensors[index] = dataclasses.replace(tensors[index], **fields)
        return graph(tensors=tuple(tensors))(model)

    return falsify


def quantization(index: int, **fields: Any) -> Falsify:
    """Falsify fields of a tensor's quantization."""

    def falsify(model: schema.Model) -> schema.Model:
        old = model.subgraphs[0].tensors[index].quantization
        assert old is not None
        return tensor(index, quantization=dataclasses.replace(old, **fields))(model)

    return falsify


def whole(**fields: Any) -> Falsify:
    """Falsify fields of the model itself."""
    return lambda model: dataclasses.replace(model, **fields)


def signature(**fields: Any) -> Falsify:
    """Falsify fields of the signature."""

    def falsify(model: schema.Model) -> schema.Model:
        return whole(signature_defs=(dataclasses.replace(model.signature_defs[0], **fields),))(
            model
        )

    return falsify


def both(*falsifiers: Falsify) -> Falsify:
    def falsify(model: schema.Model) -> schema.Model:
        for one in falsifiers:
            model = one(model)
        return model

    return falsify


def refused(content: bytes, error: type[ModelError]) -> str:
    """The message that refuses a file."""
    with pytest.raises(error) as raised:
        load(content)
    return str(raised.value)
