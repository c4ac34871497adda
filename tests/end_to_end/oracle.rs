//! The same playbooks (`tests/oracle/`) through ansible-core and through `playbook`: the same text and the same exit
//! status.
//!
//! Playbooks that stand directly in `tests/oracle/` are run by both whenever ansible-core is there. Those in
//! `tests/oracle/language/` are compared with what ansible-core printed when they were written, so that they need no
//! ansible-core; where it is there, the records are verified. `PLAYBOOK_TEST_RECORD=1` writes them anew. A case of a later
//! release of ansible-core than the oracle's says so (`# of: 2.21`), and its record is verified where
//! PLAYBOOK_TEST_ORACLE_2_21 names the directory of that release's programs.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ended, playbook};
use xtask::tested::{AS_THE_ORACLE, skip};

#[test]
fn reports_read_like_ansibles() {
    let Some(bin) = oracle() else {
        return skip("comparison with ansible-core", "no oracle: run the tests with `cargo xtask test`");
    };
    let directory = root();
    let home = Home::new();
    let mut books: Vec<PathBuf> =
        std::fs::read_dir(&directory).expect("the playbooks").flatten().map(|entry| entry.path()).collect();
    books.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    books.sort();
    assert!(!books.is_empty());

    let mut differences = Vec::new();
    for book in books {
        let name = book.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let options = options_of(&book);
        let run = |command| home.run(command, "hosts.ini", &name, &options);
        let theirs = run(ansible_playbook(&bin, &directory));
        let ours = run(ours(&directory));
        if (theirs.code, plain(&theirs.stdout)) != (ours.code, plain(&ours.stdout)) {
            differences.push(format!(
                "== {name}: exit codes {} and {}\n{}",
                theirs.code,
                ours.code,
                difference(&plain(&theirs.stdout), &plain(&ours.stdout))
            ));
        }
    }
    assert!(differences.is_empty(), "{}\n{} playbooks differ", differences.join("\n"), differences.len());
}

/// One case of the language: a directory with `play.yml`, what belongs to it, and `expected`.
struct Case {
    directory: PathBuf,
    name: String,
}

impl Case {
    fn all() -> Vec<Case> {
        let entries = std::fs::read_dir(root().join("language")).expect("the cases").flatten();
        let mut cases: Vec<Case> = entries
            .map(|entry| entry.path())
            .filter(|path| path.join("play.yml").is_file())
            .map(|directory| {
                let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Case { directory, name }
            })
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(!cases.is_empty());
        cases
    }

    /// Runs the case, and returns its exit status and what it printed, in the form of the record.
    fn run(&self, home: &Home, command: Command) -> String {
        let inventory = if self.directory.join("hosts").is_file() { "hosts" } else { "../hosts" };
        home.set(&lines_of(&self.directory.join("play.yml"), "# settings: "));
        let ended = home.run(command, inventory, "play.yml", &options_of(&self.directory.join("play.yml")));
        home.set(&[]);
        let place = self.directory.to_string_lossy().into_owned();
        let printed =
            without_errors(&plain(&ended.stdout)).replace(&place, "DIR").replace(&home.place(), "HOME");
        let lines: Vec<&str> = printed.lines().map(|line| line.trim_end_matches(['*', ' '])).collect();
        format!("exit status {}\n{}\n", ended.code, lines.join("\n").trim_end())
    }

    /// The release of ansible-core that the case is of, unless it is the oracle's.
    fn release(&self) -> Option<String> {
        lines_of(&self.directory.join("play.yml"), "# of: ").into_iter().next()
    }

    /// The command that runs the case with the behavior of its release.
    fn ours(&self) -> Command {
        let mut command = ours(&self.directory);
        command.envs(self.release().map(|release| ("PLAYBOOK_CORE", release)));
        command
    }

    /// The directory with the programs of the release that the case is of.
    fn oracle(&self) -> Option<PathBuf> {
        match self.release() {
            Some(release) => {
                let name = format!("PLAYBOOK_TEST_ORACLE_{}", release.replace('.', "_"));
                std::env::var_os(name).map(PathBuf::from)
            }
            None => oracle(),
        }
    }

    /// Whether the case becomes another user, which takes root here, or needs connections that the binary was built
    /// without.
    fn is_out_of_reach(&self) -> bool {
        let needs = lines_of(&self.directory.join("play.yml"), "# needs: ");
        let needs = |what: &str| needs.iter().any(|need| need == what);
        let without_root = needs("root") && !xtask::is_root();
        if without_root {
            xtask::tested::skip(&self.name, "it becomes another user, which requires root");
        }
        without_root
            || (option_env!("PLAYBOOK_NO_HELPER").is_some() && (needs("root") || needs("the helper")))
    }

    fn record(&self) -> PathBuf {
        self.directory.join("expected")
    }
}

