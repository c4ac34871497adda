//! `user`: that a user is there as described, or is not.

mod key;
mod local;
mod password;
mod shadow;

use nix::unistd::{Group, User as Entry};
use playbook_api::{Arguments, Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, Value};

use crate::host::Host;
use crate::host::accounts;
use crate::host::errno::Doing;
use crate::host::path::HostPath;
use crate::host::process::Program;
use crate::host::state::State;
use shadow::Shadow;

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum UpdatePassword {
    #[default]
    Always,
    OnCreate,
}

/// Makes, changes and removes users, with the system's own programs.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("required_by" = [["non_unique", ["uid"]]]))]
pub(crate) struct User {
    /// The name of the user.
    #[schemars(extend("aliases" = ["user"]))]
    name: String,
    /// Whether the user is to exist.
    #[serde(default)]
    state: State,
    /// The number of the user.
    uid: Option<u32>,
    /// The primary group, by name or number.
    group: Option<String>,
    /// The supplementary groups. An empty list removes the user from all.
    groups: Option<Vec<String>>,
    /// Whether to keep supplementary groups that are not in `groups`.
    #[serde(default)]
    append: bool,
    /// The description of the user (GECOS).
    comment: Option<String>,
    /// The path of the home directory.
    home: Option<HostPath>,
    /// The path of the login shell.
    shell: Option<HostPath>,
    /// The hashed password, as `/etc/shadow` stores it.
    #[schemars(extend("no_log" = true))]
    password: Option<String>,
    /// Whether to set the password of an existing user too.
    #[serde(default)]
    update_password: UpdatePassword,
    /// Whether the password is locked; it stays as it is if missing.
    password_lock: Option<bool>,
    /// The number of days after which the password must be changed.
    password_expire_max: Option<i64>,
    /// The number of days before the password may be changed again.
    password_expire_min: Option<i64>,
    /// The number of days before its expiry that the user is warned.
    password_expire_warn: Option<i64>,
    /// The number of days after the password's expiry that the account is disabled.
    password_expire_account_disable: Option<i64>,
    /// The time at which the account expires, in seconds since 1970. A negative number removes the expiry.
    expires: Option<f64>,
    /// Whether to create the home directory.
    #[schemars(extend("aliases" = ["createhome"]))]
    #[serde(default = "playbook_api::defaults::yes")]
    create_home: bool,
    /// Whether to move the content of the old home directory to the new one.
    #[serde(default)]
    move_home: bool,
    /// The directory whose content a new home directory gets.
    skeleton: Option<String>,
    /// The umask for a new home directory, as a quoted octal number.
    umask: Option<String>,
    /// Whether to create a system user.
    #[serde(default)]
    system: bool,
    /// Whether the number may belong to another user too.
    #[serde(default)]
    non_unique: bool,
    /// Whether to remove the home directory along with the user.
    #[serde(default)]
    remove: bool,
    /// Whether to remove a user who is logged in.
    #[serde(default)]
    force: bool,
    /// Whether to use the programs for local users, where users come from a directory service.
    #[serde(default)]
    local: bool,
    /// The SELinux user of the account.
    seuser: Option<String>,
    /// The least number to choose for a new user.
    uid_min: Option<u32>,
    /// The greatest number to choose for a new user.
    uid_max: Option<u32>,
    /// Whether to create an SSH key for the user if there is none.
    #[serde(default)]
    generate_ssh_key: bool,
    /// The length of a new SSH key, in bits.
    ssh_key_bits: Option<u32>,
    /// The type of a new SSH key, such as `rsa` or `ed25519`.
    #[serde(default = "rsa")]
    ssh_key_type: String,
    /// The path of the SSH key, relative to the home directory.
    ssh_key_file: Option<HostPath>,
    /// The comment of a new SSH key.
    ssh_key_comment: Option<String>,
    /// The passphrase of a new SSH key; none if it is missing.
    #[schemars(extend("no_log" = true))]
    ssh_key_passphrase: Option<String>,
}

