#!/usr/bin/env bash
# ./build.sh [--target=Name] [--name=value ...]
#
# Runs the build program in the current directory, so relative paths count from there; only the
# compilation runs in the root of the repository. The program is compiled once per content of its
# sources, into a folder named after their hash: a warm run starts no MSBuild, and changed sources never run an
# old program. The compiler gets its own folder and compiles everything, because MSBuild compares times, and an
# edit can have an old one. CakeFrosting=package|compat sets the build mode: see docs/frosting.md.
#
# For bash 3.2 and the tools of Linux and macOS.
set -euo pipefail

fail() { printf 'build.sh: %s\n' "$1" >&2; exit 1; }
say() { printf 'build.sh: %s\n' "$1" >&2; }

# Paths that may be relative to the caller's directory become absolute before the script leaves it.
caller="$PWD"
absolute() { case "$1" in '' | /* | [A-Za-z]:*) printf '%s' "$1" ;; *) printf '%s/%s' "$caller" "$1" ;; esac; }
on_path="$(absolute "$(command -v dotnet || true)")"
if [[ -n "${DOTNET_ROOT:-}" ]]; then DOTNET_ROOT="$(absolute "$DOTNET_ROOT")"; fi
if [[ -n "${NUGET_PACKAGES:-}" ]]; then NUGET_PACKAGES="$(absolute "$NUGET_PACKAGES")"; fi

self="${BASH_SOURCE[0]}"
while [[ -L "$self" ]]; do
  link="$(readlink "$self")"
  case "$link" in /*) self="$link" ;; *) self="$(dirname "$self")/$link" ;; esac
done
case "$self" in */*) CDPATH='' cd -P -- "${self%/*}" ;; esac
root="$PWD"
shopt -s nullglob

# The sources of the build program. A test compares this list with the projects that build/Build.csproj references.
inputs=(build eng src samples/*.schema.json global.json .editorconfig Directory.Build.* Directory.Packages.* [Nn]u[Gg]et.[Cc]onfig)
hosts=artifacts/build-host
packages="${NUGET_PACKAGES:-${HOME:-}/.nuget/packages}"
version="${CakeVersion:-${CakeToolVersion:-7.0.0}}"
kubectl="${CakeKubectlVersion:-1.1.0}"

# --- The SDK that global.json requires -------------------------------------------------------------------------

global="$(<global.json)"
pattern='"version"[[:space:]]*:[[:space:]]*"(([0-9]+\.[0-9]+)\.[0-9]+)"'
[[ "$global" =~ $pattern ]] || fail "global.json names no SDK version."
needed="${BASH_REMATCH[1]}"
wanted="${BASH_REMATCH[2]}"
install="install the .NET SDK $needed or a later $wanted one from https://dotnet.microsoft.com/download/dotnet/$wanted"

# The folder of a dotnet with links resolved: the one that contains sdk/.
root_of() {
  local path="$1" link
  while [[ -L "$path" ]]; do
    link="$(readlink "$path")"
    case "$link" in /*) path="$link" ;; *) path="${path%/*}/$link" ;; esac
  done
  printf '%s' "${path%/*}"
}

dotnet=''
sdks=''
for candidate in "$on_path" "${DOTNET_ROOT:-}/dotnet" "${HOME:-}/.dotnet/dotnet" /usr/local/share/dotnet/dotnet /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet; do
  [[ -x "$candidate" && -f "$candidate" ]] || continue
  home="$(root_of "$candidate")"
  if [[ -d "$home/sdk" ]]; then
    found=("$home/sdk/$wanted".*/)
    if ((${#found[@]} == 0)); then continue; fi
    # All of them: dotnet itself decides which one it uses.
    sdks="${found[*]}"
  else
    # Ask a launcher that keeps its SDKs elsewhere.
    sdks="$("$candidate" --version 2>/dev/null)" || continue
  fi
  dotnet="$candidate"
  break
done
if [[ -z "$dotnet" ]]; then
  if [[ -n "$on_path" ]]; then fail "the dotnet on PATH has no SDK that global.json accepts: $install."; fi
  fail "dotnet was not found: $install."
fi
if [[ "$on_path" != "$dotnet" ]]; then export PATH="${dotnet%/*}:$PATH"; fi

# --- The build mode, and the key of the sources ------------------------------------------------------------------

if command -v sha256sum >/dev/null; then sum=(sha256sum)
elif command -v shasum >/dev/null; then sum=(shasum -a 256)
else fail "neither sha256sum nor shasum was found: install one of them to hash the sources."; fi

# What the last probe did not find: the feeds that were queried (or "unreachable"), and what they lack. eng/Cake.props
# uses compat if this file exists, so that everything else here is built in the same mode.
absent="$hosts/.no-cake-frosting-$version"
feeds() { cat [Nn]u[Gg]et.[Cc]onfig /dev/null | "${sum[@]}"; }

# Whether both packages are in the package folder. NuGet leaves them there even if one of their dependencies was not found.
in_folder() { [[ -e "$packages/cake.frosting/$version/.nupkg.metadata" && -e "$packages/cake.kubectl/$kubectl/.nupkg.metadata" ]]; }

# Sets mode and why.
choose() {
  local asked='' lacks=''
  case "${CakeFrosting:-}" in
    package | compat) mode="$CakeFrosting" why="set by CakeFrosting" ;;
    ?*) fail "CakeFrosting must be package or compat, not '$CakeFrosting'." ;;
    *)
      mode=compat
      if [[ -e "$absent" ]]; then { IFS= read -r asked && IFS= read -r lacks; } <"$absent" || true; fi
      if [[ ! -e "$absent" ]] && in_folder; then
        mode=package why="Cake.Frosting $version and Cake.Kubectl are in the package folder"
      elif [[ -n "$lacks" ]]; then
        why="the NuGet feed lacks $lacks"
      else
        why="the NuGet feed could not be queried for Cake.Frosting $version"
      fi ;;
  esac
}

