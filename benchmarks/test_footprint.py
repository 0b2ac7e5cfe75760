"""Fresh processes: time from the file to the first result, and peak memory."""

import pytest

from benchmarks.cases import MLPERF_TINY, OWN_MODELS, SHARED_MODELS
from benchmarks.conftest import Session

MODELS = {name: SHARED_MODELS / f"{stem}.tflite" for name, stem in MLPERF_TINY.items()} | {
    "our_keywords": OWN_MODELS / "keywords.tflite",
    "our_digits": OWN_MODELS / "digits.tflite",
}
QUICK = ("our_digits",)


def test_footprint(session: Session, fresh: str) -> None:
    model = MODELS[fresh]
    if not model.exists():
        pytest.skip(f"{model.name} is not among the shared models")
    found = session.footprint(fresh, model)
    assert found.peak_bytes > 0
    assert found.load_seconds > 0