fn rsa() -> String {
    "rsa".into()
}

impl HostModule for User {
    const DOC: Doc = Doc {
        name: "user",
        short: "Makes, changes and removes users",
        returns: &[
            ("name", "str", "The user."),
            ("uid", "int", "The number."),
            ("group", "int", "The own group's number."),
            ("groups", "str", "The other groups that the user has."),
            ("home", "str", "The home directory."),
            ("shell", "str", "The login shell."),
            ("comment", "str", "The description."),
            ("state", "str", "`present` or `absent`."),
            ("ssh_public_key", "str", "The public key, with `generate_ssh_key`."),
        ],
        examples: "- user:\n    name: james\n    shell: /bin/bash\n    groups: admins,developers\n    append: true\n",
        ..Doc::BUILTIN
    };

    fn user_to_disconnect(arguments: &Arguments) -> Option<&str> {
        let is_removed = arguments.get("state")?.as_str() == Some("absent");
        arguments.get("name").or_else(|| arguments.get("user")).filter(|_| is_removed)?.as_str()
    }

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        for (name, given) in [
            ("umask", self.umask.is_some()),
            ("uid_min", self.uid_min.is_some()),
            ("uid_max", self.uid_max.is_some()),
        ] {
            if self.local && given {
                return Err(Failure::new(format!("'{name}' can not be used with 'local'")));
            }
        }
        let mut outcome = match self.state {
            State::Absent => self.absent(&host)?,
            State::Present => self.present(&host)?,
        };
        if self.password.as_deref().is_some_and(|password| !password::is_hashed(password)) {
            outcome = outcome.warn(
                "The input password appears not to have been hashed. The 'password' argument must be \
                encrypted for this module to work properly.",
            );
        }
        if self.append && self.groups.is_none() {
            outcome = outcome.warn(
                "'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups.",
            );
        }
        Ok(outcome)
    }
}

/// What stands for no home directory in the entries of system users.
const NO_HOMES: [&str; 3] = ["/nonexistent", "/dev/null", "/var/empty"];

fn find(name: &str) -> Option<Entry> {
    accounts::user(name)
}

impl User {
    fn program(&self, name: &str) -> Program {
        Program::new([if self.local { format!("l{name}") } else { name.to_owned() }])
    }

    fn absent(&self, host: &Host) -> Result<Outcome, Failure> {
        let there = find(&self.name).is_some();
        if there {
            let mut program = self.program("userdel");
            if self.force && !self.local {
                program = program.arg("-f");
            }
            if self.remove {
                program = program.arg("-r");
            }
            let output = host.run(&program.clone().arg(&self.name))?;
            // 12: the home directory could not be removed, since there was none.
            if !matches!(output.rc, 0 | 12) {
                return Err(crate::host::ended_badly(&program, &output).with("name", self.name.as_str()));
            }
        }
        Ok(Outcome::changed(there)
            .with("name", self.name.as_str())
            .with("state", "absent")
            .with("force", self.force)
            .with("remove", self.remove))
    }

    fn present(&self, host: &Host) -> Result<Outcome, Failure> {
        let unknown = self.check_groups(host)?;
        let old = find(&self.name);
        let (name, options) = match &old {
            None => ("useradd", self.new_options(host)?),
            Some(entry) => ("usermod", self.changed_options(host, entry)?),
        };
        let password = self.new_password(old.is_none());
        let mut outcome = Outcome::changed(old.is_none() || !options.is_empty());
        if outcome.changed {
            let home = self.home.as_ref().map(|home| home.resolve(host.context));
            if let Some(directory) = home.as_deref().and_then(std::path::Path::parent)
                && old.is_none()
                && self.create_home
            {
                crate::host::edit::make_directories(host, directory)?;
            }
            let program = self.program(name).args(options).arg(&self.name);
            host.run_ok(&program).map_err(|failure| failure.with("name", self.name.as_str()))?;
        }
        if let Some(password) = password {
            password::set(host, &self.name, &password).map_err(|f| f.with("name", self.name.as_str()))?;
            outcome.changed = true;
        }
        if self.local {
            outcome.changed |= local::finish(self, host)?;
        }
        outcome.changed |= self.expire_password(host, old.is_none())?;
        if let Some(entry) = find(&self.name) {
            outcome.changed |= self.make_home(host, &entry)?;
        }
        if self.generate_ssh_key {
            outcome = key::generate(self, host, outcome)?;
        }
        let told = unknown
            .map(|name| format!("Group {name} does not exist. Create it up to this point in real play"));
        outcome.warnings.extend(told);
        Ok(self.describe(host, outcome))
    }

