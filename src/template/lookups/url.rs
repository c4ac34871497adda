//! `url`: the response of a web server.

use base64::Engine;
use playbook_api::{Error, Map, Value, time};

use super::Lookup;
use super::terms::Options;
use crate::template::Renderer;

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("url", url)];

fn url(terms: &[Value], call: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    let options = Options { lookup: "url", inline: Map::default(), call };
    let split_lines = options.flag("split_lines", true)?;
    let agent = agent(&options)?;
    let mut found = Vec::new();
    for term in terms {
        let address = term.to_text();
        let text = fetch(&agent, &address, &options)?;
        if split_lines {
            found.extend(text.lines().map(Value::from));
        } else {
            found.push(text.into());
        }
    }
    Ok(found)
}

fn agent(options: &Options) -> Result<ureq::Agent, Error> {
    let seconds = options.get("timeout").and_then(Value::as_f64).unwrap_or(10.0).max(0.001);
    let mut config = ureq::Agent::config_builder()
        .timeout_global(Some(time::seconds(seconds)?))
        .http_status_as_error(true)
        .user_agent(options.text("http_agent").unwrap_or_else(|| "ansible-httpget".into()));
    if !options.flag("validate_certs", true)? {
        config = config.tls_config(ureq::tls::TlsConfig::builder().disable_verification(true).build());
    }
    if !options.flag("use_proxy", true)? {
        config = config.proxy(None);
    }
    Ok(config.build().into())
}

fn fetch(agent: &ureq::Agent, address: &str, options: &Options) -> Result<String, Error> {
    let failed = |e: ureq::Error| match e {
        ureq::Error::StatusCode(code) => {
            Error::new(format!("Received HTTP error for {address} : HTTP Error {code}"))
        }
        other => Error::new(format!("Failed lookup url for {address} : {other}")),
    };
    let mut request = agent.get(address);
    if let Some(Value::Map(headers)) = options.get("headers") {
        for (name, value) in headers.iter() {
            request = request.header(&*name.to_text(), &*value.to_text());
        }
    }
    if options.flag("force", false)? {
        request = request.header("Cache-Control", "no-cache");
    }
    if let Some(user) = options.text("username") {
        let password = options.text("password").unwrap_or_default();
        let token = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        request = request.header("Authorization", format!("Basic {token}"));
    }
    request.call().map_err(failed)?.body_mut().read_to_string().map_err(failed)
}
