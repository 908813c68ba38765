"""What other tools do, each timed in their own environment. It imports nothing of this project.

`python peers.py NAME ARGUMENTS` as JSON prints one line of JSON.
"""

import io
import json
import os
import resource
import sys
from importlib.metadata import version
from pathlib import Path

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # img2dataset would ask the network for a newer albumentations


def versions() -> dict[str, str]:
    """Versions of what is compared."""
    return {name: version(name) for name in ("cleanvision", "img2dataset", "opencv-python-headless", "pillow")}


def cleanvision(folder: str, every_check: bool) -> dict[str, float]:
    """Look for exact and near duplicates, or run all checks, in this process alone."""
    from cleanvision import Imagelab

    wanted = None if every_check else {"exact_duplicates": {}, "near_duplicates": {}}
    begun = _cpu_s()
    lab = Imagelab(data_path=folder, verbose=False)
    lab.find_issues(wanted, n_jobs=1, verbose=False)
    return {"cpu": _cpu_s() - begun, "pictures": len(lab.issues)}


def img2dataset(folder: str, side_px: int, kept: int, copies: str) -> dict[str, float]:
    """Run its resizer, as it is set by default, on every JPEG file; keep the first copies as files."""
    from img2dataset.resizer import Resizer

    resizer = Resizer(side_px, "keep_ratio_largest", resize_only_if_bigger=True)
    paths = sorted(Path(folder).glob("*.jpg"))
    begun, encoded = _cpu_s(), []
    for path in paths:
        copy, *_, error = resizer(io.BytesIO(path.read_bytes()))
        if error:
            raise SystemExit(f"{path.name}: {error}")
        encoded.append(copy)
    taken = _cpu_s() - begun
    for path, copy in zip(paths[:kept], encoded, strict=False):
        (Path(copies) / path.name).write_bytes(copy)
    return {"cpu": taken, "pictures": len(paths)}


def opencv_refused(folder: str) -> list[str]:
    """Return the names of files OpenCV cannot decode."""
    import cv2
    import numpy as np

    # From memory, as img2dataset does: `imread` shows what it has of a file whose end is missing.
    coded = {path.name: np.fromfile(path, np.uint8) for path in sorted(Path(folder).glob("*.jpg"))}
    return [name for name, data in coded.items() if cv2.imdecode(data, cv2.IMREAD_UNCHANGED) is None]


def _cpu_s() -> float:
    own, children = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    named = {work.__name__: work for work in (versions, cleanvision, img2dataset, opencv_refused)}
    print(json.dumps(named[sys.argv[1]](*json.loads(sys.argv[2]))))