    /// Fails if a group does not exist. In check mode, an earlier task may be what creates it: it is returned.
    fn check_groups(&self, host: &Host) -> Result<Option<&str>, Failure> {
        let unknown = self.group.iter().chain(self.groups.iter().flatten()).find(|g| group(g).is_none());
        match unknown {
            Some(unknown) if !host.check() => Err(Failure::new(format!("Group {unknown} does not exist"))
                .with("name", self.name.as_str())
                .with_help("Create it first, with the group module.")),
            unknown => Ok(unknown.map(String::as_str)),
        }
    }

    /// What both programs take.
    fn common(&self, options: &mut Vec<String>, flag: &str, value: Option<String>) {
        if let Some(value) = value {
            options.extend([flag.to_owned(), value]);
        }
    }

    fn shell(&self, host: &Host) -> Option<String> {
        self.shell.as_ref().map(|shell| shell.resolve(host.context).display().to_string())
    }

    fn new_options(&self, host: &Host) -> Result<Vec<String>, Failure> {
        let mut options = Vec::new();
        self.common(&mut options, "-u", self.uid.map(|n| n.to_string()));
        if self.uid.is_some() && self.non_unique {
            options.push("-o".into());
        }
        if self.group.is_none() && group(&self.name).is_some() {
            // A group of the user's name exists already, and useradd would fail to create it.
            options.push(if self.local { "-n" } else { "-N" }.into());
        }
        self.common(&mut options, "-g", self.group.clone());
        let groups = self.groups.as_ref().filter(|g| !g.is_empty() && !self.local).map(|g| g.join(","));
        self.common(&mut options, "-G", groups);
        self.common(&mut options, "-c", self.comment.clone());
        self.common(
            &mut options,
            "-d",
            self.home.as_ref().map(|h| h.resolve(host.context).display().to_string()),
        );
        self.common(&mut options, "-s", self.shell(host));
        self.common(&mut options, "-e", self.expires.filter(|_| !self.local).map(date_of));
        self.common(&mut options, "-Z", self.seuser.clone());
        if self.create_home {
            if !self.local {
                options.push("-m".into());
            }
            self.common(&mut options, "-k", self.skeleton.clone());
            self.common(&mut options, "-K", self.umask.as_ref().map(|u| format!("UMASK={u}")));
        } else {
            options.push("-M".into());
        }
        self.common(&mut options, "-K", self.uid_min.map(|n| format!("UID_MIN={n}")));
        self.common(&mut options, "-K", self.uid_max.map(|n| format!("UID_MAX={n}")));
        if self.system {
            options.push("-r".into());
        }
        Ok(options)
    }

