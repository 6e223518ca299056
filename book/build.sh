#!/usr/bin/env bash
# Builds the book into target/book. Takes mdbook from PATH, else builds the pinned version once (minutes); says
# so loudly and stops without failing where neither is possible.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.5.4

mdbook=$(command -v mdbook || echo target/mdbook/bin/mdbook)
if ! "$mdbook" --version >/dev/null 2>&1; then
  if ! cargo install mdbook --version "$version" --locked --quiet --no-default-features --features search \
    --root target/mdbook --target-dir target/mdbook/build; then
    printf '\n!! the book was NOT built: mdbook is not installed and cargo could not install it\n' >&2
    printf '!! (its commands, figures and links are tested all the same by cargo test)\n\n' >&2
    exit 0
  fi
  rm -rf target/mdbook/build
fi

log=$("$mdbook" build book 2>&1) || { echo "$log"; exit 1; }
if grep -E 'WARN|ERROR' <<<"$log"; then
  exit 1
fi
# The book opens without a network.
outside='<(script|link|img|iframe|source)[^>]* (src|href)="(https?:)?//'
if grep -rnE "$outside" target/book --include='*.html'; then
  echo "the book asks for something from outside"
  exit 1
fi
echo "$("$mdbook" --version): $(find target/book -name '*.html' | wc -l) pages in target/book"
