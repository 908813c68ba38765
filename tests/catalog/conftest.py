"""Makes the generator of hostile files, `tests/hostile`, importable as `hostile` in these tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
