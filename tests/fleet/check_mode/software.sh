# What the scenarios of software.yml find: repositories for apt, dnf and pip.
set -e
mkdir -p -m 1777 /run/lock
export HOME=/root SOURCE_DATE_EPOCH=1700000000 DEBIAN_FRONTEND=noninteractive
mkdir -p /srv/apt /srv/apt2 /srv/build
package() { # NAME VERSION DIRECTORY [FIELD]
    folder=/srv/build/$1
    mkdir -p "$folder/DEBIAN" "$folder/usr/share/$1" "$folder/etc"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Tests <tests@localhost>\n' "$1" "$2" > "$folder/DEBIAN/control"
    [ -z "$4" ] || echo "$4" >> "$folder/DEBIAN/control"
    echo "Description: a package of the tests" >> "$folder/DEBIAN/control"
    echo "/etc/$1.conf" > "$folder/DEBIAN/conffiles"
    echo "$1 $2" > "$folder/usr/share/$1/version"
    echo "greeting = hello" > "$folder/etc/$1.conf"
    dpkg-deb --root-owner-group --build "$folder" "$3/$1_$2_all.deb" > /dev/null
}
index() {
    cd "$1"
    for deb in *.deb; do
        dpkg-deb -f "$deb"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
            "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
    done > Packages
}
for version in 1.0 2.0; do package greeter $version /srv/apt; package older $version /srv/apt; package downgraded $version /srv/apt; done
package farewell 1.0 /srv/apt
package obsolete 1.0 /srv/apt
package purged 1.0 /srv/apt
package library 1.0 /srv/apt
package program 1.0 /srv/apt 'Depends: library'
package unneeded 1.0 /srv/apt
package alone 1.0 /srv/build
package other 1.0 /srv/apt2
index /srv/apt; index /srv/apt2
rm -f /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/apt ./' > /etc/apt/sources.list.d/tests.list
echo 'deb [trusted=yes] file:/srv/none ./' > /etc/apt/sources.list.d/unwanted.list
printf 'Types: deb\nURIs: file:/srv/apt2\nSuites: ./\nTrusted: yes\n' > /etc/apt/sources.list.d/present.sources
printf 'X-Repolib-Name: stale\nTypes: deb\nURIs: file:/srv/apt2\nSuites: ./\nTrusted: yes\n' > /etc/apt/sources.list.d/stale.sources
apt-get -qq update 2> /dev/null || true
apt-get -qq install obsolete purged older=1.0 downgraded=2.0 unneeded > /dev/null
apt-get -qq remove purged > /dev/null
apt-mark auto unneeded > /dev/null
echo 'git hold' | dpkg --set-selections
echo 'tests tests/present string yes' | debconf-set-selections

mkdir -p /srv/rpm /srv/spec
rpm_of() { # NAME VERSION [FIELD]
    printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%s\n%%description\nd\n%%install\nmkdir -p %%{buildroot}/usr/share/rpms\necho %s > %%{buildroot}/usr/share/rpms/%s\n%%files\n/usr/share/rpms/%s\n' \
        "$1" "$2" "$3" "$2" "$1" "$1" > "/srv/spec/$1.spec"
    rpmbuild --quiet -bb --define '_rpmdir /srv/rpm' "/srv/spec/$1.spec" > /dev/null 2>&1
}
rpm_of anvil 1; rpm_of anvil 2; rpm_of bellows 1; rpm_of forge 1 "Requires: bellows"; rpm_of tongs 1; rpm_of hammer 1; rpm_of hammer 2
createrepo_c -q /srv/rpm
mkdir -p /etc/yum.repos.d /etc/dnf
printf '[main]\ngpgcheck=0\nreleasever=1\n' > /etc/dnf/dnf.conf
printf '[tests]\nname=tests\nbaseurl=http://127.0.0.1:8001/\n' > /etc/yum.repos.d/tests.repo
(cd /srv/rpm; exec setsid python3 -m http.server 8001 > /dev/null 2>&1 < /dev/null) &
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    if dnf -q -y install tongs hammer-1 > /dev/null; then break; fi
    sleep 0.5
done
rpm -q tongs hammer > /dev/null

mkdir -p /srv/wheels
python3 - <<'END'
import zipfile
for name, version in [("plum", "1.0"), ("plum", "2.0"), ("pear", "1.0"), ("fig", "1.0"), ("quince", "1.0")]:
    folder = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(f"/srv/wheels/{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = '{version}'\n")
        wheel.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{folder}/RECORD", f"{name}.py,,\n{folder}/METADATA,,\n{folder}/WHEEL,,\n{folder}/RECORD,,\n")
END
printf '[global]\nno-index = true\nfind-links = /srv/wheels\ndisable-pip-version-check = true\nroot-user-action = ignore\n' > /etc/pip.conf
pip -q install plum==1.0 fig 2> /dev/null
echo quince > /srv/requirements.txt; echo fig > /srv/requirements-there.txt
rm -rf /srv/build/*/ /srv/spec /root/rpmbuild
