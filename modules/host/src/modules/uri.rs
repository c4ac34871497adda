//! `uri`: one HTTP request.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value};

use crate::host::attributes::{FileAttributes, describe_file};
use crate::host::errno::Doing;
use crate::host::glob;
use crate::host::http::{Answer, Ask, Connect, Redirects, body, join, without_user};
use crate::host::path::HostPath;
use crate::host::{Host, Replace};

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum BodyFormat {
    FormUrlencoded,
    Json,
    #[default]
    Raw,
    FormMultipart,
}

/// Which redirections are followed.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Follow {
    All,
    Yes,
    None,
    No,
    /// Those of GET and HEAD.
    #[default]
    Safe,
    Urllib2,
}

/// Sends a request to a web service and returns what it answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["body", "src"]]))]
pub(crate) struct Uri {
    #[serde(flatten)]
    connect: Connect,
    /// The HTTP method of the request.
    #[serde(default = "get")]
    method: String,
    /// The body of the request: text, or a value that `body_format` serializes.
    #[schemars(extend("format" = "raw"))]
    body: Option<serde_json::Value>,
    /// The format of the body, which also sets the Content-Type.
    #[serde(default)]
    body_format: BodyFormat,
    /// A file to send as the body.
    src: Option<HostPath>,
    /// Whether `src` is on the managed host.
    #[serde(default)]
    #[expect(dead_code, reason = "the controller's part of the module reads it")]
    remote_src: bool,
    /// The HTTP headers to send.
    #[serde(default)]
    headers: serde_json::Map<String, serde_json::Value>,
    /// The status codes that mean success.
    #[serde(default = "ok")]
    status_code: Vec<u16>,
    /// Whether to return the content of the response.
    #[serde(default)]
    return_content: bool,
    /// The file or directory to save the content to.
    dest: Option<HostPath>,
    /// Whether to send the request even if `dest` is no older than what the server has.
    #[serde(default)]
    force: bool,
    /// The redirections to follow.
    #[serde(default)]
    follow_redirects: Follow,
    /// The number of seconds to wait for the server.
    #[serde(default = "half_a_minute")]
    timeout: u64,
    /// A path or pattern. If it exists, no request is sent.
    creates: Option<HostPath>,
    /// A path or pattern. If it does not exist, no request is sent.
    removes: Option<HostPath>,
    /// The Unix socket to connect to.
    unix_socket: Option<HostPath>,
    #[serde(flatten)]
    attributes: FileAttributes,
}

fn get() -> String {
    "GET".into()
}

fn ok() -> Vec<u16> {
    vec![200]
}

fn half_a_minute() -> u64 {
    30
}

impl HostModule for Uri {
    const DOC: Doc = Doc {
        name: "uri",
        short: "Sends an HTTP request",
        check_mode: "Skipped: the effect of a request is unknown.",
        returns: &[
            ("status", "int", "The answer's code; -1 where there was none."),
            ("msg", "str", "What was answered."),
            ("url", "str", "The address, after redirections."),
            ("redirected", "bool", "Whether it was led elsewhere."),
            ("elapsed", "int", "Seconds."),
            ("content", "str", "The content, with `return_content`."),
            ("json", "raw", "The content, where it is JSON."),
            ("cookies", "dict", "Cookies that were set; `cookies_string` is one line of them."),
            ("path", "str", "The file that was written, with `dest`."),
            ("*", "str", "Every header of the answer, in lower case with `_` for `-`."),
        ],
        examples: "- uri:\n    url: https://example.com/health\n    return_content: true\n  register: page\n  until: page.status == 200\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let there = |pattern: &Option<HostPath>| {
            pattern.as_ref().map(|p| (p.0.clone(), glob::any(&p.resolve(context))))
        };
        if let Some((path, true)) = there(&self.creates) {
            return Ok(Outcome::default().with("stdout", format!("skipped, since '{path}' exists")));
        }
        if let Some((path, false)) = there(&self.removes) {
            return Ok(Outcome::default().with("stdout", format!("skipped, since '{path}' does not exist")));
        }
        if context.check {
            return Ok(Outcome::skip("This action (uri) does not support check mode."));
        }
        let ask = self.request(context)?;
        let start = Instant::now();
        let answered = self.connect.ask(ask, context);
        let elapsed = start.elapsed().as_secs();
        match answered {
            Ok(answer) => self.report(answer, elapsed, context),
            Err(failure) => {
                let message = format!("Status code was -1 and not {:?}: {}", self.status_code, failure.error);
                Err(Failure::new(message)
                    .with("status", -1)
                    .with("url", without_user(&self.connect.url))
                    .with("redirected", false)
                    .with("elapsed", elapsed))
            }
        }
    }
}

