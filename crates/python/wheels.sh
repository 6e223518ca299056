#!/usr/bin/env bash
# Builds a wheel for Linux that runs on old systems: zig links against glibc 2.17 (2012), the oldest that Rust's
# standard library supports. One wheel serves CPython 3.10 and everything newer (abi3).
#   bash crates/python/wheels.sh [OUT]        default: target/manylinux
# Needs python3 ≥ 3.10 and a package index; maturin and zig come from there.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-target/manylinux}
venv=target/wheel-venv
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.9,<2' ziglang
PATH="$PWD/$venv/bin:$PATH" maturin build --release --locked --zig --compatibility manylinux_2_17 \
  --manifest-path crates/python/Cargo.toml --out "$out"
ls -l "$out"
