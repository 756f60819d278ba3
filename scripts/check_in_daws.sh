#!/usr/bin/env bash
# Forty generated files in MuseScore, LMMS and FluidSynth: installs them from Debian's packages, and prints a table.
# As root or with sudo; about five minutes, most of them LMMS's, which saves a project by itself a minute after an import.
set -euo pipefail
cd "$(dirname "$0")/.."
PACKAGES="musescore3 lmms fluidsynth timgm6mb-soundfont"
missing=""
for package in $PACKAGES; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    $sudo apt-get install -y -qq --no-install-recommends $missing
fi
dpkg-query -W -f '${Package} ${Version}\n' $PACKAGES
export QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1
"${PYTHON:-.venv/bin/python}" -m pytest -q -m daw -s tests/test_daws.py
