# Runs a command in a copy of a root that forgets all changes, with processes, mounts, a name and perhaps a network of its
# own.
#
# sh ROOT WORK LENT alone|online FOLDER COMMAND...
#
# ROOT    the folder that it looks like
# WORK    a folder that it may change, in the same place
# LENT    folders that it sees in the same places, with colons between them
# alone   it has a network of its own, and in it an SSH server
# online  it has this machine's network
# FOLDER  where the command begins
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
for folder in $lent; do
    mkdir -p "root$folder"
    mount --bind "$folder" "root$folder"
    mount -o remount,bind,ro "root$folder"
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

# umount reads /proc; the root's own comes with its first process.
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
