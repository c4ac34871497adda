# Sets up the Debian that targets run in. It runs once, in the Debian, with the version of ansible-core in $core.
localedef -i en_US -f UTF-8 en_US.UTF-8

# Targets may install Python packages.
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
python3 -m venv /opt/ansible-core
/opt/ansible-core/bin/pip install -q --disable-pip-version-check --only-binary :all: "ansible-core==$core" passlib
mkdir /opt/ansible-core/commands
ln -s /opt/ansible-core/bin/ansible* /opt/ansible-core/commands

mkdir -p -m 700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -C root -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
echo "* $(cat /etc/ssh/ssh_host_ed25519_key.pub)" > /etc/ssh/ssh_known_hosts

# A target waits 20 seconds for cron, which starts jobs at a full minute. This library makes cron run ten times as fast;
# with systemd the target does this automatically.
cat >> /etc/default/cron <<END
export LD_PRELOAD=$(dpkg -L libfaketime | grep '/libfaketime.so.1$')
export FAKETIME='+0y x10'
END