impl Uri {
    fn request(&self, context: &Context) -> Result<Ask, Failure> {
        let method = self.method.to_ascii_uppercase();
        if method.is_empty() || !method.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(Failure::new(format!(
                "Parameter 'method' needs to be a single word in uppercase, like GET or POST: {}",
                self.method
            )));
        }
        let body = match (&self.body, &self.src) {
            (Some(body), _) if !body.is_null() => {
                let body = Value::from_json(body.clone());
                Some(match self.body_format {
                    BodyFormat::Raw => body::raw(&body),
                    BodyFormat::Json => body::as_json(&body),
                    BodyFormat::FormUrlencoded => body::form(&body)?,
                    BodyFormat::FormMultipart => body::multipart(&body, context)?,
                })
            }
            (_, Some(src)) => {
                let path = src.resolve(context);
                Some(body::Body {
                    content: std::fs::read(&path).doing("could not read", &path)?,
                    content_type: None,
                })
            }
            _ => None,
        };
        let text = |v: &serde_json::Value| Value::from_json(v.clone()).to_text().into_owned();
        let mut headers: Vec<(String, String)> =
            self.headers.iter().map(|(n, v)| (n.clone(), text(v))).collect();
        let announced = headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-type"));
        if let (Some(kind), false) = (body.as_ref().and_then(|b| b.content_type.clone()), announced) {
            headers.push(("Content-Type".into(), kind));
        }
        if let Some(dest) = self.dest.as_ref().filter(|_| !self.force)
            && let Some(since) = modified(&dest.resolve(context))
        {
            headers.push(("If-Modified-Since".into(), since));
        }
        Ok(Ask {
            method,
            headers,
            body: body.map(|b| b.content),
            redirects: match self.follow_redirects {
                Follow::All | Follow::Yes | Follow::Urllib2 => Redirects::All,
                Follow::None | Follow::No => Redirects::None,
                Follow::Safe => Redirects::Safe,
            },
            timeout: Some(Duration::from_secs(self.timeout)),
            unix_socket: self.unix_socket.as_ref().map(|p| p.resolve(context)),
        })
    }

    fn report(&self, mut answer: Answer, elapsed: u64, context: &Context) -> Result<Outcome, Failure> {
        let mut outcome = headers(&answer)
            .with("status", u32::from(answer.status))
            .with("url", without_user(&answer.url))
            .with("redirected", answer.redirected)
            .with("elapsed", elapsed)
            .msg(answer.summary());
        let mut content = Vec::new();
        answer
            .reader
            .read_to_end(&mut content)
            .map_err(|e| Failure::new(format!("the answer of {} broke off: {e}", answer.url)))?;
        let good = self.status_code.contains(&answer.status);
        if good
            && answer.is_success()
            && let Some(dest) = &self.dest
        {
            outcome = self.save(outcome, &answer, &content, dest, context)?;
        }
        let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let text = decode(content, &kind);
        let is_json = kind.contains("json") || kind.contains("javascript");
        if let Some(json) = is_json.then(|| serde_json::from_str(&text).ok()).flatten() {
            outcome = outcome.with("json", Value::from_json(json));
        }
        if self.return_content {
            outcome = outcome.with("content", text.clone());
        } else if good && !answer.is_success() {
            outcome = outcome.with("body", text);
        }
        if good {
            return Ok(outcome);
        }
        let message =
            format!("Status code was {} and not {:?}: {}", answer.status, self.status_code, answer.summary());
        Err(Failure::new(message.clone()).outcome(outcome.msg(message)))
    }

    fn save(
        &self,
        outcome: Outcome,
        answer: &Answer,
        content: &[u8],
        dest: &HostPath,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let mut path = dest.resolve(context);
        if path.is_dir() {
            path.push(file_name(answer));
        }
        let same = std::fs::read(&path).is_ok_and(|old| old == content);
        if !same {
            let how = Replace { unsafe_writes: self.attributes.unsafe_writes(context), ..Replace::default() };
            host.write(&path, content, &how)?;
        }
        let applied = self.attributes.apply(&host, &path, true)?;
        let outcome = Outcome { changed: !same || applied.changed, ..outcome };
        Ok(describe_file(outcome.with("path", path.display().to_string()), &path))
    }
}

/// The headers and cookies of an answer, as values.
fn headers(answer: &Answer) -> Outcome {
    let mut outcome = Outcome::default();
    for (name, _) in &answer.headers {
        let key = name.replace('-', "_");
        let mut value = answer.header(name).unwrap_or_default();
        if key == "location" {
            value = join(&answer.url, &value);
        }
        outcome = outcome.with(&key, value);
    }
    let mut cookies = Map::default();
    for (_, cookie) in answer.headers.iter().filter(|(n, _)| n == "set-cookie") {
        if let Some((name, value)) = cookie.split(';').next().and_then(|c| c.split_once('=')) {
            cookies.insert(name.trim().into(), value.trim().into());
        }
    }
    let line: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
    outcome.with("cookies", cookies).with("cookies_string", line.join("; "))
}

/// The content as text, in the encoding that the answer names.
fn decode(content: Vec<u8>, kind: &str) -> String {
    let latin = kind.split("charset=").nth(1).is_some_and(|c| c.contains("8859-1") || c.contains("latin"));
    if latin {
        return content.into_iter().map(char::from).collect();
    }
    String::from_utf8(content).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// The name that an answer gives its content, or else the address's last part.
pub(crate) fn file_name(answer: &Answer) -> PathBuf {
    let disposition = answer.header("content-disposition").unwrap_or_default();
    let named = disposition.split(';').find_map(|part| part.trim().strip_prefix("filename="));
    let name = named.map(|n| n.trim_matches('"').to_owned()).unwrap_or_else(|| {
        let path = answer.url.split(['?', '#']).next().unwrap_or_default();
        let path = path.split_once("://").map_or(path, |(_, rest)| rest);
        path.split_once('/').map_or("", |(_, path)| path).rsplit('/').next().unwrap_or_default().to_owned()
    });
    // Never out of the directory.
    match Path::new(&name).file_name() {
        Some(name) => PathBuf::from(name),
        None => PathBuf::from("index.html"),
    }
}

/// When a file was changed, as HTTP says it.
pub(crate) fn modified(path: &Path) -> Option<String> {
    let stat = std::fs::metadata(path).ok().filter(|s| s.is_file())?;
    let time = jiff::Timestamp::try_from(stat.modified().ok()?).ok()?;
    Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}
