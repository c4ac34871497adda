//! Parses and builds PostgreSQL URLs.

use playbook_api::Error;

/// The parts of a URL of the form `postgresql+driver://user:password@host:port/dbname?sslmode=require`.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// Several hosts are tried in turn. A host that starts with `/` is the directory of a Unix socket.
    pub(crate) hosts: Vec<(String, Option<u16>)>,
    /// The port, if no host is named.
    pub(crate) port: Option<u16>,
    pub(crate) dbname: Option<String>,
    pub(crate) params: Vec<(String, String)>,
}

/// The help for a URL with unencoded special characters. The URL itself is a secret and never shown.
const ENCODE: &str = "a user name or password that holds @ : / ? # or % must be percent-encoded in a URL; \
                      the filter postgresql_url builds one from a secret";

impl Url {
    /// Parses a URL with the scheme `postgres`, `postgresql` or SQLAlchemy's `postgresql+driver`, which are equivalent.
    pub(crate) fn parse(text: &str) -> Result<Url, Error> {
        let wrong = |what: &str| Error::new(format!("the database URL {what}"));
        let text = text.trim();
        let text = text.strip_prefix("jdbc:").unwrap_or(text);
        let Some((scheme, rest)) = text.split_once("://") else {
            if let Some(params) = conninfo(text) {
                let mut url = Url { scheme: "postgresql".into(), ..Url::default() };
                url.set_all(params)?;
                return Ok(url);
            }
            return Err(
                wrong("has no scheme").with_help("write it as postgresql://user:password@host:port/dbname")
            );
        };
        if !matches!(scheme.split('+').next(), Some("postgres" | "postgresql")) {
            return Err(wrong(&format!("has the scheme '{scheme}', not postgresql"))
                .with_help("write it as postgresql://user:password@host:port/dbname"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains('@') {
            return Err(wrong("has an @ after the host").with_help(ENCODE));
        }
        let mut url = Url { scheme: scheme.to_owned(), ..Url::default() };
        let hosts = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => {
                let (user, password) = match credentials.split_once(':') {
                    Some((user, password)) => (user, Some(password)),
                    None => (credentials, None),
                };
                url.user = non_empty(decode(user, "user name")?);
                url.password = password.map(|p| decode(p, "password")).transpose()?.and_then(non_empty);
                hosts
            }
            None => authority,
        };
        for host in hosts.split(',').filter(|h| !h.is_empty()) {
            url.hosts.push(host_and_port(host)?);
        }
        url.dbname = non_empty(decode(path, "database name")?);
        let mut params = Vec::new();
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| wrong("has a parameter without a value"))?;
            params.push((decode(name, "parameters")?, decode(value, "parameters")?));
        }
        url.set_all(params)?;
        Ok(url)
    }

    /// Reads the query's parameters. As in libpq, they may also name the parts of the URL: several hosts as a
    /// comma-separated list with their ports in another, or, as SQLAlchemy writes them, each as `host=name:port`.
    pub(crate) fn set_all(&mut self, params: Vec<(String, String)>) -> Result<(), Error> {
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        for (name, value) in params {
            match name.as_str() {
                "user" => self.user = non_empty(value),
                "password" => self.password = non_empty(value),
                "dbname" => self.dbname = non_empty(value),
                "host" => hosts.extend(value.split(',').filter(|h| !h.is_empty()).map(str::to_owned)),
                "port" => ports.extend(value.split(',').map(str::to_owned)),
                _ => self.params.push((name, value)),
            }
        }
        if !hosts.is_empty() {
            self.hosts = hosts.iter().map(|host| listed_host(host)).collect::<Result<_, _>>()?;
        }
        let ports: Vec<Option<u16>> = ports
            .iter()
            .map(|p| Some(p).filter(|p| !p.is_empty()).map(|p| port(p)).transpose())
            .collect::<Result<_, _>>()?;
        match ports.as_slice() {
            [] => {}
            [one] => {
                self.port = *one;
                self.hosts.iter_mut().for_each(|(_, port)| *port = one.or(*port));
            }
            several if several.len() == self.hosts.len() => {
                self.hosts.iter_mut().zip(several).for_each(|((_, port), given)| *port = given.or(*port));
            }
            several => {
                return Err(Error::new(format!(
                    "the database URL has {} ports for {} hosts",
                    several.len(),
                    self.hosts.len()
                )));
            }
        }
        Ok(())
    }

