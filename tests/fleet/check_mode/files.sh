# What the scenarios of files.yml find.
set -e
mkdir -p -m 1777 /run/lock
export HOME=/root GIT_CONFIG_NOSYSTEM=1
mkdir -p /srv/f /srv/http && cd /srv/f
umask 022
# copy, template
mkdir tree kept; echo old > tree/a.txt; echo stale > changed; echo same > same; echo same > mode; chmod 600 mode
echo one > link-target; ln -s link-target link
printf 'name = web\n' > rendered
echo remote > remote; cp -a remote remote-same
# file
touch times; touch -d 2020-01-01 times; mkdir -p dir/deep; touch dir/deep/f; echo x > gone; ln -s nowhere dangling; ln link-target hard
mkdir full; touch full/file; touch setfacl
# lineinfile, blockinfile, replace
printf 'a = 1\nb = 2\n# c\n' > lines; cp lines lines2; cp lines lines3; cp lines lines4
printf 'x\n# BEGIN ANSIBLE MANAGED BLOCK\nold\n# END ANSIBLE MANAGED BLOCK\ny\n' > block; cp block block2
printf 'x\n# BEGIN ANSIBLE MANAGED BLOCK\nmine\n# END ANSIBLE MANAGED BLOCK\ny\n' > block3
printf 'one two one\n' > words
# assemble
mkdir parts; echo 1 > parts/1; echo 2 > parts/2; echo old > assembled; printf '1\n2\n' > assembled2
# unarchive
mkdir pack out out2 out3 out4; echo p > pack/p; mkdir pack/sub; echo s > pack/sub/s; tar czf pack.tgz pack; zip -qr pack.zip pack; tar xzf pack.tgz -C out2
tar xzf pack.tgz -C out3; echo changed > out3/pack/p; unzip -q pack.zip -d out4
# git
git init -q -b main origin; cd origin; echo 1 > f; git add f; git -c user.name=t -c user.email=t@t commit -qm 1; git tag v1; git branch stay
cd ..; git clone -q file:///srv/f/origin behind; git clone -q file:///srv/f/origin current; git clone -q file:///srv/f/origin dirty; git clone -q file:///srv/f/origin stay; git clone -q file:///srv/f/origin ondev
git clone -q --bare file:///srv/f/origin bare.git
git -C stay checkout -q stay
cd origin; echo 2 > f; git -c user.name=t -c user.email=t@t commit -qam 2; git checkout -q -b dev; echo d > d; git add d; git -c user.name=t -c user.email=t@t commit -qm d; git checkout -q main
cd ..; git -C current pull -q; echo local > dirty/f
# keys
mkdir -p -m 700 /home/keeper/.ssh
key=AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
printf 'ssh-ed25519 %s keeper\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmDXcm8Wm6tVL8xw1lGvE9Tm1CeVvCDNqQzvwkC6nIO other\n' $key > keys; cp keys keys2; cp keys keys3
printf 'git.example ssh-ed25519 %s\nold.example ssh-ed25519 %s\n' $key $key > known; cp known known2; cp known known3
# what is downloaded
echo page > /srv/http/page; echo new > /srv/http/new; cp -p /srv/http/page page; echo differs > differs
# fetch
echo fetched > fetched
(cd /srv/http; exec setsid python3 -m http.server 8000 > /dev/null 2>&1 < /dev/null) &
