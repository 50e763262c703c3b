#!/bin/sh
# The pipeline on this machine: see ./local.sh --help. Needs only python3 (3.11 or newer, with venv).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Bytecode is kept below .local, whatever the caller's PYTHONDONTWRITEBYTECODE: sam compiles for seconds without.
export PYTHONDONTWRITEBYTECODE='' PYTHONPYCACHEPREFIX="$here/.local/bytecode"

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if usable "$python"; then
        PYTHONPATH=$here PYTHONSAFEPATH=1 exec "$python" -m local_cloud "$@"
    fi
done
echo "local.sh: no Python 3.11 or newer with venv found. Install one (Debian/Ubuntu: apt install python3 python3-venv)." >&2
exit 1
