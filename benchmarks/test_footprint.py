"""Fresh processes: time from the file to the first result, and peak memory."""

from pathlib import Path

import pytest

from benchmarks.cases import MLPERF_TINY, OWN_MODELS, SHARED_MODELS
from benchmarks.conftest import Session

MODELS = {name: SHARED_MODELS / f"{stem}.tflite" for name, stem in MLPERF_TINY.items()} | {
    "digits": OWN_MODELS / "digits.tflite"
}


@pytest.mark.parametrize("name", MODELS)
def test_footprint(session: Session, name: str) -> None:
    model: Path = MODELS[name]
    if not model.exists():
        pytest.skip(f"{model.name} is not among the shared models")
    found = session.footprint(name, model)
    assert found.peak_bytes > 0
    assert found.load_seconds > 0
