//! `get_url`: downloads a file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, Value};

use crate::host::attributes::{FileAttributes, describe_file};
use crate::host::checksum::Algorithm;
use crate::host::errno::Doing;
use crate::host::http::{Answer, Ask, Connect, without_user};
use crate::host::mode::Mode;
use crate::host::path::HostPath;
use crate::host::{Host, Replace};
use crate::modules::uri::{file_name, modified};

/// Downloads a file from a web server to the host.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetUrl {
    #[serde(flatten)]
    connect: Connect,
    /// The file to write, or the directory to put it into.
    dest: HostPath,
    /// The expected checksum: `ALGORITHM:CHECKSUM`, or `ALGORITHM:URL` of a list. A file that has it is not
    /// downloaded again.
    #[serde(default)]
    checksum: String,
    /// Whether to download the file even if the server has no newer one.
    #[serde(default)]
    force: bool,
    /// Whether to keep a copy of the old file, with a time stamp in its name.
    #[serde(default)]
    backup: bool,
    /// The HTTP headers to send.
    headers: Option<serde_json::Map<String, serde_json::Value>>,
    /// The number of seconds to wait for the server.
    #[serde(default = "playbook_api::defaults::number::<u64, 10>")]
    timeout: u64,
    /// The directory for the download until it is complete.
    tmp_dest: Option<HostPath>,
    #[serde(flatten)]
    attributes: FileAttributes,
}

impl HostModule for GetUrl {
    const DOC: Doc = Doc {
        name: "get_url",
        short: "Downloads a file",
        check_mode: "Full: asks the server and compares, and writes nothing.",
        returns: &[
            ("dest", "str", "The file."),
            ("url", "str", "The address."),
            ("checksum_src", "str", "SHA-1 of the download."),
            ("checksum_dest", "str", "SHA-1 of what was there before."),
            ("md5sum", "str", "MD5 of the file."),
            ("status_code", "int", "What the server answered."),
            ("elapsed", "int", "Seconds."),
            ("backup_file", "str", "What the file before is called now."),
        ],
        examples: "- get_url:\n    url: https://example.com/path/file.conf\n    dest: /etc/foo.conf\n    mode: '0440'\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let mut dest = self.dest.resolve(context);
        let wanted = self.wanted_sum(context)?;
        let is_file = dest.is_file();
        let mut matches = false;
        if let (Some((algorithm, sum)), true) = (&wanted, is_file) {
            matches = algorithm.of_file(&dest).doing("could not read", &dest)? == *sum;
            if matches && !self.force {
                let applied = self.attributes.apply(&host, &dest, true)?;
                let outcome =
                    self.result(Outcome::changed(applied.changed), &dest).msg("file already exists");
                return Ok(describe_file(outcome, &dest));
            }
        }
        let start = Instant::now();
        let ask = self.request(&dest, is_file && !self.force && (wanted.is_none() || matches));
        let answer = self.connect.ask(ask, context).map_err(|failure| {
            self.failed(failure.error.to_string(), &dest).with("elapsed", start.elapsed().as_secs())
        })?;
        let outcome = Outcome::default()
            .with("status_code", u32::from(answer.status))
            .with("elapsed", start.elapsed().as_secs())
            .msg(answer.summary());
        if answer.status == 304 {
            let applied = self.attributes.apply(&host, &dest, true)?;
            let outcome = Outcome { changed: applied.changed, ..outcome };
            return Ok(describe_file(self.result(outcome, &dest), &dest));
        }
        if !answer.is_success() {
            return Err(self
                .failed("Request failed".into(), &dest)
                .with("status_code", u32::from(answer.status))
                .with("response", answer.summary()));
        }
        if dest.is_dir() {
            dest.push(file_name(&answer));
        }
        self.save(&host, answer, &dest, wanted, outcome)
    }
}

impl GetUrl {
    fn request(&self, dest: &Path, only_newer: bool) -> Ask {
        let text = |v: &serde_json::Value| Value::from_json(v.clone()).to_text().into_owned();
        let mut headers: Vec<(String, String)> =
            self.headers.iter().flatten().map(|(n, v)| (n.clone(), text(v))).collect();
        headers.extend(
            modified(dest).filter(|_| only_newer).map(|since| ("If-Modified-Since".to_owned(), since)),
        );
        Ask {
            method: "GET".into(),
            headers,
            redirects: crate::host::http::Redirects::All,
            timeout: Some(Duration::from_secs(self.timeout)),
            ..Ask::default()
        }
    }

    fn result(&self, outcome: Outcome, dest: &Path) -> Outcome {
        outcome.with("dest", dest.display().to_string()).with("url", without_user(&self.connect.url))
    }

    fn failed(&self, message: String, dest: &Path) -> Failure {
        let outcome = self.result(Outcome::default(), dest);
        Failure::new(message).outcome(outcome)
    }

