"""`tinyrt.Interpreter` as a drop-in for LiteRT's: the same fields and values, clear refusals."""

import array
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter as LiteRT

import tinyrt
from tests.builder import ModelBuilder, TensorSpec, single_operator
from tests.corpus import MODELS, ROOT

DIGITS = ROOT / "models" / "digits.tflite"
KEYWORDS = ROOT / "models" / "keywords.tflite"


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values of a details dict are equal, arrays by type and content."""
    if isinstance(theirs, dict):
        return set(ours) == set(theirs) and all(same(ours[k], theirs[k]) for k in theirs)
    if isinstance(theirs, np.ndarray):
        return ours.dtype == theirs.dtype and np.array_equal(ours, theirs)
    return type(ours) is type(theirs) and ours == theirs


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_details_are_those_of_litert(path: Any) -> None:
    ours, theirs = tinyrt.Interpreter(path), LiteRT(str(path))
    for mine, peer in (
        (ours.get_input_details(), theirs.get_input_details()),
        (ours.get_output_details(), theirs.get_output_details()),
    ):
        assert len(mine) == len(peer)
        for a, b in zip(mine, peer, strict=True):
            assert set(a) == set(b)
            for field in b:
                assert same(a[field], b[field]), (field, a[field], b[field])
    known = {detail["index"]: detail for detail in theirs.get_tensor_details()}
    for detail in ours.get_tensor_details():
        peer = known[detail["index"]]
        for field in ("name", "shape", "dtype"):
            assert same(detail[field], peer[field])
    assert ours.get_signature_list() == theirs.get_signature_list()


def test_a_litert_program_runs_unchanged() -> None:
    value = np.arange(64, dtype=np.int8).reshape(1, 8, 8, 1)
    found = []
    for interpreter in (tinyrt.Interpreter(str(DIGITS)), LiteRT(str(DIGITS))):
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], value)
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    assert found[0].dtype == found[1].dtype
    assert found[0].shape == found[1].shape
    assert abs(found[0].astype(int) - found[1]).max() <= 2  # LiteRT rounds otherwise


class TestInputs:
    """What set_tensor takes and what it refuses."""

    @pytest.fixture
    def interpreter(self) -> tinyrt.Interpreter:
        content = single_operator(
            "RELU",
            [TensorSpec((1, 2, 3), scale=0.5, zero_point=0)],
            [TensorSpec((1, 2, 3), scale=0.5, zero_point=0)],
        )
        return tinyrt.Interpreter(model_content=content)

    @pytest.mark.parametrize(
        "value",
        [
            np.array([[[1, -2, 3], [-128, 127, 0]]], np.int8),
            np.array([1, -2, 3, -128, 127, 0], np.int8),
            np.array([[[1, -128], [-2, 127], [3, 0]]], np.int8).transpose(0, 2, 1),
            bytes([1, 254, 3, 128, 127, 0]),
            bytearray([1, 254, 3, 128, 127, 0]),
            array.array("b", [1, -2, 3, -128, 127, 0]),
            memoryview(array.array("b", [1, -2, 3, -128, 127, 0])),
            [[[1, -2, 3], [-128, 127, 0]]],
            (((1, -2, 3), (-128, 127, 0)),),
            [1, -2, 3, -128, 127, 0],
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_takes(self, interpreter: tinyrt.Interpreter, value: object) -> None:
        interpreter.set_tensor(0, value)
        assert interpreter.get_tensor(0).tolist() == [[[1, -2, 3], [-128, 127, 0]]]
        interpreter.invoke()
        assert interpreter.view(1).tolist() == [[[1, 0, 3], [0, 127, 0]]]

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (np.zeros((1, 2, 3), np.uint8), "must be int8"),
            (np.zeros((1, 2, 3), np.float32), "must be int8"),
            (np.zeros((2, 3), np.int8), "shape 2x3"),
            (bytes(5), "5 bytes"),
            (array.array("i", range(6)), "must be int8"),
            ([[[1, 2, 3], [4, 5, 128]]], "element 5 is 128"),
            ([[[1, 2, 3], [4, 5, 1.5]]], "element 5 is 1.5"),
            ([[[1, 2, 3], [4, 5]]], "ragged"),
            ([[1, 2, 3], [4, 5, 6]], "shape 2x3"),
            ("text", "type str"),
            (None, "type NoneType"),
            (7, "shape scalar"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_refuses(self, interpreter: tinyrt.Interpreter, value: object, said: str) -> None:
        with pytest.raises(tinyrt.InputError, match=said):
            interpreter.set_tensor(0, value)

    def test_refuses_what_is_no_input(self, interpreter: tinyrt.Interpreter) -> None:
        with pytest.raises(tinyrt.InputError, match="index 9"):
            interpreter.set_tensor(9, bytes(6))


def chain() -> bytes:
    """RELU, then LOGISTIC: one intermediate tensor."""
    model = ModelBuilder()
    x = model.tensor("x", (1, 4), scale=0.05, zero_point=1)
    middle = model.tensor("middle", (1, 4), scale=0.05, zero_point=1)
    y = model.tensor("y", (1, 4), scale=1 / 256, zero_point=-128)
    model.operator("RELU", [x], [middle])
    model.operator("LOGISTIC", [middle], [y])
    return model.finish([x], [y], signatures={"serve": ({"image": x}, {"score": y})})


class TestValues:
    """Reading tensors, and what stays valid from run to run."""

    def test_intermediate_tensors_are_kept_on_demand(self) -> None:
        plain = tinyrt.Interpreter(model_content=chain())
        plain.invoke()
        with pytest.raises(tinyrt.InputError, match="preserve_all_tensors"):
            plain.get_tensor(1)
        keeping = tinyrt.Interpreter(model_content=chain(), preserve_all_tensors=True)
        keeping.set_tensor(0, [[-9, 0, 5, 9]])
        keeping.invoke()
        assert keeping.get_tensor(1).tolist() == [[1, 1, 5, 9]]

    def test_tensor_shares_memory_from_run_to_run(self) -> None:
        interpreter = tinyrt.Interpreter(model_content=chain())
        interpreter.allocate_tensors()
        source, result = interpreter.tensor(0)(), interpreter.tensor(2)()
        source[0] = [127, -128, 3, 0]
        interpreter.invoke()
        first = result.tolist()
        assert first == interpreter.get_tensor(2).tolist()
        source[0] = [-128, 127, 0, 3]
        interpreter.invoke()
        assert result.tolist() == interpreter.get_tensor(2).tolist() != first

    def test_get_tensor_is_a_copy(self) -> None:
        interpreter = tinyrt.Interpreter(model_content=chain())
        interpreter.get_tensor(0)[0, 0] = 99
        assert interpreter.get_tensor(0).tolist() == [[0, 0, 0, 0]]

    def test_an_input_that_is_an_output_passes_through(self) -> None:
        model = ModelBuilder()
        x = model.tensor("x", (1, 2), scale=0.5, zero_point=0)
        y = model.tensor("y", (1, 2), scale=0.5, zero_point=0)
        model.operator("RELU", [x], [y])
        interpreter = tinyrt.Interpreter(model_content=model.finish([x], [x, y]))
        interpreter.set_tensor(x, [[-1, 1]])
        interpreter.invoke()
        assert interpreter.get_tensor(x).tolist() == [[-1, 1]]
        assert interpreter.get_tensor(y).tolist() == [[0, 1]]

    def test_without_numpy_values_are_views(self) -> None:
        program = f"""
