#!/usr/bin/env bash
# Assembles the layer and the function packages that the templates point at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly LOCK=requirements/lambda.txt
# What utils/runtime/services.py makes clients of: botocore describes 400 more services, half of the layer's size.
readonly SERVICES=(application-autoscaling dynamodb ec2 events iam kms lambda rds s3 secretsmanager sns stepfunctions)

usage() {
    cat <<'HELP'
Usage: ./build_lambda_packages.sh [--host] [--zip] [--clean] [--into FOLDER]

Assembles build/layer/python (dependencies of requirements/lambda.txt, and utils) and build/functions/<function>.
The default is for AWS Lambda - Python 3.13, arm64 - from any host, without Docker. Needs python3 with venv.

  --host   dependencies for the interpreter that runs this ($PYTHON, else python3), for the local cloud
  --zip    also reproducible zip files in build/dist; prints their sizes and checks Lambda's limits
  --clean  builds everything anew
  --into   another folder than build, which is the one that the templates point at
  --help   this text
HELP
}

host=false zip=false clean=false build=build
while (($#)); do
    case $1 in
        --host) host=true ;;
        --zip) zip=true ;;
        --clean) clean=true ;;
        --into)
            (($# > 1)) && [[ -n $2 ]] || { echo "--into needs a folder (see --help)" >&2; exit 2; }
            build=$2
            shift
            ;;
        --help | -h) usage && exit 0 ;;
        *) echo "unknown argument: $1 (see --help)" >&2 && exit 2 ;;
    esac
    shift
done
readonly LAYER=$build/layer/python
readonly STAMP=$build/layer.stamp

python=${PYTHON:-python3}
command -v "$python" >/dev/null || { echo "$python is not on PATH: install Python 3.11 or newer, or set PYTHON" >&2; exit 1; }
# Only what this script made: --into may name somebody's folder.
if $clean; then rm -rf "$build/layer" "$build/functions" "$build/dist" "$build/pip" "$STAMP"; fi
mkdir -p "$build"

# A Debian python3 has no pip outside a venv.
pip() {
    if "$python" -c 'import pip' 2>/dev/null; then
        "$python" -m pip "$@"
    else
        [[ -x $build/pip/bin/python ]] || "$python" -m venv "$build/pip"
        "$build/pip/bin/python" -m pip "$@"
    fi
}

target=python3.13-aarch64
options=(--python-version 3.13 --implementation cp
    --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64)
of_uv=(--python-version 3.13 --python-platform aarch64-manylinux_2_28)
if $host; then
    target=$("$python" -c 'import platform, sys; print(sys.implementation.cache_tag, platform.system(), platform.machine())')
    options=()
    of_uv=(--python "$python")
fi

# Dependencies are installed once for each target; `local.sh` and tests go back and forth between two.
install_dependencies() {
    local wanted kept other
    wanted="$target $( (cat "$LOCK" && echo "${SERVICES[@]}") | cksum)"
    kept=.local/layers/${wanted//[^[:alnum:]._-]/-}
    if $clean; then rm -rf "$kept"; fi
    if [[ -d $LAYER && -f $STAMP && $(<"$STAMP") == "$wanted" ]]; then return; fi
    rm -rf "$LAYER" "$STAMP"
    if [[ ! -d $kept ]]; then
        echo "dependencies for $target" >&2
        mkdir -p .local/layers
        for other in .local/layers/"${target//[^[:alnum:]._-]/-}"-*; do
            if [[ $other != "$kept" ]]; then rm -rf "$other"; fi
        done
        download ".local/layers/.$$"
        # Another process may have been as fast.
        if [[ -d $kept ]]; then rm -rf ".local/layers/.$$"; else mv ".local/layers/.$$" "$kept"; fi
    fi
    mkdir -p "$build/layer"
    cp -Rp "$kept" "$LAYER"
    echo "$wanted" >"$STAMP"
}

download() {
    # The lock names everything: --no-deps, since pip judges markers by this host, not by the Lambda.
    local locked=(--quiet --no-deps --require-hashes --only-binary :all: --target "$1" --requirement "$LOCK")
    # uv, which deploy.sh, local.sh and test.sh bring along, unpacks the same in a tenth of the time.
    if ! "$python" -m tooling.uv pip install "${of_uv[@]}" "${locked[@]}"; then
        rm -rf "${1:?}"
        pip install --disable-pip-version-check --root-user-action ignore --no-compile ${options[@]+"${options[@]}"} "${locked[@]}"
    fi
    # Metadata stays (packages look their version and plugins up); the installer's own records and test suites go.
    rm -rf "${1:?}/bin" "$1/.lock"
    find "$1" -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} +
    local service unwanted=()
    for service in "${SERVICES[@]}"; do unwanted+=(! -name "$service"); done
    find "$1/botocore/data" -mindepth 1 -maxdepth 1 -type d "${unwanted[@]}" -exec rm -rf {} +
    find "$1" -path '*.dist-info/*' \( -name RECORD -o -name INSTALLER -o -name REQUESTED \) -delete
}

# An unchanged file keeps its time, so that an unchanged package keeps its hash.
copy_sources() {
    rm -rf "$LAYER/utils" "$build/functions"
    mkdir -p "$build/functions"
    # Without __pycache__, in which Python may be at work; tar and not a cp for each of hundreds of files, which takes seconds.
    find utils -name __pycache__ -prune -o -type f -print | tar -cf - -T - | tar -xpf - -C "$LAYER"
    rm -f "$LAYER/utils/database/rds_ca/renew.py"  # a tool for people
    local found=false source name
    for source in lambda_functions/aurora-restore-*/; do
        [[ -d $source ]] || continue
        found=true
        name=$(basename "$source")
        mkdir "$build/functions/$name"
        cp -p "$source"*.py "$build/functions/$name/"
    done
    $found || { echo "no lambda_functions/aurora-restore-* here" >&2; exit 1; }
}

make_zips() {
    "$python" - "$build" <<'PYTHON'
import pathlib
import sys
import zipfile

MIB = 1024 * 1024
build = pathlib.Path(sys.argv[1])
dist = build / "dist"
dist.mkdir(exist_ok=True)
layer_unzipped = 0
problems = []
for root in [build / "layer", *sorted((build / "functions").iterdir())]:
    archive = dist / f"{'aurora-restore-utils' if root.name == 'layer' else root.name}.zip"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            package.writestr(entry, path.read_bytes())
    unzipped = sum(path.stat().st_size for path in files)
    layer_unzipped = layer_unzipped or unzipped
    total = unzipped if root.name == "layer" else unzipped + layer_unzipped
    zipped = archive.stat().st_size
    print(f"{archive.name:45} {zipped / 1024:10,.1f} KiB zipped {unzipped / 1024:10,.1f} KiB unzipped")
    if zipped > 50 * MIB:
        problems.append(f"{archive.name}: over Lambda's 50 MB zipped")
    if total > 250 * MIB:
        problems.append(f"{archive.name}: over Lambda's 250 MB unzipped, layer included")
sys.exit("\n".join(problems) or None)
PYTHON
}

install_dependencies
copy_sources
if $zip; then make_zips; fi
