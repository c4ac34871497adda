//! The HTTP client that `uri`, `get_url` and the `http` probe share.

pub(crate) mod body;
mod unix;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use playbook_api::{Context, Deserialize, Failure, JsonSchema};
use ureq::http::{Method, Request, Uri};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::host::environment::variable;
use crate::host::path::HostPath;

/// The options of a request: URL, authentication, TLS and proxies.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(crate) struct Connect {
    /// The URL of the request.
    pub(crate) url: String,
    /// The user name for basic authentication.
    #[schemars(extend("aliases" = ["user", "username"]))]
    url_username: Option<String>,
    /// The password for basic authentication.
    #[schemars(extend("aliases" = ["password"], "no_log" = true))]
    url_password: Option<String>,
    /// Whether to send user name and password with the first request, without being asked for them.
    #[serde(default)]
    force_basic_auth: bool,
    /// Whether to verify the server's TLS certificate.
    #[serde(default = "playbook_api::defaults::yes")]
    validate_certs: bool,
    /// A PEM file with the certificates of trusted authorities; the system's ones if it is missing.
    ca_path: Option<HostPath>,
    /// A PEM file with the client's certificate. It may hold the key too.
    client_cert: Option<HostPath>,
    /// A PEM file with the key of the client's certificate.
    client_key: Option<HostPath>,
    /// The User-Agent header to send.
    #[serde(default = "agent")]
    http_agent: String,
    /// Whether to use the proxies that the environment names (`http_proxy` and the like).
    #[serde(default = "playbook_api::defaults::yes")]
    use_proxy: bool,
    /// Whether to take user name and password from `~/.netrc`.
    #[serde(default = "playbook_api::defaults::yes")]
    use_netrc: bool,
    /// Whether to authenticate with Kerberos, which is not supported.
    #[serde(default)]
    use_gssapi: bool,
    /// The names of headers that are not sent again after a redirection.
    #[serde(default)]
    unredirected_headers: Vec<String>,
    /// Accepted for compatibility: the client itself chooses safe TLS ciphers.
    #[expect(dead_code, reason = "accepted so that playbooks run unchanged")]
    ciphers: Option<Vec<String>>,
    /// Whether to decompress a compressed response.
    #[serde(default = "playbook_api::defaults::yes")]
    decompress: bool,
}

fn agent() -> String {
    "ansible-httpget".into()
}

/// Which redirections are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Redirects {
    All,
    None,
    /// Only those of GET and HEAD.
    #[default]
    Safe,
}

/// A request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) redirects: Redirects,
    pub(crate) timeout: Option<Duration>,
    pub(crate) unix_socket: Option<PathBuf>,
}

/// A response whose content has not been read yet.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) url: String,
    pub(crate) redirected: bool,
    /// The headers in their order, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) reader: Box<dyn Read>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let all: Vec<&str> =
            self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The message: `OK (13 bytes)`, or `HTTP Error 404: Not Found`.
    pub(crate) fn summary(&self) -> String {
        if self.is_success() {
            let length = self.header("content-length").unwrap_or_else(|| "unknown".into());
            return format!("OK ({length} bytes)");
        }
        format!("HTTP Error {}: {}", self.status, self.reason)
    }
}

impl Connect {
    /// Creates the default options for a URL.
    pub(crate) fn plain(url: &str, validate_certs: bool) -> Connect {
        Connect {
            url: url.to_owned(),
            url_username: None,
            url_password: None,
            force_basic_auth: false,
            validate_certs,
            ca_path: None,
            client_cert: None,
            client_key: None,
            http_agent: agent(),
            use_proxy: true,
            use_netrc: true,
            use_gssapi: false,
            unredirected_headers: Vec::new(),
            ciphers: None,
            decompress: false,
        }
    }

    /// Returns the same options for another URL.
    pub(crate) fn to(&self, url: &str) -> Connect {
        Connect { url: url.to_owned(), ..self.clone() }
    }

    /// Sends a request, follows redirections, and authenticates if the server requires it. The error is a reason.
    pub(crate) fn ask(&self, mut ask: Ask, context: &Context) -> Result<Answer, Failure> {
        if self.use_gssapi {
            return Err(Failure::new("use_gssapi is not supported")
                .with_help("Use basic authentication or a client certificate."));
        }
        if let Some(path) = self.url.strip_prefix("file://") {
            return local(&self.url, &body::unquote(path));
        }
        let (mut url, inline) = without_credentials(&self.url);
        let named =
            self.url_username.clone().map(|name| (name, self.url_password.clone().unwrap_or_default()));
        let credentials = named.or(inline).or_else(|| self.netrc(&url, context));
        let client = self.client(&url, &ask, context)?;
        let (mut hops, mut authorize) = (0, self.force_basic_auth);
        loop {
            let answer = send(&client, &url, &ask, credentials.as_ref().filter(|_| authorize))?;
            let wants =
                answer.header("www-authenticate").is_some_and(|h| h.to_ascii_lowercase().contains("basic"));
            if answer.status == 401 && credentials.is_some() && !authorize && wants {
                authorize = true;
                continue;
            }
            let Some(next) = self.redirection(&answer, &ask, &url) else {
                return Ok(Answer { url, redirected: hops > 0, ..answer });
            };
            hops += 1;
            if hops > 10 {
                return Err(Failure::new(format!(
                    "{} has an endless chain of redirections",
                    without_user(&url)
                )));
            }
            if answer.status == 303 || ask.method == "POST" && answer.status < 303 {
                ask.method = "GET".into();
                ask.body = None;
                ask.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
            }
            ask.headers
                .retain(|(name, _)| !self.unredirected_headers.iter().any(|u| u.eq_ignore_ascii_case(name)));
            if host_of(&next) != host_of(&url) {
                authorize = false;
                ask.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            }
            url = next;
        }
    }

