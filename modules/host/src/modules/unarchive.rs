//! `unarchive`: the content of an archive in a directory.

use std::path::{Path, PathBuf};

use playbook_api::context::Source;
use playbook_api::{Context, Deserialize, Diff, Doc, Failure, HostModule, JsonSchema, Outcome};

use crate::host::attributes::{FileAttributes, describe_file};
use crate::host::errno::Doing;
use crate::host::glob;
use crate::host::http::{Ask, Connect, Redirects, without_user};
use crate::host::path::HostPath;
use crate::host::process::{Program, which};
use crate::host::{Host, ended_badly};

/// Unpacks an archive (tar with any compression, zip) into a directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["include", "exclude"]]))]
pub(crate) struct Unarchive {
    /// The archive: a path, or a URL with `remote_src`.
    src: HostPath,
    /// The directory to unpack into, which must exist.
    dest: HostPath,
    /// Whether the archive is on the managed host.
    #[serde(default)]
    remote_src: bool,
    /// Whether `src` is on the controller: the opposite of `remote_src`, which replaces it.
    #[serde(default = "playbook_api::defaults::yes")]
    #[expect(dead_code, reason = "the controller's part of the module reads it")]
    copy: bool,
    /// A path or pattern. If it exists, nothing is unpacked.
    creates: Option<HostPath>,
    /// Whether to return the names of the files in the archive.
    #[serde(default)]
    list_files: bool,
    /// The files to leave out.
    #[serde(default)]
    exclude: Vec<String>,
    /// The files to unpack; all if it is empty.
    #[serde(default)]
    include: Vec<String>,
    /// Whether to keep files that are newer than those in the archive.
    #[serde(default)]
    keep_newer: bool,
    /// Additional options for the program that unpacks.
    #[serde(default)]
    extra_opts: Vec<String>,
    /// Whether a vault file is decrypted on the controller.
    #[serde(default = "playbook_api::defaults::yes")]
    #[expect(dead_code, reason = "the controller's part of the module reads it")]
    decrypt: bool,
    /// Whether to verify the server's TLS certificate, for an archive at a URL.
    #[serde(default = "playbook_api::defaults::yes")]
    validate_certs: bool,
    /// Accepted for compatibility: the size of buffers is chosen automatically.
    #[serde(default)]
    #[expect(dead_code, reason = "accepted so that playbooks run unchanged")]
    io_buffer_size: u64,
    #[serde(flatten)]
    attributes: FileAttributes,
}

impl HostModule for Unarchive {
    const DOC: Doc = Doc {
        name: "unarchive",
        short: "Unpacks an archive",
        returns: &[
            ("dest", "str", "The directory."),
            ("src", "str", "The archive."),
            ("handler", "str", "How it was unpacked."),
            ("files", "list", "The files in it, with `list_files`."),
        ],
        examples: "- unarchive:\n    src: foo.tgz\n    dest: /var/lib/foo\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        if let Some(creates) = self.creates.as_ref().filter(|c| glob::any(&c.resolve(context))) {
            return Ok(Outcome::skip(format!("skipped, since {} exists", creates.0)));
        }
        let dest = self.dest.resolve(context);
        if !dest.is_dir() {
            let message = format!("dest '{}' must be an existing dir", self.dest.0);
            return Err(Failure::new(message).with_help("Create it first, with the file module."));
        }
        let (archive, ours) = self.archive(&host)?;
        let result = self.unpack(&host, &archive, &dest);
        if let Some(ours) = ours {
            let _ = Host::new(&Context { check: false, ..context.clone() }).remove(&ours);
        }
        result
    }
}

impl Unarchive {
    /// The archive, and what of it is only here for a while.
    fn archive(&self, host: &Host) -> Result<(PathBuf, Option<PathBuf>), Failure> {
        if self.remote_src && self.src.0.contains("://") {
            let path = self.fetch(host)?;
            return Ok((path.clone(), Some(path)));
        }
        let path = match &host.context.source {
            Some(source) if !self.remote_src => match source.path() {
                Some(path) => path.to_owned(),
                None => return bring(host, &**source),
            },
            _ => self.src.resolve(host.context),
        };
        match std::fs::metadata(&path) {
            Ok(found) if found.len() == 0 => {
                Err(Failure::new(format!("Invalid archive '{}', the file is 0 bytes", path.display())))
            }
            Ok(_) => Ok((path, None)),
            Err(_) => Err(Failure::new(format!("Source '{}' does not exist", path.display()))),
        }
    }

