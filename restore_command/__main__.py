"""`python -m restore_command`, as restore.sh calls it."""

import sys

from restore_command.app import main

if __name__ == "__main__":
    sys.exit(main())
