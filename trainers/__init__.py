"""The trainers: the one floor that knows torch. Import this package before torchvision, timm, smp or torchmetrics.

Three things must be true of the process before those libraries are imported, and they are made true here, once:

- No model hub is asked unless the person says so (`HF_HUB_OFFLINE=0`): weights come from installed packages or from
  local folders, and an unreachable hub would stall every start in retries.
- torchvision's `nms` operators exist. A torchvision built against another torch cannot load its compiled operators,
  and then refuses to be imported at all, although nothing here calls them.
- Threads that wait for each other sleep instead of spinning (`OMP_WAIT_POLICY`). Beside another busy process, spinning
  threads made a training step two to three times slower (measured with one other training on two cores).
"""

import importlib.util
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch  # reads OMP_WAIT_POLICY when it is loaded

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _declare_missing_torchvision_operators() -> torch.library.Library | None:
    """Declare `nms` and `qnms` (without kernels) where torchvision's own library cannot be loaded.

    The library object must outlive the process's use of torchvision: dropping it undeclares the operators.
    """
    torchvision = importlib.util.find_spec("torchvision")
    if torchvision is None or torchvision.origin is None:
        return None
    for compiled in sorted(Path(torchvision.origin).parent.glob("_C*")):
        try:
            torch.ops.load_library(str(compiled))  # type: ignore[no-untyped-call]
        except OSError:
            continue
        return None
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        library.define(f"{name}{_SIGNATURE}")  # type: ignore[no-untyped-call]
    return library


_TORCHVISION_OPERATORS = _declare_missing_torchvision_operators()
