#!/usr/bin/env bash
# Makes deploy/hotline.env with fresh secrets, readable by its owner only. An existing one is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target=hotline.env
if [ -e "$target" ]; then
  echo "deploy/$target exists already; kept" >&2
  exit 0
fi
umask 077
fresh() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
{
  echo "# Secrets of this installation. Keep a copy of HOTLINE_DATA_KEY elsewhere: without it, names and numbers are lost."
  for name in HOTLINE_ADMIN_TOKEN HOTLINE_DATA_KEY HOTLINE_AMI_SECRET POSTGRES_PASSWORD REDIS_PASSWORD; do
    echo "$name=$(fresh)"
  done
} > "$target"
echo "made deploy/$target"