    /// Returns a parameter's value.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Sets a parameter.
    pub(crate) fn set_param(&mut self, name: &str, value: impl Into<String>) {
        self.params.retain(|(n, _)| n != name);
        self.params.push((name.to_owned(), value.into()));
    }

    /// Returns the URL as text, percent-encoded where necessary.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{}://", self.scheme);
        if let Some(user) = &self.user {
            text += &encode(user);
            if let Some(password) = &self.password {
                text.push(':');
                text += &encode(password);
            }
            text.push('@');
        }
        let (sockets, hosts): (Vec<_>, Vec<_>) = self.hosts.iter().partition(|(h, _)| h.starts_with('/'));
        let hosts: Vec<String> = hosts.iter().map(|(host, port)| host_text(host, *port)).collect();
        text += &hosts.join(",");
        text.push('/');
        text += &self.dbname.as_deref().map(encode).unwrap_or_default();
        let mut params: Vec<(&str, String)> = Vec::new();
        for (directory, port) in sockets {
            params.push(("host", directory.clone()));
            params.extend(port.map(|p| ("port", p.to_string())));
        }
        params.extend(self.params.iter().map(|(n, v)| (n.as_str(), v.clone())));
        for (i, (name, value)) in params.iter().enumerate() {
            text.push(if i == 0 { '?' } else { '&' });
            text += &format!("{}={}", encode(name), encode(value));
        }
        text
    }
}

fn host_text(host: &str, port: Option<u16>) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    port.map_or(host.clone(), |port| format!("{host}:{port}"))
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), Error> {
    if let Some(inside) = text.strip_prefix('[') {
        let (host, rest) = inside
            .split_once(']')
            .ok_or_else(|| Error::new("the database URL has an IPv6 address without its closing bracket"))?;
        let port = rest.strip_prefix(':').filter(|p| !p.is_empty()).map(port).transpose()?;
        return Ok((host.to_owned(), port));
    }
    let (host, after) = text.split_once(':').unwrap_or((text, ""));
    let port = Some(after).filter(|p| !p.is_empty()).map(port).transpose()?;
    Ok((decode(host, "host")?, port))
}

/// Parses a host in a list: a name or an address, optionally followed by a port as SQLAlchemy allows.
fn listed_host(text: &str) -> Result<(String, Option<u16>), Error> {
    let is_address = text.matches(':').count() > 1 && !text.starts_with('[');
    if text.starts_with('/') || is_address {
        return Ok((text.to_owned(), None));
    }
    host_and_port(text)
}

/// Parses libpq's keyword form, `host=db user=app password='it\'s'`. Returns `None` if the text has another form.
fn conninfo(text: &str) -> Option<Vec<(String, String)>> {
    let mut params = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            return None;
        }
        let after = after.trim_start();
        let quoted = after.starts_with('\'');
        let mut value = String::new();
        let mut end = after.len();
        let mut characters = after.char_indices().skip(usize::from(quoted));
        let mut closed = !quoted;
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => value.extend(characters.next().map(|(_, c)| c)),
                '\'' if quoted => {
                    (end, closed) = (at + 1, true);
                    break;
                }
                c if c.is_whitespace() && !quoted => {
                    end = at;
                    break;
                }
                c => value.push(c),
            }
        }
        if !closed {
            return None;
        }
        params.push((name.to_owned(), value));
        rest = after.get(end..)?.trim_start();
    }
    Some(params)
}

fn port(text: &str) -> Result<u16, Error> {
    text.parse().map_err(|_| {
        Error::new("the port in the database URL is not a number between 1 and 65535").with_help(ENCODE)
    })
}

fn non_empty(text: String) -> Option<String> {
    Some(text).filter(|t| !t.is_empty())
}

/// Percent-encodes all but the characters that are safe in any part of a URL.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => out += &format!("%{byte:02X}"),
        }
        out
    })
}

