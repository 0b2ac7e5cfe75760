"""Images built once a session; a skip, with the remedy, where a target's tools are missing."""

import functools

import pytest

from tests.mcu.programs import Images, built
from tinyrt.mcu.targets import TARGETS


@pytest.fixture(autouse=True)
def _target_present(request: pytest.FixtureRequest) -> None:
    if "target" in request.fixturenames:
        missing = TARGETS[request.getfixturevalue("target")].missing()
        if missing:
            pytest.skip(missing)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Builds a program for a target, both by name; the second time it is there already."""
    return functools.cache(
        lambda target, program: built(
            target, program, tmp_path_factory.mktemp(f"{target}-{program}")
        )
    )
