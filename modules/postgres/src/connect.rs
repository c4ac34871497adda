//! Opens connections to a server. No other file does.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use playbook_api::context::Cancel;
use playbook_api::stream::{Endpoint, KeepAlive};
use playbook_api::sync::lock;
use playbook_api::{Context, Error, ErrorKind};
use rand::seq::SliceRandom;
use tokio::io::AsyncReadExt;
use tokio_postgres::config::{ChannelBinding, Config, SslMode as Wanted, SslNegotiation, TargetSessionAttrs};
use tokio_postgres::{AsyncMessage, Client, SimpleQueryMessage};

use crate::fault;
use crate::host::{self, Socket};
use crate::login::SslMode;
use crate::row::row;
use crate::target::Target;
use crate::tls::Tls;

/// An open connection, and what the server reported while it was opened.
pub(crate) struct Connected {
    pub(crate) client: Client,
    pub(crate) route: Route,
    /// The server's `standard_conforming_strings`.
    pub(crate) conforming_strings: bool,
    /// The server's warnings, as they arrive.
    pub(crate) warnings: Arc<Mutex<Vec<String>>>,
}

/// The route of a connection, so that a request to cancel uses the same one.
pub(crate) struct Route {
    endpoint: Endpoint,
    /// The host name for TLS.
    host: String,
    tls: Tls,
    timeout: Duration,
    context: Context,
}

/// Connects to the first of the target's hosts that satisfies `target_session_attrs`, and logs in.
pub(crate) async fn connect(target: &Target, context: &Context) -> Result<Connected, Error> {
    let tls = Tls::new(target, context).await?;
    let modes: &[Wanted] = match target.ssl_mode()? {
        SslMode::Disable => &[Wanted::Disable],
        SslMode::Allow => &[Wanted::Disable, Wanted::Require],
        SslMode::Prefer => &[Wanted::Prefer],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Wanted::Require],
    };
    let addresses = target.host_addresses()?;
    let mut hosts: Vec<(String, Endpoint)> = Vec::new();
    for (i, (host, port)) in target.url.hosts.iter().enumerate() {
        let port = port.unwrap_or(5432);
        let endpoint = match addresses.get(i) {
            Some(address) => Endpoint::Tcp { host: address.to_string(), port },
            None if host.starts_with('/') => Endpoint::Unix(Path::new(host).join(format!(".s.PGSQL.{port}"))),
            None => Endpoint::Tcp { host: host.clone(), port },
        };
        hosts.push((host.clone(), endpoint));
    }
    if target.url.param("load_balance_hosts") == Some("random") {
        hosts.shuffle(&mut rand::rng());
    }
    let mut result = Err(Error::new("no host to connect to was given"));
    for sessions in target.session_attributes()? {
        for mode in modes {
            for (host, endpoint) in &hosts {
                // As in libpq, a Unix socket has no TLS, regardless of sslmode.
                let mode = if matches!(endpoint, Endpoint::Unix(_)) { Wanted::Disable } else { *mode };
                let route = Route {
                    endpoint: endpoint.clone(),
                    host: host.clone(),
                    tls: tls.clone(),
                    timeout: target.connect_timeout(),
                    context: context.clone(),
                };
                result = attempt(target, route, mode, *sessions, context).await;
                match &result {
                    Ok(_) => return result,
                    // The managed host is unreachable, not the server.
                    Err(e) if matches!(e.kind(), ErrorKind::Unreachable | ErrorKind::Connection) => {
                        return result;
                    }
                    Err(_) => {}
                }
            }
        }
    }
    result
}

