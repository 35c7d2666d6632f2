//! TLS configuration, for https only: loading the system's certificates takes longer than a whole request over plain
//! http.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::wire::TransportError;

/// Which certificates to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// A PEM file of certificates to trust in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether to accept any certificate.
    pub insecure: bool,
}

/// A configuration without trusted certificates, for clients that use plain http.
pub(super) fn unused() -> Result<ClientConfig, TransportError> {
    configuration(Arc::new(ring::default_provider()), RootCertStore::empty())
}

/// A configuration for https.
pub(super) fn client_config(options: &TlsOptions) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(ring::default_provider());
    if options.insecure {
        let mut config = configuration(provider.clone(), RootCertStore::empty())?;
        config.dangerous().set_certificate_verifier(Arc::new(TrustAnyone(provider)));
        return Ok(config);
    }
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    let Some(path) = &options.ca_file else {
        if roots.is_empty() {
            let reason = found.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
            return Err(setup(format!("no certificate authorities on this system ({reason})")));
        }
        return configuration(provider, roots);
    };
    let named = add_file(&mut roots, path)?;
    let by_authority = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| setup(error.to_string()))?;
    let mut config = configuration(provider, RootCertStore::empty())?;
    config.dangerous().set_certificate_verifier(Arc::new(TrustNamed { by_authority, named }));
    Ok(config)
}

fn configuration(provider: Arc<CryptoProvider>, roots: RootCertStore) -> Result<ClientConfig, TransportError> {
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Adds the certificates of a file to the trusted ones and returns them.
fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let flaw = |reason: String| setup(format!("{}: {reason}", path.display()));
    let mut named = Vec::new();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| flaw(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| flaw(error.to_string()))?;
        roots.add(certificate.clone()).map_err(|error| flaw(error.to_string()))?;
        named.push(certificate);
    }
    if named.is_empty() { Err(flaw("no certificate in it".to_owned())) } else { Ok(named) }
}

fn setup(reason: String) -> TransportError {
    TransportError::TlsSetup { reason }
}

/// Accepts certificates of an authority, and those that the user named: a self-signed certificate of a server is often
/// marked as that of an authority, which is not accepted for servers otherwise.
#[derive(Debug)]
struct TrustNamed {
    by_authority: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for TrustNamed {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.by_authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The dates were checked before the purpose.
            Err(error) if !is_out_of_date(&error) && self.named.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_authority.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_authority.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}

fn is_out_of_date(error: &rustls::Error) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    let rustls::Error::InvalidCertificate(error) = error else { return false };
    matches!(error, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
}

/// Accepts any certificate, for `--insecure`. Signatures of the server are not checked either: an attacker would use
/// their own certificate, so that the check proves nothing, and it fails for old certificates.
#[derive(Debug)]
struct TrustAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_file_is_needed_and_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let options = TlsOptions { ca_file: Some(path.clone()), insecure: false };
        assert!(matches!(client_config(&options), Err(TransportError::TlsSetup { .. })), "no file");
        std::fs::write(&path, "no certificate\n").expect("written");
        let error = client_config(&options).expect_err("nothing in it").to_string();
        assert!(error.contains("ca.pem"), "{error}");
    }
}
