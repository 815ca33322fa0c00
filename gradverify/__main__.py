"""`python -m gradverify` is the command `gradverify`."""

import sys

from gradverify.cli import main

if __name__ == "__main__":
    sys.exit(main())