fn decode(text: &str, part: &str) -> Result<String, Error> {
    let wrong = || {
        Error::new(format!("the {part} in the database URL is not properly percent-encoded"))
            .with_help(ENCODE)
    };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).ok_or_else(wrong);
        let value = digit()? * 16 + digit()?;
        out.push(u8::try_from(value).map_err(|_| wrong())?);
    }
    String::from_utf8(out).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_url_apart_and_puts_it_together() {
        let text = "postgresql+psycopg2://app%40x:p%40ss%2F%3A@db.example.com:5433/shop?sslmode=require";
        let url = Url::parse(text).unwrap();
        assert_eq!(url.user.as_deref(), Some("app@x"));
        assert_eq!(url.password.as_deref(), Some("p@ss/:"));
        assert_eq!(url.hosts, [("db.example.com".to_owned(), Some(5433))]);
        assert_eq!(url.dbname.as_deref(), Some("shop"));
        assert_eq!(url.param("sslmode"), Some("require"));
        assert_eq!(url.to_text(), text);
    }

    #[test]
    fn sockets_several_hosts_and_ipv6() {
        let url = Url::parse("postgres:///app?host=/var/run/postgresql").unwrap();
        assert_eq!(url.hosts, [("/var/run/postgresql".to_owned(), None)]);
        assert_eq!(Url::parse(&url.to_text()).unwrap().hosts, url.hosts);
        let url = Url::parse("postgres://a,b:2/x").unwrap();
        assert_eq!(url.hosts, [("a".to_owned(), None), ("b".to_owned(), Some(2))]);
        let url = Url::parse("postgres://[::1]:5/x").unwrap();
        assert_eq!(url.to_text(), "postgres://[::1]:5/x");
    }

    #[test]
    fn lists_of_hosts_in_every_form() {
        let hosts = |text: &str| Url::parse(text).unwrap().hosts;
        let at = |host: &str, port: u16| (host.to_owned(), Some(port));
        assert_eq!(hosts("postgresql+psycopg2://u:p@/d?host=h:5433"), [at("h", 5433)]);
        assert_eq!(hosts("postgresql+psycopg://u:p@/d?host=a:1&host=b:2"), [at("a", 1), at("b", 2)]);
        assert_eq!(hosts("postgresql://u:p@/d?host=a,b&port=1,2"), [at("a", 1), at("b", 2)]);
        assert_eq!(hosts("postgresql:///d?port=7&host=a,b"), [at("a", 7), at("b", 7)]);
        assert_eq!(hosts("postgresql:///d?host=::1"), [("::1".to_owned(), None)]);
        assert_eq!(hosts("jdbc:postgresql://h:1/d?user=u&password=p"), [at("h", 1)]);
        assert_eq!(Url::parse("postgresql:///d?port=7").unwrap().port, Some(7));
        let error = Url::parse("postgresql:///d?host=a,b&port=1,2,3").err().unwrap();
        assert_eq!(error.to_string(), "the database URL has 3 ports for 2 hosts");
        let sockets = Url::parse("postgresql:///d?host=/a,/b&port=1,2").unwrap();
        assert_eq!(Url::parse(&sockets.to_text()).unwrap().hosts, sockets.hosts);
    }

    #[test]
    fn a_connection_string_of_keywords() {
        let url = Url::parse(
            "host=127.0.0.1 port=5433 user = postgres password='it\\'s \\\\' dbname=src \
            options='-c search_path=app'",
        )
        .unwrap();
        assert_eq!(url.hosts, [("127.0.0.1".to_owned(), Some(5433))]);
        assert_eq!(url.password.as_deref(), Some("it's \\"));
        assert_eq!((url.user.as_deref(), url.dbname.as_deref()), (Some("postgres"), Some("src")));
        assert_eq!(url.param("options"), Some("-c search_path=app"));
        assert!(Url::parse("host=x password='open").is_err());
    }

    #[test]
    fn errors_never_show_the_password() {
        for text in [
            "postgres://u:hunter2/x@h/db",
            "postgres://u:hunter2%zz@h/db",
            "mysql://u:hunter2@h/db",
            "hunter2",
        ] {
            let error = Url::parse(text).err().unwrap();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
