//! No TCP connection, or no TLS on it.

use crate::failures::answers::answer;
use crate::failures::row::{Row, Server, row};
use crate::gateway::{Act, Certificate, Script, Stage};

/// The TLS alert `handshake_failure` (RFC 8446 section 6).
const HANDSHAKE_FAILURE: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];

/// What the hint about a server that is not IoT Core always contains.
const NOT_IOT_CORE: [&str; 3] = ["hint: ", "iot:Data-ATS", "proxy"];

pub fn rows() -> Vec<Row> {
    [
        tcp(),
        not_tls(),
        certificates(),
        #[cfg(target_os = "linux")]
        roots(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn tcp() -> Vec<Row> {
    vec![
        row("nobody listens, one attempt")
            .server(Server::Nobody)
            .connections(0)
            .flag("--attempts", "1")
            .exits(4)
            .says(["no TCP connection", "127.0.0.1:{port}", "refused"]),
        row("nobody listens, three attempts")
            .server(Server::Nobody)
            .connections(0)
            .exits(4)
            .warns(["refused", "refused"])
            .says(["trying again in"]),
    ]
}

fn not_tls() -> Vec<Row> {
    let instead = |name, bytes: &[u8]| row(name).sends(Stage::Accept, bytes).exits(5);
    vec![
        instead("plain HTTP on the port", &answer("400 Bad Request", &["server: nginx"], ""))
            .says(NOT_IOT_CORE)
            .says(["cause: the server does not speak TLS"]),
        instead("SSH on the port", b"SSH-2.0-OpenSSH_9.2\r\n")
            .says(NOT_IOT_CORE)
            .says(["cause: the server does not speak TLS"]),
        instead("plain MQTT on the port", &[0x20, 2, 0, 0])
            .says(NOT_IOT_CORE)
            .says(["cause: the server does not speak TLS"]),
        instead("a TLS alert", HANDSHAKE_FAILURE).says(["TLS handshake", "cause: "]),
        row("hung up in the TLS handshake")
            .at(Stage::Accept, [Act::Fin])
            .flag("--attempts", "1")
            .exits(5)
            .says(["TLS handshake"]),
    ]
}

fn certificates() -> Vec<Row> {
    let shown = |name, certificate| {
        let script = Script { certificate, ..Script::default() };
        row(name).scripts([script]).exits(5).says(["TLS handshake failed", "hint: "])
    };
    vec![
        shown("certificate of an unknown issuer, with a CA file", Certificate::UnknownIssuer)
            .says(["hint: the issuer of the server's certificate is not in the CA file"]),
        shown("certificate of an unknown issuer, with the system's roots", Certificate::UnknownIssuer)
            .without(&["--ca-file"])
            .environment("SSL_CERT_FILE", "{ca}")
            .says(["proxy", "TLS", "the CA file"]),
        shown("certificate expired", Certificate::Expired)
            .says(["valid until Wed, 01 Jan 2020", "local clock says"]),
        shown("certificate not yet valid", Certificate::NotYetValid)
            .says(["valid from Tue, 01 Jan 2999", "local clock says"]),
        shown("certificate of the authority itself", Certificate::Authority).says([
            "is that of an authority, not of a server",
            "hint: `openssl req -x509`",
            "CA:FALSE",
        ]),
        shown("certificate for another name", Certificate::WrongName)
            .says(["elsewhere.example", "not for localhost"]),
        shown("certificate for two thousand other names", Certificate::ManyNames)
            .says(["elsewhere-4.example and 1995 more, not for localhost"])
            .never_says(["elsewhere-5.example"]),
        shown("certificate for no name", Certificate::NoName).says(["no name at all, not for localhost"]),
    ]
}

/// macOS and Windows do not keep their roots in a file.
#[cfg(target_os = "linux")]
fn roots() -> Vec<Row> {
    vec![
        row("no certificate in the system's store")
            .without(&["--ca-file"])
            .environment("SSL_CERT_FILE", "{home}/roots.pem")
            .environment("SSL_CERT_DIR", "{home}/roots")
            .file("roots.pem", "")
            .file("roots/.keep", "")
            .exits(5)
            // The roots are read while TCP connects, so the server may see a connection or not.
            .any_connections()
            .says(["certificate store is empty", "hint: install", "ca-certificates", "a CA file"]),
        row("the system's store is all that is needed")
            .without(&["--ca-file"])
            .environment("SSL_CERT_FILE", "{ca}"),
    ]
}
