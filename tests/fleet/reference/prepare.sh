# What the reference playbook finds on its host: a package repository, a repository of git's, a user who has left, an
# archive, and a configuration to edit.
set -e
export SOURCE_DATE_EPOCH=1700000000 GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
export GIT_CONFIG_NOSYSTEM=1 HOME=/root

mkdir -p /srv/apt /srv/build
package() { # NAME VERSION
    directory=/srv/build/$1
    mkdir -p "$directory/DEBIAN" "$directory/usr/share/$1" "$directory/etc"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Tests <tests@localhost>\nDescription: %s\n' \
        "$1" "$2" "a package of the tests" > "$directory/DEBIAN/control"
    echo "/etc/$1.conf" > "$directory/DEBIAN/conffiles"
    echo "$1 $2" > "$directory/usr/share/$1/version"
    echo "greeting = hello" > "$directory/etc/$1.conf"
    dpkg-deb --root-owner-group --build "$directory" "/srv/apt/$1_$2_all.deb" > /dev/null
}
package greeter 1.0
package greeter 2.0
package farewell 1.0
package obsolete 1.0
cd /srv/apt
for deb in *.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
        "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
done > Packages
dpkg -i obsolete_1.0_all.deb > /dev/null
rm -rf /srv/build /var/lib/apt/lists/* /var/cache/apt/*
touch -d 2020-01-01 /var/lib/apt/lists

mkdir /srv/site && cd /srv/site
git init -q -b main .
echo '<h1>site</h1>' > index.html
git add . && git -c user.name=t -c user.email=t@localhost commit -q -m one
git tag v1
echo '<h1>newer</h1>' > index.html
git -c user.name=t -c user.email=t@localhost commit -q -a -m two

useradd --create-home --uid 4999 leaver
mkdir /srv/pack && echo one > /srv/pack/one && echo two > /srv/pack/two
tar -C /srv --owner 0 --group 0 --mtime @1700000000 -czf /srv/pack.tar.gz pack
rm -r /srv/pack
printf 'port = 80\n#workers = 2\nmode = slow\nlisten = 10.0.0.1\nlisten = 10.0.0.2\n' > /etc/engine.conf
mkdir -p /srv/parts /srv/old/deep && echo first > /srv/parts/10 && echo second > /srv/parts/20 && touch /srv/old/deep/file
