#!/usr/bin/env bash
# Resolves the dependencies of pyproject.toml anew. The locks hold hashes and no addresses: any mirror can serve them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
python3 -m venv "$tool"
"$tool/bin/pip" install --quiet uv

resolve() {
  "$tool/bin/uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate --extra install "$@"
}
resolve --output-file requirements.lock
resolve --extra dev --output-file requirements-dev.lock