    fn changed_options(&self, host: &Host, entry: &Entry) -> Result<Vec<String>, Failure> {
        let mut options = Vec::new();
        if let Some(uid) = self.uid.filter(|uid| *uid != entry.uid.as_raw()) {
            options.extend(["-u".to_owned(), uid.to_string()]);
            if self.non_unique {
                options.push("-o".into());
            }
        }
        if let Some(name) = &self.group {
            match group(name) {
                Some(own) if own.gid == entry.gid => {}
                Some(own) => options.extend(["-g".to_owned(), own.gid.to_string()]),
                None => options.extend(["-g".to_owned(), name.clone()]),
            }
        }
        if let Some(wanted) = self.groups.as_ref().filter(|_| !self.local) {
            let mut now = groups_of(&self.name);
            let mut wanted: Vec<String> =
                wanted.iter().map(|g| group(g).map_or_else(|| g.clone(), |g| g.name)).collect();
            // The primary group does not count as a supplementary one.
            let own = self.group.as_deref().and_then(group).or_else(|| accounts::group_of(entry.gid));
            wanted.retain(|g| own.as_ref().is_none_or(|own| *g != own.name));
            now.retain(|g| own.as_ref().is_none_or(|own| *g != own.name));
            let missing = wanted.iter().any(|g| !now.contains(g));
            let extra = now.iter().any(|g| !wanted.contains(g));
            if missing || extra && !self.append {
                if self.append {
                    options.push("-a".into());
                }
                options.extend(["-G".to_owned(), wanted.join(",")]);
            }
        }
        let text = |t: &std::ffi::CStr| t.to_string_lossy().into_owned();
        self.common(&mut options, "-c", self.comment.clone().filter(|c| *c != text(&entry.gecos)));
        let home = self.home.as_ref().map(|h| h.resolve(host.context)).filter(|h| *h != entry.dir);
        if let Some(home) = home {
            options.extend(["-d".to_owned(), home.display().to_string()]);
            if self.move_home {
                options.push("-m".into());
            }
        }
        self.common(&mut options, "-s", self.shell(host).filter(|s| *s != entry.shell.display().to_string()));
        let shadow = Shadow::of(&self.name);
        if let Some(expires) = self.expires.filter(|_| !self.local)
            && shadow.as_ref().is_none_or(|shadow| shadow.expires != day_of(expires))
        {
            options.extend(["-e".to_owned(), date_of(expires)]);
        }
        let locked = shadow.is_some_and(|shadow| shadow.password.starts_with('!'));
        match self.password_lock {
            _ if self.new_password(false).is_some() => {}
            Some(true) if !locked => options.push("-L".into()),
            Some(false) if locked => options.push("-U".into()),
            _ => {}
        }
        self.common(&mut options, "-Z", self.seuser.clone());
        Ok(options)
    }

    /// The password as it is to be set; none where it need not be.
    fn new_password(&self, new: bool) -> Option<String> {
        let password = self.password.as_deref()?;
        let now = Shadow::of(&self.name).filter(|_| !new).unwrap_or_default().password;
        let same = now.trim_start_matches('!') == password.trim_start_matches('!');
        if !new && (same || self.update_password == UpdatePassword::OnCreate) {
            return None;
        }
        Some(if self.password_lock == Some(true) { format!("!{password}") } else { password.to_owned() })
    }

    fn expire_password(&self, host: &Host, new: bool) -> Result<bool, Failure> {
        let now = Shadow::of(&self.name).unwrap_or_default();
        let wanted = [
            ("-M", self.password_expire_max, now.max),
            ("-m", self.password_expire_min, now.min),
            ("-W", self.password_expire_warn, now.warn),
            ("-I", self.password_expire_account_disable, now.disable),
        ];
        let differing = wanted.into_iter().filter(|(_, wanted, now)| wanted.is_some() && wanted != now);
        let options: Vec<String> = differing
            .flat_map(|(flag, wanted, _)| [flag.to_owned(), wanted.unwrap_or(-1).to_string()])
            .collect();
        if options.is_empty() {
            return Ok(false);
        }
        host.run_ok(&Program::new(["chage"]).args(options).arg(&self.name))?;
        Ok(!new)
    }