    fn redirection(&self, answer: &Answer, ask: &Ask, url: &str) -> Option<String> {
        let safe = matches!(ask.method.as_str(), "GET" | "HEAD");
        let follow = match ask.redirects {
            Redirects::All => true,
            Redirects::None => false,
            Redirects::Safe => safe,
        };
        let moved = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
        (follow && moved).then(|| answer.header("location")).flatten().map(|to| join(url, &to))
    }

    fn client(&self, url: &str, ask: &Ask, context: &Context) -> Result<ureq::Agent, Failure> {
        let mut config = ureq::config::Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(ask.timeout)
            .accept("")
            .accept_encoding(if self.decompress { "gzip" } else { "identity" })
            .user_agent(self.http_agent.as_str());
        if url.starts_with("https:") {
            config = config.tls_config(self.tls(context)?);
        }
        if !self.use_proxy {
            config = config.proxy(None);
        } else if let Some(proxy) = task_proxy(url, context) {
            let proxy = ureq::Proxy::new(&proxy).map_err(|e| {
                Failure::new(format!("the proxy '{}' is not a valid URL: {e}", without_user(&proxy)))
            })?;
            config = config.proxy(Some(proxy));
        }
        Ok(match &ask.unix_socket {
            Some(socket) => unix::agent(config.proxy(None).build(), socket),
            None => config.build().new_agent(),
        })
    }

    fn tls(&self, context: &Context) -> Result<TlsConfig, Failure> {
        let mut tls = TlsConfig::builder().disable_verification(!self.validate_certs);
        let given = self.ca_path.as_ref().map(|p| p.resolve(context));
        let system =
            ["SSL_CERT_FILE"].iter().find_map(|n| variable(n, context)).map(PathBuf::from).or_else(|| {
                let known = [
                    "/etc/ssl/certs/ca-certificates.crt",
                    "/etc/pki/tls/certs/ca-bundle.crt",
                    "/etc/ssl/cert.pem",
                ];
                known.iter().map(PathBuf::from).find(|p| p.is_file())
            });
        if self.validate_certs
            && let Some(path) = given.or(system)
        {
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates(&path)?));
        }
        if let Some(path) = self.client_cert.as_ref().map(|p| p.resolve(context)) {
            let chain = certificates(&path)?;
            let key = self.client_key.as_ref().map_or_else(|| path.clone(), |p| p.resolve(context));
            let pem = std::fs::read(&key).map_err(|e| unreadable(&key, &e.to_string()))?;
            let key = PrivateKey::from_pem(&pem).map_err(|e| unreadable(&key, &e.to_string()))?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        Ok(tls.build())
    }

    /// Returns the user name and password from `~/.netrc`.
    fn netrc(&self, url: &str, context: &Context) -> Option<(String, String)> {
        if !self.use_netrc {
            return None;
        }
        let file =
            variable("NETRC", context).unwrap_or_else(|| crate::host::path::expand("~/.netrc", context));
        let text = std::fs::read_to_string(file).ok()?;
        let host = host_of(url).split(':').next()?;
        let mut words = text.split_whitespace();
        let (mut here, mut login, mut password) = (false, None, None);
        while let Some(word) = words.next() {
            match word {
                "machine" | "default" if here => break,
                "machine" => here = words.next() == Some(host),
                "default" => here = true,
                "login" if here => login = words.next(),
                "password" if here => password = words.next(),
                _ => {}
            }
        }
        Some((login?.to_owned(), password.unwrap_or_default().to_owned()))
    }
}

/// Returns the response for a `file://` URL.
fn local(url: &str, path: &str) -> Result<Answer, Failure> {
    let opened = std::fs::File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (length, file) = opened.map_err(|e| {
        let reason = crate::host::errno::describe(&e);
        Failure::new(format!("Request failed: <urlopen error {reason}: '{path}'>"))
    })?;
    Ok(Answer {
        status: 200,
        reason: "OK".into(),
        url: url.to_owned(),
        redirected: false,
        headers: vec![("content-length".into(), length.to_string())],
        reader: Box::new(file),
    })
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let pem = std::fs::read(path).map_err(|e| unreadable(path, &e.to_string()))?;
    let found: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() { Err(unreadable(path, "it has no certificate")) } else { Ok(found) }
}

