"""`python -m tinyrt`."""

import sys

from tinyrt.cli import main

if __name__ == "__main__":
    sys.exit(main())
