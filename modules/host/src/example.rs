//! `motd`: keeps the message of the day.

use playbook_api::{Context, Deserialize, Diff, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::errno::Doing;
use crate::host::path::HostPath;
use crate::host::{Host, Replace};

/// Keeps the message that users see when they log in.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Motd {
    /// The message; a newline is added to its end.
    message: String,
    /// The path of the file.
    #[serde(default = "motd")]
    path: HostPath,
}

fn motd() -> HostPath {
    HostPath("/etc/motd".into())
}

impl HostModule for Motd {
    const DOC: Doc = Doc {
        name: "motd",
        short: "Keeps the message of the day",
        returns: &[("path", "str", "The path of the file.")],
        examples: "- motd:\n    message: Managed by playbook\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let path = self.path.resolve(context);
        let wanted = format!("{}\n", self.message);
        let current = match std::fs::read_to_string(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.doing("cannot read the message", &path)?,
        };
        let outcome = Outcome::changed(current != wanted).with("path", path.display().to_string());
        if current == wanted {
            return Ok(outcome);
        }
        // In check mode, `Host` writes nothing.
        Host::new(context).write(&path, wanted.as_bytes(), &Replace::default())?;
        let header = path.display().to_string();
        Ok(match context.diff {
            true => outcome.diff(Diff::text(current, wanted).headers(header.clone(), header)),
            false => outcome,
        })
    }
}

#[test]
fn the_message_is_written_once() {
    use playbook_api::{Arguments, ModuleEntry, Run, map};

    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("motd");
    let entry = ModuleEntry::host::<Motd>();
    let Run::Host(run) = entry.run else { panic!("motd acts on a host") };
    let arguments = Arguments::from(map! { "message" => "hello", "path" => path.display().to_string() });

    let check = Context { check: true, ..Context::default() };
    assert!(run(&entry, &arguments, &check).expect("a dry run").changed);
    assert!(!path.exists());

    let real = Context { diff: true, ..Context::default() };
    let first = run(&entry, &arguments, &real).expect("a run");
    assert!(first.changed && first.diff.len() == 1);
    assert_eq!(std::fs::read_to_string(&path).expect("the message"), "hello\n");
    assert!(!run(&entry, &arguments, &real).expect("a second run").changed);
}
