//! Settings that ask for a proxy which cannot be used: the run ends, and no part of a password is shown.

use super::{KEYS, with_web_identity};
use crate::connect_proxy::{ConnectProxy, Manner};
use crate::gateway::{Gateway, REGION, Script};
use crate::program::{Outcome, Program};
use crate::stand_ins::{LONG, container};

/// Windows does not distinguish upper and lower case in the names of variables.
const VARIABLES: &[&str] = match cfg!(windows) {
    true => &["HTTPS_PROXY", "ALL_PROXY"],
    false => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
};

/// The end of each message, and the settings that have it. The parts in capitals belong to a password.
const BAD: [(&str, &[&str]); 2] = [
    (
        "only HTTP proxies are supported, http://[user:password@]host:port",
        &[
            "socks5://user:PASSWORD@127.0.0.1:1080",
            "socks5h://127.0.0.1:1080",
            "SOCKS4://127.0.0.1",
            "https://user:PASSWORD@127.0.0.1:3128",
            "proto://127.0.0.1:1",
            "://127.0.0.1:80",
            " http://user:PASSWORD@127.0.0.1:80",
            "user:PASS://WORD@127.0.0.1:80",
        ],
    ),
    (
        "it is not of the form http://[user:password@]host:port, with the user and the password percent-encoded",
        &[
            "http://127.0.0.1:99999",
            "http://127.0.0.1:0",
            "http://127.0.0.1:",
            "http://127.0.0.1:+80",
            "http://127.0.0.1:80:80",
            "http://127.0.0.1:80/path",
            "http://127.0.0.1:80?query",
            "http://127.0.0.1:80#fragment",
            "http://127.0.0.1:80\n",
            "127.0.0.1:80 ",
            "127.0.0.1:80/path",
            "//127.0.0.1:80",
            "http:",
            "http:/user:PASSWORD@127.0.0.1:80",
            "http:user:PASSWORD@127.0.0.1:80",
            "http://",
            "http:///",
            "http://:80",
            "http://user:PASSWORD",
            "http://user:PASSWORD@",
            "http://user:PASSWORD@:80",
            "http://user:PASSWORD@::1",
            "http://user:PASSWORD@[::1",
            "http://user:PASSWORD@[::1]WORD",
            "http://user:PASSWORD@a..b:80",
            "http://user:PASSWORD@a%41:80",
            "http://user:PASS#WORD@127.0.0.1:80",
            "http://user:PASS/WORD@127.0.0.1:80",
            "http://user:PASS?WORD@127.0.0.1:80",
            "http://user:PASS@WORD@127.0.0.1:80",
            "http://user:PASS@127.0.0.1:80@WORD",
            "http://user:PASS[WORD@127.0.0.1:80",
            "http://user:PASS WORD@127.0.0.1:80",
            "http://user:PASS^WORD@127.0.0.1:80",
            "http://user:PASS\\WORD@127.0.0.1:80",
            "http://user:PASS\"WORD@127.0.0.1:80",
            "http://user:PÄSS@127.0.0.1:80",
            "user:PASS/WORD@127.0.0.1:80",
            "user:PASS@WORD@127.0.0.1:80",
            "*",
            "/",
        ],
    ),
];

fn assert_hidden(outcome: &Outcome, context: &str) {
    for stream in [&outcome.stdout, &outcome.stderr] {
        let shown = ["PASS", "PÄSS", "WORD"].into_iter().find(|part| stream.contains(part));
        assert_eq!(shown, None, "{context}: {outcome:#?}");
    }
}

