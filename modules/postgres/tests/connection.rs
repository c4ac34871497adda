//! Ways to a server, and what is said when there is none.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::*;
use playbook_api::extension::BoxFuture;
use playbook_api::{Context, Error, Map, Registry, SecretSource, Value, map};
use rcgen::{CertificateParams, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The server's parts: user, password, host, port.
fn parts() -> (String, String, String, String) {
    let base = server();
    let (_, rest) = base.split_once("://").unwrap();
    let (credentials, host) = rest.rsplit_once('@').unwrap();
    let (user, password) = credentials.split_once(':').unwrap();
    let (host, port) = host.split_once(':').unwrap_or((host, "5432"));
    (user.into(), password.into(), host.into(), port.into())
}

fn login(more: Map) -> Map {
    let (user, password, host, port) = parts();
    let mut all = map! {
        "login_user" => user, "login_password" => password, "login_host" => host, "login_port" => port,
        "login_db" => "postgres", "query" => "SELECT 1 AS one",
    };
    all.extend(more);
    all
}

async fn query(arguments: Map) -> Result<playbook_api::Outcome, playbook_api::Failure> {
    task(&context(), "postgresql_query", arguments).await
}

/// A server that adds TLS in front of the real one, with a certificate for the given names, and the file of the
/// authority that signed it.
async fn tls_proxy(names: &[&str], directory: &TempDir) -> (u16, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    serve_tls(authority_pem, &certificate, &key, directory).await
}

/// The same with a certificate that nobody signed but itself, as `openssl req -x509` makes them.
async fn self_signed_proxy(name: &str, directory: &TempDir) -> (u16, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    serve_tls(certificate.pem(), &certificate, &key, directory).await
}

async fn serve_tls(
    authority_pem: String,
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    directory: &TempDir,
) -> (u16, String) {
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, authority_pem).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut request = [0; 8];
                stream.read_exact(&mut request).await?;
                stream.write_all(b"S").await?;
                let mut inside = acceptor.accept(stream).await?;
                let (_, _, host, port) = parts();
                let mut server = TcpStream::connect(format!("{host}:{port}")).await?;
                tokio::io::copy_bidirectional(&mut inside, &mut server).await
            });
        }
    });
    (port, path.display().to_string())
}

#[tokio::test]
async fn sslmodes_check_what_they_promise() {
    let directory = TempDir::new().unwrap();
    let (port, ca) = tls_proxy(&["localhost"], &directory).await;
    let other = TempDir::new().unwrap();
    let (_, other_ca) = tls_proxy(&["localhost"], &other).await;
    let at = |host: &str, mode: &str, ca: Option<&str>| {
        let mut arguments =
            login(map! { "login_host" => host, "login_port" => u32::from(port), "sslmode" => mode });
        arguments.extend(ca.map(|ca| ("ca_cert".into(), ca.into())));
        query(arguments)
    };
    for mode in ["prefer", "require"] {
        at("127.0.0.1", mode, None).await.unwrap();
    }
    at("localhost", "verify-full", Some(&ca)).await.unwrap();
    at("127.0.0.1", "verify-ca", Some(&ca)).await.unwrap();
    let failure = at("127.0.0.1", "verify-full", Some(&ca)).await.unwrap_err();
    assert!(failure.error.to_string().contains("not valid for name"), "{}", shown(&failure));
    assert!(
        failure.error.help().unwrap().contains("a name that is in the certificate"),
        "{}",
        shown(&failure)
    );
    for mode in ["require", "verify-ca", "verify-full"] {
        let failure = at("localhost", mode, Some(&other_ca)).await.unwrap_err();
        assert!(
            failure.error.to_string().contains("invalid peer certificate"),
            "{mode}: {}",
            shown(&failure)
        );
        assert!(failure.error.help().unwrap().contains("ca_cert"), "{mode}: {}", shown(&failure));
    }
    let own = TempDir::new().unwrap();
    let (own_port, own_ca) = self_signed_proxy("localhost", &own).await;
    let own_port = u32::from(own_port);
    let alone = |host: &str, mode: &str| {
        query(login(
            map! { "login_host" => host, "login_port" => own_port, "sslmode" => mode, "ca_cert" => own_ca.as_str() },
        ))
    };
    alone("localhost", "verify-full").await.unwrap();
    alone("127.0.0.1", "verify-ca").await.unwrap();
    let failure = alone("127.0.0.1", "verify-full").await.unwrap_err();
    assert!(failure.error.to_string().contains("not valid for name"), "{}", shown(&failure));
    // The system's authorities do not vouch for it.
    assert!(at("localhost", "verify-full", Some("system")).await.is_err());
    let failure = at("localhost", "verify-full", Some("/nowhere.pem")).await.unwrap_err();
    assert!(failure.error.to_string().contains("cannot read /nowhere.pem"), "{}", shown(&failure));
    let failure = at("localhost", "strict", None).await.unwrap_err();
    assert!(
        failure.error.to_string().starts_with("value of sslmode must be one of: "),
        "{}",
        shown(&failure)
    );
}

