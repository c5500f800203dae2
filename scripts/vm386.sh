#!/usr/bin/env bash
# Prepares a virtual machine for programs with 32 bits, and prints its folder. The conformance suite runs linux/386 and windows/386 programs
# in it where the system itself starts none.
#
# Needs qemu-system-x86_64 (apt-get install qemu-system-x86) but no KVM, mke2fs, and a Debian with network: the kernel, BusyBox, Wine and what
# Wine needs to start are packages for i386 that are downloaded, not installed. Nothing outside $AOTLINK_CACHE is changed. windows/386 needs
# i686-w64-mingw32-gcc as well when the suite runs (apt-get install gcc-mingw-w64-i686).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/apt.sh"

# Wine's fonts and fontconfig are not for show: with FreeType alone Wine 8 calls functions that it has not loaded.
PACKAGES=(
    busybox-static libc6 libgcc-s1
    wine32 libwine libz-mingw-w64 fonts-wine libfreetype6 libpng16-16 zlib1g libbrotli1 libfontconfig1 fontconfig-config libexpat1
    libx11-6 libxext6 libxcb1 libxau6 libxdmcp6 libbsd0 libmd0
)
# Drivers of the machine's devices, and the two file systems: its own disk, and the folder that the suite passes programs in.
MODULES=(virtio_pci virtio_blk crc32c_generic ext4 9p 9pnet_virtio)

dest=$AOTLINK_CACHE/vm386
made_by=$(sha256sum <"${BASH_SOURCE[0]}")
ready() { [ "$(cat "$dest/made-by" 2>/dev/null)" = "$made_by" ]; }

