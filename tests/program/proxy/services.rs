//! Credential services over the same proxies as the endpoint, and with the same roots.

use super::{PASSWORD, with_web_identity};
use crate::connect_proxy::{ConnectProxy, Manner};
use crate::gateway::certificates::{Authority, Certificate};
use crate::gateway::{Event, Gateway, Key, REGION, Script};
use crate::program::{Outcome, Program};
use crate::stand_ins::{StandIn, container, sts};

/// gateway.test and sts.test, behind a proxy, which alone can resolve their names. The certificate of STS is
/// issued by another authority, or by the gateway's.
struct Place {
    gateway: Gateway,
    sts: StandIn,
    proxy: ConnectProxy,
}

impl Place {
    async fn new(authority: Option<&Authority>, manner: Manner) -> Self {
        let gateway = Gateway::start(Script { keys: vec![key()], ..Script::default() }).await;
        let authority = authority.unwrap_or(gateway.authority());
        let sts = sts::granting_with_tls(&key(), authority.server(Certificate::Trusted)).await;
        let routes = [("gateway.test:443", gateway.port()), ("sts.test:443", sts.port())];
        let proxy = ConnectProxy::start(&routes, manner).await;
        Self { gateway, sts, proxy }
    }

    fn program(&self) -> Program {
        let program = Program::against("gateway.test", self.gateway.ca_file(), REGION);
        with_web_identity(program, "https://sts.test")
    }

    fn assert_connected(&self, outcome: &Outcome) {
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
        let mut asked = self.proxy.requests();
        asked.sort_unstable();
        assert_eq!(asked, ["CONNECT gateway.test:443 HTTP/1.1", "CONNECT sts.test:443 HTTP/1.1"]);
        assert_eq!(self.sts.asked().len(), 1);
        let events = self.gateway.connections();
        let signed = |event: &Event| matches!(event, Event::Signed(by) if by.access_key == key().access_key);
        assert!(events.iter().flatten().any(signed), "{events:#?}");
    }
}

fn key() -> Key {
    Key {
        access_key: "ASIAFROMSTSEXAMPLE00".to_owned(),
        secret: "from/the+service".to_owned(),
        session_token: Some("token+of/the+service==".to_owned()),
    }
}

#[tokio::test]
async fn every_spelling_serves_the_endpoint_and_the_services() {
    for variable in ["--proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for form in ["http://{}", "http://{}/", "{}", "{}/", "HTTP://{}"] {
            let place = Place::new(None, Manner::Open).await;
            let url = form.replace("{}", &place.proxy.authority());
            let program = match variable {
                "--proxy" => place.program().args(["--proxy", &url]),
                variable => place.program().env(variable, &url),
            };
            let outcome = program.run().await;
            assert_eq!(outcome.code, 0, "{variable}={url}: {outcome:#?}");
            place.assert_connected(&outcome);
        }
    }
}

/// A `%` that encodes nothing stands for itself.
#[tokio::test]
async fn a_user_and_a_password_are_shown_for_both() {
    for (user, shown) in [
        PASSWORD,
        ("user:p%ss", "Basic dXNlcjpwJXNz"),
        ("user:!$&'()*+,;=-._~:pass", "Basic dXNlcjohJCYnKCkqKyw7PS0uX346cGFzcw=="),
        ("user", "Basic dXNlcjo="),
    ] {
        for url in ["http://{}@{}", "{}@{}", "{}@{}/"] {
            let place = Place::new(None, Manner::Password(shown)).await;
            let url = url.replacen("{}", user, 1).replacen("{}", &place.proxy.authority(), 1);
            place.assert_connected(&place.program().env("ALL_PROXY", url).run().await);
        }
    }
}

/// Each of these variables would make the library that matches destinations ignore the proxy.
#[tokio::test]
async fn surroundings_do_not_hide_a_proxy() {
    for (variable, value) in [("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", ""), ("NO_PROXY", "")] {
        let place = Place::new(None, Manner::Open).await;
        let program = place.program().env(variable, value).env("https_proxy", place.proxy.url(""));
        place.assert_connected(&program.run().await);
    }
}

