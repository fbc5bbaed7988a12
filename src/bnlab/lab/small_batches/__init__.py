"""SmallBatches: which accuracy does one believe when batches are small, or their images alike?"""

from bnlab.lab.small_batches.small_batches import FOLDER, SmallBatches, first

JOBS = {"nets": FOLDER / "page_small_batches.js"}
FIRST = first

__all__ = ["FIRST", "JOBS", "SmallBatches"]
