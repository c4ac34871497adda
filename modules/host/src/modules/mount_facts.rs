//! `mount_facts`: the mounted and configured file systems, as facts.

mod table;

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc;
use std::time::Duration;

use playbook_api::time::seconds;
use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value, map};
use serde_json::Value as Json;

use crate::facts::hardware::{names_by_target, sizes};
use crate::host::Host;
use crate::host::glob;
use crate::host::process::cannot_start;
use crate::host::process::{Program, which};
use table::Line;

const DYNAMIC: [&str; 3] = ["/etc/mtab", "/proc/mounts", "/etc/mnttab"];
const STATIC: [&str; 3] = ["/etc/fstab", "/etc/vfstab", "/etc/filesystems"];

/// Lists mounts with their devices, options and sizes, as the facts `mount_points` and `aggregate_mounts`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct MountFacts {
    /// The patterns of devices to list.
    devices: Option<Vec<String>>,
    /// The patterns of file system types to list.
    fstypes: Option<Vec<String>>,
    /// The sources to read: files, `mount` for the program, `dynamic` for the files of present mounts, `static` for
    /// the files of configured mounts, or `all`. The first of several entries for a mount point counts.
    sources: Option<Vec<String>>,
    /// The program that lists mounts if no file does; `null` for none.
    #[serde(default = "mount")]
    #[schemars(extend("format" = "raw"))]
    mount_binary: Json,
    /// The time limit for one file system, or for the program, in seconds.
    timeout: Option<f64>,
    /// The action after a timeout.
    #[serde(default)]
    on_timeout: OnTimeout,
    /// Whether to return all entries in `aggregate_mounts` too. If it is missing, mount points with several
    /// entries give a warning.
    include_aggregate_mounts: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OnTimeout {
    #[default]
    Error,
    Warn,
    Ignore,
}

fn mount() -> Json {
    "mount".into()
}

impl HostModule for MountFacts {
    const DOC: Doc = Doc {
        name: "mount_facts",
        short: "Lists mounts as facts",
        check_mode: "Full: it only reads.",
        returns: &[(
            "ansible_facts",
            "dict",
            "`mount_points`: by place, device, type, options and sizes; `aggregate_mounts`: a list of \
            all, if asked for.",
        )],
        examples: "- mount_facts:\n    devices: [\"/dev/*\"]\n- debug:\n    var: ansible_facts.mount_points\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if let Some(seconds) = self.timeout.filter(|seconds| *seconds <= 0.0 || !seconds.is_finite()) {
            let message = format!("argument 'timeout' must be a positive number or null, not {seconds}");
            return Err(Failure::new(message));
        }
        if !matches!(self.mount_binary, Json::Null | Json::String(_)) {
            let message =
                format!("argument 'mount_binary' must be a string or null, not {}", self.mount_binary);
            return Err(Failure::new(message));
        }
        let host = Host::new(context);
        let mut outcome = Outcome::default();
        let lines = self.lines(&host, &mut outcome)?;
        let mut uuids = Uuids::default();
        let mut mounts = Vec::new();
        for (source, line) in lines {
            mounts.extend(self.mount(&host, &source, line, &mut uuids, &mut outcome)?);
        }
        self.facts(mounts, outcome)
    }
}

impl MountFacts {
    fn sources(&self) -> Result<Vec<String>, Failure> {
        let asked = self.sources.clone().filter(|sources| !sources.is_empty());
        let mut sources: Vec<String> = Vec::new();
        for source in asked.unwrap_or_else(|| vec!["all".into()]) {
            match source.as_str() {
                "" => return Err(Failure::new("sources contains an empty string")),
                "all" => sources.extend(DYNAMIC.into_iter().chain(STATIC).map(String::from)),
                "dynamic" => sources.extend(DYNAMIC.map(String::from)),
                "static" => sources.extend(STATIC.map(String::from)),
                _ => sources.push(source),
            }
        }
        Ok(sources)
    }

