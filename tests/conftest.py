"""Makes the tests' own modules (oracle, harness, builder) importable by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
