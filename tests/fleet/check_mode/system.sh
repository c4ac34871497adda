# What the scenarios of system.yml find: services, accounts, tables of cron's and rules of a firewall.
set -e
mkdir -p -m 1777 /run/lock
export HOME=/root
for name in daemon sleeper ender loner quiet busy; do
    cat > /etc/init.d/$name <<END
#!/bin/sh
### BEGIN INIT INFO
# Provides: $name
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: a service of the tests
### END INIT INFO
case \$1 in
start) touch /run/$name ;;
stop) rm -f /run/$name ;;
restart) touch /run/$name ;;
reload) test -e /run/$name && touch /run/$name-reloaded ;;
status) if test -e /run/$name; then echo $name is running; else echo $name is stopped; exit 3; fi ;;
esac
END
    chmod 755 /etc/init.d/$name
done
touch /run/daemon /run/ender /run/busy
for name in daemon ender busy; do update-rc.d $name defaults; done

# systemctl, as where systemd runs: units run if their file in /run/active exists; the rest is systemd's own.
mkdir -p /run/active
mv /usr/bin/systemctl /usr/bin/systemctl.real
cat > /usr/bin/systemctl <<'END'
#!/bin/bash
words=(); for word; do case $word in --no-block|--force) ;; *) words+=("$word") ;; esac; done
verb=${words[0]} unit=${words[1]%.service}
file=/etc/systemd/system/$unit.service
export SYSTEMD_OFFLINE=1
case $verb in
show)
    if [ -L $file ] && [ "$(readlink $file)" = /dev/null ]; then load=masked; elif [ -e $file ] || [ -e /lib/systemd/system/$unit.service ]; then load=loaded; else load=not-found; fi
    active=inactive; [ -e /run/active/$unit ] && active=active
    printf 'Id=%s.service\nLoadState=%s\nActiveState=%s\n' $unit $load $active ;;
start|restart) touch /run/active/$unit ;;
stop) rm -f /run/active/$unit ;;
reload) touch /run/active/$unit ;;
daemon-reload|daemon-reexec) touch /run/active/.$verb ;;
*) exec /usr/bin/systemctl.real "$@" ;;
esac
END
chmod 755 /usr/bin/systemctl
for name in one two three four five; do
    printf '[Service]\nExecStart=/bin/sleep 1\n[Install]\nWantedBy=multi-user.target\n' > /lib/systemd/system/$name.service
done
touch /run/active/two /run/active/four
systemctl enable two 2> /dev/null; systemctl mask three 2> /dev/null

groupadd -g 4000 present; groupadd -g 4001 moved; groupadd -g 4002 unwanted; groupadd -g 4003 more
useradd -m -u 4000 -g present -s /bin/bash -c 'As it should be' present
useradd -m -u 4001 -g present -G more moved
useradd -m -u 4002 leaver; useradd -M -u 4003 homeless; useradd -m -u 4004 mover; useradd -m -u 4005 locked; useradd -m -u 4006 keyed
useradd -m -u 4007 appended -G more; useradd -m -u 4008 expires; useradd -m -u 4009 aging
echo 'locked:$6$reference$rnGUlPnbmEEr3qtzqTYSRtlVLg0h/cw12eB9uzxHFlvWbRL3zTPYqDHMHh8OSs6HZE5mXBVnhIfnBjc7lGq2P/' | chpasswd -e
for user in present jobs1 jobs2 jobs3 jobs4 jobs5; do
    id $user > /dev/null 2>&1 || useradd -M $user
    printf '#Ansible: present\n5 * * * * /bin/true\n#Ansible: stale\n1 * * * * /bin/true\n#Ansible: unwanted\n2 * * * * /bin/true\nOLD="value"\n3 * * * * /bin/unnamed\n' | crontab -u $user -
done
printf '#Ansible: unwanted\n2 * * * * root /bin/true\n' > /etc/cron.d/unwanted
iptables -A INPUT -p tcp --dport 80 -j ACCEPT
iptables -A INPUT -p tcp --dport 81 -j ACCEPT
iptables -N present; iptables -N unwanted
mkdir -p /mnt/tests; mount -t tmpfs -o size=1M tests /mnt/tests
