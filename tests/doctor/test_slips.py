"""Each planted slip is found by its id and its layers, and the advice puts it right."""

import pytest
import torch

from bnlab.doctor import FINDINGS
from tests.doctor.slips import SLIPS

pytestmark = pytest.mark.filterwarnings("ignore:.*lr_scheduler:UserWarning")


def found(diagnosis, name):
    return [one for one in diagnosis.findings if one.id == name]


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_found_where_it_is(name):
    slip = SLIPS[name]
    torch.manual_seed(0)
    diagnosis = slip.make().diagnose()
    assert diagnosis.ids == (slip.id,), str(diagnosis)
    (finding,) = diagnosis.findings
    assert finding.layers == slip.layers
    assert finding.severity in ("wrong", "worth a look")
    assert finding.saw.endswith(".") and finding.advice.endswith(".")
    assert finding.numbers


@pytest.mark.parametrize("name", SLIPS)
def test_the_advice_removes_the_finding_and_brings_no_other(name):
    slip = SLIPS[name]
    torch.manual_seed(0)
    patient = slip.make()
    (finding,) = patient.diagnose().findings
    if slip.repair:
        slip.repair(patient)
    else:
        patient.follow(finding.code)
    after = patient.diagnose()
    assert after.ids == (), str(after)


def test_every_id_has_a_slip():
    assert {slip.id for slip in SLIPS.values()} == set(FINDINGS)
