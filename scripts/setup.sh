#!/usr/bin/env bash
# Makes everything ready that `make run` (setup.sh run) or `make test` (setup.sh dev) needs. Quick when nothing is missing.
# Root on Debian or Ubuntu gets missing system packages installed; anybody else is told the command.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

purpose=${1:?run or dev}
case $purpose in
  run) lock=requirements.lock programs=() ;;
  dev) lock=requirements-dev.lock programs=(--dev) ;;
  *) echo "usage: setup.sh run|dev" >&2; exit 2 ;;
esac

say() { printf '\033[2m-- %s\033[0m\n' "$*"; }

can_make_environments() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in python3.11 python3 python3.12 python3.13 /usr/bin/python3; do
    if can_make_environments "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Installs Debian packages as root; else prints what to run and ends.
need() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $* with apt-get"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  else
    printf 'Missing here. Run this, then try again:\n\n    sudo apt-get install %s\n\n' "$*" >&2
    exit 1
  fi
}

has_postgresql() {
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null
}

find_python >/dev/null || need python3 python3-venv
python=$(find_python) || { echo "Python 3.11 or later with venv is needed" >&2; exit 1; }
if [ "$purpose" = dev ]; then
  has_postgresql || need postgresql
fi

if ! .venv/bin/python -c '' 2>/dev/null; then
  say "Python environment in .venv ($("$python" --version))"
  rm -rf .venv
  "$python" -m venv .venv
fi

# What is installed is remembered by the content of lock and project file; the larger set serves both purposes.
mark=.venv/.installed
wanted=$(cat "$lock" pyproject.toml | sha256sum)
everything=$(cat requirements-dev.lock pyproject.toml | sha256sum)
installed=$(cat "$mark" 2>/dev/null || echo none)
if [ "$installed" != "$wanted" ] && [ "$installed" != "$everything" ]; then
  say "Python packages of $lock (checked by their hashes)"
  .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r "$lock"
  .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
  printf '%s\n' "$wanted" > "$mark"
fi

# The console's scripts and styles, by npm's lock; what npm brings is kept by the content of the lock. The telephony needs
# none of it: an ordinary user without npm goes on without the pages.
fetch_scripts() {
  local mark=node_modules/.installed wanted npm_options=()
  [ "$purpose" = dev ] || npm_options=(--omit=dev)
  wanted=$(cat package.json package-lock.json | sha256sum)
  case $(cat "$mark" 2>/dev/null || echo none) in
    "dev $wanted" | "$purpose $wanted") ;;
    *)
      say "scripts and styles of the console with npm"
      npm ci --silent --ignore-scripts "${npm_options[@]}"
      echo "$purpose $wanted" > "$mark"
      ;;
  esac
  .venv/bin/python -m api.console.collect
}
if command -v npm >/dev/null || [ "$purpose" = dev ] || [ "$(id -u)" = 0 ]; then
  command -v npm >/dev/null || need nodejs npm
  fetch_scripts
else
  say "going on without the console's pages; for them: sudo apt-get install nodejs npm"
fi
if [ "$purpose" = dev ]; then
  { command -v chromium && command -v chromium-headless-shell; } >/dev/null || need chromium chromium-headless-shell
  fc-list ':lang=zh' 2>/dev/null | grep -q . || need fontconfig fonts-noto-cjk
fi

# Asterisk and the voice; the phones too, with which `hotline dial` and the tests call.
.venv/bin/python -m cli.native "${programs[@]}" || {
  if [ "$purpose" = dev ]; then
    exit 1
  fi
  say "going on without them: \`hotline doctor\` tells what that means"
}
