//! A first deployment into an empty account: check mode passes through it, and says what would be made.

use xtask::moto::Moto;
use xtask::proxy::Proxy;

use crate::support::{Ended, Project};

/// The playbook: everything that a service on Fargate needs.
const BOOK: &str = include_str!("projects/from_nothing.yml");

/// An account of its own, and the project.
struct Account {
    project: Project,
    proxy: Proxy,
    _emulator: Moto,
}

impl Account {
    fn new() -> Account {
        let emulator = Moto::start().expect("an emulator");
        let proxy = Proxy::start(emulator.port).expect("a proxy");
        Account { project: Project::new(&[("site.yml", BOOK)]), proxy, _emulator: emulator }
    }

    fn run(&self, options: &[&str]) -> Ended {
        let mut command = self.project.command(&["run", "site.yml"]);
        command.args(options).envs(xtask::aws::environment(&self.proxy.endpoint()));
        Ended::of(&mut command)
    }

    /// Returns the operations that change something since the last time.
    fn writes(&self) -> Vec<String> {
        self.proxy
            .take_calls()
            .into_iter()
            .filter(|call| !call.is_read_only())
            .map(|call| call.name())
            .collect()
    }
}

#[test]
fn a_first_deployment_is_planned_made_and_deleted() {
    let account = Account::new();
    let planned = account.run(&["--check", "--diff"]).ok();
    assert_eq!(planned.sums().failed, 0, "{}", planned.text());
    assert_eq!(account.writes(), Vec::<String>::new());

    let made = account.run(&[]).ok();
    // Items of a loop count once: check mode foresees what the run changes.
    assert_eq!(planned.sums().changed, made.sums().changed, "{}\n{}", planned.text(), made.text());

    account.writes();
    let again = account.run(&[]).ok();
    assert_eq!(again.sums().changed, 0, "{}", again.text());
    assert_eq!(account.writes(), Vec::<String>::new());

    let foreseen = account.run(&["--check", "-e", "count=3"]).ok();
    assert_eq!(foreseen.sums().changed, 1, "{}", foreseen.text());
    assert_eq!(account.writes(), Vec::<String>::new());

    account.run(&["-e", "state=absent"]).ok();
    let gone = account.run(&["-e", "state=absent", "--check"]).ok();
    assert_eq!(gone.sums().changed, 0, "{}", gone.text());
}