/// Returns the client's settings.
fn config(target: &Target, mode: Wanted) -> Config {
    let mut config = Config::new();
    config.user(target.user()).dbname(target.dbname()).ssl_mode(mode);
    let name = target.url.param("application_name").or(target.url.param("fallback_application_name"));
    config.application_name(name.unwrap_or("playbook"));
    if let Some(password) = &target.url.password {
        config.password(password);
    }
    if let Some(options) = target.url.param("options") {
        config.options(options);
    }
    match target.url.param("channel_binding") {
        Some("require") => {
            config.channel_binding(ChannelBinding::Require);
        }
        Some("disable") => {
            config.channel_binding(ChannelBinding::Disable);
        }
        _ => {}
    }
    if target.url.param("sslnegotiation") == Some("direct") {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    config
}

/// Returns the keepalive settings, which detect a broken network, from libpq's parameters.
fn keep_alive(target: &Target) -> Result<KeepAlive, Error> {
    let default = KeepAlive::default();
    let number = |name: &str, default: u32| {
        let given = target.number(name)?;
        Ok::<u32, Error>(given.map_or(default, |n| u32::try_from(n).unwrap_or(u32::MAX)))
    };
    Ok(KeepAlive {
        idle: number("keepalives_idle", default.idle)?.max(1),
        interval: number("keepalives_interval", default.interval)?.max(1),
        count: match number("keepalives", 1)? {
            0 => 0,
            _ => number("keepalives_count", default.count)?.max(1),
        },
        user_timeout: number("tcp_user_timeout", default.user_timeout)?,
    })
}

async fn attempt(
    target: &Target,
    route: Route,
    mode: Wanted,
    sessions: TargetSessionAttrs,
    context: &Context,
) -> Result<Connected, Error> {
    let (config, keep_alive) = (config(target, mode), keep_alive(target)?);
    let connecting = async {
        let socket = host::connect(route.endpoint.clone(), route.timeout, context)
            .await
            .map_err(|e| fault::endpoint(target, e, context))?;
        if let Socket::Tcp(stream) = &socket {
            keep_alive.set(stream);
        }
        let handshake = route.tls.to(&route.host).map_err(|e| {
            let error = Error::new(format!("'{}' is not a name for TLS: {e}", route.host));
            fault::endpoint(target, error, context)
        })?;
        config.connect_raw(socket, handshake).await.map_err(|e| fault::connection(target, &e, context))
    };
    // The timeout also covers a server that accepts the connection but never responds.
    let limit = route.timeout.saturating_add(Duration::from_secs(1));
    let (client, mut connection) = tokio::select! {
        result = tokio::time::timeout(limit, connecting) => match result {
            Ok(result) => result?,
            Err(_) => {
                let limit = playbook_api::time::in_words(route.timeout.as_secs());
                return Err(Error::new(format!(
                    "unable to connect to {}: no response after {limit}", target.describe()
                )).with_help("Check the host and the port, whether a PostgreSQL server listens there, and \
                    the network in between."));
            }
        },
        () = cancelled(context) => return Err(Error::new("interrupted")),
    };
    let conforming_strings = connection.parameter("standard_conforming_strings") != Some("off");
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let sink = warnings.clone();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notice(notice) = message
                && notice.severity() == "WARNING"
            {
                lock(&sink).push(notice.message().to_owned());
            }
        }
    });
    let wanted = match sessions {
        TargetSessionAttrs::ReadWrite => Some(("off", "the database does not allow writes")),
        TargetSessionAttrs::ReadOnly => Some(("on", "the database is not read only")),
        _ => None,
    };
    if let Some((wanted, refused)) = wanted {
        let answer = client.simple_query("SHOW transaction_read_only").await;
        let answer = answer.map_err(|e| fault::statement("cannot read the database", &e))?;
        if first_cell(&answer).as_deref() != Some(wanted) {
            return Err(fault::endpoint(target, Error::new(refused), context));
        }
    }
    Ok(Connected { client, route, conforming_strings, warnings })
}

fn first_cell(answer: &[SimpleQueryMessage]) -> Option<String> {
    answer.iter().find_map(row).and_then(|row| row.into_iter().next().flatten())
}

impl Route {
    /// Waits for a request to the server. If the task is canceled, so is the request.
    pub(crate) async fn cancellable<T>(&self, client: &Client, work: impl Future<Output = T>) -> T {
        let _busy = self.context.cancel.busy();
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => return result,
            () = cancelled(&self.context) => {}
        }
        // If the request to cancel fails, only the end of the statement remains to wait for.
        let _ = self.cancel(client).await;
        work.await
    }

    /// Asks the server to cancel a client's statement. The request needs another connection.
    async fn cancel(&self, client: &Client) -> Result<(), Error> {
        // The task is already canceled, which must not prevent this connection.
        let context = Context { cancel: Cancel::default(), ..self.context.clone() };
        let socket = host::connect(self.endpoint.clone(), self.timeout, &context).await?;
        let handshake = self.tls.to(&self.host).map_err(|e| Error::new(e.to_string()))?;
        let asked = client.cancel_token().cancel_query_raw(socket, handshake).await;
        asked.map_err(|e| fault::statement("cannot cancel the statement", &e))
    }
}

/// Returns the id of the server's process, as the server announced it at login. A connection pooler announces another
/// number.
pub(crate) async fn announced_process(client: &Client) -> Option<i32> {
    // The client reveals the id only in a request to cancel, so one is written into a pipe.
    let (near, mut far) = tokio::io::duplex(64);
    // The response to a TLS request, in case the client sends one.
    tokio::io::AsyncWriteExt::write_all(&mut far, b"S").await.ok()?;
    client.cancel_token().cancel_query_raw(near, crate::tls::Pretended).await.ok()?;
    let mut sent = Vec::new();
    far.read_to_end(&mut sent).await.ok()?;
    process_of(&sent)
}

/// Reads the process id from a request to cancel: its length (16), its code, the process, and the secret.
fn process_of(sent: &[u8]) -> Option<i32> {
    let request = sent.get(sent.len().checked_sub(16)?..)?;
    (request.starts_with(&[0, 0, 0, 16])).then_some(())?;
    Some(i32::from_be_bytes(request.get(8..12)?.try_into().ok()?))
}

/// Completes when the task is canceled.
pub(crate) async fn cancelled(context: &Context) {
    while !context.cancel.is_set() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_read_from_a_request_to_cancel() {
        let mut sent = vec![0, 0, 0, 8, 4, 210, 22, 47];
        sent.extend([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0x12, 0x34, 9, 9, 9, 9]);
        assert_eq!(process_of(&sent), Some(0x1234));
        assert_eq!(process_of(&sent[..12]), None);
    }
}
