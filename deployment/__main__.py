"""`python -m deployment`, as deploy.sh calls it."""

import sys

from deployment.cli import main

if __name__ == "__main__":
    sys.exit(main())
