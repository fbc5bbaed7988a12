"""What the package says of models of other libraries: it works and is right, or it is refused."""

import pytest

from bnlab import measure
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS
from tests.models.libraries import LIBRARIES, missing, versions

if missing():
    pytest.skip(
        f"not installed: {', '.join(missing())}. 'make models' installs them.",
        allow_module_level=True,
    )

from tests.models.columns import COLUMNS
from tests.models.table import row, stored
from tests.models.zoo import models

MODELS = {model.key: model for model in models()}
MADE_WITH_OTHERS = versions() != stored()["versions"]


def test_every_function_has_its_column():
    wanted = {name for name in dir(measure) if name.startswith("measure_")}
    wanted |= {f"swap_norms {kind}" for kind in NORMS}
    wanted |= {f"normalize_weights {kind}" for kind in WEIGHT_NORMS}
    wanted |= {"recompute_statistics", "LAWN", "adaptive_clip_grad"}
    assert set(COLUMNS) == wanted
    assert stored()["functions"] == list(COLUMNS)


def test_every_model_has_its_row():
    assert list(stored()["models"]) == list(MODELS)
    assert len(MODELS) >= 20
    assert {model.library for model in MODELS.values()} == set(LIBRARIES)


@pytest.mark.parametrize("key", MODELS)
def test_what_works_is_right_and_what_is_refused_is_said(key):
    """Each function that works is checked as it runs; the refusals are those of the table."""
    found = row(MODELS[key])
    for _, sentence in found.values():
        assert sentence[0].isalnum() and sentence.rstrip().endswith((".", ")")), sentence
    if MADE_WITH_OTHERS:
        pytest.skip("right, but not compared: the table is of other versions of the libraries.")
    assert found == stored()["models"][key]