import sys
sys.modules["numpy"] = None
import tinyrt
interpreter = tinyrt.Interpreter({str(DIGITS)!r})
detail = interpreter.get_input_details()[0]
assert detail["shape"] == (1, 8, 8, 1) and detail["dtype"] == "int8"
interpreter.set_tensor(detail["index"], bytes(64))
interpreter.invoke()
scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
assert isinstance(scores, memoryview) and scores.shape == (1, 10) and len(scores.tolist()[0]) == 10
"""
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


class TestSignatures:
    """Named entry points."""

    def test_runner(self) -> None:
        ours = tinyrt.Interpreter(model_content=chain())
        theirs = LiteRT(model_content=chain())
        assert ours.get_signature_list() == theirs.get_signature_list()
        runner, peer = ours.get_signature_runner("serve"), theirs.get_signature_runner("serve")
        value = np.array([[-100, 0, 3, 90]], np.int8)
        assert runner(image=value)["score"].tolist() == peer(image=value)["score"].tolist()
        assert runner.get_input_details()["image"]["name"] == "x"
        assert runner.get_output_details()["score"]["index"] == 2
        assert ours.get_signature_runner()(image=value)["score"].shape == (1, 4)

    def test_refusals(self) -> None:
        interpreter = tinyrt.Interpreter(model_content=chain())
        with pytest.raises(tinyrt.InputError, match=r"'other' .*'serve'"):
            interpreter.get_signature_runner("other")
        with pytest.raises(tinyrt.InputError, match=r"takes \['image'\], got \['picture'\]"):
            interpreter.get_signature_runner()(picture=[[0, 0, 0, 0]])


class TestResizing:
    """Batch and spatial sizes."""

    def test_batch_of_a_whole_model(self) -> None:
        interpreter = tinyrt.Interpreter(KEYWORDS)
        (source,) = (d["index"] for d in interpreter.get_input_details())
        (result,) = (d["index"] for d in interpreter.get_output_details())
        rng = np.random.default_rng(1)
        images = rng.integers(-128, 128, (3, 49, 10, 1), dtype=np.int8)
        singles = []
        for image in images:
            interpreter.set_tensor(source, image[None])
            interpreter.invoke()
            singles.append(interpreter.get_tensor(result)[0].tolist())
        interpreter.resize_tensor_input(source, (3, 49, 10, 1))
        interpreter.allocate_tensors()
        assert interpreter.get_input_details()[0]["shape"].tolist() == [3, 49, 10, 1]
        interpreter.set_tensor(source, images)
        interpreter.invoke()
        assert interpreter.get_tensor(result).tolist() == singles

    def test_image_size_where_the_graph_allows(self) -> None:
        content = single_operator(
            "MAX_POOL_2D",
            [TensorSpec((1, 4, 4, 1), scale=0.5, zero_point=0, shape_signature=(1, -1, -1, 1))],
            [TensorSpec((1, 2, 2, 1), scale=0.5, zero_point=0)],
            padding="VALID",
            stride_w=2,
            stride_h=2,
            filter_width=2,
            filter_height=2,
        )
        interpreter = tinyrt.Interpreter(model_content=content)
        interpreter.resize_tensor_input(0, [1, 6, 8, 1], strict=True)
        interpreter.set_tensor(0, bytes(range(48)))
        interpreter.invoke()
        assert interpreter.view(1).tolist()[0][0][0] == [9]
        assert interpreter.get_output_details()[0]["shape"].tolist() == [1, 3, 4, 1]
        with pytest.raises(tinyrt.InputError, match="dimension 3 is fixed at 1"):
            interpreter.resize_tensor_input(0, [1, 6, 8, 2], strict=True)

    @pytest.mark.parametrize("shape", [(1, 8, 8), (0, 8, 8, 1), (1, 8, 8, 3), (1, 1, 1, 1)])
    def test_refuses_shapes_that_cannot_be(self, shape: tuple[int, ...]) -> None:
        interpreter = tinyrt.Interpreter(DIGITS)
        (source,) = interpreter.program.graph.inputs

        def resize() -> None:
            interpreter.resize_tensor_input(source, shape)
            interpreter.allocate_tensors()

        with pytest.raises(tinyrt.InputError):
            resize()


class TestMaking:
    """Wrong arguments of the constructor."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({}, "exactly one"),
            ({"model_path": DIGITS, "model_content": b""}, "exactly one"),
            ({"model_path": "nowhere.tflite"}, "nowhere.tflite: No such file"),
            ({"model_path": DIGITS, "kernels": "quick"}, "'quick'"),
            ({"model_path": DIGITS, "numerics": "exact"}, "'exact'.*'tflm' or 'single'"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_refusals(self, arguments: dict[str, Any], said: str) -> None:
        with pytest.raises(tinyrt.InputError, match=said):
            tinyrt.Interpreter(**arguments)

    def test_bytes_that_are_no_model(self) -> None:
        with pytest.raises(tinyrt.FormatError):
            tinyrt.Interpreter(model_content=b"not a model at all")
