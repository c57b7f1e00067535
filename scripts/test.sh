#!/usr/bin/env bash
# Passes every test: formatting, lints, and all tests with a graphics device required.
# On a Debian-like machine without any Vulkan driver, or without a browser, it installs Mesa's software one and Chromium
# first.
set -euo pipefail
cd "$(dirname "$0")/.."

has_vulkan_driver() {
    compgen -G "/usr/share/vulkan/icd.d/*.json" >/dev/null || compgen -G "/etc/vulkan/icd.d/*.json" >/dev/null
}
has_browser() {
    [ -n "${MANYTUNE_BROWSER:-}" ] || command -v chromium chromium-browser google-chrome chrome >/dev/null
}
missing=()
has_vulkan_driver || missing+=(mesa-vulkan-drivers)
has_browser || missing+=(chromium)
if [ "$(uname)" = Linux ] && command -v apt-get >/dev/null && [ "${#missing[@]}" -gt 0 ]; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq "${missing[@]}" >/dev/null
fi
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$(mktemp -d)}"
export MANYTUNE_REQUIRE_GPU=1
export CARGO_PROFILE_DEV_DEBUG=false CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"

if command -v sha256sum >/dev/null; then
    (cd src/report/html/assets/echarts && sha256sum --check --quiet echarts.min.js.sha256)
    (cd src/report/html/assets/fonts && sha256sum --check --quiet fonts.sha256)
fi
cargo fmt --check
cargo clippy --locked --all-targets -- -D warnings
cargo test --locked --no-fail-fast
