# shellcheck shell=bash
# Downloads from Debian's archive without touching the system's package lists (sourced after common.sh).

# Address of the Debian archive (not the security archive) in the machine's own apt sources.
debian_mirror() {
    command -v apt-get >/dev/null || return 0
    apt-get update --print-uris 2>/dev/null |
        sed -n "s,^'\([^']*/debian\)/dists/[^']*'.*,\1,p" | awk 'NR == 1'
}

# apt_open SUITE [ARCHITECTURE]: makes and updates a private apt configuration for the packages and sources of SUITE, those of this machine's
# architecture or of another; sets APT_DIR.
apt_open() {
    local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || return 1
    APT_DIR=$AOTLINK_CACHE/apt/$1${2:+-$2}
    mkdir -p "$APT_DIR/lists/partial" "$APT_DIR/cache/archives/partial" "$APT_DIR/files"
    : >"$APT_DIR/status"
    cat >"$APT_DIR/apt.conf" <<CONF
Dir::Etc::sourcelist "$APT_DIR/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$APT_DIR";
Dir::State::lists "$APT_DIR/lists";
Dir::State::status "$APT_DIR/status";
Dir::Cache "$APT_DIR/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
    if [ -n "${2:-}" ]; then printf 'APT::Architecture "%s";\nAPT::Architectures { "%s"; };\n' "$2" "$2" >>"$APT_DIR/apt.conf"; fi
    say "reading the package list of Debian $1"
    if [ -f "$keyring" ]; then
        apt_sources "signed-by=$keyring" "$mirror" "$1"
        if apt_private update 2>/dev/null; then return 0; fi
    fi
    # A suite newer than the machine may be signed with a key that it does not have.
    apt_sources trusted=yes "$mirror" "$1"
    apt_private update
}

apt_sources() {
    printf 'deb [%s] %s %s main\ndeb-src [%s] %s %s main\n' "$@" "$@" >"$APT_DIR/sources.list"
}

# apt_private ARGUMENTS: apt-get with the configuration that apt_open made.
apt_private() {
    APT_CONFIG=$APT_DIR/apt.conf apt-get -qq -o APT::Update::Error-Mode=any "$@" >&2
}

# apt_closure PACKAGE: the names of a package and of all that it depends on.
apt_closure() {
    APT_CONFIG=$APT_DIR/apt.conf apt-get -qq --no-install-recommends --print-uris install "$1" | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p"
}
