#!/usr/bin/env bash
# Locks what requirements.txt, deployment.in and test.in ask for, once for every Python minor. Needs uv.
set -euo pipefail
cd "$(dirname "$0")/.."
for minor in 3.10 3.11 3.12 3.13; do
  options=(--quiet --python-version "$minor" --generate-hashes --no-header --no-annotate)
  uv pip compile "${options[@]}" requirements.txt -o "requirements/py$minor.txt"
  uv pip compile "${options[@]}" requirements.txt requirements/deployment.in \
    -o "requirements/deployment-py$minor.txt"
  uv pip compile "${options[@]}" requirements.txt requirements/deployment.in requirements/test.in \
    -o "requirements/test-py$minor.txt"
done
