//! The way through an HTTP proxy (RFC 9110 section 9.3.6), and around it.

mod gateway;
mod program;
mod stand_ins;

use std::sync::{Arc, Mutex};

use gateway::listener::Listener;
use gateway::{ACCESS_KEY, Gateway, Key, REGION, SECRET, Script};
use program::{Outcome, Program};
use stand_ins::metadata;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

/// `user:p@ss` as it stands in a URL, and in `Proxy-Authorization`.
const PASSWORD: (&str, &str) = ("user:p%40ss", "Basic dXNlcjpwQHNz");

/// A proxy that connects to the gateway, whatever name it is asked for: nobody else knows `gateway.test`.
struct ConnectProxy {
    listener: Listener,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// With `authorization`, only for who shows that.
    async fn start(gateway: u16, authorization: Option<&'static str>) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = requests.clone();
        let serve = move |tcp| connect(tcp, gateway, authorization, record.clone());
        Self { listener: Listener::start(serve).await, requests }
    }

    fn url(&self, user: &str) -> String {
        format!("http://{user}127.0.0.1:{}", self.listener.port)
    }

    /// The first line of every request.
    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

async fn connect(
    mut client: TcpStream,
    gateway: u16,
    authorization: Option<&str>,
    record: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).expect("a head in ASCII");
    record.lock().expect("no panic").push(head.lines().next().unwrap_or_default().to_owned());
    let wanted =
        authorization.map(|wanted| format!("\r\nproxy-authorization: {}\r\n", wanted.to_lowercase()));
    if wanted.is_some_and(|wanted| !head.to_lowercase().contains(&wanted)) {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n";
        return client.write_all(refusal).await.unwrap_or_default();
    }
    let mut server = TcpStream::connect(("127.0.0.1", gateway)).await.expect("the gateway listens");
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap_or_default();
    copy_bidirectional(&mut client, &mut server).await.map(drop).unwrap_or_default();
}

fn program(gateway: &Gateway, endpoint: &str) -> Program {
    Program::against(endpoint, gateway.ca_file(), REGION)
}

const KEYS: [&str; 4] = ["--access-key", ACCESS_KEY, "--secret", SECRET];

fn assert_refused(outcome: &Outcome, said: &[&str]) {
    assert_eq!(outcome.code, 4, "{outcome:#?}");
    for text in said {
        assert!(outcome.stderr.contains(text), "{text}: {outcome:#?}");
    }
    assert!(!outcome.stderr.contains("ss@") && !outcome.stderr.contains("p%40ss"), "{outcome:#?}");
}

#[tokio::test]
async fn the_proxy_resolves_the_name_and_sees_only_tls() {
    let gateway = Gateway::start(Script::default()).await;
    let proxy = ConnectProxy::start(gateway.port(), None).await;
    let by_flag = program(&gateway, "gateway.test").args(KEYS).args(["--proxy", &proxy.url("")]).run().await;
    assert_eq!((by_flag.code, by_flag.stderr.as_str()), (0, ""), "{by_flag:#?}");
    let by_environment = program(&gateway, "gateway.test:8443").args(KEYS).env("HTTPS_PROXY", proxy.url(""));
    let by_environment = by_environment.run().await;
    assert_eq!((by_environment.code, by_environment.stderr.as_str()), (0, ""), "{by_environment:#?}");
    let asked = ["CONNECT gateway.test:443 HTTP/1.1", "CONNECT gateway.test:8443 HTTP/1.1"];
    assert_eq!(proxy.requests(), asked);
}

#[tokio::test]
async fn a_proxy_may_want_a_password() {
    let gateway = Gateway::start(Script::default()).await;
    let proxy = ConnectProxy::start(gateway.port(), Some(PASSWORD.1)).await;
    let run =
        async |url: &str| program(&gateway, "gateway.test").args(KEYS).args(["--proxy", url]).run().await;
    let with = run(&proxy.url(&format!("{}@", PASSWORD.0))).await;
    assert_eq!((with.code, with.stderr.as_str()), (0, ""), "{with:#?}");
    assert_refused(
        &run(&proxy.url("")).await,
        &["proxy authorization required", "hint: the proxy wants a user"],
    );
    assert_refused(&run(&proxy.url("user:wrong@")).await, &["proxy authorization required"]);
}

