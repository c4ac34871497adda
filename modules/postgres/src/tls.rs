//! TLS for the connection: libpq's sslmode, implemented with rustls.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};

use playbook_api::{Context, Error};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{self, CryptoProvider};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, UnixTime,
};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use crate::host;
use crate::login::SslMode;
use crate::target::Target;

/// Makes the TLS side of connections to one target.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the certificates that the target names, or libpq's default files, from the task's host.
    pub(crate) async fn new(target: &Target, context: &Context) -> Result<Tls, Error> {
        let mode = target.ssl_mode()?;
        let standard = Standard::of(target, context).await?;
        let named = |param: &str| {
            let path = target.url.param(param).filter(|path| !path.is_empty());
            path.map(|path| target.environment.expand(path))
        };
        let root = match named("sslrootcert") {
            Some(path) => Some(path),
            None => standard.file("root.crt", context).await?,
        };
        let provider = Arc::new(crypto::ring::default_provider());
        let check = match mode {
            SslMode::VerifyFull => Some(true),
            SslMode::VerifyCa => Some(false),
            // As in libpq, an existing CA file makes the certificate be checked.
            SslMode::Require if root.is_some() => Some(false),
            _ => None,
        };
        let verifier = Verifier::new(check, root.as_deref(), provider.clone(), context).await?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::new(format!("TLS: {e}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let certificate = match named("sslcert") {
            Some(path) => Some(path),
            None => standard.file("postgresql.crt", context).await?,
        };
        let key = match named("sslkey") {
            Some(path) => Some(path),
            None => standard.file("postgresql.key", context).await?,
        };
        let mut config = match (certificate, key) {
            (Some(certificate), Some(key)) => {
                let chain = certificates(&certificate, context).await?;
                let text = host::read(&key, context).await.map_err(|e| unreadable("sslkey", &key, &e))?;
                let key = PrivateKeyDer::from_pem_slice(&text).map_err(|e| unreadable("sslkey", &key, &e))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|e| Error::new(format!("sslcert and sslkey do not go together: {e}")))?
            }
            (Some(_), None) => {
                return Err(Error::new("sslcert is given without its key").with_help("Set sslkey too."));
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Tls(Arc::new(config)))
    }

    /// The handshake with a host.
    pub(crate) fn to(&self, host: &str) -> Result<Connect, InvalidDnsNameError> {
        // Where there is no TLS, on a Unix socket, the name does not matter.
        let name = if host.starts_with('/') { "localhost" } else { host };
        let name = ServerName::try_from(name.to_owned())?;
        Ok(Connect(tokio_rustls::TlsConnector::from(self.0.clone()), name))
    }
}

/// libpq's default files in ~/.postgresql.
struct Standard(Option<PathBuf>);

impl Standard {
    async fn of(target: &Target, context: &Context) -> Result<Standard, Error> {
        let Some(home) = target.environment.get("HOME") else { return Ok(Standard(None)) };
        let directory = Path::new(&home).join(".postgresql");
        let exists = host::exists(&directory, context).await?;
        Ok(Standard(exists.then_some(directory)))
    }

    async fn file(&self, name: &str, context: &Context) -> Result<Option<PathBuf>, Error> {
        let Some(path) = self.0.as_ref().map(|directory| directory.join(name)) else { return Ok(None) };
        Ok(host::exists(&path, context).await?.then_some(path))
    }
}

fn unreadable(name: &str, path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(format!("{name}: cannot read {}: {error}", path.display())).with_help(
        "Give a PEM file; for Amazon RDS set sslrootcert to \
            https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem.",
    )
}

async fn certificates(path: &Path, context: &Context) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = host::read(path, context).await.map_err(|e| unreadable("certificate", path, &e))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match all {
        Ok(all) if all.is_empty() => Err(unreadable("certificate", path, &"no certificate in it")),
        Ok(all) => Ok(all),
        Err(e) => Err(unreadable("certificate", path, &e)),
    }
}

