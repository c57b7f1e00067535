#!/usr/bin/env bash
# Makes the two fonts of this folder from those of Debian's fonts-dejavu-extra: the characters of `ranges` alone.
# Needs fonttools (PyPI) on the path.
set -euo pipefail
cd "$(dirname "$0")"
from="${1:-/usr/share/fonts/truetype/dejavu}"
for style in "" -Bold; do
    pyftsubset "$from/DejaVuSansCondensed$style.ttf" --unicodes-file=ranges --layout-features=kern,mark,mkmk \
        --output-file="DejaVuSansCondensed$style.ttf"
done
sha256sum DejaVuSansCondensed.ttf DejaVuSansCondensed-Bold.ttf >fonts.sha256
