# A picture of the system: every file with its type, mode, owner, and target or size; and the checksums of those that
# playbooks care for.
cd /
pruned='( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log
    -o -path /var/cache -o -path /var/spool/cron/crontabs/* -o -path */.ansible -o -path */.ansible_async
    -o -path /usr/lib/python3 -o -name __pycache__
    -o -path */.git/logs -o -path */.git/index -o -path */.git/FETCH_HEAD -o -path */.git/ORIG_HEAD
    -o -path /etc/ssh/ssh_host_* -o -path */.ssh/authorized_keys -o -path /usr/bin/python3* -o -path /var/lib/apt/lists/lock )'
set -f
find / /root /home -xdev $pruned -prune -o -type f -printf '%p %y %m %U:%G %s\n' -o -type l -printf '%p %y -> %l\n' \
    -o -printf '%p %y %m %U:%G\n' | sort -u
find /etc /srv /root /home /var/spool /usr/local /opt -xdev $pruned -prune -o -type f -print0 | sort -z |
    xargs -0 sha256sum
# Tables of cron's begin with when they were installed, and from which file.
set +f
for table in /var/spool/cron/crontabs/*; do
    stat -c '%n %a %U:%G' "$table"
    grep -v '^# (' "$table"
done