#[test]
fn the_language_is_ansibles() {
    let home = Home::new();
    let recording = std::env::var_os("PLAYBOOK_TEST_RECORD").is_some();
    let mut differences = Vec::new();
    for case in Case::all() {
        if case.is_out_of_reach() {
            continue;
        }
        if let Some(bin) = case.oracle() {
            let theirs = case.run(&home, ansible_playbook(&bin, &case.directory));
            if recording {
                std::fs::write(case.record(), &theirs).expect("the record");
            }
            let record = std::fs::read_to_string(case.record()).unwrap_or_default();
            if theirs != record {
                let difference = difference(&record, &theirs);
                differences.push(format!("== {}: the record is not ansible-core's\n{difference}", case.name));
                continue;
            }
        }
        let record = std::fs::read_to_string(case.record()).expect("the record");
        let ours = case.run(&home, case.ours());
        if ours != record {
            differences.push(format!("== {}\n{}", case.name, difference(&record, &ours)));
        }
    }
    assert!(differences.is_empty(), "{}\n{} cases differ", differences.join("\n"), differences.len());
}

/// The directory with ansible-core's programs, where there is one.
fn oracle() -> Option<PathBuf> {
    std::env::var_os("PLAYBOOK_TEST_ORACLE").map(PathBuf::from)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle")
}

fn ansible_playbook(bin: &Path, directory: &Path) -> Command {
    let mut command = Command::new(bin.join("ansible-playbook"));
    command.current_dir(directory);
    command
}

fn ours(directory: &Path) -> Command {
    let mut command = playbook(directory);
    command.arg0("ansible-playbook").envs([AS_THE_ORACLE]);
    command
}

/// The options that a playbook's comments ask for (`# options: --check`).
fn options_of(book: &Path) -> Vec<String> {
    let lines = lines_of(book, "# options: ");
    lines.iter().flat_map(|line| line.split_whitespace()).map(str::to_owned).collect()
}

/// The comments of a playbook that start with a word.
fn lines_of(book: &Path, start: &str) -> Vec<String> {
    let text = std::fs::read_to_string(book).expect("a playbook");
    text.lines().filter_map(|line| line.strip_prefix(start)).map(str::to_owned).collect()
}

/// Where both are at home, and their settings.
struct Home {
    directory: tempfile::TempDir,
    settings: PathBuf,
}

impl Home {
    fn new() -> Home {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let settings = directory.path().join("ansible.cfg");
        let home = Home { directory, settings };
        home.set(&[]);
        home
    }

    fn place(&self) -> String {
        self.directory.path().to_string_lossy().into_owned()
    }

    /// Writes the settings: those of every case, and more of them as `SECTION KEY = VALUE`.
    fn set(&self, more: &[String]) {
        // One host after another: the order in which several finish is not promised.
        let mut text = "[defaults]\nforks = 1\n".to_owned();
        for (section, line) in more.iter().filter_map(|line| line.split_once(' ')) {
            let line = line.replace("HOME", &self.place());
            match section {
                "defaults" => text = text.replacen("[defaults]\n", &format!("[defaults]\n{line}\n"), 1),
                section if text.contains(&format!("[{section}]")) => text.push_str(&format!("{line}\n")),
                section => text.push_str(&format!("[{section}]\n{line}\n")),
            }
        }
        std::fs::write(&self.settings, text).expect("the settings");
    }

    fn run(&self, mut command: Command, inventory: &str, playbook: &str, options: &[String]) -> Ended {
        command.args(["-i", inventory, playbook]).args(options);
        command
            .env("ANSIBLE_CONFIG", &self.settings)
            .env("HOME", self.directory.path())
            .env("LC_ALL", "C.UTF-8")
            .env("ANSIBLE_DEPRECATION_WARNINGS", "false");
        Ended::of(&mut command)
    }
}

/// What may differ from run to run: times of commands.
fn plain(text: &str) -> String {
    let timed = ["\"delta\":", "\"start\":", "\"end\":"];
    let lines = text.lines().filter(|line| {
        let line = line.trim_start();
        !timed.iter().any(|key| line.starts_with(key))
    });
    lines.map(without_times).collect::<Vec<_>>().join("\n")
}

/// A result on one line, without the times in it.
fn without_times(line: &str) -> String {
    let mut line = line.to_owned();
    for key in ["\"delta\": \"", "\"start\": \"", "\"end\": \""] {
        if let Some(start) = line.find(key)
            && let Some(length) = line[start + key.len()..].find("\", ")
        {
            line.replace_range(start..start + key.len() + length + 3, "");
        }
    }
    line
}

/// Leaves out what stands above a failed result: its error, the place and an excerpt, which other tests are for.
fn without_errors(text: &str) -> String {
    const AFTER: &[&str] =
        &["fatal: ", "failed: ", "TASK [", "PLAY ", "RUNNING HANDLER [", "ok: ", "changed: "];
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        if line.starts_with("[ERROR]: ") {
            inside = true;
        } else if AFTER.iter().any(|start| line.starts_with(start)) {
            inside = false;
        }
        !inside
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines around the first one that differs, `-` ansible-core's and `+` ours.
fn difference(theirs: &str, ours: &str) -> String {
    let (theirs, ours): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    let same = theirs.iter().zip(&ours).take_while(|(a, b)| a == b).count();
    let mut text = String::new();
    for line in &theirs[same.saturating_sub(3)..same] {
        text.push_str(&format!("  {line}\n"));
    }
    for (sign, lines) in [('-', &theirs), ('+', &ours)] {
        for line in lines.iter().skip(same).take(6) {
            text.push_str(&format!("{sign} {line}\n"));
        }
    }
    text
}