    /// The checksum that is asked for; a list of sums is fetched and searched for the file's name.
    fn wanted_sum(&self, context: &Context) -> Result<Option<(Algorithm, String)>, Failure> {
        if self.checksum.is_empty() {
            return Ok(None);
        }
        let bad = || {
            Failure::new("The checksum parameter has to be in format <algorithm>:<checksum>")
                .with("url", without_user(&self.connect.url))
        };
        let (algorithm, sum) = self.checksum.split_once(':').ok_or_else(bad)?;
        let algorithm = Algorithm::named(algorithm.trim())?;
        let sum = sum.trim();
        if !sum.starts_with("http://") && !sum.starts_with("https://") && !sum.starts_with("file://") {
            let sum: String =
                sum.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
            return if sum.chars().all(|c| c.is_ascii_hexdigit()) {
                Ok(Some((algorithm, sum)))
            } else {
                Err(Failure::new("The checksum format is invalid"))
            };
        }
        let list = self.connect.to(sum);
        let mut answer = list.ask(self.request(Path::new(""), false), context)?;
        let mut text = String::new();
        answer
            .reader
            .read_to_string(&mut text)
            .map_err(|e| Failure::new(format!("could not read {}: {e}", without_user(sum))))?;
        let name = self
            .connect
            .url
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default();
        find_sum(&text, name).map(|found| Some((algorithm, found))).ok_or_else(|| {
            Failure::new(format!("Unable to find a checksum for file '{name}' in '{}'", without_user(sum)))
        })
    }

    fn save(
        &self,
        host: &Host,
        mut answer: Answer,
        dest: &Path,
        wanted: Option<(Algorithm, String)>,
        outcome: Outcome,
    ) -> Result<Outcome, Failure> {
        let directory = dest.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !directory.is_dir() {
            return Err(self.failed(format!("Destination {} does not exist", directory.display()), dest));
        }
        let before = Algorithm::Sha1.of_file(dest).ok();
        let mut outcome = self.result(outcome, dest).with("checksum_dest", before.clone());
        if host.check() {
            // The server's file is only compared.
            let offered = match wanted {
                Some((algorithm, sum)) => algorithm.of_file(dest).ok() == Some(sum),
                None if before.is_none() => false,
                None => {
                    let sum = Algorithm::Sha1.of_reader(&mut answer.reader);
                    let sum =
                        sum.map_err(|e| self.failed(format!("could not download: {}", io_reason(&e)), dest))?;
                    before == Some(sum)
                }
            };
            outcome.changed = !offered;
            return Ok(describe_file(outcome, dest));
        }
        let download = self.download(host, &mut answer, dest)?;
        let result = self.place(host, &download, dest, wanted, before, outcome);
        let _ = host.remove(&download);
        result
    }

    fn download(&self, host: &Host, answer: &mut Answer, dest: &Path) -> Result<PathBuf, Failure> {
        let directory = match (&self.tmp_dest, &host.context.temporary) {
            (Some(directory), _) => directory.resolve(host.context),
            (None, Some(directory)) if directory.is_dir() => directory.clone(),
            _ => std::env::temp_dir(),
        };
        let path = host
            .create_temporary(&directory, "ansible.", "", false)
            .doing("could not make a temporary file in", &directory)?;
        host.fill(&path, &mut answer.reader).map_err(|e| {
            let _ = host.remove(&path);
            self.failed(format!("failed to create temporary content file: {}", io_reason(&e)), dest)
        })?;
        Ok(path)
    }

    fn place(
        &self,
        host: &Host,
        download: &Path,
        dest: &Path,
        wanted: Option<(Algorithm, String)>,
        before: Option<String>,
        outcome: Outcome,
    ) -> Result<Outcome, Failure> {
        let sum = Algorithm::Sha1.of_file(download).doing("could not read", download)?;
        let mut outcome =
            outcome.with("checksum_src", sum.clone()).with("src", download.display().to_string());
        if let Some((algorithm, wanted)) = wanted {
            let actual = algorithm.of_file(download).doing("could not read", download)?;
            if actual != wanted {
                let message = format!(
                    "The checksum for {} did not match {wanted}; it was {actual}.",
                    without_user(&self.connect.url)
                );
                return Err(Failure::new(message.clone()).outcome(outcome.msg(message)));
            }
        }
        if before.as_ref() != Some(&sum) {
            if self.backup && before.is_some() {
                outcome = outcome.with("backup_file", host.backup(dest)?);
            }
            let how = Replace {
                mode: self.attributes.mode.as_ref().and_then(Mode::absolute),
                unsafe_writes: self.attributes.unsafe_writes(host.context),
                validate: None,
            };
            host.copy(download, dest, &how)?;
            outcome.changed = true;
        }
        outcome.changed |= self.attributes.apply(host, dest, true)?.changed;
        let md5 = Algorithm::Md5.of_file(dest).ok();
        Ok(describe_file(outcome.with("md5sum", md5), dest))
    }
}

fn io_reason(e: &io::Error) -> String {
    crate::host::errno::describe(e)
}

/// Returns the checksum of a file in a list in the format of `sha256sum`, or the only checksum of a list without
/// names.
fn find_sum(text: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let is_sum = |word: &str| word.len() >= 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    if let [only] = lines.as_slice()
        && is_sum(only)
    {
        return Some(only.to_ascii_lowercase());
    }
    lines.iter().find_map(|line| {
        // `SHA256 (name) = sum`
        if let Some((left, right)) = line.rsplit_once(" = ")
            && left.ends_with(&format!("({name})"))
        {
            return Some(right.trim().to_ascii_lowercase());
        }
        let (sum, file) = line.split_once(char::is_whitespace)?;
        let file = file.trim().trim_start_matches('*').trim_start_matches("./");
        (is_sum(sum) && file.rsplit('/').next() == Some(name)).then(|| sum.to_ascii_lowercase())
    })
}
