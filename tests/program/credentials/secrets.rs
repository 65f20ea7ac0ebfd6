//! No log level shows a secret, and `trace` still shows what the transport does.

use crate::credentials::profile::{ACCESS_TOKEN, LATER, print, process, renewable, role, signed_in};
use crate::credentials::setup::{assert_says, gateway_knowing, program, query_values};
use crate::credentials::source::{Source, at_container, at_portal, web_identity, with_sts};
use crate::gateway::{Gateway, Script};
use crate::program::{Outcome, Program};
use crate::stand_ins::{Answer, Asked, LONG, StandIn, container, portal, sts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Two ways to encode a query: all but the unreserved characters, and all but those and `/` and `=`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const LOOSE: &AsciiSet = &QUERY.remove(b'/').remove(b'=');

/// Every way to turn on every log.
fn with_all_logs(program: Program, way: &str) -> Program {
    match way {
        "--log-level trace" => program.args(["--log-level", "trace"]),
        filter => program.env("RUST_LOG", filter),
    }
}

/// The last one names the crate whose events show most. A directive for a crate has precedence over a general
/// one.
const WAYS: [&str; 3] =
    ["--log-level trace", "trace", "trace,aws_smithy_runtime::client::orchestrator=trace"];

/// The signatures of the upgrade requests, which are as good as a password while they are valid.
fn signatures(gateway: &Gateway) -> Vec<String> {
    query_values(gateway, "X-Amz-Signature")
}

/// The secrets found in the output, each with the part of the line before it.
fn leaks(outcome: &Outcome, secrets: &[(&'static str, String)]) -> Vec<String> {
    let mut leaks = Vec::new();
    for (what, secret) in secrets {
        let encodings = [
            secret.clone(),
            utf8_percent_encode(secret, QUERY).to_string(),
            utf8_percent_encode(secret, LOOSE).to_string(),
            secret.replace('&', "&amp;"),
            secret.replace('/', "\\/"),
        ];
        for line in outcome.stdout.lines().chain(outcome.stderr.lines()) {
            if let Some(at) = encodings.iter().filter_map(|form| line.find(form)).min() {
                leaks.push(format!("{what}: {}", &line[..at]));
            }
        }
    }
    leaks
}

/// Runs the program and gives back what leaked.
async fn run(program: Program, gateway: &Gateway, source: Source, way: &str, code: i32) -> Vec<String> {
    let outcome = with_all_logs(program, way).run().await;
    assert_eq!(outcome.code, code, "{source:?}, {way}: {outcome:#?}");
    let mut secrets = source.secrets();
    secrets.extend(signatures(gateway).into_iter().map(|signature| ("signature", signature)));
    assert!(outcome.stderr.contains("TRACE"), "{source:?}, {way}: {outcome:#?}");
    let leaks = leaks(&outcome, &secrets);
    leaks.into_iter().map(|leak| format!("{source:?}, {way}, exit code {code}: {leak}")).collect()
}

#[tokio::test]
async fn a_success_shows_no_secret() {
    let mut leaks = Vec::new();
    for way in WAYS {
        for source in Source::ALL {
            let gateway = gateway_knowing([source.key()]).await;
            let (program, _stand_in) = source.provide(program(&gateway)).await;
            leaks.extend(run(program, &gateway, source, way, 0).await);
            assert_eq!(signatures(&gateway).len(), 1);
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test]
async fn a_refused_upgrade_shows_no_secret() {
    let mut leaks = Vec::new();
    for way in WAYS {
        for source in Source::ALL {
            let gateway = Gateway::start(Script::default()).await;
            let (program, _stand_in) = source.provide(program(&gateway)).await;
            leaks.extend(run(program, &gateway, source, way, 6).await);
            assert_eq!(signatures(&gateway).len(), 1);
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test]
async fn a_source_that_fails_shows_no_secret() {
    let mut leaks = Vec::new();
    for way in WAYS {
        for source in Source::ALL {
            let gateway = gateway_knowing([]).await;
            if let Some((program, _stand_in)) = source.refuse(program(&gateway)).await {
                leaks.extend(run(program, &gateway, source, way, 3).await);
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test]
async fn a_broken_document_shows_no_secret() {
    let mut leaks = Vec::new();
    let sources = [
        Source::Process,
        Source::Role,
        Source::SignIn,
        Source::Renewal,
        Source::WebIdentity,
        Source::Container,
    ];
    for source in sources {
        let flaws: &[&str] = match source {
            Source::Role | Source::WebIdentity => &["</", "<Credentials>"],
            _ => &["}", ":", "ccess"],
        };
        for flaw in flaws {
            let gateway = gateway_knowing([]).await;
            let (program, _stand_in) = broken(source, flaw, program(&gateway)).await;
            leaks.extend(run(program, &gateway, source, WAYS[0], 3).await);
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// The source with a document from which the text `missing` was removed.
async fn broken(source: Source, missing: &'static str, program: Program) -> (Program, Option<StandIn>) {
    let key = source.key();
    let breaking = move |answer: Answer| Answer { body: answer.body.replace(missing, ""), ..answer };
    let container = breaking(container::document(&key, LONG));
    let portal = breaking(Answer::new(200, portal::role_credentials(&key).to_string()));
    let sts = StandIn::start(move |asked| breaking(sts::grant(asked, &key)));
    match source {
        Source::Process => {
            let program = program.file("output", &container.body);
            let command = print(&program, "output");
            (program.file(".aws/config", &process("default", &command)), None)
        }
        Source::Role => with_sts(role(program), sts.await),
        Source::WebIdentity => with_sts(web_identity(program), sts.await),
        Source::SignIn => at_portal(signed_in(program, "default", LATER), StandIn::answering(portal).await),
        Source::Renewal => {
            let renewed = breaking(Answer::new(200, portal::renewed(ACCESS_TOKEN).to_string()));
            let answer = move |asked: &Asked| match asked.line().as_str() {
                "POST /token" => renewed.clone(),
                _ => portal::refusal(),
            };
            at_portal(renewable(program), StandIn::start(answer).await)
        }
        _ => at_container(program, StandIn::answering(container).await),
    }
}

/// The error of aws-config about such an endpoint contains the request, at any log level.
#[tokio::test]
async fn an_endpoint_without_a_scheme_shows_no_secret() {
    let mut leaks = Vec::new();
    for (variable, source) in [
        ("AWS_ENDPOINT_URL_STS", Source::WebIdentity),
        ("AWS_ENDPOINT_URL_STS", Source::Role),
        ("AWS_ENDPOINT_URL_SSO", Source::SignIn),
        ("AWS_ENDPOINT_URL_SSO_OIDC", Source::Renewal),
    ] {
        let gateway = gateway_knowing([]).await;
        let (program, _stand_in) = source.provide(program(&gateway)).await;
        let program = program.env(variable, "127.0.0.1:9");
        leaks.extend(run(program, &gateway, source, WAYS[0], 3).await);
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test]
async fn a_password_in_the_url_of_a_container_is_in_no_log() {
    for way in WAYS {
        let gateway = gateway_knowing([]).await;
        let url = "http://user:PASSW0RD@127.0.0.1:9/get";
        let program = program(&gateway).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
        let outcome = with_all_logs(program, way).run().await;
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        assert!(!outcome.stdout.contains("PASSW0RD") && !outcome.stderr.contains("PASSW0RD"), "{outcome:#?}");
    }
}

/// Variables of the AWS SDK that make it log what it leaves out otherwise.
#[tokio::test]
async fn the_switches_of_the_sdk_show_no_secret() {
    let mut leaks = Vec::new();
    for source in Source::ALL {
        let gateway = gateway_knowing([source.key()]).await;
        let (program, _stand_in) = source.provide(program(&gateway)).await;
        let program = program.env("LOG_SENSITIVE_BODIES", "true").env("LOG_SIGNABLE_BODY", "true");
        leaks.extend(run(program, &gateway, source, WAYS[0], 0).await);
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test]
async fn the_trace_still_tells_what_the_transport_does() {
    let gateway = gateway_knowing([Source::Role.key()]).await;
    let (program, _sts) = Source::Role.provide(program(&gateway)).await;
    let outcome = with_all_logs(program, WAYS[0]).run().await;
    assert_says(
        &outcome,
        &[
            "phase: TCP",
            "phase: TLS",
            "phase: WebSocket",
            "phase: MQTT",
            "credentials loaded",
            "Sending frame",
        ],
    );
    let of_the_sdk = ["beginning attempt #", "aws_smithy_runtime::client::orchestrator"];
    assert_says(&outcome, &of_the_sdk);
}

/// The SDK's parser quotes the lines that it warns about.
#[tokio::test]
async fn a_profile_file_that_is_not_understood_shows_no_secret() {
    for text in [
        "[user default]\naws_secret_access_key = SeCrEtAlphaKey9\n",
        "[default]\naws_session_token: ToKeNAlphaVal9==\n",
        "[sso-session a]\naws_secret_access_key =\n  SeCrEtAlphaKey9\n",
    ] {
        for file in [".aws/config", ".aws/credentials"] {
            let gateway = gateway_knowing([]).await;
            let outcome = with_all_logs(program(&gateway).file(file, text), WAYS[0]).run().await;
            assert_eq!(outcome.code, 3, "{outcome:#?}");
            let all = (outcome.stdout.clone() + &outcome.stderr).to_lowercase();
            assert!(!all.contains("alphakey") && !all.contains("alphaval"), "{outcome:#?}");
        }
    }
}

#[tokio::test]
async fn an_invalid_filter_is_reported() {
    let gateway = gateway_knowing([Source::Flags.key()]).await;
    let (program, _none) = Source::Flags.provide(program(&gateway)).await;
    let outcome = program.env("RUST_LOG", "info,this=that").run().await;
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_says(&outcome, &["warning: nothing is logged, because RUST_LOG is not a valid filter"]);
}
