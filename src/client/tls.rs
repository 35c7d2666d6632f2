//! Setting TLS up, for https only: reading the system's roots costs more than a whole request over plain http.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::wire::TransportError;

/// Whom to trust over https.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificates in PEM to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether any certificate will do.
    pub insecure: bool,
}

/// A configuration that trusts nobody, for a client that speaks plain http and is never asked for TLS.
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
    match &options.ca_file {
        Some(path) => add_file(&mut roots, path)?,
        None if roots.is_empty() => {
            let reason = found.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
            return Err(setup(format!("no certificate authorities on this system ({reason})")));
        }
        None => {}
    }
    configuration(provider, roots)
}

fn configuration(provider: Arc<CryptoProvider>, roots: RootCertStore) -> Result<ClientConfig, TransportError> {
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TransportError> {
    let flaw = |reason: String| setup(format!("{}: {reason}", path.display()));
    let before = roots.len();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| flaw(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| flaw(error.to_string()))?;
        roots.add(certificate).map_err(|error| flaw(error.to_string()))?;
    }
    if roots.len() == before { Err(flaw("no certificate in it".to_owned())) } else { Ok(()) }
}

fn setup(reason: String) -> TransportError {
    TransportError::TlsSetup { reason }
}

/// Accepts any certificate, as the user asked with `--insecure`; signatures are still checked.
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
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
