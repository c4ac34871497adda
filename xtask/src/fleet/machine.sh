# Turns this process into a machine: a temporary copy of ROOT with its own processes, mounts, host name, users and
# network, and OpenSSH's server, or systemd, as its first process. It does not change anything outside.
#
# ROOT    the directory whose copy is its root
# WORK    an empty directory
# NAME    the host name
# NUMBER  its network: 198.18.NUMBER.2 on eth0, and all of 198.19.NUMBER.0/24
# CABLE   the name of the network interface at the other end
# PEER    a process in the network namespace of the other end
# KEY     the client's public key
# HASH    the hash of all users' password
# SUBDUED "yes" for a machine that only forwards connections
# BOOTS   "yes" for systemd as the first process
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=0755 machine "$WORK"
mkdir "$WORK/changes" "$WORK/scratch" "$WORK/root"
mount -t overlay -o "lowerdir=$ROOT,upperdir=$WORK/changes,workdir=$WORK/scratch" machine "$WORK/root"

ip link set lo up
ip link add eth0 type veth peer name "$CABLE" netns "$PEER"
ip address add "198.18.$NUMBER.2/30" dev eth0
# Nobody else can have its address: the kernel need not look for a second.
{ echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; } 2> /dev/null || true
ip link set eth0 up
ip route add default via "198.18.$NUMBER.1"
ip route add local "198.19.$NUMBER.0/24" dev lo
beyond="nsenter --target $PEER --net ip"
$beyond address add "198.18.$NUMBER.1/30" dev "$CABLE"
$beyond link set "$CABLE" up
$beyond route add "198.19.$NUMBER.0/24" via "198.18.$NUMBER.2"

cd "$WORK/root"
for directory in run root home mnt; do mkdir -p $directory && mount -t tmpfs -o mode=0755 $directory $directory; done
for directory in tmp var/tmp; do mount -t tmpfs -o mode=1777 tmp $directory; done
devices
mount -t sysfs -o ro sys sys

login() { # NAME ID HOME SHELL
    for file in passwd shadow group; do
        { grep -v "^$1:" etc/$file || true; } > run/lines
        cat run/lines > etc/$file
    done
    rm run/lines
    echo "$1:x:$2:$2:$1:$3:$4" >> etc/passwd
    echo "$1:$HASH:20000:0:99999:7:::" >> etc/shadow
    echo "$1:x:$2:" >> etc/group
    mkdir -p ".$3/.ssh"
    echo "$KEY" > ".$3/.ssh/authorized_keys"
    chmod 700 ".$3" ".$3/.ssh"
    chown -R "$2:$2" ".$3"
}
login root 0 /root /bin/bash
login keeper 61001 /home/keeper /bin/sh
login warden 61002 /home/warden /bin/sh
login guest 61003 /home/guest /bin/sh
login robot 61004 /home/robot /bin/sh
if [ -d etc/sudoers.d ]; then
    # This replaces the sudo rules of the copied system.
    cat > etc/sudoers <<END
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", timestamp_timeout=0
root ALL=(ALL:ALL) ALL
keeper ALL=(ALL:ALL) NOPASSWD: ALL
warden ALL=(ALL:ALL) ALL
END
    chmod 440 etc/sudoers
fi

hostname "$NAME"
echo "$NAME" > etc/hostname
printf '127.0.0.1 localhost %s\n' "$NAME" > etc/hosts
rm -f etc/resolv.conf etc/nologin etc/motd
: > etc/resolv.conf

mkdir -p run/sshd etc/ssh
rm -f etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -C "$NAME" -f etc/ssh/ssh_host_ed25519_key
cat > etc/ssh/sshd_config <<END
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM $BOOTS
UseDNS no
MaxStartups 1000
PrintMotd no
PidFile none
Subsystem sftp internal-sftp
END
if [ "$SUBDUED" = yes ]; then
    printf 'PermitTTY no\nForceCommand echo this machine only passes connections on; false\n' >> etc/ssh/sshd_config
fi

if [ "$BOOTS" = yes ]; then
    # systemd needs a control group of its own; in version 2 it needs no controllers.
    mkdir "$WORK/groups"
    mount -t cgroup2 groups "$WORK/groups"
    mkdir -p "$WORK/groups/$CABLE"
    echo $$ > "$WORK/groups/$CABLE/cgroup.procs"
    umount "$WORK/groups"
    # What can only work on a machine with hardware.
    for unit in console-getty.service systemd-modules-load.service systemd-networkd-wait-online.service; do
        ln -sf /dev/null etc/systemd/system/$unit
    done
fi

# Until it has its own IPv6 address, its facts change.
if [ "$(cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6 2> /dev/null)" = 0 ]; then
    for attempt in $(seq 100); do
        ip -6 -oneline address show dev eth0 -tentative | grep -q . && break
        sleep 0.1
    done
fi

# umount reads /proc; the machine's own /proc is mounted with its first process.
mount -t proc proc proc
pivot_root . mnt
cd /
umount -l /mnt
umount /proc
if [ "$BOOTS" = yes ]; then
    exec unshare --cgroup --pid --fork --kill-child --mount-proc env -i container=namespaces \
        sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec /lib/systemd/systemd'
fi
exec unshare --pid --fork --kill-child --mount-proc /usr/sbin/sshd -D -e