#[tokio::test]
async fn every_spelling_of_a_url() {
    let (user, password, host, port) = parts();
    for scheme in ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+asyncpg"] {
        let url = format!("{scheme}://{user}:{password}@{host}:{port}/postgres?sslmode=prefer");
        query(map! { "url" => url, "query" => "SELECT 1" }).await.unwrap();
    }
    let outcome =
        query(login(map! { "session_role" => "pg_monitor", "query" => "SELECT current_user AS me" })).await;
    assert_eq!(each(&outcome.unwrap(), "query_result", "me"), ["pg_monitor"]);
    let url = format!("postgresql://{user}:{password}@{host}:{port}/postgres?sslmod=require");
    let failure = query(map! { "url" => url, "query" => "SELECT 1" }).await.unwrap_err();
    assert_eq!(failure.error.help(), Some("Did you mean 'sslmode'?"));
}

#[tokio::test]
async fn failures_say_what_to_do_and_no_password() {
    let secret = "wr0ng-passw%rd";
    let failure = query(login(map! { "login_password" => secret })).await.unwrap_err();
    assert!(failure.error.to_string().contains("(SQLSTATE 28P01)"), "{}", shown(&failure));
    assert!(failure.error.help().unwrap().contains("is wrong"), "{}", shown(&failure));
    assert!(!shown(&failure).contains(secret));
    let failure = query(login(map! { "login_db" => "nosuchdb" })).await.unwrap_err();
    assert!(
        failure.error.to_string().starts_with("unable to connect to database 'nosuchdb' on "),
        "{}",
        shown(&failure)
    );
    let failure = query(login(map! { "login_port" => 1 })).await.unwrap_err();
    assert!(failure.error.to_string().contains("refused"), "{}", shown(&failure));
    assert!(failure.error.help().unwrap().starts_with("Check the host and the port"), "{}", shown(&failure));
    assert!(!failure.unreachable);
    let failure = query(login(map! { "login_host" => "no.such.host.invalid" })).await.unwrap_err();
    assert!(failure.error.help().unwrap().starts_with("Check the host and the port"), "{}", shown(&failure));
    let failure = query(map! { "url" => "postgresql://u:p@ss/word@h/db", "query" => "x" }).await.unwrap_err();
    assert!(failure.error.help().unwrap().contains("percent-encoded"), "{}", shown(&failure));
    assert!(!shown(&failure).contains("ss/word"));
    // A server that accepts and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let start = Instant::now();
    let timeout = map! { "login_host" => "127.0.0.1", "login_port" => u32::from(port), "connect_params" => map! { "connect_timeout" => 1 } };
    let failure = query(login(timeout)).await.unwrap_err();
    assert!(failure.error.to_string().contains("no response after 1 second"), "{}", shown(&failure));
    assert!(start.elapsed() < Duration::from_secs(30));
    let (user, _, host, port) = parts();
    let url = format!("postgresql://{user}@{host}:{port}/postgres");
    let failure = query(map! { "url" => url, "query" => "SELECT 1" }).await.unwrap_err();
    assert!(failure.error.help().unwrap().contains("requires a password"), "{}", shown(&failure));
}

/// Secrets by name, as Secrets Manager would answer.
struct Secrets;

impl SecretSource for Secrets {
    fn read<'a>(&'a self, id: &'a str, _: &'a Map, _: &'a Context) -> BoxFuture<'a, Result<Value, Error>> {
        Box::pin(async move {
            let (user, password, host, port) = parts();
            let mut secret = map! { "username" => user, "password" => password };
            match id {
                "managed" => {}
                "full" => secret.extend(
                    map! { "host" => host, "port" => port, "dbname" => "postgres", "engine" => "postgres" },
                ),
                "mysql" => secret.extend(map! { "engine" => "mysql" }),
                "empty" => return Ok("{}".into()),
                _ => return Err(Error::new(format!("there is no secret '{id}'"))),
            }
            Ok(Value::from(secret).to_json().to_string().into())
        })
    }
}

