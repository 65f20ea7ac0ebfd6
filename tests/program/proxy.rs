//! HTTP proxies (RFC 9110 section 9.3.6): which settings send the endpoint and credential services through one. What is
//! sent to a proxy, and what is said of its answers, stands in the crate's own tests.

use crate::connect_proxy::ConnectProxy;
use crate::credentials::setup::{gateway_knowing, program, signers};
use crate::credentials::source::Source;
use crate::gateway::certificates::{Authority, Certificate};
use crate::gateway::{ACCESS_KEY, Gateway, REGION, SECRET};
use crate::program::{Outcome, Program};
use crate::stand_ins::{StandIn, sts};

const KEYS: [&str; 4] = ["--access-key", ACCESS_KEY, "--secret", SECRET];

/// Windows does not distinguish upper and lower case in the names of variables.
const VARIABLES: &[&str] = match cfg!(windows) {
    true => &["HTTPS_PROXY", "ALL_PROXY"],
    false => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
};

/// In the URL of a proxy. It is sent as the credentials in [`request`].
const USER: &str = "user:p%40ss@";

const BAD: &str = "socks5://user:PASSWORD@127.0.0.1:1";

/// gateway.test and sts.test, behind a proxy that alone can resolve their names.
struct Place {
    gateway: Gateway,
    sts: StandIn,
    proxy: ConnectProxy,
}

impl Place {
    /// The certificate of STS is issued by this authority, or by the gateway's.
    async fn new(authority: Option<&Authority>) -> Self {
        let key = Source::WebIdentity.key();
        let gateway = gateway_knowing([key.clone(), Source::Container.key()]).await;
        let authority = authority.unwrap_or(gateway.authority());
        let sts = sts::granting_with_tls(&key, authority.server(Certificate::Trusted)).await;
        let routes = [("gateway.test:443", gateway.port()), ("sts.test:443", sts.port())];
        let proxy = ConnectProxy::to(&routes).await;
        Self { gateway, sts, proxy }
    }

    fn program(&self) -> Program {
        Program::against("gateway.test", self.gateway.ca_file(), REGION)
    }
}

/// What a proxy is asked for this destination.
fn request(destination: &str) -> String {
    format!(
        "CONNECT {destination} HTTP/1.1\r\nhost: {destination}\r\nproxy-authorization: Basic dXNlcjpwQHNz\r\n\r\n"
    )
}

/// Gives the program a web identity token, for STS at this URL.
async fn with_web_identity(program: Program, url: &str) -> Program {
    let (program, _another_sts) = Source::WebIdentity.provide(program).await;
    program.env("AWS_ENDPOINT_URL_STS", url)
}

fn assert_connected(outcome: &Outcome) {
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
}

fn assert_fails(outcome: &Outcome, code: i32, texts: &[&str]) {
    assert_eq!(outcome.code, code, "{outcome:#?}");
    for text in texts {
        assert!(outcome.stderr.contains(text), "{text:?}: {outcome:#?}");
    }
    assert!(!outcome.stderr.contains("PASSWORD") && !outcome.stderr.contains("ss@"), "{outcome:#?}");
}

/// The first setting that is not empty counts. It also does in a CGI program, where the library that matches
/// destinations would ignore the proxy by itself.
#[tokio::test]
async fn every_setting_serves_the_endpoint_and_the_services() {
    for (nth, setting) in ["--proxy"].iter().chain(VARIABLES).enumerate() {
        let place = Place::new(None).await;
        let mut program = with_web_identity(place.program(), "https://sts.test").await;
        program = program.env("REQUEST_METHOD", "GET").env("NO_PROXY", "");
        for (other, variable) in (1..).zip(VARIABLES) {
            program = program.env(variable, if other < nth { "" } else { BAD });
        }
        program = match *setting {
            "--proxy" => program.args(["--proxy", &place.proxy.url(USER)]),
            variable => program.env(variable, place.proxy.url(USER)),
        };
        assert_connected(&program.run().await);
        let mut asked = place.proxy.requests();
        asked.sort_unstable();
        assert_eq!(asked, ["gateway.test:443", "sts.test:443"].map(request));
        assert_eq!(place.sts.asked().len(), 1, "{setting}");
        let key = Source::WebIdentity.key();
        assert_eq!(signers(&place.gateway), [(key.access_key, key.session_token)], "{setting}");
    }
}

