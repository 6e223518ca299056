#!/usr/bin/env bash
# Draws every figure of the book again, by the commands that the chapters show.
set -euo pipefail
cd "$(dirname "$0")/.."
BOOK_FIGURES=write cargo test --workspace --locked --test book commands_print_and_draw

# What only an example draws.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo build --workspace --locked --example risk_norm_curve
(cd "$scratch" && "$OLDPWD/target/debug/examples/risk_norm_curve")
cp "$scratch"/*.svg book/src/figures/