/// Checks the server's certificate as the sslmode requires.
#[derive(Debug)]
struct Verifier {
    /// The verifier, or `None` below `verify-ca`.
    chain: Option<Arc<WebPkiServerVerifier>>,
    roots: Vec<CertificateDer<'static>>,
    name_too: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// Creates a verifier. `check` says whether the name is checked too; `None` turns all checks off.
    async fn new(
        check: Option<bool>,
        root: Option<&Path>,
        provider: Arc<CryptoProvider>,
        context: &Context,
    ) -> Result<Self, Error> {
        let Some(name_too) = check else {
            return Ok(Verifier { chain: None, roots: Vec::new(), name_too: false, provider });
        };
        let roots = match root {
            Some(path) if path != Path::new("system") => certificates(path, context).await?,
            _ => rustls_native_certs::load_native_certs().certs,
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        if store.is_empty() {
            return Err(Error::new("no trusted certificate to check the server's with").with_help(
                "Set sslrootcert to the authority's certificate; for Amazon RDS this is \
                    https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem.",
            ));
        }
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
            .build()
            .map_err(|e| Error::new(format!("sslrootcert: {e}")))?;
        Ok(Verifier { chain: Some(chain), roots, name_too, provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        let result = chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match result {
            // The chain is checked before the name.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name_too => Ok(ServerCertVerified::assertion()),
            // A trusted self-signed certificate: webpki rejects an authority's certificate for a server.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_)))
                if self.roots.iter().any(|root| root == end_entity) =>
            {
                if self.name_too {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A TLS connector for a stream that is not a network connection: it returns the stream unchanged.
pub(crate) struct Pretended;

impl TlsConnect<tokio::io::DuplexStream> for Pretended {
    type Stream = Plain;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Plain>>;

    fn connect(self, stream: tokio::io::DuplexStream) -> Self::Future {
        std::future::ready(Ok(Plain(stream)))
    }
}

/// The stream of [`Pretended`].
pub(crate) struct Plain(tokio::io::DuplexStream);

impl TlsStream for Plain {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Plain {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Poller<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Plain {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Poller<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Poller<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Poller<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// One handshake to make.
pub(crate) struct Connect(tokio_rustls::TlsConnector, ServerName<'static>);

impl<S> TlsConnect<S> for Connect
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { self.0.connect(self.1, stream).await.map(|s| Stream(Box::new(s))) })
    }
}

/// The encrypted stream.
pub(crate) struct Stream<S>(Box<tokio_rustls::client::TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        let certificates = self.0.get_ref().1.peer_certificates();
        match certificates.and_then(<[_]>::first).and_then(|c| certificate_hash(c)) {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Poller<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Poller<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Poller<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Poller<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Returns the certificate's hash for SCRAM's channel binding (RFC 5929), with the hash function of its signature, or
/// SHA-256 instead of a weak one. Returns nothing for signatures without a hash function.
fn certificate_hash(certificate: &[u8]) -> Option<Vec<u8>> {
    // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OID … } … }
    let (inside, _) = der_element(certificate)?;
    let (_, after_tbs) = der_element(inside)?;
    let (algorithm, _) = der_element(after_tbs)?;
    let (oid, _) = der_element(algorithm)?;
    match oid {
        // sha384WithRSAEncryption, ecdsa-with-SHA384
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12] | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => {
            Some(Sha384::digest(certificate).to_vec())
        }
        // sha512WithRSAEncryption, ecdsa-with-SHA512
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13] | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => {
            Some(Sha512::digest(certificate).to_vec())
        }
        // md5, sha1 and sha256 with RSA, ecdsa-with-SHA1 and ecdsa-with-SHA256
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 | 5 | 11]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => Some(Sha256::digest(certificate).to_vec()),
        _ => None,
    }
}

/// Returns the content of the first DER element, and the rest of the input.
fn der_element(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = usize::from(*data.get(1)?);
    let (length, header) = if first < 0x80 {
        (first, 2)
    } else {
        let count = first & 0x7f;
        let bytes = data.get(2..2 + count).filter(|b| b.len() <= 4)?;
        (bytes.iter().fold(0usize, |n, b| n << 8 | usize::from(*b)), 2 + count)
    };
    let end = header.checked_add(length)?;
    Some((data.get(header..end)?, data.get(end..)?))
}