#[tokio::test]
async fn a_proxy_that_is_down_is_named() {
    let gateway = Gateway::start(Script::default()).await;
    let port = Listener::start(async |_| {}).await.port;
    let url = format!("http://{}@127.0.0.1:{port}", PASSWORD.0);
    let outcome = program(&gateway, "gateway.test").args(KEYS).args(["--proxy", &url]).run().await;
    let named = format!("through the proxy 127.0.0.1:{port}\n");
    assert_refused(&outcome, &[&named, "Connection refused", "hint: is 127.0.0.1"]);
}

#[tokio::test]
async fn what_is_no_http_proxy_is_refused_before_any_packet() {
    for url in [
        "socks5://user:PASSWORD@127.0.0.1:1080",
        "https://127.0.0.1:3128",
        "http://127.0.0.1:99999",
        "http://user:PASS#WORD@127.0.0.1:80",
        "http://user:PASS/WORD@127.0.0.1:80",
        "http://user:PASS@WORD@127.0.0.1:80",
        "http://user:PASS WORD@127.0.0.1:80",
        "http://user:PASS^WORD@127.0.0.1:80",
        "http://user:PÄSS@127.0.0.1:80",
        "",
        "http://",
    ] {
        let outcome = Program::new()
            .args(["--endpoint", "127.0.0.1:1", "--region", REGION, "--proxy", url])
            .args(KEYS)
            .run()
            .await;
        assert_eq!(outcome.code, 2, "{url}: {outcome:#?}");
        let shown = ["PASS", "PÄSS", "WORD"].into_iter().find(|part| outcome.stderr.contains(part));
        assert_eq!(shown, None, "{url}: {outcome:#?}");
    }
}

#[tokio::test]
async fn a_variable_that_names_no_proxy_is_told() {
    let gateway = Gateway::start(Script::default()).await;
    for (variable, url) in
        [("HTTPS_PROXY", "http://user:PASS WORD@127.0.0.1:1"), ("all_proxy", "proto://127.0.0.1:1")]
    {
        let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION).args(KEYS);
        let outcome = program.env(variable, url).run().await;
        let warning = format!("warning: {variable} is not the URL of a proxy, and is passed over\n");
        assert_eq!((outcome.code, &outcome.stderr), (0, &warning), "{outcome:#?}");
    }
}

/// 0.0.0.0 is this machine, but no address of loopback, which would go round the proxy anyway.
#[cfg(unix)]
#[tokio::test]
async fn no_proxy_is_honoured() {
    let gateway = Gateway::start(Script::default()).await;
    let proxy = ConnectProxy::start(1, Some("nobody")).await;
    let endpoint = format!("0.0.0.0:{}", gateway.port());
    let run = async |exempt: &str| {
        let program = program(&gateway, &endpoint).args(KEYS).env("HTTPS_PROXY", proxy.url(""));
        program.env("NO_PROXY", exempt).run().await
    };
    assert_refused(&run("example.com").await, &["proxy authorization required"]);
    // The certificate is not for 0.0.0.0: the handshake fails with the gateway, not with the proxy.
    assert_eq!(run("example.com,0.0.0.0").await.code, 5);
    assert_eq!(proxy.requests().len(), 1);
}

#[tokio::test]
async fn metadata_services_and_loopback_go_round_the_proxy() {
    let key = Key {
        access_key: "ASIAROUNDTHEPROXY000".to_owned(),
        secret: "round/the+proxy".to_owned(),
        session_token: Some("round+the/proxy==".to_owned()),
    };
    let gateway = Gateway::start(Script { keys: vec![key.clone()], ..Script::default() }).await;
    let service = metadata::granting(&key).await;
    let proxy = ConnectProxy::start(gateway.port(), None).await;
    let mut program = program(&gateway, &gateway.endpoint())
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url());
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        program = program.env(name, proxy.url(""));
    }
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
    assert_eq!(proxy.requests(), [""; 0]);
}
