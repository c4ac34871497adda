//! What is there, told by ansible-core and by `playbook`: the same bytes on standard output, and the same exit code.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::support::{Ended, playbook};
use xtask::tested::{AS_THE_ORACLE, skip};

/// The modules that the reference deployment calls: ansible-core lists the tasks of modules that are there.
const OUR_MODULES: [&str; 8] = [
    "db_migrate",
    "ecs_cluster",
    "ecs_service",
    "ecs_taskdefinition",
    "ecs_task",
    "postgresql_db",
    "rds_instance",
    "wait_until",
];

/// Of the listings of ansible-core's targets, every so manieth is compared: all of them take minutes.
const SAMPLE: usize = 6;

/// Files that are listed differently, and meant to be: docs/differences.md says why.
const DIFFERENT: [&str; 3] = [
    // Refused when it is loaded here, and when it runs there.
    "test_flush_handlers_as_handler.yml",
    // `b'text'` and `1j` in an INI file.
    "inventory_ini/inventory.ini",
    // A relative path with commas.
    "this,path,has,commas/hosts",
];

struct Oracle {
    bin: PathBuf,
    home: tempfile::TempDir,
}

/// One command line, run in a directory.
struct Listing {
    dir: PathBuf,
    words: Vec<String>,
}

impl Listing {
    fn is_meant_to_differ(&self) -> bool {
        let file = self.dir.join(&self.words[2]).to_string_lossy().into_owned();
        let nulls = file.ends_with("inventory.ini") && self.words.iter().any(|word| word == "--toml");
        let named = |name: &str| file.ends_with(name) || self.words.iter().any(|word| word == name);
        nulls || DIFFERENT.into_iter().any(named)
    }
}

impl Oracle {
    fn new(test: &str) -> Option<Oracle> {
        let Some(bin) = std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from) else {
            skip(test, "no oracle: run the tests with `cargo xtask test`");
            return None;
        };
        let home = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(home.path().join("ansible.cfg"), "[defaults]\n").expect("the settings");
        std::fs::write(home.path().join("hosts"), "[testgroup]\ntesthost ansible_connection=local\n")
            .expect("hosts");
        std::fs::create_dir(home.path().join("library")).expect("a directory");
        for module in OUR_MODULES {
            std::fs::write(home.path().join(format!("library/{module}.py")), "").expect("a module");
        }
        Some(Oracle { bin, home })
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_string_lossy().into_owned()
    }

    /// The same settings for both; roles are also looked for in a directory.
    fn environment(&self, command: &mut Command, roles: &Path) {
        command
            .env("ANSIBLE_CONFIG", self.path("ansible.cfg"))
            .env("ANSIBLE_LIBRARY", self.path("library"))
            .env("ANSIBLE_ROLES_PATH", roles)
            .env("HOME", self.home.path())
            .env("LC_ALL", "C.UTF-8")
            .env("ANSIBLE_DEPRECATION_WARNINGS", "false")
            // Modules that have moved from ansible-core into collections are known to it alone.
            .env("PLAYBOOK_PYTHON", self.bin.join("python"));
    }

    /// What ansible-core prints: one process for all, since it takes a second to start.
    fn theirs(&self, listings: &[&Listing], roles: &Path) -> Vec<Json> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/listings.py");
        let mut command = Command::new(self.bin.join("python"));
        self.environment(&mut command, roles);
        let mut child =
            command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python");
        let asked: Vec<Json> =
            listings.iter().map(|l| json!({ "directory": l.dir, "words": l.words })).collect();
        let text = Json::from(asked).to_string();
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("the listings");
        let output = child.wait_with_output().expect("Python");
        serde_json::from_slice(&output.stdout).expect("what was listed")
    }

    fn ours(&self, listing: &Listing, roles: &Path) -> Ended {
        let mut command = playbook(&listing.dir);
        self.environment(&mut command, roles);
        command.envs([AS_THE_ORACLE]);
        command.arg0(&listing.words[0]).args(&listing.words[1..]);
        Ended::of(&mut command)
    }

    /// Runs listings with both; what differs.
    fn compare(&self, listings: &[&Listing], roles: &Path) -> Vec<String> {
        let theirs = self.theirs(listings, roles);
        let difference = |(listing, theirs): (&&Listing, &Json)| {
            let ours = self.ours(listing, roles);
            let (code, text) =
                (theirs["code"].as_i64(), plain(theirs["stdout"].as_str().unwrap_or_default()));
            if (code, &text) == (Some(ours.code.into()), &plain(&ours.stdout)) {
                return None;
            }
            let lines = text
                .lines()
                .map(str::to_owned)
                .zip(plain(&ours.stdout).lines().map(str::to_owned))
                .collect::<Vec<_>>();
            let differing = lines.iter().find(|(a, b)| a != b).map(|(a, b)| format!("- {a}\n+ {b}\n"));
            Some(format!(
                "== {}: {}: exit codes {} and {}\n{}{}{}",
                listing.dir.display(),
                listing.words.join(" "),
                theirs["code"],
                ours.code,
                differing.unwrap_or_else(|| "one is longer\n".into()),
                theirs["stderr"].as_str().unwrap_or_default(),
                ours.stderr,
            ))
        };
        listings.iter().zip(&theirs).filter_map(difference).collect()
    }

    /// Compares listings, half of them at a time; those that are meant to differ are left out.
    fn compare_all(&self, listings: &[Listing], roles: &Path) {
        let compared: Vec<&Listing> = listings.iter().filter(|l| !l.is_meant_to_differ()).collect();
        let halves = compared.split_at(compared.len() / 2);
        let differences = std::thread::scope(|scope| {
            let first = scope.spawn(|| self.compare(halves.0, roles));
            let mut differences = self.compare(halves.1, roles);
            differences.extend(first.join().expect("the first half"));
            differences
        });
        let (count, all) = (differences.len(), compared.len());
        assert!(differences.is_empty(), "{}\n{count} of {all} differ", differences.join("\n"));
    }
}