#[tokio::test]
async fn by_secret() {
    let mut registry = Registry::default();
    playbook_postgres::register(&mut registry);
    registry.secret_sources.push(Box::new(Secrets));
    let context = Context { registry: Arc::new(registry), ..Context::default() };
    let run = |more: Map| {
        let mut arguments = map! { "query" => "SELECT 1" };
        arguments.extend(more);
        let context = context.clone();
        async move { task(&context, "postgresql_query", arguments).await }
    };
    run(map! { "secret" => "full" }).await.unwrap();
    let (_, password, host, port) = parts();
    run(map! { "secret" => "managed", "host" => host, "port" => port, "dbname" => "postgres" })
        .await
        .unwrap();
    let failure = run(map! { "secret" => "managed" }).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "the secret 'managed' has no host");
    assert!(failure.error.help().unwrap().contains("login_host and login_db"));
    let failure = run(map! { "secret" => "empty" }).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "the secret 'empty' lacks username and password");
    let failure = run(map! { "secret" => "mysql" }).await.unwrap_err();
    assert_eq!(failure.error.to_string(), "the secret 'mysql' is for the engine 'mysql', not PostgreSQL");
    assert_eq!(
        run(map! { "secret" => "gone" }).await.unwrap_err().error.to_string(),
        "there is no secret 'gone'"
    );
    // What was read once is hidden from then on.
    assert_eq!(context.redactor.text(&format!("x{password}x")), "x********x");
}

#[tokio::test]
async fn the_probe_waits_for_the_server_and_for_an_answer() {
    let registry = registry();
    let probe = registry.probe("postgres").unwrap();
    assert_eq!(probe.spec().options.keys().next().map(String::as_str), Some("url"));
    let context = context();
    let mut options = login(map! { "query" => "SELECT 3" });
    let look = probe.look(&options, &context).await.unwrap();
    assert!(matches!(look, playbook_api::ProbeState::Met(_)), "{look:?}");
    options.insert("expected".into(), "4".into());
    let look = probe.look(&options, &context).await.unwrap();
    assert!(
        matches!(&look, playbook_api::ProbeState::Waiting(state, _) if state == "the query returns 3"),
        "{look:?}"
    );
    let mut wrong = options.clone();
    wrong.insert("login_password".into(), "wrong".into());
    let look = probe.look(&wrong, &context).await.unwrap();
    assert!(matches!(look, playbook_api::ProbeState::Never(..)), "{look:?}");
    options.insert("login_port".into(), 1.into());
    let look = probe.look(&options, &context).await.unwrap();
    assert!(
        matches!(&look, playbook_api::ProbeState::Waiting(state, _) if state.contains("unable to connect")),
        "{look:?}"
    );
}

#[tokio::test]
async fn ping_never_fails() {
    let mut arguments = login(map! {});
    arguments.shift_remove("query");
    let outcome = task(&check(), "community.postgresql.postgresql_ping", arguments.clone()).await.unwrap();
    assert_eq!(value(&outcome, "is_available"), "True");
    assert!(outcome.values.get("server_version").unwrap().get("major").unwrap().as_i64().unwrap() >= 12);
    arguments.insert("login_port".into(), 1.into());
    let outcome = task(&context(), "postgresql_ping", arguments).await.unwrap();
    assert_eq!(value(&outcome, "is_available"), "False");
    assert!(value(&outcome, "conn_err_msg").contains("unable to connect"));
}

#[tokio::test]
async fn the_probe_only_reads_and_tells_a_name_that_does_not_exist() {
    let database = Database::new().await;
    database.query(
        "CREATE SEQUENCE s; CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'CREATE TABLE \
        w (); SELECT 1'",
    );
    let registry = registry();
    let probe = registry.probe("postgres").unwrap();
    let context = context();
    let look = async |query: &str| {
        let options = map! { "url" => database.url.as_str(), "query" => query };
        probe.look(&options, &context).await
    };
    let before = database.dump();
    for query in
        ["CREATE TABLE t ()", "SELECT nextval('s')", "SELECT writes()", "COMMIT", "SELECT 1; SELECT 2"]
    {
        assert!(look(query).await.is_err(), "{query}");
    }
    assert_eq!(database.dump(), before);
    for query in ["SELECT 1 FROM nosuch", "SELECT nosuch", "SELECT nosuch()"] {
        let state = look(query).await.unwrap();
        assert!(matches!(state, playbook_api::ProbeState::Missing(_)), "{query}: {state:?}");
    }
    let state = look("SELEC 1").await;
    assert!(state.is_err(), "{state:?}");
    let options = map! { "url" => database.url.replace(&database.name, "nosuchdb") };
    let state = probe.look(&options, &context).await.unwrap();
    assert!(matches!(state, playbook_api::ProbeState::Missing(_)), "{state:?}");
    assert!(probe.spec().options.contains_key("missing"));
}