    /// A user who was there without a home directory gets one.
    fn make_home(&self, host: &Host, entry: &Entry) -> Result<bool, Failure> {
        let home = self.home.as_ref().map_or_else(|| entry.dir.clone(), |h| h.resolve(host.context));
        if !self.create_home
            || home.exists()
            || NO_HOMES.iter().any(|none| home == std::path::Path::new(none))
        {
            return Ok(false);
        }
        let (uid, gid) = (entry.uid.as_raw(), entry.gid.as_raw());
        crate::host::edit::make_directories(host, home.parent().unwrap_or(&home))?;
        let skeleton = self.skeleton.clone().unwrap_or_else(|| "/etc/skel".into());
        if std::path::Path::new(&skeleton).is_dir() {
            host.run_ok(&Program::new(["cp", "-a", &skeleton, &home.display().to_string()]))?;
        } else {
            host.create_directory(&home).doing("could not make the home directory", &home)?;
        }
        host.run_ok(&Program::new(["chown", "-R", &format!("{uid}:{gid}"), &home.display().to_string()]))?;
        let mask = self.umask.as_deref().and_then(|mask| u32::from_str_radix(mask, 8).ok());
        host.set_mode(&home, mask.map_or_else(home_mode, |mask| 0o777 & !mask))
            .doing("chmod failed", &home)?;
        Ok(true)
    }

    fn describe(&self, host: &Host, mut outcome: Outcome) -> Outcome {
        let given = |text: &Option<String>| text.clone().map_or(Value::Null, Value::from);
        outcome = outcome
            .with("name", self.name.as_str())
            .with("state", "present")
            .with("append", self.append)
            .with("move_home", self.move_home);
        if let Some(entry) = find(&self.name) {
            outcome = outcome
                .with("uid", entry.uid.as_raw())
                .with("group", entry.gid.as_raw())
                .with("home", entry.dir.display().to_string())
                .with("shell", entry.shell.display().to_string())
                .with("comment", entry.gecos.to_string_lossy().into_owned());
        }
        if host.check() {
            let home = self.home.as_ref().map(|h| h.resolve(host.context).display().to_string());
            for (name, value) in [("comment", &self.comment), ("home", &home)] {
                if value.is_some() {
                    outcome = outcome.with(name, given(value));
                }
            }
        }
        if let Some(entry) = find(&self.name) {
            let own = accounts::group_of(entry.gid).map(|group| group.name);
            let groups: Vec<String> =
                groups_of(&self.name).into_iter().filter(|g| Some(g) != own.as_ref()).collect();
            outcome = outcome.with("groups", groups.join(","));
        }
        if self.password.is_some() {
            outcome = outcome.with("password", "NOT_LOGGING_PASSWORD");
        }
        if self.uid.is_some() && host.check() {
            outcome = outcome.with("uid", self.uid.map_or(Value::Null, Value::from));
        }
        if outcome.changed && self.system {
            outcome = outcome.with("system", true);
        }
        outcome.with("create_home", self.create_home)
    }
}

fn group(name: &str) -> Option<Group> {
    accounts::group(name).or_else(|| accounts::group_of(name.parse::<u32>().ok()?.into()))
}

/// The groups that list a user.
fn groups_of(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let lists =
        |line: &&str| line.rsplit(':').next().is_some_and(|members| members.split(',').any(|m| m == name));
    text.lines().filter(lists).filter_map(|l| Some(l.split(':').next()?.to_owned())).collect()
}

/// The mode of home directories, as the system's own programs have it.
fn home_mode() -> u32 {
    let text = std::fs::read_to_string("/etc/login.defs").unwrap_or_default();
    let set = |name: &str| {
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(name))?;
        u32::from_str_radix(line.split_whitespace().next()?, 8).ok()
    };
    set("HOME_MODE").unwrap_or_else(|| 0o777 & !set("UMASK").unwrap_or(0o022))
}

/// The day of a time, counted from 1970; none is never.
fn day_of(seconds: f64) -> Option<i64> {
    (seconds >= 0.0).then(|| (seconds / 86_400.0).floor() as i64)
}

/// A day, as `useradd -e` takes it; empty is never.
fn date_of(seconds: f64) -> String {
    let time = jiff::Timestamp::from_second(seconds as i64).ok().filter(|_| seconds >= 0.0);
    time.map(|t| t.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}