# unpacked FOLDER PACKAGE...: downloads packages and unpacks them.
unpacked() {
    local folder=$1 deb
    shift
    rm -rf "$APT_DIR/files/vm386"
    mkdir -p "$APT_DIR/files/vm386" "$folder"
    (cd "$APT_DIR/files/vm386" && apt_private download "$@")
    for deb in "$APT_DIR/files/vm386"/*.deb; do dpkg -x "$deb" "$folder"; done
    rm -rf "$APT_DIR/files/vm386"
}

# module NAME: appends the file of a module, and before it those of modules it needs, to $modules. One that is built in has no file.
module() {
    local file dep
    file=$(find "$work/kernel/lib/modules" -name "$1.ko" -o -name "${1//_/-}.ko" | awk 'NR == 1')
    if [ -z "$file" ] || [[ " ${modules[*]} " == *" $file "* ]]; then return 0; fi
    for dep in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr , ' '); do module "$dep"; done
    modules+=("$file")
}

# entry NAME MODE [FILE]: a file, or a folder, of a cpio archive in the format that kernels read.
entry() {
    local size=0
    if [ -n "${3:-}" ]; then size=$(wc -c <"$3"); fi
    entries=$((entries + 1))
    printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\0' \
        "$entries" "$((8#$2))" 0 0 1 0 "$size" 0 0 0 0 "$((${#1} + 1))" 0 "$1"
    padding $((110 + ${#1} + 1))
    if [ -n "${3:-}" ]; then
        cat "$3"
        padding "$size"
    fi
}

padding() { head -c $(((4 - $1 % 4) % 4)) /dev/zero; }

# The first file system: loads the drivers and goes on to the disk.
make_initrd() {
    local folder file entries=0 modules=()
    for file in "${MODULES[@]}"; do module "$file"; done
    cat >"$work/first-init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in /lib/*.ko; do /bin/busybox insmod "$module"; done
/bin/busybox mount -t ext4 -o noatime /dev/vda /disk
exec /bin/busybox switch_root /disk /init
INIT
    {
        for folder in bin dev disk lib; do entry "$folder" 040755; done
        entry bin/busybox 0100755 "$work/root/bin/busybox"
        for file in "${!modules[@]}"; do entry "lib/$(printf %03d "$file").ko" 0100644 "${modules[file]}"; done
        entry init 0100755 "$work/first-init"
        entry 'TRAILER!!!' 0
    } >"$dest/initrd"
}

# The disk: Wine, and an /init that waits for the suite. It is told the name of a folder, and answers when the script "run" in it has ended.
make_disk() {
    local root=$work/root wine=usr/lib/i386-linux-gnu/wine/i386-windows zlib
    mkdir -p "$root"/{dev,etc,job,proc,root,sys,tmp,wine}
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
    printf '127.0.0.1 localhost\n' >"$root/etc/hosts"

    # What the package's own script does when it is installed: the library is marked as one of Wine's.
    zlib=$root/usr/i686-w64-mingw32/lib/zlib1.dll
    { head -c 64 "$zlib"; printf 'Wine builtin DLL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'; tail -c +97 "$zlib"; } >"$root/$wine/zlib1.dll"

    cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs tmp /dev/shm
mount -t tmpfs tmp /tmp
ifconfig lo 127.0.0.1 up
if [ "${task:-}" = prepare ]; then
    . /bin/wine-settings
    cd /tmp
    if /usr/lib/wine/wine wineboot -i </dev/null && /usr/lib/wine/wineserver -w && [ -f /wine/system.reg ]; then echo "Wine is prepared"; fi
    mount -o remount,ro /
    poweroff -f
fi
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 job /job
stty -F /dev/ttyS1 raw -echo
exec </dev/ttyS1 >/dev/ttyS1
echo ready
while read -r name; do
    cp -r "/job/$name" /tmp/work
    cd /tmp/work
    sh run </dev/null >/tmp/output 2>/tmp/error
    code=$?
    cd /
    cp /tmp/output /tmp/error "/job/$name/"
    rm -rf /tmp/work /tmp/output /tmp/error
    echo "$name $code"
done
poweroff -f
INIT
    cat >"$root/bin/wine-settings" <<'SETTINGS'
export WINEPREFIX=/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=" LC_ALL=C.UTF-8
SETTINGS
    # The server stays, so that only the first program waits for it.
    cat >"$root/bin/windows-program" <<'WINDOWS'
#!/bin/sh
. /bin/wine-settings
cp bcryptprimitives.dll /wine/drive_c/windows/system32/
/usr/lib/wine/wineserver -p
exec /usr/lib/wine/wine "$@"
WINDOWS
    chmod 755 "$root/init" "$root/bin/windows-program"
    quietly mke2fs -q -t ext4 -O ^has_journal -d "$root" "$dest/disk" 1536M
}

# Wine makes its folder when it first starts, which takes a minute or more.
prepare_wine() {
    say "starting Wine for the first time"
    timeout -s KILL 1800 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -m 1024 \
        -kernel "$dest/kernel" -initrd "$dest/initrd" -append "console=ttyS0 panic=-1 quiet task=prepare" \
        -drive "file=$dest/disk,format=raw,if=virtio" -serial "file:$work/console" </dev/null >&2 || true
    grep '^Wine is prepared' "$work/console" >/dev/null || { tail -n 40 "$work/console" >&2; die "Wine does not start in the virtual machine"; }
}

make() {
    local kernel
    for tool in qemu-system-x86_64 mke2fs dpkg; do
        command -v "$tool" >/dev/null || die "$tool is not here: see the head of this script for the packages"
    done
    apt_open bookworm i386 || die "no Debian mirror in this machine's apt sources"
    work=$(mktemp -d "$AOTLINK_CACHE/vm386.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    rm -rf "$dest"
    mkdir -p "$dest"
    say "downloading a kernel, BusyBox and Wine for i386"
    kernel=$(apt_closure linux-image-686-pae | grep '^linux-image-[0-9].*-686-pae$') || die "Debian's package list has no linux-image-686-pae"
    unpacked "$work/kernel" "$kernel"
    unpacked "$work/root" "${PACKAGES[@]}"
    cp "$work"/kernel/boot/vmlinuz-* "$dest/kernel"
    make_initrd
    make_disk
    prepare_wine
    printf '%s\n' "$made_by" >"$dest/made-by"
}

mkdir -p "$AOTLINK_CACHE"
# Two runs at once wait for each other.
if command -v flock >/dev/null; then
    exec 9>"$AOTLINK_CACHE/.vm386.lock"
    flock 9
fi
ready || make
printf '%s\n' "$dest"
