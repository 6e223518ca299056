#!/usr/bin/env bash
# Builds the Python package into a virtual environment of its own and runs its tests: pytest with
# scikit-learn's estimator checks, notebooks, mypy. Needs python3 ≥ 3.10 with venv and a package index (PyPI);
# says so loudly and stops without failing where they are missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
  printf '\n!! the Python package was NOT checked: %s\n!! (nothing else is affected)\n\n' "$1" >&2
  exit 0
}

command -v python3 >/dev/null || skip "there is no python3"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skip "$(python3 --version) is older than 3.10"

venv=target/python-venv
# A folder that was moved or copied leaves scripts whose interpreter is gone.
if ! "$venv/bin/pip" --version >/dev/null 2>&1; then
  rm -rf "$venv"
  python3 -m venv "$venv" || skip "python3 -m venv fails (on Debian: apt install python3-venv)"
fi
packages=(maturin numpy scikit-learn pandas matplotlib pytest mypy nbclient nbformat ipykernel)
"$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" \
  || skip "pip could not install ${packages[*]}"

# The command line that results are compared with, of the same sources; both in the profile of the main job.
cargo build --release --locked --quiet
VIRTUAL_ENV="$PWD/$venv" "$venv/bin/maturin" develop --release --locked --quiet \
  --manifest-path crates/python/Cargo.toml
"$venv/bin/python" -m pytest -q crates/python/tests "$@"
