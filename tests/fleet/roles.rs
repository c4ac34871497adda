//! Roles as people have them (`roles/`) on Debian machines that boot systemd: a twin that ansible-core has made by the same
//! roles is the same, and so is what both report.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use xtask::fleet::Make;
use xtask::tested::Ended;

use crate::scene::{Program, Scene, collections, compare, oracle, releases, serve};

/// The port of the server with a vendor's packages.
const PORT: u16 = 8099;

#[test]
fn a_web_server() {
    everywhere("web");
}

#[test]
fn a_database_server() {
    everywhere("database");
}

#[test]
fn docker() {
    everywhere("docker");
}

#[test]
fn hardening() {
    everywhere("hardening");
}

#[test]
fn an_application() {
    everywhere("application");
}

/// Plays a role on each release, with both programs.
#[track_caller]
fn everywhere(role: &str) {
    for release in &releases() {
        let what = format!("the role {role} on {release}");
        let Some(ours) = Scene::compared(&what) else { return };
        let Some(theirs) = Scene::new(&what, Program::AnsibleCore) else { return };
        let twins = [ours, theirs];
        let [ours, theirs] = std::thread::scope(|scope| {
            twins
                .map(|scene| scope.spawn(move || play(&scene, role, release)))
                .map(|twin| twin.join().expect("a twin"))
        });
        let mut differences = Vec::new();
        for (number, (ours, theirs)) in ours.runs.iter().zip(&theirs.runs).enumerate() {
            assert_eq!(ours.recap(), theirs.recap(), "{what}\n{}\n{}", ours.text(), theirs.text());
            let lines = compare(&report(theirs), &report(ours));
            differences.extend(lines.into_iter().map(|line| format!("run {}: {line}", number + 1)));
        }
        differences.extend(compare(&theirs.picture, &ours.picture));
        assert!(
            differences.is_empty(),
            "{what}: the twins differ (- ansible-core's, + ours):\n{}",
            differences.join("\n")
        );
    }
}

/// What playing a role twice has left.
struct Twin {
    runs: Vec<Ended>,
    picture: String,
}

/// Returns what a run reports of each task: its name and how it ended for each item.
fn report(run: &Ended) -> String {
    let mut text = String::new();
    let mut task = String::new();
    for line in run.stdout.lines() {
        // Each scene has a directory of its own.
        let line = match line.split_once("/tmp/scene-") {
            Some((before, after)) => {
                format!("{before}{}", after.split_once('/').map_or("", |(_, rest)| rest))
            }
            None => line.to_owned(),
        };
        let line = line.split(" => {").next().unwrap_or_default().trim_end_matches('*').trim_end();
        // What `validate` reads is a temporary file.
        let words = line.split(' ').map(|word| {
            let temporary = ["ansible-moduletmp", ".ansible_tmp"].iter().any(|name| word.contains(name));
            if temporary { "TEMPORARY" } else { word }
        });
        let line = words.collect::<Vec<_>>().join(" ");
        let line = line.as_str();
        // Retries depend on how fast the machine is.
        if line.starts_with("FAILED - RETRYING") {
            continue;
        }
        if line.starts_with("TASK [") || line.starts_with("RUNNING HANDLER [") {
            task = line.to_owned();
        }
        text.push_str(&format!("{task} {line}\n"));
    }
    text
}

fn play(scene: &Scene, role: &str, release: &str) -> Twin {
    let root = xtask::debian::root(&xtask::debian::booted(release)).expect("a Debian");
    let make = Make { name: "twin", root: &root, boots: true, ..Make::default() };
    let machine = scene.fleet.make(make).expect("a machine");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/roles");
    let script = |name: &str| std::fs::read_to_string(directory.join(name)).expect("a script");
    machine.shell(&script("prepare.sh")).expect("a prepared machine");
    scene.inventory(&[(&machine, "ansible_user=keeper")]);
    let copied = Command::new("cp").arg("-r").arg(directory.join("roles")).arg(scene.path("roles")).status();
    assert!(copied.is_ok_and(|status| status.success()), "the roles' copy");
    let files = scene.path("roles/application/files");
    std::fs::create_dir_all(&files).expect("a directory");
    std::fs::copy(machine.path("/srv/assets.tar.gz"), files.join("assets.tar.gz")).expect("an archive");
    let python = oracle().expect("ansible-core").join("python");
    scene.environment.borrow_mut().extend([
        ("ANSIBLE_COLLECTIONS_PATH", collections().expect("collections").display().to_string()),
        ("PLAYBOOK_PYTHON", python.display().to_string()),
    ]);

    // Both twins know the server by the same address, which stands in files.
    let hosts = format!("echo {} vendor.example >> /etc/hosts", machine.gateway());
    machine.shell(&hosts).expect("a name for the server");
    let vendor = root.join("srv/vendor");
    serve(&machine, PORT, "application/octet-stream", move |path| {
        // apt encodes these characters of packages' file names.
        let path = path.replace("%2b", "+").replace("%25", "%").replace("%7e", "~");
        std::fs::read(vendor.join(path)).ok()
    });
    let variables = serde_json::json!({"vendor": format!("http://vendor.example:{PORT}")}).to_string();
    let book = script(&format!("{role}.yml"));
    let run = || scene.start(&book, &["-e", &variables]).end_within(Duration::from_secs(600)).ok();
    let runs = vec![run(), run()];
    let picture = machine.shell(&script("snapshot.sh")).expect("a picture");
    Twin { runs, picture }
}
