"""``python -m bnlab.doctor``."""

import sys

from bnlab.doctor.command import main

if __name__ == "__main__":
    sys.exit(main())
