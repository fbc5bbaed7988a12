"""The doctor: ``diagnose(model, batch)`` looks for what goes wrong with normalization.

On the command line: ``python -m bnlab.doctor model.py:make_model --shape 32 3 224 224``.
"""

from bnlab.doctor.diagnose import FINDINGS, diagnose
from bnlab.doctor.finding import Diagnosis, Finding

__all__ = ["FINDINGS", "Diagnosis", "Finding", "diagnose"]
