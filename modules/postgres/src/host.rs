//! The host that a task acts on: its streams to the server, its variables and its files.
//!
//! Where the task has no host of its own, these are the controller's.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use playbook_api::stream::{self, Endpoint};
use playbook_api::{Context, Error, Failure, Map, Outcome, Value, map};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// Connects to a service from the task's host, within `timeout` for each of its addresses.
pub(crate) async fn connect(
    endpoint: Endpoint,
    timeout: Duration,
    context: &Context,
) -> Result<Socket, Error> {
    let (host, cancel) = (context.host.clone(), context.cancel.clone());
    let opened = blocking(move || match host {
        Some(host) => host.connect(&endpoint, timeout, &cancel).map_err(|failure| failure.error),
        None => stream::Stream::open(&endpoint, timeout).map_err(|e| Error::new(e.to_string())),
    });
    let socket = |e: io::Error| Error::new(format!("cannot use the connection: {e}"));
    match opened.await? {
        stream::Stream::Tcp(stream) => {
            stream.set_nonblocking(true).map_err(socket)?;
            TcpStream::from_std(stream).map(Socket::Tcp).map_err(socket)
        }
        stream::Stream::Unix(stream) => {
            stream.set_nonblocking(true).map_err(socket)?;
            UnixStream::from_std(stream).map(Socket::Unix).map_err(socket)
        }
    }
}

/// Runs what blocks on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(Error::new(e.to_string())))
}

/// A stream to the server.
#[derive(Debug)]
pub(crate) enum Socket {
    /// The server's TCP port.
    Tcp(TcpStream),
    /// The server's Unix socket, or the end of a stream that leads to the server over a managed host.
    Unix(UnixStream),
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Poller<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Socket::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Poller<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Socket::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Poller<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Poller<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// The task's environment on its host.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    /// The task's own variables.
    own: Vec<(String, String)>,
    /// The host's; nothing for this process's.
    host: Option<Arc<Map>>,
}

impl Environment {
    /// Asks the task's host for its variables.
    pub(crate) async fn of(context: &Context) -> Result<Environment, Error> {
        let own = context.environment.clone();
        if context.host.is_none() {
            return Ok(Environment { own, host: None });
        }
        let subset = vec![Value::from("!all"), "!min".into(), "env".into()];
        let facts = run("setup", map! { "gather_subset" => subset }, context).await.map_err(|f| f.error)?;
        let all = facts.facts.get("env").or_else(|| facts.facts.get("ansible_env")).and_then(Value::as_map);
        Ok(Environment { own, host: Some(Arc::new(all.cloned().unwrap_or_default())) })
    }

    /// Returns a variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let own = self.own.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let value = own.or_else(|| match &self.host {
            Some(all) => all.get(name).map(|value| value.to_text().into_owned()),
            None => std::env::var(name).ok(),
        });
        value.filter(|value| !value.is_empty())
    }

    /// Expands a `~` at the beginning of a path.
    pub(crate) fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.get("HOME")) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => PathBuf::from(path),
        }
    }
}

/// Reads a file of the task's host.
pub(crate) async fn read(path: &Path, context: &Context) -> Result<Vec<u8>, Error> {
    if context.host.is_none() {
        return std::fs::read(path).map_err(|e| Error::new(e.to_string()));
    }
    let args = map! { "src" => path.to_string_lossy().into_owned() };
    let done = run("slurp", args, context).await.map_err(|failure| failure.error)?;
    let content = done.values.get("content").and_then(Value::as_str).unwrap_or_default();
    BASE64_STANDARD.decode(content).map_err(|e| Error::new(e.to_string()))
}

/// Whether a path exists on the task's host.
pub(crate) async fn exists(path: &Path, context: &Context) -> Result<bool, Error> {
    if context.host.is_none() {
        return Ok(path.exists());
    }
    let args = map! {
        "path" => path.to_string_lossy().into_owned(),
        "get_checksum" => false,
        "get_mime" => false,
        "get_attributes" => false,
        "follow" => true,
    };
    let done = run("stat", args, context).await.map_err(|failure| failure.error)?;
    let stat = done.values.get("stat").and_then(Value::as_map);
    Ok(stat.and_then(|stat| stat.get("exists")).is_some_and(Value::is_true))
}

async fn run(module: &'static str, args: Map, context: &Context) -> Result<Outcome, Failure> {
    let Some(host) = context.host.clone() else { return Err(Failure::new("the task has no host")) };
    let done = tokio::task::spawn_blocking(move || host.run(module, args)).await;
    done.unwrap_or_else(|e| Err(Failure::new(e.to_string())))
}
