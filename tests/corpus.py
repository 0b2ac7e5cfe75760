"""The trained models at hand: this project's own, and the shared ones where they are present."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TINYRT_SHARED", ROOT.parent / "shared"))

MODELS: tuple[Path, ...] = (
    *sorted((ROOT / "models").glob("*.tflite")),
    *sorted((SHARED / "models").glob("*.tflite")),
)