#[tokio::test]
async fn what_is_no_http_proxy_is_refused_before_any_packet() {
    let urls = BAD.into_iter().flat_map(|(said, urls)| urls.iter().map(move |url| (*url, said)));
    for (url, said) in urls {
        for setting in ["--proxy"].iter().chain(VARIABLES) {
            let program =
                Program::new().args(["--endpoint", "gateway.invalid", "--region", REGION]).args(KEYS);
            let program = program.args(["--log-level", "trace"]);
            let program = match *setting {
                "--proxy" => program.args(["--proxy", url]),
                variable => program.env(variable, url),
            };
            let outcome = program.run().await;
            let named = if *setting == "--proxy" { "the proxy" } else { setting };
            let told = format!("error: {named} cannot be used: {said}\n");
            assert_eq!((outcome.code, outcome.stderr.as_str()), (2, told.as_str()), "{setting}={url}");
            assert_hidden(&outcome, url);
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_not_utf_8_is_refused() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let url = OsString::from_vec(b"http://user:PASS\xFFWORD@127.0.0.1:80".to_vec());
    let program = Program::new().args(["--endpoint", "gateway.invalid", "--region", REGION]).args(KEYS);
    let outcome = program.env("HTTPS_PROXY", url).run().await;
    assert_eq!(outcome.code, 2, "{outcome:#?}");
    assert!(
        outcome.stderr.contains("error: HTTPS_PROXY cannot be used: it is not of the form http://"),
        "{outcome:#?}"
    );
    assert_hidden(&outcome, "not UTF-8");
}

#[tokio::test]
async fn an_empty_flag_is_refused_and_an_empty_variable_is_none() {
    let gateway = Gateway::start(Script::default()).await;
    let program = || Program::against(&gateway.endpoint(), gateway.ca_file(), REGION).args(KEYS);
    assert_eq!(program().args(["--proxy", ""]).run().await.code, 2);
    let outcome = VARIABLES.iter().fold(program(), |program, name| program.env(name, "")).run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
}

/// Loopback needs no proxy, nor does what `NO_PROXY` lists, so a bad setting is no error until something
/// needs the proxy.
#[tokio::test]
async fn a_bad_variable_does_not_matter_where_nothing_needs_it() {
    let gateway = Gateway::start(Script::default()).await;
    for variable in VARIABLES {
        let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION).args(KEYS);
        let outcome = program.env(variable, "socks5://127.0.0.1:1").run().await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{variable}: {outcome:#?}");
    }
    let exempt =
        Program::new().args(["--endpoint", "gateway.invalid", "--region", REGION, "--attempts", "1"]);
    let exempt = exempt.args(KEYS).env("HTTPS_PROXY", "socks5://127.0.0.1:1").env("NO_PROXY", ".invalid");
    let outcome = exempt.run().await;
    assert_eq!(outcome.code, 4, "{outcome:#?}");
    assert!(outcome.stderr.contains("cannot resolve the name \"gateway.invalid\""), "{outcome:#?}");
}

#[tokio::test]
async fn a_bad_all_proxy_does_not_matter_beside_a_good_https_proxy() {
    let gateway = Gateway::start(Script::default()).await;
    let proxy = ConnectProxy::start(&[("gateway.test:443", gateway.port())], Manner::Open).await;
    let program = Program::against("gateway.test", gateway.ca_file(), REGION).args(KEYS);
    let program = program.env("HTTPS_PROXY", proxy.url("")).env("ALL_PROXY", "socks5://127.0.0.1:1");
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
}

#[tokio::test]
async fn a_service_that_needs_a_bad_proxy_ends_the_run_with_the_variable() {
    let gateway = Gateway::start(Script::default()).await;
    for (url, said) in [
        ("socks5://user:PASSWORD@127.0.0.1:1", "ALL_PROXY cannot be used: only HTTP proxies are supported"),
        ("user:PASS/WORD@127.0.0.1:1", "ALL_PROXY cannot be used: it is not of the form http://"),
    ] {
        let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION);
        let program = with_web_identity(program, "https://sts.invalid").env("ALL_PROXY", url);
        let outcome = program.args(["--log-level", "trace"]).run().await;
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        for text in ["error: the web identity token does not provide credentials", said] {
            assert!(outcome.stderr.contains(text), "{text}: {outcome:#?}");
        }
        assert_hidden(&outcome, url);
    }
    // A container on plain HTTP does not need it.
    let key = crate::gateway::own_keys()[1].clone();
    let endpoint = container::granting(vec![(key, LONG)]).await;
    let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION)
        .env("ALL_PROXY", "socks5://127.0.0.1:1");
    let program = program.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/get", endpoint.url()));
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
}