# Sets key: everything that the compiled program depends on.
hash_sources() {
  key="$({
    printf '%s\n' "$mode" "$version" "$kubectl" "$packages" "$sdks" "$OSTYPE $HOSTTYPE"
    find -L "${inputs[@]}" \( -name bin -o -name obj \) -prune -o -type f -print | LC_ALL=C sort | tr '\n' '\0' | xargs -0 "${sum[@]}"
  } | "${sum[@]}")" || fail "the sources changed while they were read; run it again."
  key="${key:0:16}"
}

# --- Compile, if these sources have no program yet -----------------------------------------------------------------

# One compilation at a time saves work; it is also correct without a lock, because each claims its own work folder.
lock() {
  local message="waiting for another build.sh that is compiling ..."
  exec 9>"$hosts/.lock"
  if command -v flock >/dev/null; then
    flock -n 9 || { say "$message"; flock 9; }
  elif command -v perl >/dev/null; then
    perl -e 'open(F, ">&=", 9) && flock(F, 6) or exit 1' || { say "$message"; perl -e 'open(F, ">&=", 9) && flock(F, 2) or exit 1'; }
  fi || true
}

# Queries the feed for both packages and their dependencies. "Not found" is remembered until nuget.config changes;
# "could not query" is not.
probe() {
  local log lacking
  rm -f "$absent"
  if ! in_folder; then say "querying the NuGet feed for Cake.Frosting $version ..."; fi
  # In English, to read the names of the packages; decisions depend only on the codes.
  if log="$(DOTNET_CLI_UI_LANGUAGE=en "$dotnet" restore eng/probe -p:CakeVersion="$version" -p:CakeKubectlVersion="$kubectl" --verbosity quiet 9>&- 2>&1)"; then return; fi
  if ! grep -qE 'NU110[123]' <<<"$log"; then printf 'unreachable\n' >"$absent"; return; fi
  lacking=" $(sed -nE 's/.*NU110[123]: [A-Za-z ]* package ([A-Za-z0-9._-]*[A-Za-z0-9]).*/\1/p' <<<"$log" | sort -u | tr '\n' ' ')"
  case "$lacking" in
    ' ') lacking="Cake.Frosting $version or Cake.Kubectl $kubectl" ;;
    *' Cake.Frosting '* | *' Cake.Kubectl '*) lacking="${lacking/ Cake.Frosting / Cake.Frosting $version, }" lacking="${lacking/ Cake.Kubectl / Cake.Kubectl $kubectl, }" ;;
    *) lacking="${lacking# }" lacking="${lacking% }" lacking="${lacking// /, }, which Cake.Frosting $version or Cake.Kubectl $kubectl needs" ;;
  esac
  lacking="${lacking# }" lacking="${lacking% }" lacking="${lacking%,}"
  { feeds; printf '%s\n' "$lacking"; } >"$absent"
}