#[tokio::test]
async fn what_a_proxy_setting_makes_unreachable_is_reported() {
    const HINT: &str = "hint: the proxy does not accept the user and the password";
    let gateway = gateway_knowing([]).await;
    let proxy = ConnectProxy::refusing("407 Proxy Authentication Required").await;
    let url = proxy.url("user:PASSWORD@");
    for (service, url, exempt, told) in [
        (None, &*url, "", ["refused to connect to gateway.test:443: 407 Proxy", HINT]),
        (Some("sts.test"), &url, "", ["refused to connect to sts.test:443: 407 Proxy", HINT]),
        (Some("sts.test"), BAD, "", ["no connection to sts.test:443", "ALL_PROXY cannot be used"]),
        (
            Some("sts.invalid"),
            &url,
            ".invalid",
            ["sts.invalid:443", "cannot resolve the name \"sts.invalid\""],
        ),
    ] {
        let (program, code) = match service {
            None => (Program::against("gateway.test", gateway.ca_file(), REGION).args(KEYS), 4),
            Some(host) => (with_web_identity(program(&gateway), &format!("https://{host}")).await, 3),
        };
        let program = program.env("ALL_PROXY", url).env("NO_PROXY", exempt);
        assert_fails(&program.args(["--attempts", "1", "--log-level", "trace"]).run().await, code, &told);
    }
    assert_eq!(proxy.requests().len(), 2);
}

/// 0.0.0.0 is this machine, but not a loopback address, which would bypass the proxy anyway. A run that does bypass it
/// fails in the TLS handshake, since the certificate is not for 0.0.0.0.
#[cfg(unix)]
#[tokio::test]
async fn no_proxy_is_honoured() {
    let gateway = gateway_knowing([]).await;
    let endpoint = format!("0.0.0.0:{}", gateway.port());
    for (variable, exempt, code) in [
        ("NO_PROXY", "example.com", 2),
        ("NO_PROXY", "example.com,0.0.0.0", 5),
        ("NO_PROXY", "example.com, *", 5),
        ("no_proxy", "0.0.0.0", 5),
    ] {
        let program = Program::against(&endpoint, gateway.ca_file(), REGION).args(KEYS);
        assert_fails(&program.env("ALL_PROXY", BAD).env(variable, exempt).run().await, code, &["error: "]);
    }
}

/// Loopback needs no proxy, nor does plain HTTP, so a bad setting is no error until something needs the proxy.
#[tokio::test]
async fn a_bad_variable_does_not_matter_where_nothing_needs_it() {
    let gateway = gateway_knowing([Source::Metadata.key()]).await;
    let (program, _service) = Source::Metadata.provide(program(&gateway)).await;
    let variables = VARIABLES.iter().chain(&["HTTP_PROXY", "http_proxy"]);
    let program = variables.fold(program, |program, variable| program.env(variable, BAD));
    assert_connected(&program.run().await);
}

#[tokio::test]
async fn services_on_plain_http_are_reached_without_a_proxy() {
    let place = Place::new(None).await;
    let (program, _service) = Source::Container.provide(place.program()).await;
    assert_connected(&program.args(["--proxy", &place.proxy.url(USER)]).run().await);
    assert_eq!(place.proxy.requests(), [request("gateway.test:443")]);
}

/// A variable can name the system's roots only on Linux.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_endpoint_and_the_services_must_chain_to_the_file() {
    let other = Authority::new("The system's authority");
    let place = Place::new(Some(&other)).await;
    let of_gateway = place.gateway.authority().pem();
    for (file, code, told) in [
        (&of_gateway, 3, "no connection to sts.test:443"),
        (&other.pem(), 5, "error: the TLS handshake failed"),
    ] {
        let program = with_web_identity(Program::new(), "https://sts.test").await;
        let program = program.file("trusted.pem", file).file("system.pem", &(other.pem() + &of_gateway));
        let (trusted, system) = (program.home("trusted.pem"), program.home("system.pem"));
        let program = program.aimed_at("gateway.test", &trusted, REGION).env("SSL_CERT_FILE", system);
        let outcome = program.env("HTTPS_PROXY", place.proxy.url(USER)).run().await;
        assert_fails(&outcome, code, &[told, "certificate is not accepted: UnknownIssuer"]);
    }
}

#[tokio::test]
async fn what_is_no_http_proxy_is_refused_before_any_packet() {
    let program = || Program::new().args(["--endpoint", "gateway.invalid", "--region", REGION]).args(KEYS);
    let by_flag = |url| (program().args(["--proxy", url]), "the proxy");
    let by_variables = VARIABLES.iter().map(|name| (program().env(name, BAD), *name));
    let refused = by_variables.chain([by_flag(BAD), by_flag("")]);
    #[cfg(unix)]
    let refused = {
        use std::os::unix::ffi::OsStrExt;
        let url = std::ffi::OsStr::from_bytes(b"http://user:PASSWORD\xFF@127.0.0.1:80");
        refused.chain([(program().env("HTTPS_PROXY", url), "HTTPS_PROXY")])
    };
    for (program, setting) in refused {
        let outcome = program.args(["--log-level", "trace"]).run().await;
        assert_fails(&outcome, 2, &[&format!("error: {setting} cannot be used: ")]);
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:#?}");
    }
}