/// What may differ: ansible-core lists a play's hosts in no order, and runs on a Python of its own.
fn plain(text: &str) -> String {
    let mut lines: Vec<&str> =
        text.lines().filter(|line| !line.contains("\"ansible_python_interpreter\": \"/")).collect();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].starts_with("    hosts (") {
            let end = lines[at + 1..]
                .iter()
                .position(|l| !l.starts_with("      "))
                .map_or(lines.len(), |n| at + 1 + n);
            lines[at + 1..end].sort_unstable();
            at = end;
        } else {
            at += 1;
        }
    }
    lines.join("\n")
}

fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| (*word).to_owned()).collect()
}

fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn is_playbook(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| line.trim_start_matches("- ").trim_start().starts_with("hosts:"))
}

/// Listings of every playbook of a directory.
fn of_playbooks(dir: &Path, inventory: &str) -> Vec<Listing> {
    let is_playbook = |name: &String| name.ends_with(".yml") && is_playbook(&dir.join(name));
    let options = ["--list-tasks", "--list-tags", "--list-hosts"];
    let listing = |name: String| Listing {
        dir: dir.to_owned(),
        words: words(&["ansible-playbook", "-i", inventory, &name, options[0], options[1], options[2]]),
    };
    files(dir).into_iter().filter(is_playbook).map(listing).collect()
}

/// The forms of an inventory.
const FORMS: [&[&str]; 12] = [
    &["--list"],
    &["--list", "--export"],
    &["--list", "--yaml"],
    &["--list", "--yaml", "--export"],
    &["--list", "--toml"],
    &["--list", "--toml", "--export"],
    &["--list", "--limit", "all[0]"],
    &["--list", "--output", "/dev/stdout"],
    &["--graph"],
    &["--graph", "--vars"],
    &["--graph", "all", "--limit", "!all[0]"],
    &["--host", "localhost"],
];

