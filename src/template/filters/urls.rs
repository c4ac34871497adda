//! Parts of URLs.

use playbook_api::{Error, Map, Value};

use super::arguments::{given, text};
use crate::template::{Call, Function};

pub(crate) const FILTERS: &[Function] = &[Function::new("urlsplit", urlsplit)];

/// A URL that is split as Python's `urlsplit` does.
#[derive(Debug, Default)]
pub(crate) struct Url {
    pub scheme: String,
    pub netloc: String,
    pub path: String,
    pub query: String,
    pub fragment: String,
}

/// Splits a URL. Nearly every text is accepted.
pub(crate) fn split(url: &str) -> Result<Url, Error> {
    let url = url.trim_start_matches(|c: char| c <= ' ').replace(['\t', '\r', '\n'], "");
    let mut parts = Url::default();
    let mut rest = url.as_str();
    if let Some((scheme, after)) = rest.split_once(':')
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        parts.scheme = scheme.to_ascii_lowercase();
        rest = after;
    }
    if let Some(after) = rest.strip_prefix("//") {
        let (netloc, path) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        if netloc.contains('[') != netloc.contains(']') {
            return Err(Error::new("Invalid IPv6 URL"));
        }
        parts.netloc = netloc.to_owned();
        rest = path;
    }
    if let Some((before, fragment)) = rest.split_once('#') {
        parts.fragment = fragment.to_owned();
        rest = before;
    }
    if let Some((before, query)) = rest.split_once('?') {
        parts.query = query.to_owned();
        rest = before;
    }
    parts.path = rest.to_owned();
    Ok(parts)
}

impl Url {
    fn user_info(&self) -> Option<&str> {
        self.netloc.rsplit_once('@').map(|(user, _)| user)
    }

    fn host_and_port(&self) -> (&str, Option<&str>) {
        let host = self.netloc.rsplit_once('@').map_or(&*self.netloc, |(_, host)| host);
        match host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
        }
    }

    pub(crate) fn username(&self) -> Option<&str> {
        self.user_info().map(|user| user.split_once(':').map_or(user, |(user, _)| user))
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.user_info().and_then(|user| user.split_once(':')).map(|(_, password)| password)
    }

    pub(crate) fn hostname(&self) -> Option<String> {
        Some(self.host_and_port().0.to_lowercase()).filter(|host| !host.is_empty())
    }

    pub(crate) fn port(&self) -> Result<Option<u16>, Error> {
        let Some(port) = self.host_and_port().1.filter(|port| !port.is_empty()) else { return Ok(None) };
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::new(format!("Port could not be cast to integer value as '{port}'")));
        }
        port.parse().map(Some).map_err(|_| Error::new("Port out of range 0-65535"))
    }
}

fn urlsplit(call: &mut Call) -> Result<Value, Error> {
    let [component] = call.bind(["query"], 0)?;
    let url = split(&call.input.to_text())?;
    let port = url.port()?.map(|port| Value::Int(port.into()));
    let parts: Map = [
        ("fragment", Value::from(&url.fragment)),
        ("hostname", url.hostname().into()),
        ("netloc", Value::from(&url.netloc)),
        ("password", url.password().into()),
        ("path", Value::from(&url.path)),
        ("port", port.into()),
        ("query", Value::from(&url.query)),
        ("scheme", Value::from(&url.scheme)),
        ("username", url.username().into()),
    ]
    .into_iter()
    .map(|(name, value)| (Value::from(name), value))
    .collect();
    match given(component).filter(Value::is_true) {
        None => Ok(parts.into()),
        component => {
            let name = text(&component, "");
            let found = parts.get(&*name).cloned();
            found.ok_or_else(|| Error::new(format!("urlsplit: unknown URL component: {name}")))
        }
    }
}
