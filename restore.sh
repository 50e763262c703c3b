#!/usr/bin/env bash
# Operates a deployed pipeline. This file finds a Python and what the commands need; they are in restore_command/.
set -euo pipefail
# Paths of the command line are the caller's; the code is beside this file.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Bytecode is kept below .local, whatever the caller's PYTHONDONTWRITEBYTECODE.
export PYTHONDONTWRITEBYTECODE='' PYTHONPYCACHEPREFIX="$here/.local/bytecode"

for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        # The libraries of the functions, which read the rows, and a terminal's; half a minute the first time.
        PYTHONPATH=$here PYTHONSAFEPATH=1 "$python" -c 'from tooling.environments import ensure; ensure(("operator",), print)' >&2 || {
            echo "restore.sh: its tools could not be installed; what is said above is why" >&2
            exit 1
        }
        PYTHONPATH=$here PYTHONSAFEPATH=1 exec "$here/.local/envs/operator/bin/python" -m restore_command "$@"
    fi
done
echo "restore.sh: no Python 3.11 or newer with venv found: install one" >&2
exit 1