fn unreadable(path: &Path, reason: &str) -> Failure {
    Failure::new(format!("cannot use the certificates or key in '{}': {reason}", path.display()))
}

fn task_proxy(url: &str, context: &Context) -> Option<String> {
    let scheme = url.split(':').next()?;
    let names = [format!("{scheme}_proxy"), format!("{}_PROXY", scheme.to_ascii_uppercase())];
    let set = context.environment.iter().rev().find(|(n, v)| names.contains(n) && !v.is_empty())?;
    Some(set.1.clone())
}

fn send(
    client: &ureq::Agent,
    url: &str,
    ask: &Ask,
    credentials: Option<&(String, String)>,
) -> Result<Answer, Failure> {
    let method = Method::from_bytes(ask.method.as_bytes())
        .map_err(|_| Failure::new(format!("'{}' is not an HTTP method", ask.method)))?;
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    if let Some((name, password)) = credentials {
        let token = BASE64_STANDARD.encode(format!("{name}:{password}"));
        request = request.header("Authorization", format!("Basic {token}"));
    }
    let result = match &ask.body {
        Some(body) => request.body(body.as_slice()).map_err(ureq::Error::from).and_then(|r| client.run(r)),
        None => request.body(()).map_err(ureq::Error::from).and_then(|r| client.run(r)),
    };
    let response = result.map_err(|e| Failure::new(explain(&e, url)))?;
    let headers = response.headers().iter();
    let headers = headers
        .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect();
    let status = response.status();
    Ok(Answer {
        status: status.as_u16(),
        reason: status.canonical_reason().unwrap_or_default().to_owned(),
        url: url.to_owned(),
        redirected: false,
        headers,
        reader: Box::new(response.into_body().into_reader()),
    })
}

/// Returns the reason why a request failed.
fn explain(error: &ureq::Error, url: &str) -> String {
    match error {
        ureq::Error::Timeout(_) => "Connection failure: timed out".into(),
        ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::TimedOut => {
            "Connection failure: timed out".into()
        }
        ureq::Error::HostNotFound => {
            "Request failed: <urlopen error [Errno -2] Name or service not known>".into()
        }
        ureq::Error::Io(e) if e.raw_os_error().is_some() => {
            format!("Request failed: <urlopen error {}>", crate::host::errno::describe(e))
        }
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => certificate(url, &error.to_string()),
        ureq::Error::Io(e) if e.to_string().contains("certificate") => certificate(url, &e.to_string()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            format!("'{}' is not a valid URL: {error}", without_user(url))
        }
        ureq::Error::Io(e) => format!("Request failed: <urlopen error {e}>"),
        other => format!("Request failed: {other}"),
    }
}

fn certificate(url: &str, reason: &str) -> String {
    format!(
        "Failed to validate the SSL certificate for {}: {reason}. Give the authority's certificate as \
        ca_path, or set validate_certs: false where that is acceptable.",
        host_of(url)
    )
}

/// Returns the `host:port` of a URL.
pub(crate) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// Removes `user:password@` from a URL.
fn without_credentials(url: &str) -> (String, Option<(String, String)>) {
    let authority = host_of(url);
    match authority.rsplit_once('@') {
        Some((who, host)) => {
            let (name, password) = who.split_once(':').unwrap_or((who, ""));
            let url = url.replacen(authority, host, 1);
            (url, Some((body::unquote(name), body::unquote(password))))
        }
        None => (url.to_owned(), None),
    }
}

/// Returns a URL for results and messages, with the user name and password masked.
pub(crate) fn without_user(url: &str) -> String {
    let authority = host_of(url);
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let mask = if user.contains(':') { "****:****" } else { "****" };
            url.replacen(authority, &format!("{mask}@{host}"), 1)
        }
        None => url.to_owned(),
    }
}

/// Resolves a `Location` header.
pub(crate) fn join(base: &str, to: &str) -> String {
    let to = to.split('#').next().unwrap_or(to);
    if to.parse::<Uri>().is_ok_and(|u| u.scheme().is_some()) {
        return to.to_owned();
    }
    let scheme = base.split("://").next().unwrap_or("http");
    if let Some(rest) = to.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let host = host_of(base);
    if to.starts_with('/') {
        return format!("{scheme}://{host}{to}");
    }
    let path = base.split_once(host).map_or("", |(_, path)| path).split(['?', '#']).next().unwrap_or("");
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    format!("{scheme}://{host}{directory}/{to}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_join() {
        for (to, url) in [
            ("https://b/c", "https://b/c"),
            ("//b/c", "http://b/c"),
            ("/c?d=1", "http://a:1/c?d=1"),
            ("c#x", "http://a:1/x/c"),
        ] {
            assert_eq!(join("http://a:1/x/y?z", to), url);
        }
        let (url, who) = without_credentials("http://me:p%40ss@h/x");
        assert_eq!((url.as_str(), who), ("http://h/x", Some(("me".into(), "p@ss".into()))));
    }
}