    /// Downloads the archive into the place for temporary files, in check mode too: it must be looked into.
    fn fetch(&self, host: &Host) -> Result<PathBuf, Failure> {
        let context = Context { check: false, ..host.context.clone() };
        let real = Host::new(&context);
        let ask = Ask { method: "GET".into(), redirects: Redirects::All, ..Ask::default() };
        let mut answer = Connect::plain(&self.src.0, self.validate_certs).ask(ask, &context)?;
        if !answer.is_success() {
            return Err(Failure::new(format!(
                "Failure downloading {}, {}",
                without_user(&self.src.0),
                answer.summary()
            )));
        }
        let name = crate::modules::uri::file_name(&answer).display().to_string();
        let directory = std::env::temp_dir();
        let path = real
            .create_temporary(&directory, "ansible.", &name, false)
            .doing("could not make a temporary file in", &directory)?;
        real.fill(&path, &mut answer.reader).doing("could not download", &path)?;
        Ok(path)
    }

    fn unpack(&self, host: &Host, archive: &Path, dest: &Path) -> Result<Outcome, Failure> {
        let start = head(archive)?;
        let zip = start.starts_with(b"PK");
        let (handler, needed) = if zip { ("ZipArchive", "unzip") } else { ("TgzArchive", "tar") };
        if which(needed, host.context).is_none() {
            return Err(Failure::new(format!(
                "Failed to find handler for \"{}\". Make sure the required command to extract the file is \
                installed. Unable to find required '{needed}'",
                archive.display()
            )));
        }
        let files = if zip { self.zip_files(host, archive)? } else { self.tar_files(host, archive)? };
        let differs = match zip {
            true => self.zip_differs(host, archive, dest, &files)?,
            false => self.tar_differs(host, archive, dest)?,
        };
        let mut outcome = Outcome::changed(!differs.is_empty())
            .with("dest", dest.display().to_string())
            .with("src", archive.display().to_string())
            .with("handler", handler);
        if !differs.is_empty() {
            if host.context.diff {
                outcome.diff.push(Diff { prepared: Some(differs.join("\n") + "\n"), ..Diff::default() });
            }
            let program = if zip { self.unzip(archive, dest) } else { self.tar(archive, dest, "--extract") };
            let output = host.run(&program)?;
            // unzip says 1 for a mere warning.
            if !(output.success() || zip && output.rc == 1) {
                let failure = ended_badly(&program, &output);
                let message = format!(
                    "failed to unpack {} to {}: {}",
                    archive.display(),
                    dest.display(),
                    failure.error
                );
                return Err(Failure { error: playbook_api::Error::new(message), ..failure });
            }
        }
        if self.attributes.any() {
            for file in &files {
                let path = dest.join(file);
                if path.symlink_metadata().is_ok() {
                    outcome.changed |= self.attributes.apply(host, &path, false)?.changed;
                }
            }
        }
        if self.list_files {
            outcome = outcome.with("files", files);
        }
        Ok(describe_file(outcome, dest))
    }

    fn tar(&self, archive: &Path, dest: &Path, verb: &str) -> Program {
        let mut program = Program::new(["tar", verb, "-C"]).arg(dest.display().to_string());
        if self.keep_newer && verb == "--extract" {
            program = program.arg("--keep-newer-files");
        }
        if let Some(owner) = &self.attributes.owner {
            program = program.arg(format!("--owner={owner}"));
        }
        if let Some(group) = &self.attributes.group {
            program = program.arg(format!("--group={group}"));
        }
        program = program.args(self.extra_opts.clone());
        program = program.args(self.exclude.iter().map(|e| format!("--exclude={e}")));
        program
            .args(["-f".to_owned(), archive.display().to_string()])
            .args(self.include.clone())
            .env("LC_ALL", "C.UTF-8")
    }

    fn tar_files(&self, host: &Host, archive: &Path) -> Result<Vec<String>, Failure> {
        let program = self.tar(archive, Path::new("/"), "--list");
        // The names that files get: options such as `--strip-components` change them.
        let names = ["--quoting-style=literal", "--show-transformed-names"];
        let output = host.query(&program.args(names))?;
        if !output.success() {
            let message = format!(
                "Failed to find handler for \"{}\". Make sure the required command to extract the file is \
                installed. {}",
                archive.display(),
                output.err().trim()
            );
            return Err(Failure::new(message));
        }
        // All of them are below the directory; a directory whose name was stripped is the directory itself.
        Ok(output.out().lines().map(|name| name.trim_start_matches('/').to_owned()).collect())
    }

