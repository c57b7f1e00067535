#!/usr/bin/env bash
# Passes every test: formatting, lints, and all tests with a graphics device required.
# On a Debian-like machine without any Vulkan driver it installs Mesa's software one first.
set -euo pipefail
cd "$(dirname "$0")/.."

has_vulkan_driver() {
    compgen -G "/usr/share/vulkan/icd.d/*.json" >/dev/null || compgen -G "/etc/vulkan/icd.d/*.json" >/dev/null
}
if [ "$(uname)" = Linux ] && command -v apt-get >/dev/null && ! has_vulkan_driver; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq mesa-vulkan-drivers >/dev/null
fi
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$(mktemp -d)}"
export MANYTUNE_REQUIRE_GPU=1
export CARGO_PROFILE_DEV_DEBUG=false CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"

cargo fmt --check
cargo clippy --locked --all-targets -- -D warnings
cargo test --locked