/// Listings of an inventory in every form.
fn of_inventory(dir: &Path, source: &str) -> Vec<Listing> {
    let listing = |form: &[&str]| Listing {
        dir: dir.to_owned(),
        words: [words(&["ansible-inventory", "-i", source]), words(form)].concat(),
    };
    FORMS.into_iter().map(listing).collect()
}

/// The inventories in a target's directory and below it, by their paths there.
fn inventories(dir: &Path, below: &Path, found: &mut Vec<String>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(dir.join(below)).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inside = below.join(&name);
        let of_tasks = ["group_vars", "host_vars", "tasks", "roles"].contains(&name.as_str());
        let hosts = name.contains("inventory") || name.contains("hosts");
        let program = [".sh", ".py", ".j2", ".md"].iter().any(|end| name.ends_with(end));
        if path.is_dir() && !of_tasks {
            inventories(dir, &inside, found);
        } else if path.is_file() && !program && !is_playbook(&path) {
            let ending = path.extension().is_some_and(|e| e == "ini" || e == "toml");
            found.extend((hosts || ending).then(|| inside.to_string_lossy().into_owned()));
        }
    }
}

#[test]
fn listings_read_like_ansibles() {
    let Some(oracle) = Oracle::new("comparison of listings with ansible-core") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut listings = of_playbooks(&root.join("tests/oracle"), "hosts.ini");
    listings.extend(of_playbooks(&root.join("playbooks"), "localhost,"));
    listings.extend(of_inventory(&root.join("tests/oracle"), "hosts.ini"));
    let is_ours = |name: &String| {
        std::fs::read_to_string(root.join("inventory").join(name))
            .unwrap_or_default()
            .contains("terraform_outputs")
    };
    for name in files(&root.join("inventory")).into_iter().filter(|name| !is_ours(name)) {
        listings.extend(of_inventory(&root.join("inventory"), &name));
    }
    assert!(listings.len() > 15, "{}", listings.len());
    oracle.compare_all(&listings, &root.join("roles"));
}

#[test]
fn listings_of_upstream_targets_read_like_ansibles() {
    let test = "comparison of upstream listings";
    let Some(oracle) = Oracle::new(test) else { return };
    let cache = xtask::cache::directory().expect("the cache");
    let targets = cache.join("ansible-core/2.19.14/ansible_core-2.19.14/test/integration/targets");
    if !targets.exists() {
        return skip(
            test,
            "the source of ansible-core is not in the cache: `cargo xtask upstream` fetches it",
        );
    }
    let known: Json =
        serde_json::from_str(include_str!("../upstream/reference.json")).expect("the reference");
    let mut listings = Vec::new();
    for target in known.as_object().expect("targets").keys() {
        let dir = targets.join(target);
        listings.extend(of_playbooks(&dir, &oracle.path("hosts")));
        let mut sources = Vec::new();
        inventories(&dir, Path::new(""), &mut sources);
        listings.extend(sources.iter().flat_map(|name| of_inventory(&dir, name)));
    }
    assert!(listings.len() > 800, "{}", listings.len());
    // Every target in some of its files, every form of an inventory in some.
    let sample: Vec<Listing> = listings
        .into_iter()
        .enumerate()
        .filter(|(at, _)| (at + at / 12) % SAMPLE == 0)
        .map(|(_, l)| l)
        .collect();
    oracle.compare_all(&sample, &targets);
}

/// The table of modules in README.md is what `playbook doc --readme` prints.
#[test]
fn the_readme_lists_all_modules() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).expect("README.md");
    let (begin, end) = ("<!-- The table of `playbook doc --readme` -->\n", "<!-- The end of the table -->");
    let (before, rest) = text.split_once(begin).expect("the table");
    let (table, after) = rest.split_once(end).expect("the end of the table");
    let current = crate::support::Project::new(&[]).run(&["doc", "--readme"]).ok().stdout;
    if table != current && std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, format!("{before}{begin}{current}{end}{after}")).expect("README.md");
    }
    assert_eq!(table, current, "run the test with UPDATE_README=1");
}