    /// What tar says differs; owners and times count only where this was asked.
    fn tar_differs(&self, host: &Host, archive: &Path, dest: &Path) -> Result<Vec<String>, Failure> {
        let output = host.query(&self.tar(archive, dest, "--diff"))?;
        let root = nix::unistd::geteuid().is_root();
        let said = output.out() + &output.err();
        let counts = |line: &&str| {
            let own = line.ends_with(": Uid differs") && (self.attributes.owner.is_some() || !root)
                || line.ends_with(": Gid differs") && (self.attributes.group.is_some() || !root)
                || line.ends_with(": Mode differs") && self.attributes.mode.is_some();
            let noise = line.contains("Exiting with failure status")
                || line.contains("implausibly old time stamp")
                // A directory whose name was stripped.
                || line.ends_with(": : Warning: Cannot stat: No such file or directory")
                || line.contains("Removing leading");
            let newer = self.keep_newer && line.ends_with(": Mod time differs");
            !(own || noise || newer || line.trim().is_empty())
        };
        Ok(said.lines().filter(counts).map(str::to_owned).collect())
    }

    fn unzip(&self, archive: &Path, dest: &Path) -> Program {
        let how = if self.keep_newer { "-uo" } else { "-o" };
        let mut program =
            Program::new(["unzip", how]).args(self.extra_opts.clone()).arg(archive.display().to_string());
        program = program.args(self.include.clone());
        if !self.exclude.is_empty() {
            program = program.arg("-x").args(self.exclude.clone());
        }
        program.args(["-d".to_owned(), dest.display().to_string()])
    }

    fn zip_files(&self, host: &Host, archive: &Path) -> Result<Vec<String>, Failure> {
        let output = host.query(&Program::new(["unzip", "-Z1"]).arg(archive.display().to_string()))?;
        if !output.success() {
            let message =
                format!("Failed to find handler for \"{}\". {}", archive.display(), output.err().trim());
            return Err(Failure::new(message));
        }
        let all = output.out();
        let fits = |patterns: &[String], name: &str| {
            patterns
                .iter()
                .any(|p| glob::matches(p, name) || name.starts_with(&format!("{}/", p.trim_end_matches('/'))))
        };
        let wanted = |name: &&str| {
            !fits(&self.exclude, name) && (self.include.is_empty() || fits(&self.include, name))
        };
        Ok(all.lines().filter(wanted).map(str::to_owned).collect())
    }

    /// Files that are missing, or have another size or content.
    fn zip_differs(
        &self,
        host: &Host,
        archive: &Path,
        dest: &Path,
        files: &[String],
    ) -> Result<Vec<String>, Failure> {
        let listing = host.query(&Program::new(["unzip", "-v"]).arg(archive.display().to_string()))?;
        let sums: std::collections::HashMap<String, (u64, u32)> = listing
            .out()
            .lines()
            .filter_map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let [size, _, _, _, _, _, sum, ..] = fields.as_slice() else { return None };
                let name = line.split_once(sum)?.1.trim_start().to_owned();
                Some((name, (size.parse().ok()?, u32::from_str_radix(sum, 16).ok()?)))
            })
            .collect();
        let mut differs = Vec::new();
        for name in files {
            let path = dest.join(name);
            let Ok(stat) = path.symlink_metadata() else {
                differs.push(format!(">{name}: missing"));
                continue;
            };
            if !stat.is_file() {
                continue;
            }
            let Some((size, sum)) = sums.get(name) else { continue };
            let content = std::fs::read(&path).doing("could not read", &path)?;
            if content.len() as u64 != *size || crc32(&content) != *sum {
                differs.push(format!("{name}: content differs"));
            }
        }
        Ok(differs)
    }
}

/// Brings the caller's archive, in check mode too: it must be looked into.
fn bring(host: &Host, source: &dyn Source) -> Result<(PathBuf, Option<PathBuf>), Failure> {
    let context = Context { check: false, ..host.context.clone() };
    let real = Host::new(&context);
    let directory = crate::modules::script::temporary(&real)?;
    let path = directory.join("source");
    match real.receive(source, &path).doing("could not bring the archive", &path) {
        Ok(()) => Ok((path, Some(directory))),
        Err(failure) => {
            let _ = real.remove(&directory);
            Err(failure)
        }
    }
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let mut start = Vec::new();
    let file = std::fs::File::open(path).doing("could not read", path)?;
    file.take(4).read_to_end(&mut start).doing("could not read", path)?;
    Ok(start)
}

/// The sum that zip keeps of each file.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |mut sum: u32| {
        for _ in 0..8 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
        }
        sum
    };
    let table: Vec<u32> = (0..256).map(step).collect();
    !bytes.iter().fold(!0_u32, |sum, byte| {
        let index = ((sum ^ u32::from(*byte)) & 0xff) as usize;
        table.get(index).copied().unwrap_or(0) ^ (sum >> 8)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sum_is_the_known_one() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
