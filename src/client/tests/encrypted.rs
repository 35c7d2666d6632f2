//! https: whom the transport trusts.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::fake::{Node, query};
use crate::client::{
    CallOptions, Client, Credentials, Endpoint, Error, ReqwestTransport, TlsOptions, TransportError, TransportOptions,
    Unwatched,
};
use crate::interrupt::Interrupt;

/// A certificate of 127.0.0.1 that nobody vouches for, with its key: for these tests only.
const NODE: &[u8] = include_bytes!("node.pem");

/// Serves `{}` to everybody; its base URL.
fn serve() -> String {
    let certificate = CertificateDer::from_pem_slice(NODE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(NODE).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/zstack", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = StreamOwned::new(connection, stream);
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    url
}

fn ask(url: &str, tls: TlsOptions) -> Result<(), Error> {
    let endpoint = Endpoint::parse(url).expect("a URL");
    let options = TransportOptions { tls, ..TransportOptions::default() };
    let transport = ReqwestTransport::new(endpoint.clone(), options).expect("a transport");
    let mut client = Client::new(endpoint, Box::new(transport), Box::new(Node::new([])), Interrupt::new());
    client.set_credentials(Credentials::Session("5d0c8a4f".into()));
    client.execute(&query(), &CallOptions::default(), &mut Unwatched).map(drop)
}

#[test]
fn certificates_are_checked_unless_the_user_says_otherwise() {
    let url = serve();
    let folder = tempfile::tempdir().expect("a folder");
    let file: PathBuf = folder.path().join("ca.pem");
    std::fs::write(&file, NODE).expect("written");
    ask(&url, TlsOptions { ca_file: Some(file), insecure: false }).expect("trusted");
    ask(&url, TlsOptions { ca_file: None, insecure: true }).expect("not looked at");
    match ask(&url, TlsOptions::default()).expect_err("nobody vouches for it") {
        Error::Unreachable { source: TransportError::Tls { certificate: true, .. }, .. } => {}
        // On a machine without any certificate authority.
        Error::NotSent { source: TransportError::TlsSetup { .. } } => {}
        error => panic!("{error:?}"),
    }
    let other = url.replace("127.0.0.1", "localhost");
    let file: PathBuf = folder.path().join("ca.pem");
    let error = ask(&other, TlsOptions { ca_file: Some(file), insecure: false }).expect_err("another name");
    assert!(
        matches!(&error, Error::Unreachable { source: TransportError::Tls { certificate: true, .. }, .. }),
        "{error:?}"
    );
    let missing = TlsOptions { ca_file: Some(folder.path().join("none")), insecure: false };
    assert!(matches!(ask(&url, missing), Err(Error::NotSent { source: TransportError::TlsSetup { .. } })));
}