#[tokio::test]
async fn no_proxy_exempts_services_too() {
    let place = Place::new(None, Manner::Open).await;
    let program = Program::against("gateway.test", place.gateway.ca_file(), REGION);
    let program = with_web_identity(program, "https://sts.invalid").env("HTTPS_PROXY", place.proxy.url(""));
    let outcome = program.env("NO_PROXY", ".invalid").run().await;
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.stderr.contains("cannot resolve the name \"sts.invalid\""), "{outcome:#?}");
    assert_eq!(place.proxy.requests(), ["CONNECT gateway.test:443 HTTP/1.1"]);
}

/// Services on plain HTTP, or with TLS on loopback, need no proxy, although `--proxy` applies to every
/// endpoint.
#[tokio::test]
async fn services_on_this_machine_are_reached_without_a_proxy() {
    let place = Place::new(None, Manner::Open).await;
    let endpoint = container::granting(vec![(key(), crate::stand_ins::LONG)]).await;
    let local = format!("https://localhost:{}", place.sts.port());
    let program = |program: Program| program.args(["--proxy", &place.proxy.url("")]);
    let by_sts = program(with_web_identity(place.program(), &local)).run().await;
    let by_container = Program::against("gateway.test", place.gateway.ca_file(), REGION);
    let by_container =
        by_container.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/get", endpoint.url()));
    let by_container = program(by_container).run().await;
    for outcome in [by_sts, by_container] {
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
    }
    assert_eq!(place.proxy.requests(), ["CONNECT gateway.test:443 HTTP/1.1"; 2]);
}

/// A variable can name the system's roots only on Linux.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn services_must_chain_to_the_file_too() {
    use std::io::Write;
    use tempfile::NamedTempFile;

    let file = |pem: String| {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(pem.as_bytes()).expect("a temporary file can be written");
        file
    };
    let other = Authority::new("The system's authority");
    for authority in [None, Some(&other)] {
        let place = Place::new(authority, Manner::Open).await;
        let system = file(other.pem() + &place.gateway.authority().pem());
        let program = place.program().env("HTTPS_PROXY", place.proxy.url(""));
        let outcome = program.env("SSL_CERT_FILE", system.path()).run().await;
        match authority {
            None => place.assert_connected(&outcome),
            Some(_) => {
                assert_eq!(outcome.code, 3, "{outcome:#?}");
                for text in ["no connection to sts.test:443", "certificate is not accepted: UnknownIssuer"] {
                    assert!(outcome.stderr.contains(text), "{text}: {outcome:#?}");
                }
            }
        }
    }
    // The certificate of STS was issued by the authority in the file, and that of the endpoint was not.
    let place = Place::new(Some(&other), Manner::Open).await;
    let (trusted, system) = (file(other.pem()), file(other.pem() + &place.gateway.authority().pem()));
    let program = Program::against("gateway.test", trusted.path(), REGION);
    let program = with_web_identity(program, "https://sts.test").env("HTTPS_PROXY", place.proxy.url(""));
    let outcome = program.env("SSL_CERT_FILE", system.path()).run().await;
    assert_eq!(outcome.code, 5, "{outcome:#?}");
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_named_in_the_words_of_its_layer() {
    let stranger = Authority::new("An authority nobody trusts");
    let place = Place::new(Some(&stranger), Manner::Open).await;
    let untrusted = format!("https://localhost:{}", place.sts.port());
    for (url, said) in [
        (
            "https://sts.invalid",
            &["no connection to sts.invalid:443", "cannot resolve the name \"sts.invalid\""][..],
        ),
        ("https://127.0.0.1:9", &["no connection to 127.0.0.1:9", "no TCP connection: 127.0.0.1:9"]),
        (
            &untrusted,
            &["no connection to localhost:", "the TLS handshake failed", "not accepted: UnknownIssuer"],
        ),
    ] {
        let program = Program::against(&place.gateway.endpoint(), place.gateway.ca_file(), REGION);
        let outcome =
            with_web_identity(program, url).env("SSL_CERT_FILE", place.gateway.ca_file()).run().await;
        assert_eq!(outcome.code, 3, "{url}: {outcome:#?}");
        assert!(
            outcome.stderr.contains("error: the web identity token does not provide credentials"),
            "{outcome:#?}"
        );
        for text in said {
            assert!(outcome.stderr.contains(text), "{text:?}: {outcome:#?}");
        }
    }
}
