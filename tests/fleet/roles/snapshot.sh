# A picture of the system: every file with its type, mode, owner, and target or size; the checksums of those that roles
# write; the databases; and what runs.
cd /
pruned='( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log
    -o -path /var/cache -o -path /var/spool/cron/crontabs/* -o -path */.ansible -o -path */.ansible_async
    -o -path /usr/lib/python3 -o -name __pycache__ -o -name *.pyc -o -path /srv/archive -o -path /srv/vendor
    -o -path */.git/logs -o -path */.git/index -o -path */.git/FETCH_HEAD -o -path */.git/ORIG_HEAD
    -o -path /etc/ssh/ssh_host_* -o -path /home/*/.ssh -o -path /root/.ssh -o -path /etc/machine-id -o -path /etc/hosts
    -o -path /etc/ssl/*snakeoil* -o -path /etc/*.lock -o -path /etc/.updated -o -path /var/.updated
    -o -path /var/lib/systemd -o -path /var/lib/apt/lists -o -path /var/lib/docker -o -path /var/lib/containerd
    -o -path /var/lib/postgresql/*/main/* -o -path /var/lib/sudo -o -path /var/lib/logrotate
    -o -path /etc/docker/key.json -o -path /var/lib/dpkg/*-old )'
set -f
{
    find / /root /home -xdev $pruned -prune -o -type f -printf '%p %y %m %U:%G %s\n' \
        -o -type l -printf '%p %y -> %l\n' -o -printf '%p %y %m %U:%G\n' | sort -u
    find /etc /srv /root /home /var/spool /var/www /usr/local /opt -xdev $pruned -prune -o -type f -print0 | sort -z |
        xargs -0 sha256sum
} | sed -E 's/\.[0-9]+\.[0-9]{4}-[0-9-]+@[0-9:]+~/.BACKUP~/'
find /home /root -path '/*/.ssh*' ! -path '/home/keeper/*' -printf '%p %y %m %U:%G\n' | sort
set +f
stat -c '%n %a %U:%G' /etc/ssl/private/*snakeoil* /etc/ssl/certs/*snakeoil* 2> /dev/null || true
cat /home/ada/.ssh/authorized_keys /home/grace/.ssh/authorized_keys 2> /dev/null || true
# Tables of cron's begin with when they were installed, and from which file.
for table in /var/spool/cron/crontabs/*; do
    test -e "$table" || continue
    stat -c '%n %a %U:%G' "$table"
    grep -v '^# (' "$table" || true
done
dpkg-query -W -f '${Package} ${Version} ${Status}\n'
apt-mark showhold
apt-mark showmanual
systemctl list-unit-files --no-legend --plain --type service,timer,socket | awk '{ print $1, $2 }'
for unit in nginx docker 'postgresql@*' greeter greeter-clean.timer ssh cron; do
    echo "$unit $(systemctl is-active "$unit" || true)"
done
if command -v psql > /dev/null; then
    # Passwords are salted, and a dump has a random word.
    runuser -u postgres -- pg_dumpall | grep -v -E '^\\(un)?restrict ' | sed "s/PASSWORD '[^']*'/PASSWORD/"
fi
true
