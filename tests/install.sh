#!/bin/sh
# Installs Debian packages if any of some commands is missing:
#
#     tests/install.sh COMMAND... -- PACKAGE...
#
# COMMAND+sanitizers asks for a compiler that has the run-time libraries of its sanitizers as well:
# Debian packs clang's by themselves.
#
# Root or sudo is needed for that; where neither can be had, says in one line what to install.
set -u
has() {
    case $1 in
    *+sanitizers)
        command -v "${1%+*}" >/dev/null 2>&1 || return 1
        program=$(mktemp)
        echo "int main(void) { return 0; }" |
            "${1%+*}" -fsanitize=address,undefined -x c - -o "$program" 2>/dev/null
        linked=$?
        rm -f "$program"
        return $linked
        ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}
missing=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    [ "$1" = --always ] && missing=" packages" && shift && continue
    has "$1" || missing="$missing $1"
    shift
done
[ $# -gt 0 ] && shift
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing:$missing; install what your system calls: $*" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null 2>&1; }; then
        echo "missing:$missing; get it with: sudo apt-get install $*" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "installing: $*"
log=$(mktemp)
if { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    rm -f "$log"
else
    tail -n 5 "$log" >&2
    echo "missing:$missing; apt-get could not install: $*" >&2
    exit 1
fi
