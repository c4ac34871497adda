//! A playbook of everyday modules (`reference/`) on a fresh Debian: done at the second run, and the same on a twin that
//! ansible-core made.

use std::path::Path;
use std::time::Duration;

use xtask::fleet::Make;
use xtask::tested::Ended;

use crate::scene::{Program, Scene, compare, serve};

const PAGE: &str = "a page\n";

#[test]
fn a_host_is_made_as_ansible_makes_it() {
    let Some(ours) = Scene::compared("the reference playbook") else { return };
    let Some(theirs) = Scene::new("the reference playbook", Program::AnsibleCore) else { return };
    let [(our_runs, ours), (their_runs, theirs)] = std::thread::scope(|scope| {
        [ours, theirs].map(|scene| scope.spawn(move || make(&scene))).map(|twin| twin.join().expect("a twin"))
    });
    for (ours, theirs) in our_runs.iter().zip(&their_runs) {
        assert_eq!(ours.recap(), theirs.recap(), "{}\n{}", ours.text(), theirs.text());
    }
    let differences = compare(&theirs, &ours);
    assert!(
        differences.is_empty(),
        "the twins differ (- ansible-core's, + ours):\n{}",
        differences.join("\n")
    );
}

/// Runs the playbook twice on a new machine, and records its state.
fn make(scene: &Scene) -> (Vec<Ended>, String) {
    let root = xtask::debian::root(&xtask::debian::HOST).expect("a Debian");
    let machine = Make { name: "twin", root: &root, ..Make::default() };
    let machine = scene.fleet.make(machine).expect("a machine");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/reference");
    let script = |name: &str| std::fs::read_to_string(directory.join(name)).expect("a script");
    machine.shell(&script("prepare.sh")).expect("a prepared machine");
    if scene.is_ours() {
        machine.shell("rm -f /usr/bin/python3*").expect("no Python");
    }
    scene.inventory(&[(&machine, "")]);
    let copied =
        std::process::Command::new("cp").arg("-r").arg(&directory).arg(scene.path("reference")).status();
    assert!(copied.is_ok_and(|status| status.success()), "the playbook's copy");
    std::fs::copy(machine.path("/srv/pack.tar.gz"), scene.path("reference/files/pack.tar.gz"))
        .expect("an archive");

    let web = serve(&machine, 0, "text/plain", |_| Some(PAGE.into()));
    let variables =
        serde_json::json!({"web": web, "page": PAGE, "fetched": scene.path("fetched")}).to_string();
    let run = |book: &str| {
        let run = scene.start(&format!("- import_playbook: reference/{book}.yml\n"), &["-e", &variables]);
        run.end_within(Duration::from_secs(400)).ok()
    };
    let runs = vec![run("site"), run("site")];
    assert!(runs[0].count("twin", "changed") > 40, "{}", runs[0].text());
    assert_eq!(runs[1].count("twin", "changed"), 0, "{}", runs[1].text());
    let fetched = std::fs::read_to_string(scene.path("fetched")).expect("a fetched file");
    assert_eq!(fetched, "Looked after by hand? No.\n* twin\n");
    let cron = machine.processes().iter().any(|line| line.ends_with("/usr/sbin/cron"));
    assert!(cron, "no cron in {:?}", machine.processes());
    let picture = machine.shell(&script("snapshot.sh")).expect("a picture");
    if scene.is_ours() {
        assert_eq!(run("beyond").count("twin", "changed"), 1);
        assert_eq!(run("beyond").count("twin", "changed"), 0);
    }
    (runs, picture)
}
