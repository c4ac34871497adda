//! One connection to one database, as every module of this crate uses it.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use playbook_api::context::Cancel;
use playbook_api::stream::Endpoint;
use playbook_api::{Context, Error, ErrorKind, Outcome};
use tokio_postgres::config::SslMode as Wanted;
use tokio_postgres::{AsyncMessage, Client, Config, SimpleQueryMessage};

use crate::login::{SslMode, Target};
use crate::tls::Tls;
use crate::{fault, host};

/// A session. In check mode it is read-only, by the server's own word.
pub struct Session {
    client: Client,
    endpoint: Endpoint,
    /// The host of the endpoint, as TLS knows it.
    host: String,
    tls: Tls,
    context: Context,
    warnings: Arc<Mutex<Vec<String>>>,
    pub target: Target,
}

/// A row of text columns, as the simple protocol answers.
pub type Row = Vec<Option<String>>;

impl Session {
    pub async fn open(target: &Target, context: &Context) -> Result<Session, Error> {
        let tls = Tls::new(target, context).await?;
        let tries: &[Wanted] = match target.ssl_mode()? {
            SslMode::Disable => &[Wanted::Disable],
            SslMode::Allow => &[Wanted::Disable, Wanted::Require],
            SslMode::Prefer => &[Wanted::Prefer],
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Wanted::Require],
        };
        let mut result = Err(Error::new("no connection was tried"));
        for wanted in tries {
            result = Self::connect(target, *wanted, tls.clone(), context).await;
            if result.is_ok() {
                break;
            }
        }
        let session = result?;
        if context.check {
            session.run("SET default_transaction_read_only = on").await?;
        }
        if let Some(role) = &target.role {
            session.run(&format!("SET ROLE {}", ident(role))).await?;
        }
        Ok(session)
    }

    /// A session, or nothing where check mode meets a database that does not exist: an earlier task would have
    /// created it.
    pub async fn open_or_foresee(target: &Target, context: &Context) -> Result<Option<Session>, Error> {
        match Session::open(target, context).await {
            Err(error) if context.check && error.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Tries the target's hosts one after the other.
    async fn connect(target: &Target, wanted: Wanted, tls: Tls, context: &Context) -> Result<Session, Error> {
        let mut result = Err(Error::new("no host to connect to was given"));
        for (host, port) in &target.url.hosts {
            result = Self::connect_to(host, port.unwrap_or(5432), target, wanted, &tls, context).await;
            match &result {
                Ok(_) => break,
                Err(e) if matches!(e.kind(), ErrorKind::Unreachable | ErrorKind::Connection) => break,
                Err(_) => {}
            }
        }
        result
    }

    async fn connect_to(
        host: &str,
        port: u16,
        target: &Target,
        wanted: Wanted,
        tls: &Tls,
        context: &Context,
    ) -> Result<Session, Error> {
        let endpoint = match host.starts_with('/') {
            true => Endpoint::Unix(Path::new(host).join(format!(".s.PGSQL.{port}"))),
            false => Endpoint::Tcp { host: host.to_owned(), port },
        };
        // A Unix socket has no TLS, whatever sslmode says; so it is in libpq.
        let wanted = if host.starts_with('/') { Wanted::Disable } else { wanted };
        let config = config(target, wanted);
        let timeout = target.connect_timeout();
        let connecting = async {
            let socket = host::connect(endpoint.clone(), timeout, context)
                .await
                .map_err(|e| fault::endpoint(target, e, context))?;
            let handshake = tls.to(host).map_err(|e| {
                fault::endpoint(target, Error::new(format!("'{host}' is not a name for TLS: {e}")), context)
            })?;
            config.connect_raw(socket, handshake).await.map_err(|e| fault::connection(target, &e, context))
        };
        // The timeout also covers a server that accepts and then says nothing.
        let limit = timeout + Duration::from_secs(1);
        let (client, mut connection) = tokio::select! {
            result = tokio::time::timeout(limit, connecting) => match result {
                Ok(result) => result?,
                Err(_) => {
                    let seconds = timeout.as_secs();
                    return Err(Error::new(format!(
                        "unable to connect to {}: no answer in {seconds} seconds", target.describe()
                    )).with_help("check host and port, that a PostgreSQL server listens there, and the network between"));
                }
            },
            () = cancelled(context) => return Err(Error::new("interrupted")),
        };
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let sink = warnings.clone();
        tokio::spawn(async move {
            let messages = std::future::poll_fn(|cx| connection.poll_message(cx));
            let mut next = messages.await;
            while let Some(Ok(message)) = next {
                if let AsyncMessage::Notice(notice) = message
                    && notice.severity() == "WARNING"
                    && let Ok(mut all) = sink.lock()
                {
                    all.push(notice.message().to_owned());
                }
                next = std::future::poll_fn(|cx| connection.poll_message(cx)).await;
            }
        });
        let session = Session {
            client,
            endpoint,
            host: host.to_owned(),
            tls: tls.clone(),
            context: context.clone(),
            warnings,
            target: target.clone(),
        };
        session.check_attributes().await?;
        Ok(session)
    }

    /// Whether the session may write as `target_session_attrs` asks.
    async fn check_attributes(&self) -> Result<(), Error> {
        let (wanted, refused) = match self.target.url.param("target_session_attrs") {
            Some("read-write" | "primary") => ("off", "database does not allow writes"),
            Some("read-only" | "standby") => ("on", "database is not read only"),
            _ => return Ok(()),
        };
        match self.value("SHOW transaction_read_only").await?.as_deref() == Some(wanted) {
            true => Ok(()),
            false => Err(fault::endpoint(&self.target, Error::new(refused), &self.context)),
        }
    }

    /// Runs statements; an interrupt cancels them on the server.
    pub async fn execute(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, tokio_postgres::Error> {
        self.cancellable(self.client.simple_query(sql)).await
    }

    async fn cancellable<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => return result,
            () = cancelled(&self.context) => {}
        }
        // Where the cancel request itself fails, the statement's own end is all there is to wait for.
        let _ = self.cancel().await;
        work.await
    }

    /// Asks the server to cancel what the session runs, over a connection for that.
    async fn cancel(&self) -> Result<(), Error> {
        // The task is canceled, which must not keep this connection from being made.
        let context = Context { cancel: Cancel::default(), ..self.context.clone() };
        let timeout = self.target.connect_timeout();
        let socket = host::connect(self.endpoint.clone(), timeout, &context).await?;
        let handshake = self.tls.to(&self.host).map_err(|e| Error::new(e.to_string()))?;
        let asked = self.client.cancel_token().cancel_query_raw(socket, handshake).await;
        asked.map_err(|e| fault::statement("cannot cancel the statement", &e))
    }

    /// Runs statements whose rows do not matter.
    pub async fn run(&self, sql: &str) -> Result<(), Error> {
        self.execute(sql).await.map(drop).map_err(|e| fault::statement("the database refused", &e))
    }

    /// The rows of a query.
    pub async fn rows(&self, sql: &str) -> Result<Vec<Row>, Error> {
        let messages =
            self.execute(sql).await.map_err(|e| fault::statement("cannot read the database", &e))?;
        Ok(messages.iter().filter_map(row).collect())
    }

    /// The first column of the first row.
    pub async fn value(&self, sql: &str) -> Result<Option<String>, Error> {
        Ok(self.rows(sql).await?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    /// The names and types of a statement's columns, without running it.
    pub async fn columns(
        &self,
        sql: &str,
    ) -> Result<Vec<(String, tokio_postgres::types::Type)>, tokio_postgres::Error> {
        let statement = self.cancellable(self.client.prepare(sql)).await?;
        Ok(statement.columns().iter().map(|c| (c.name().to_owned(), c.type_().clone())).collect())
    }

    /// What the server warned of so far.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().map(|all| all.clone()).unwrap_or_default()
    }

    /// 150004 for 15.4.
    pub async fn version(&self) -> Result<u32, Error> {
        let text = self.value("SHOW server_version_num").await?;
        Ok(text.and_then(|t| t.parse().ok()).unwrap_or_default())
    }
}

/// The client's settings for a target.
fn config(target: &Target, wanted: Wanted) -> Config {
    let mut config = Config::new();
    config.user(target.user()).dbname(target.dbname()).ssl_mode(wanted);
    config.application_name(target.url.param("application_name").unwrap_or("playbook"));
    if let Some(password) = &target.url.password {
        config.password(password);
    }
    if let Some(options) = target.url.param("options") {
        config.options(options);
    }
    config
}

/// What a module says in check mode of a database that does not exist yet.
pub fn not_there_yet(target: &Target) -> Outcome {
    let message = format!("the database '{}' does not exist yet", target.dbname());
    Outcome::changed(true).msg(message.clone()).warn(message)
}

pub fn row(message: &SimpleQueryMessage) -> Option<Row> {
    match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|i| row.try_get(i).ok().flatten().map(str::to_owned)).collect())
        }
        _ => None,
    }
}

/// Ends when the run is interrupted.
pub async fn cancelled(context: &Context) {
    while !context.cancel.is_set() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A name, quoted.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text, quoted so that it means itself whatever standard_conforming_strings says.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}
