//! TLS connections to a server, which trust the certificates that the system trusts.

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::database::{Fault, Kind};

/// Returns the maker of encrypted connections. It always checks the server's certificate, even where libpq would not
/// (`sslmode=require`). `SSL_CERT_FILE` adds an authority of your own.
pub(crate) fn connector() -> Result<MakeRustlsConnect, Fault> {
    let mut roots = RootCertStore::empty();
    // A certificate that cannot be read or parsed is left out, as other clients do: the others may be enough.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = rustls::crypto::ring::default_provider();
    let config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|e| Fault::new(Kind::Other, e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
