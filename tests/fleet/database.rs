//! PostgreSQL modules that act on the database of the host that their task means: through its Unix socket as the become
//! user, through its own `localhost`, on a delegate, and from a bastion.

use xtask::fleet::{Machine, Make};
use xtask::tested::skip;

use crate::scene::{Program, Scene};

/// The user who runs the server, and who may log in as its administrator by peer authentication.
const OWNER: &str = "postgres:x:61010:61010:postgres:/var/lib/postgresql:/bin/sh";

/// A machine's server.
pub struct Server {
    bin: String,
}

impl Server {
    /// Starts an empty server: by peer authentication on its socket, by password on all addresses.
    pub fn start(machine: &Machine, bin: &str) -> Server {
        let script = format!(
            "grep -v ^postgres: /etc/passwd > /run/lines; echo '{OWNER}' >> /run/lines; cat /run/lines > /etc/passwd
             grep -v ^postgres: /etc/group > /run/lines; echo postgres:x:61010: >> /run/lines; cat \
             /run/lines > /etc/group
             rm -rf /run/lines /srv/data /var/lib/postgresql; mkdir -p /run/postgresql /srv/data /var/lib/postgresql
             chown 61010:61010 /run/postgresql /srv/data /var/lib/postgresql
             as() {{ setpriv --reuid 61010 --regid 61010 --clear-groups env HOME=/var/lib/postgresql \"$@\"; }}
             cd /srv/data
             as {bin}/initdb -D /srv/data -U postgres --auth-local=peer --auth-host=scram-sha-256 -E UTF8 \
             --no-locale --no-sync
             echo 'host all all all scram-sha-256' >> /srv/data/pg_hba.conf
             as {bin}/pg_ctl -D /srv/data -w -l /srv/data/log \
               -o '-c unix_socket_directories=/run/postgresql -c listen_addresses=* -c fsync=off' start"
        );
        machine.shell(&script).expect("a PostgreSQL server");
        Server { bin: bin.to_owned() }
    }

    /// Runs SQL as the administrator and returns the rows.
    pub fn sql(&self, machine: &Machine, database: &str, sql: &str) -> String {
        let psql = "psql -h /run/postgresql -U postgres -XAtq -v ON_ERROR_STOP=1";
        let script = format!("{}/{psql} -d {database} -c \"{sql}\"", self.bin);
        self.shell(machine, &script).trim().to_owned()
    }

    /// Runs a command as the administrator and returns its output.
    pub fn shell(&self, machine: &Machine, script: &str) -> String {
        let script = format!("setpriv --reuid 61010 --regid 61010 --clear-groups {script}");
        machine.shell(&script).expect("an answer of the database")
    }
}

/// Plays on machines that have a PostgreSQL server's programs.
#[track_caller]
fn with_postgres(test: &str, act: impl Fn(&Scene, &str)) {
    let bin = match xtask::postgres::binaries() {
        Ok(bin) => bin.display().to_string(),
        Err(why) => {
            skip(test, &why);
            return;
        }
    };
    if let Some(scene) = Scene::new(test, Program::Playbook) {
        act(&scene, &bin);
    }
}

const ROLE: &str = "
- name: Ensure that the users are present
  postgresql_user:
    name: '{{ item.name }}'
    password: '{{ item.password | default(omit) }}'
    role_attr_flags: '{{ item.role_attr_flags | default(omit) }}'
    login_host: \"{{ item.login_host | default('localhost') }}\"
    login_unix_socket: '{{ postgresql_unix_socket_directories[0] }}'
    login_user: '{{ postgresql_user }}'
  loop: '{{ postgresql_users }}'
  no_log: true
  become: true
  become_user: '{{ postgresql_user }}'

- name: Ensure that the databases are present
  postgresql_db:
    name: '{{ item.name }}'
    owner: '{{ item.owner | default(postgresql_user) }}'
    encoding: UTF8
    template: template0
    login_host: localhost
    login_unix_socket: '{{ postgresql_unix_socket_directories[0] }}'
    login_user: '{{ postgresql_user }}'
  loop: '{{ postgresql_databases }}'
  become: true
  become_user: '{{ postgresql_user }}'

- name: Ensure that the privileges are granted
  postgresql_privs:
    roles: '{{ item.roles }}'
    db: '{{ item.db }}'
    type: '{{ item.type }}'
    objs: '{{ item.objs | default(omit) }}'
    privs: '{{ item.privs }}'
    login_unix_socket: '{{ postgresql_unix_socket_directories[0] }}'
    login_user: '{{ postgresql_user }}'
  loop: '{{ postgresql_privs }}'
  become: true
  become_user: '{{ postgresql_user }}'
";

const DEFAULTS: &str = "
postgresql_user: postgres
postgresql_unix_socket_directories: [/var/run/postgresql]
postgresql_users:
  - {name: shop, password: pass-of-shop}
  - {name: reports, password: pass-of-reports, role_attr_flags: CREATEDB}
postgresql_databases:
  - {name: shop, owner: shop}
postgresql_privs:
  - {roles: reports, db: shop, type: schema, objs: public, privs: USAGE}
";

#[test]
fn a_role_sets_up_a_database_as_its_hosts_administrator() {
    with_postgres("a role for PostgreSQL", |scene, bin| {
        let machine = scene.machine("db");
        scene.inventory(&[(&machine, "ansible_user=keeper")]);
        let server = Server::start(&machine, bin);
        scene.write("roles/database/tasks/main.yml", ROLE);
        scene.write("roles/database/defaults/main.yml", DEFAULTS);
        let book = "- hosts: all\n  gather_facts: false\n  roles: [database]\n";
        let state = || {
            let roles = "SELECT rolname, rolcreatedb FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1";
            let databases = "SELECT datname, pg_get_userbyid(datdba) FROM pg_database ORDER BY 1";
            [roles, databases].map(|sql| server.sql(&machine, "postgres", sql)).join("\n")
        };
        let before = state();
        let run = scene.run(book, &["--check"]).ok().hides(&["pass-of"]);
        assert_eq!((run.count("db", "ok"), run.count("db", "changed")), (3, 3), "{}", run.text());
        assert_eq!(state(), before, "check mode changes nothing");

        let run = scene.run(book, &[]).ok().hides(&["pass-of"]);
        assert_eq!((run.count("db", "ok"), run.count("db", "changed")), (3, 3), "{}", run.text());
        assert_eq!(
            state(),
            "postgres|t\nreports|t\nshop|f\npostgres|postgres\nshop|shop\ntemplate0|postgres\ntemplate1|postgres"
        );
        let granted = "SELECT has_schema_privilege('reports', 'public', 'USAGE')";
        assert_eq!(server.sql(&machine, "shop", granted), "t");

        let run = scene.run(book, &[]).ok();
        assert_eq!((run.count("db", "ok"), run.count("db", "changed")), (3, 0), "{}", run.text());
        let run = scene.run(book, &["--check"]).ok();
        assert_eq!(run.count("db", "changed"), 0, "{}", run.text());
    });
}

#[test]
fn localhost_and_defaults_are_the_managed_hosts() {
    with_postgres("a managed host's own database", |scene, bin| {
        let machine = scene.machine("db");
        scene.inventory(&[(&machine, "")]);
        let server = Server::start(&machine, bin);
        server.sql(&machine, "postgres", "CREATE ROLE app LOGIN PASSWORD 'pass-of-app' CREATEDB");
        machine
            .shell("echo 'localhost:5432:*:app:pass-of-app' > /root/.pgpass; chmod 600 /root/.pgpass")
            .expect("a password file");
        scene.write("migrations/001_create.sql", "CREATE TABLE goods (name text);\n");
        let book = "
- hosts: db
  gather_facts: false
  tasks:
    - name: By password
      postgresql_query:
        login_host: localhost
        login_user: app
        login_password: pass-of-app
        db: postgres
        query: SELECT inet_server_addr()::text AS address, current_user AS who
      register: one
    - name: By the host's password file
      postgresql_db: {name: shop, login_host: localhost, login_user: app}
    - name: By the host's socket directory
      postgresql_query: {db: postgres, query: SELECT inet_server_addr() AS address}
      become: true
      become_user: postgres
      register: two
    - name: By the task's environment
      db_migrate: {path: migrations, login_user: app, login_db: shop}
      environment: {PGHOST: localhost}
      register: three
    - name: On a delegate
      postgresql_query: {login_host: localhost, login_user: app, db: shop, query: SELECT count(*) AS n FROM goods}
      delegate_to: db
      register: four
    - name: As the wrong user
      postgresql_ping: {login_unix_socket: /run/postgresql}
      become: true
      become_user: robot
      register: five
    - name: Where nothing listens
      postgresql_query: {login_host: localhost, login_port: 5999, query: SELECT 1}
      register: six
      ignore_errors: true
    - name: By a command that would reach another database
      db_migrate: {tool: alembic, path: migrations, login_host: localhost, login_user: app, login_db: shop}
      register: eight
      ignore_errors: true
    - name: On the controller
      postgresql_ping: {login_host: localhost, login_port: '{{ 5432 }}'}
      delegate_to: localhost
      register: seven
    - name: Wait for the host's database
      wait_until:
        postgres: {login_host: localhost, login_user: app, login_db: shop, query: SELECT true}
        timeout: 20
    - assert:
        that:
          - one.query_result[0].who == 'app'
          - one.query_result[0].address.split('/')[0] in ['127.0.0.1', '::1']
          - two.query_result[0].address is none
          - three is changed
          - four.query_result[0].n == 0
          - not five.is_available and 'Peer authentication failed' in five.conn_err_msg
          - six is failed and 'refused' in six.msg
          - not seven.is_available
          - eight is failed and 'runs on the controller' in eight.msg
";
        scene.run(book, &["-v"]).ok().hides(&["pass-of-app"]);
    });
}

#[test]
fn a_database_that_only_a_bastion_reaches() {
    with_postgres("a database behind a bastion", |scene, bin| {
        let bastion = scene.machine("bastion");
        let inner = scene
            .fleet
            .make(Make { name: "inner", behind: Some(&bastion), ..Make::default() })
            .expect("a machine");
        let server = Server::start(&inner, bin);
        server.sql(&inner, "postgres", "CREATE ROLE app SUPERUSER LOGIN PASSWORD 'pass-of-app'");
        scene.inventory(&[(&bastion, &format!("database={}", inner.address()))]);
        let big = 6_000_000;
        let book = format!(
            "
- hosts: bastion
  gather_facts: false
  vars:
    login: &login {{login_host: '{{{{ database }}}}', login_user: app, login_password: pass-of-app, db: postgres}}
  tasks:
    - postgresql_query:
        <<: *login
        query: \"SELECT repeat('x', {big}) AS text\"
      register: large
    - postgresql_query:
        <<: *login
        query: SELECT length(%(text)s) AS n
        named_args: {{text: '{{{{ large.query_result[0].text }}}}'}}
      register: back
    - assert: {{that: ['large.query_result[0].text | length == {big}', 'back.query_result[0].n | int == {big}']}}
    - postgresql_query:
        <<: *login
        query: SELECT pg_sleep(15)
      timeout: 3
      register: cut
      ignore_errors: true
    - assert: {{that: [cut is failed, cut.timedout.period == 3]}}
"
        );
        scene.run(&book, &[]).ok().hides(&["pass-of-app"]);
        let left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'";
        crate::scene::wait_until("the end of the sessions", || server.sql(&inner, "postgres", left) == "0");
    });
}
