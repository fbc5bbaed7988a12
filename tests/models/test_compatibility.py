"""What the package says of models of other libraries: it works and is right, or it is refused."""

import pytest

from bnlab import measure
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS
from tests.models.columns import COLUMNS
from tests.models.libraries import LIBRARIES, missing, versions
from tests.models.table import row, stored
from tests.models.zoo import models

NEED = pytest.mark.skipif(
    bool(missing()), reason=f"not installed: {', '.join(missing())}; 'make models' installs them"
)


def test_every_function_has_its_column():
    wanted = {name for name in dir(measure) if name.startswith("measure_")}
    wanted |= {f"swap_norms {kind}" for kind in NORMS}
    wanted |= {f"normalize_weights {kind}" for kind in WEIGHT_NORMS}
    wanted |= {"recompute_statistics", "LAWN", "adaptive_clip_grad"}
    assert set(COLUMNS) == wanted
    assert stored()["functions"] == list(COLUMNS)


@NEED
def test_every_model_has_its_row():
    found = models()
    assert list(stored()["models"]) == [model.key for model in found]
    assert len(found) >= 20
    assert {model.library for model in found} == set(LIBRARIES)


@NEED
@pytest.mark.parametrize("key", stored()["models"])
def test_what_works_is_right_and_what_is_refused_is_said(key):
    """Each function that works is checked as it runs; what is said is what the table says."""
    found = row(next(model for model in models() if model.key == key))
    for _, sentence in found.values():
        assert sentence[0].isalnum() and sentence.endswith("."), sentence
    if versions() != stored()["versions"]:
        pytest.skip("right, but not compared: the table is of other versions of the libraries.")
    assert found == stored()["models"][key]
