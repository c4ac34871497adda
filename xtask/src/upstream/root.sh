# Runs a command in a temporary copy of a root, with its own processes, mounts and host name, and optionally its own
# network.
#
# sh ROOT WORK LENT alone|online START COMMAND...
#
# ROOT    the directory whose copy is the root
# WORK    a directory that the command can write to, at the same path
# LENT    directories that the command can read at the same paths, separated by colons
# alone   the command has its own network, with an SSH server
# online  the command has this machine's network
# START   the directory where the command starts
root=$1 work=$2 lent=$3 network=$4
shift 4
mount --make-rprivate /
mkdir "$work/machine"
mount -t tmpfs -o mode=0755 machine "$work/machine"
cd "$work/machine"
mkdir changes scratch root
mount -t overlay -o "lowerdir=$root,upperdir=changes,workdir=scratch" machine root
mkdir -p "root$work"
mount --bind "$work" "root$work"
IFS=:
for directory in $lent; do
    mkdir -p "root$directory"
    mount --bind "$directory" "root$directory"
    mount -o remount,bind,ro "root$directory"
done
unset IFS

cd root
mount -t tmpfs -o mode=0755 run run
mkdir run/sshd run/lock
devices
mount -t sysfs -o ro sys sys
hostname target
echo target > etc/hostname
printf '127.0.0.1 localhost target\n::1 localhost\n' > etc/hosts
cat /etc/resolv.conf > etc/resolv.conf

# umount reads /proc; the root's own /proc is mounted with its first process.
mount -t proc proc proc
pivot_root . mnt
cd /
umount -l /mnt
umount /proc
exec unshare --pid --fork --kill-child --mount-proc sh -ec '
    if [ "$1" = alone ]; then
        ip link set lo up
        /usr/sbin/sshd
    fi
    cd "$2"
    shift 2
    "$@"
' sh "$network" "$@"
