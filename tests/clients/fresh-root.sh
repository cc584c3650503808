#!/bin/sh
# fresh-root.sh [FOLDER]: run README.md's two commands as a newcomer would: in a minimal Debian 12
# made by debootstrap, on a fresh clone of what is committed here. By hand or nightly, as root;
# takes a quarter of an hour and needs the package mirror of this machine.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
root=${1:-$(mktemp -d)}
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -v '^ *#' | grep -oE 'https?://[^ ]+' | grep -v security | head -n 1)
port=29110

say() { printf '== %s\n' "$*"; }
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }
finish() {
    status=$?
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
    for point in proc dev sys; do umount -l "$root/$point" 2>/dev/null || true; done
    umount -l "$root" 2>/dev/null || true
    [ $status = 0 ] && say "all good; $root may be removed" || say "failed; $root is kept"
    exit $status
}
trap finish EXIT

if [ ! -x "$root/usr/bin/apt-get" ]; then
    say "debootstrap $suite from $mirror into $root"
    debootstrap --variant=minbase "$suite" "$root" "${mirror:-http://deb.debian.org/debian}" >/dev/null
    cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
    cp -r /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null || true
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
fi
mount --bind "$root" "$root" # a root that is a mount, as in a container: unshare asks for it
mount --make-private "$root"
for point in proc dev sys; do mount --rbind "/$point" "$root/$point"; done
rm -rf "$root/srv/tandem"
git clone -q "$top" "$root/srv/tandem"

say "cmd/quickstart"
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    /srv/tandem/cmd/quickstart --dir /srv/quick --ports-from "$port" \
    >"$root/srv/quick.out" 2>"$root/srv/quick.err" &
server=$!
until grep -qs 'Tandem is ready' "$root/srv/quick.out"; do
    kill -0 "$server" 2>/dev/null || { tail -30 "$root/srv/quick.err"; exit 1; }
    sleep 1
done
inside sh -c 'command -v curl >/dev/null || apt-get install -y -q --no-install-recommends curl' \
    >/dev/null
grep -E '^ +curl ' "$root/srv/quick.out" | while read -r line; do
    say "$line"
    inside sh -c "$line --silent --show-error --max-time 20" >/dev/null
done
kill "$server"
wait "$server" || exit 1
server=

say "tests/run"
inside sh -c 'cd /srv/tandem && tests/run'