    /// The entries of all sources, each with the source that it is from.
    fn lines(&self, host: &Host, outcome: &mut Outcome) -> Result<Vec<(String, Line)>, Failure> {
        let sources = self.sources()?;
        if sources.iter().collect::<HashSet<_>>().len() < sources.len() {
            let list = sources.join(", ");
            outcome.warnings.push(format!("each of the sources of mount_facts is used once: {list}"));
        }
        let is_dynamic = |source: &str| DYNAMIC.contains(&source);
        let mut lacking = !self.mount_binary.is_null() && sources.iter().any(|source| is_dynamic(source));
        let (mut seen, mut lines) = (HashSet::new(), Vec::new());
        for source in sources {
            let real =
                std::fs::canonicalize(&source).map_or_else(|_| source.clone(), |p| p.display().to_string());
            let key = if source == "mount" { source.clone() } else { real };
            if !seen.insert(key) {
                continue;
            }
            let found = match source.as_str() {
                "mount" => self.printed(host, outcome)?,
                file => table::of_file(&String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default())),
            };
            lacking &= found.is_empty() || !(source == "mount" || is_dynamic(&source));
            lines.extend(found.into_iter().map(|line| (source.clone(), line)));
        }
        if lacking {
            lines.extend(self.printed(host, outcome)?.into_iter().map(|line| ("mount".to_owned(), line)));
        }
        Ok(lines)
    }

    /// Runs the program that lists mounts.
    fn printed(&self, host: &Host, outcome: &mut Outcome) -> Result<Vec<Line>, Failure> {
        let Some(program) = self.mount_binary.as_str() else { return Ok(Vec::new()) };
        if which(program, host.context).is_none() {
            let message = format!("Failed to find required executable \"{program}\"");
            return Err(Failure::new(message).with_help("the option mount_binary names it"));
        }
        let Some(output) = self.ask(host, Program::new([program]), outcome)? else { return Ok(Vec::new()) };
        if !output.success() {
            return Err(Failure::new(format!("Failed to execute {program}: {}", output.err().trim())));
        }
        Ok(table::of_program(&output.out()))
    }

    /// Returns the output of a program, if it ends within the time limit.
    fn ask(
        &self,
        host: &Host,
        program: Program,
        outcome: &mut Outcome,
    ) -> Result<Option<crate::host::process::Output>, Failure> {
        let program = match self.timeout {
            Some(limit) => program.timeout(seconds(limit)?),
            None => program,
        };
        match host.try_query(&program) {
            Ok(output) => Ok(Some(output)),
            Err(e) if e.kind() == std::io::ErrorKind::TimedOut => {
                let seconds = self.timeout.unwrap_or_default();
                let message =
                    format!("Command '{}' timed out after {seconds} seconds", program.argv().join(" "));
                self.late(message, outcome).map(|()| None)
            }
            Err(e) => Err(cannot_start(&program.argv().join(" "), &e)),
        }
    }

    /// The time limit has been reached.
    fn late(&self, message: String, outcome: &mut Outcome) -> Result<(), Failure> {
        match self.on_timeout {
            OnTimeout::Error => return Err(Failure::new(message)),
            OnTimeout::Warn => outcome.warnings.push(message),
            OnTimeout::Ignore => {}
        }
        Ok(())
    }

    /// Returns the facts of an entry, if it matches.
    fn mount(
        &self,
        host: &Host,
        source: &str,
        line: Line,
        uuids: &mut Uuids,
        outcome: &mut Outcome,
    ) -> Result<Option<Map>, Failure> {
        let Line { text, mut fields } = line;
        let of = |name: &str| fields.get(name).map(|value| value.to_text().into_owned()).unwrap_or_default();
        let (mut device, kind, place) = (of("device"), of("fstype"), of("mount"));
        let mut uuid = None;
        if let Some(named) = device.strip_prefix("UUID=").map(str::to_owned) {
            if which("blkid", host.context).is_some()
                && let Some(output) = self.ask(host, Program::new(["blkid", "--uuid", &named]), outcome)?
                && output.success()
            {
                device = output.out().trim().to_owned();
            }
            uuid = Some(named);
        }
        let fits = |patterns: &Option<Vec<String>>, name: &str| {
            let patterns = patterns.as_ref().filter(|patterns| !patterns.is_empty());
            patterns.is_none_or(|patterns| patterns.iter().any(|pattern| glob::matches(pattern, name)))
        };
        if !fits(&self.devices, &device) || !fits(&self.fstypes, &kind) {
            return Ok(None);
        }
        match self.sizes(&place) {
            Some(sizes) => fields.extend(sizes),
            None => {
                let message = format!("Timed out getting mount size for mount {place} (type {kind})");
                self.late(message, outcome)?;
            }
        }
        if uuid.is_none() {
            uuid = uuids.of(&device).or(self.listed(host, uuids, outcome)?.get(&device).cloned());
        }
        let context = map! { "source" => source, "source_data" => text };
        fields.insert("ansible_context".into(), context.into());
        fields.insert("uuid".into(), uuid.map_or(Value::Null, Value::from));
        Ok(Some(fields))
    }

    /// Returns the sizes at a mount point, or nothing after the time limit, for example if a file server is down.
    fn sizes(&self, place: &str) -> Option<Map> {
        let Some(limit) = self.timeout.map(|limit| seconds(limit).unwrap_or(Duration::MAX)) else {
            return Some(sizes(place));
        };
        let (sender, receiver) = mpsc::channel();
        let place = place.to_owned();
        std::thread::spawn(move || {
            let _ = sender.send(sizes(&place));
        });
        receiver.recv_timeout(limit).ok()
    }

    /// Returns the identifiers of devices from lsblk, which runs once.
    fn listed<'u>(
        &self,
        host: &Host,
        uuids: &'u mut Uuids,
        outcome: &mut Outcome,
    ) -> Result<&'u BTreeMap<String, String>, Failure> {
        if uuids.listed.is_none() {
            let words =
                ["lsblk", "--list", "--noheadings", "--paths", "--output", "NAME,UUID", "--exclude", "2"];
            let output = match which("lsblk", host.context) {
                Some(_) => self.ask(host, Program::new(words), outcome)?,
                None => None,
            };
            let text = output.map(|output| output.out()).unwrap_or_default();
            let pairs = text.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
            uuids.listed =
                Some(pairs.map(|(name, uuid)| (name.to_owned(), uuid.trim().to_owned())).collect());
        }
        Ok(uuids.listed.get_or_insert_default())
    }

    fn facts(&self, mounts: Vec<Map>, mut outcome: Outcome) -> Result<Outcome, Failure> {
        let mut points = Map::default();
        let mut by_source: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mount in &mounts {
            let Some(place) = mount.get("mount") else { continue };
            let source = mount.get("ansible_context").and_then(|context| context.get("source"));
            let source = source.map(|source| source.to_text().into_owned()).unwrap_or_default();
            by_source.entry(source).or_default().push(place.to_text().into_owned());
            if !points.contains_key(place) {
                points.insert(place.clone(), mount.clone().into());
            }
        }
        by_source.retain(|_, places| places.iter().collect::<HashSet<_>>().len() < places.len());
        if !by_source.is_empty() && self.include_aggregate_mounts.is_none() {
            let sources = by_source.into_keys().collect::<Vec<_>>().join(", ");
            outcome.warnings.push(format!(
                "mount_facts: some places are mounted several times, and only the first is listed (in {sources}); \
                 include_aggregate_mounts says whether all are wanted"
            ));
        }
        let all = if self.include_aggregate_mounts == Some(true) { mounts } else { Vec::new() };
        outcome.facts = map! { "mount_points" => points, "aggregate_mounts" => all };
        Ok(outcome)
    }
}

