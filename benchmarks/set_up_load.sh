#!/usr/bin/env bash
# Puts wrk into the folder $1, from Debian's packages and without root, unless the machine has it.
set -euo pipefail
folder=$1
mkdir -p "$folder"
command -v wrk >/dev/null && exit
if ! command -v apt-get >/dev/null; then
  echo "Install wrk first: it is a package of most systems" >&2
  exit 1
fi
cd "$folder"
mkdir -p lists/partial cache/archives/partial
apt=(-o "Dir::State::lists=$PWD/lists" -o "Dir::Cache=$PWD/cache")
apt-get -qq "${apt[@]}" update
needed=$(apt-cache "${apt[@]}" depends wrk | awk '/Depends:/ && $2 !~ /^libc6/ { print $2 }')
# shellcheck disable=SC2086
apt-get -qq "${apt[@]}" download wrk $needed 2>/dev/null
for package in *.deb; do
  dpkg -x "$package" .
done
rm -r lists cache ./*.deb
