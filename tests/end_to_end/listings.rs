//! What is there, told by ansible-core and by `playbook`: the same bytes on standard output, and the same exit code.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Ended, playbook};
use xtask::tested::skip;

/// Targets of ansible-core whose playbooks need none of the Python beside them, a sample of every kind of play.
const TARGETS: [&str; 12] = [
    "blocks",
    "handlers",
    "include_vars",
    "inventory_constructed",
    "keyword_inheritance",
    "loops",
    "meta_tasks",
    "roles_arg_spec",
    "strategy_linear",
    "tags",
    "var_blending",
    "var_precedence",
];

/// The modules that the reference deployment calls: ansible-core lists the tasks of modules that are there.
const OUR_MODULES: [&str; 7] = [
    "db_migrate",
    "ecs_cluster",
    "ecs_service",
    "ecs_taskdefinition",
    "ecs_task",
    "rds_instance",
    "wait_until",
];

struct Oracle {
    bin: PathBuf,
    home: tempfile::TempDir,
}

/// One command line, run in a folder.
struct Listing {
    folder: PathBuf,
    words: Vec<String>,
}

impl Oracle {
    fn new(test: &str) -> Option<Oracle> {
        let Some(bin) = std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from) else {
            skip(test, "no oracle: run the tests with `cargo xtask test`");
            return None;
        };
        let home = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(home.path().join("ansible.cfg"), "[defaults]\n").expect("the settings");
        std::fs::write(home.path().join("hosts"), "[testgroup]\ntesthost ansible_connection=local\n")
            .expect("hosts");
        std::fs::create_dir(home.path().join("library")).expect("a folder");
        for module in OUR_MODULES {
            std::fs::write(home.path().join(format!("library/{module}.py")), "").expect("a module");
        }
        Some(Oracle { bin, home })
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_string_lossy().into_owned()
    }

    /// Runs one listing with both; what differs.
    fn compare(&self, listing: &Listing) -> Option<String> {
        let Listing { folder, words } = listing;
        let run = |mut command: Command| {
            command
                .current_dir(folder)
                .args(&words[1..])
                .env("ANSIBLE_CONFIG", self.path("ansible.cfg"))
                .env("ANSIBLE_LIBRARY", self.path("library"))
                .env("ANSIBLE_ROLES_PATH", folder.parent().unwrap_or(folder))
                .env("HOME", self.home.path())
                .env("LC_ALL", "C.UTF-8")
                .env("ANSIBLE_DEPRECATION_WARNINGS", "false");
            Ended::of(&mut command)
        };
        let theirs = run(Command::new(self.bin.join(&words[0])));
        let mut ours = playbook(folder);
        ours.arg0(&words[0]);
        let ours = run(ours);
        let name = format!("{}: {}", folder.display(), words.join(" "));
        if (theirs.code, plain(&theirs.stdout)) == (ours.code, plain(&ours.stdout)) {
            return None;
        }
        let differing = plain(&theirs.stdout)
            .lines()
            .zip(plain(&ours.stdout).lines())
            .find(|(a, b)| a != b)
            .map(|(a, b)| format!("- {a}\n+ {b}\n"));
        let stderr = if ours.code == theirs.code { "" } else { &ours.stderr };
        Some(format!(
            "== {name}: exit codes {} and {}\n{}{stderr}",
            theirs.code,
            ours.code,
            differing.unwrap_or_else(|| "one is longer\n".into())
        ))
    }

    fn compare_all(&self, listings: &[Listing]) {
        let next = AtomicUsize::new(0);
        let differences = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some(listing) = listings.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let found = self.compare(listing);
                        differences.lock().expect("the list").extend(found);
                    }
                });
            }
        });
        let differences = differences.into_inner().expect("the list");
        let (count, all) = (differences.len(), listings.len());
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

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Listings of every playbook of a folder.
fn of_playbooks(folder: &Path, inventory: &str) -> Vec<Listing> {
    let is_playbook = |name: &String| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        name.ends_with(".yml")
            && text.lines().any(|line| line.trim_start_matches("- ").trim_start().starts_with("hosts:"))
    };
    let options = ["--list-tasks", "--list-tags", "--list-hosts"];
    let listing = |name: String| Listing {
        folder: folder.to_owned(),
        words: words(&["ansible-playbook", "-i", inventory, &name, options[0], options[1], options[2]]),
    };
    files(folder).into_iter().filter(is_playbook).map(listing).collect()
}

/// Listings of an inventory in every form.
fn of_inventory(folder: &Path, source: &str) -> Vec<Listing> {
    let forms: [&[&str]; 6] = [
        &["--list"],
        &["--list", "--export"],
        &["--list", "--yaml"],
        &["--list", "--yaml", "--export"],
        &["--graph", "--vars"],
        &["--host", "localhost"],
    ];
    let listing = |form: &[&str]| Listing {
        folder: folder.to_owned(),
        words: [words(&["ansible-inventory", "-i", source]), words(form)].concat(),
    };
    forms.into_iter().map(listing).collect()
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
    oracle.compare_all(&listings);
}

#[test]
fn listings_of_upstream_targets_read_like_ansibles() {
    let test = "comparison of upstream listings";
    let Some(oracle) = Oracle::new(test) else { return };
    let cache = xtask::cache::folder().expect("the cache");
    let targets = cache.join("ansible-core/2.19.14/ansible_core-2.19.14/test/integration/targets");
    if !targets.exists() {
        return skip(
            test,
            "the source of ansible-core is not in the cache: `cargo xtask upstream` fetches it",
        );
    }
    let mut listings = Vec::new();
    for target in TARGETS {
        let folder = targets.join(target);
        // One is refused when it is loaded here, and when it runs there: docs/differences.md.
        let refused =
            |listing: &Listing| listing.words.iter().any(|w| w == "test_flush_handlers_as_handler.yml");
        let playbooks = of_playbooks(&folder, &oracle.path("hosts"));
        listings.extend(playbooks.into_iter().filter(|listing| !refused(listing)));
        let sources =
            files(&folder).into_iter().filter(|name| name.contains("inventory") && !name.ends_with(".sh"));
        listings.extend(sources.flat_map(|name| of_inventory(&folder, &name)));
    }
    assert!(listings.len() > 80, "{}", listings.len());
    oracle.compare_all(&listings);
}