/// The identifiers of devices.
#[derive(Default)]
struct Uuids {
    links: Option<BTreeMap<String, String>>,
    listed: Option<BTreeMap<String, String>>,
}

impl Uuids {
    fn of(&mut self, device: &str) -> Option<String> {
        let links = self.links.get_or_insert_with(|| names_by_target("/dev/disk/by-uuid"));
        links.get(device).cloned()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests prepare real files")]
mod tests {
    use super::*;

    fn run(args: Json) -> Result<Outcome, Failure> {
        serde_json::from_value::<MountFacts>(args).expect("arguments").run(&Context::default())
    }

    #[test]
    fn a_file_as_the_source() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("fstab");
        std::fs::write(&file, "/dev/a / ext4 rw 0 1\n/dev/b / ext4 ro 0 0\nfs:/x /mnt nfs rw 0 0\n")
            .expect("a file");
        let outcome = run(serde_json::json!({"sources": [file], "mount_binary": null})).expect("facts");
        let points = outcome.facts.get("mount_points").expect("mounts");
        assert_eq!(points.get("/").and_then(|m| m.get("device")), Some(&"/dev/a".into()));
        assert_eq!(points.get("/").and_then(|m| m.get("uuid")), Some(&Value::Null));
        assert_eq!(outcome.warnings.len(), 1, "{:?}", outcome.warnings);

        let args =
            serde_json::json!({"sources": [file], "fstypes": ["nf*"], "include_aggregate_mounts": true});
        let outcome = run(args).expect("facts");
        let all = outcome.facts.get("aggregate_mounts").map(|all| all.to_json());
        assert_eq!(all.and_then(|all| all.as_array().map(Vec::len)), Some(1));
    }

    #[test]
    fn a_program_that_takes_too_long() {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("mount");
        std::fs::write(&program, "#!/bin/sh\nsleep 9\n").expect("a program");
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("a mode");
        let args = |on_timeout: &str| serde_json::json!({"sources": ["mount"], "mount_binary": program, "timeout": 0.3, "on_timeout": on_timeout});
        assert!(run(args("error")).expect_err("late").error.to_string().contains("timed out"));
        assert_eq!(run(args("warn")).expect("no error").warnings.len(), 1);
        assert!(run(args("ignore")).expect("no error").warnings.is_empty());
        assert!(run(serde_json::json!({"timeout": 0})).is_err());
        assert!(run(serde_json::json!({"mount_binary": ["mount"]})).is_err());
        assert!(run(serde_json::json!({"sources": [""]})).is_err());
    }
}
