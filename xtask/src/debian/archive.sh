# Downloads what the roles of the tests install into package archives below /srv, which are then the system's only
# sources: tests must not access the package servers. /srv/vendor is an archive as vendors have it, with a key of its own.
set -eu
export DEBIAN_FRONTEND=noninteractive
. /etc/os-release
release=$VERSION_CODENAME
apt-get update -q
archive() { # DIRECTORY COMPONENT
    cd "$1"
    mkdir -p "pool" "dists/$release/$2/binary-amd64"
    mv /var/cache/apt/archives/*.deb pool/
    for deb in pool/*.deb; do
        dpkg-deb -f "$deb"
        printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' \
            "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
    done > "dists/$release/$2/binary-amd64/Packages"
    cd "dists/$release"
    {
        printf 'Origin: Tests\nLabel: Tests\nSuite: %s\nCodename: %s\nArchitectures: amd64\nComponents: %s\n' \
            "$release" "$release" "$2"
        printf 'Date: Mon, 01 Jan 2024 00:00:00 UTC\nSHA256:\n'
        printf ' %s %s %s\n' "$(sha256sum "$2/binary-amd64/Packages" | cut -d ' ' -f 1)" \
            "$(stat -c %s "$2/binary-amd64/Packages")" "$2/binary-amd64/Packages"
    } > Release
    cd /
}
mkdir -p /srv/archive /srv/vendor
apt-get install -q -y --download-only nginx ssl-cert postgresql python3-psycopg2 python3-venv logrotate rsyslog acl unzip
archive /srv/archive main
docker=docker.io
if [ "$release" = trixie ]; then docker='docker.io docker-cli'; fi
apt-get install -q -y --download-only --no-install-recommends $docker iptables
archive /srv/vendor stable

export GNUPGHOME=/run/keys
mkdir -m 700 "$GNUPGHOME"
gpg --batch -q --passphrase '' --quick-generate-key 'Vendor <vendor@localhost>' ed25519 sign never
gpg --batch -q --clearsign -o "/srv/vendor/dists/$release/InRelease" "/srv/vendor/dists/$release/Release"
gpg --batch -q --armor --export > /srv/vendor/gpg
gpgconf --kill all
rm -r "$GNUPGHOME"

rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo "deb [trusted=yes] file:/srv/archive $release main" > /etc/apt/sources.list
apt-get update -q
: > /etc/machine-id