# Whether the last probe found that this feed lacks a package, and the packages have not appeared since.
is_known() {
  local asked=''
  if [[ ! -e "$absent" ]] || in_folder; then return 1; fi
  IFS= read -r asked <"$absent" || true
  [[ "$(feeds)" == "$asked" ]]
}

compile() {
  local before="$key" n=1 work
  # A folder with .busy belongs to a running compilation, or to a killed one that may have left a compiler running.
  for work in "$hosts"/work-*/.busy; do
    if [[ -n "$(find "$work" -prune -mmin +60)" ]]; then rmdir "$work"; fi
  done
  while work="$hosts/work-$n"; mkdir -p "$work"; ! mkdir "$work/.busy" 2>/dev/null; do n=$((n + 1)); done

  say "compiling the build program with CakeFrosting=$mode ($why); the first time takes about half a minute ..."
  rm -rf "$work/bin"
  # 9>&-: a build server that keeps running would hold the lock.
  if ! CakeFrosting="$mode" "$dotnet" build build/Build.csproj --configuration Release --artifacts-path "$work" --no-incremental \
      --verbosity quiet -nologo -tl:off -clp:NoSummary 9>&- >"$work/log" 2>&1; then
    cat "$work/log" >&2
    rmdir "$work/.busy"
    fail "the build program does not compile."
  fi
  # An advisory or a version that the feed lacks does not stop a build, but a pipeline shows it.
  if [[ -n "${CI:-}${TF_BUILD:-}" ]]; then grep -E 'warning NU(1603|190[0-9])' "$work/log" | sort -u >&2 || true; fi
  hash_sources
  if [[ "$key" != "$before" ]]; then
    rmdir "$work/.busy"
    fail "the sources changed while the build program was compiled; run it again."
  fi
  rm -rf "$work/new"
  cp -R "$work/bin/Build/release" "$work/new"
  : >"$work/new/.used"
  # -e again: without a lock, another run may have been faster, and mv would move into its folder.
  if [[ ! -e "$hosts/$key" ]]; then mv "$work/new" "$hosts/$key"; fi
  rmdir "$work/.busy"
  forget_old_hosts
}

# Keeps five, and what was used in the last two hours: it may still be running.
forget_old_hosts() {
  local kept=0 used
  ls -t "$hosts"/????????????????/.used | while IFS= read -r used; do
    kept=$((kept + 1))
    if ((kept > 5)) && [[ -n "$(find "$used" -mmin +120)" ]]; then rm -rf "${used%/.used}"; fi
  done
}

choose
hash_sources
if [[ ! -e "$hosts/$key/.used" ]]; then
  mkdir -p "$hosts"
  # Only dotnet itself knows whether it accepts global.json.
  "$dotnet" --version >/dev/null 2>&1 || fail "the SDKs beside $dotnet are not what global.json accepts: $install."
  lock
  if [[ -z "${CakeFrosting:-}" ]] && ! is_known; then probe; fi
  choose
  hash_sources
  if [[ ! -e "$hosts/$key/.used" ]]; then compile; fi
  exec 9>&-
fi

: >"$hosts/$key/.used" || true
cd -- "$caller" || fail "the current directory, $caller, no longer exists."
exec "$dotnet" "$root/$hosts/$key/Build.dll" "$@"
