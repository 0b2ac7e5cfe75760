"""On CI a skipped test is a failed run: everything that a test needs is installed there."""

import os

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a green run with skips into a red one where CI is set."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("CI forbids skipped tests", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
