//! What is said when a service refuses, or gives an answer that makes no sense, and when there is no source at all.

use crate::credentials::setup::{assert_fails, gateway_knowing, program, run_with_logs};
use crate::credentials::source::Source;
use crate::gateway::listener::Listener;
use crate::stand_ins::{Answer, StandIn, metadata, sts};
use std::future::pending;

/// For example the page of a hotel's network or of a proxy.
fn web_page(status: u16) -> Answer {
    Answer::new(status, "<html>Welcome</html>").header("content-type: text/html; charset=utf-8")
}

/// The first answer of the service, without this text.
fn without(source: Source, text: &str) -> Answer {
    let (_, answer) = source.answers().remove(0);
    Answer { body: answer.body.replace(text, ""), ..answer }
}

/// A row replaces the nth answer of the service, which answers 404 from then on. The instance role must not sign
/// instead.
#[tokio::test]
async fn a_service_that_refuses_or_makes_no_sense_ends_the_run() {
    use Source::{Container, LoginRenewal, Metadata, Renewal, Role, SignIn, WebIdentity};
    let panic = "its settings or its answer make no sense";
    let mfa = sts::refusal("AccessDenied", "MFA is missing");
    let mfa_hint = "AccessDenied: MFA is missing\nhint: if the role demands an MFA code, which the AWS SDK for Rust \
        cannot ask for: get keys with `aws sts get-session-token`";
    let no_provider = sts::refusal("InvalidIdentityToken", "No provider found");
    let token_hint =
        "InvalidIdentityTokenException: No provider found\nhint: AWS_WEB_IDENTITY_TOKEN_FILE names";
    let signed_out = Answer::new(401, r#"{"__type":"x#UnauthorizedException","message":"Not signed in"}"#);
    let sign_in = "UnauthorizedException: Not signed in\nhint: sign in to IAM Identity Center again: aws sso login --profile default\n";
    let login_is_over = Answer::new(400, r#"{"error":"TOKEN_EXPIRED","message":"The session is over"}"#)
        .header("x-amzn-errortype: AccessDeniedException");
    let login = "Your session has expired. Please reauthenticate.\n  cause: AccessDeniedException: The session is over\n\
        hint: sign in again: aws login --profile default\n";
    let denied = Answer::new(200, r#"{"Code":"Denied","Message":"This task has no role"}"#);
    let unassumed = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}"#;
    let endless = Answer { endless: true, ..Answer::new(200, "{ \"endless\": ") };
    for (source, nth, answer, said) in [
        (Role, 0, mfa, mfa_hint),
        (WebIdentity, 0, no_provider, token_hint),
        (SignIn, 0, signed_out.clone(), sign_in),
        (Renewal, 0, signed_out.clone(), "unhandled error"),
        (Renewal, 1, signed_out, sign_in),
        (LoginRenewal, 0, login_is_over, login),
        (Container, 0, Answer::new(401, ""), "401"),
        (Container, 0, denied, "[Denied]: This task has no role"),
        (Metadata, 0, Answer::new(403, ""), "forbidden"),
        (Metadata, 0, Answer::new(200, "no header"), "TTL"),
        (Metadata, 1, Answer::new(403, ""), "403"),
        (Metadata, 2, Answer::new(404, ""), "404"),
        (Metadata, 2, Answer::new(200, unassumed), "EC2 cannot assume the role"),
        // aws-config 1.13 panics at these two.
        (Metadata, 0, metadata::token(u64::MAX), panic),
        (Metadata, 1, Answer::new(200, "thing-role\n"), panic),
        (WebIdentity, 0, web_page(403), "answered with a web page (403 Forbidden)"),
        (Container, 0, web_page(200), "answered with a web page (200 OK)"),
        // Such an answer took gigabytes when it was kept in memory until the deadline.
        (Container, 0, endless, "length limit exceeded"),
        (Role, 0, without(Role, "</"), "gave credentials that cannot work"),
        (Role, 0, without(Role, "Response"), "invalid root"),
        (SignIn, 0, without(SignIn, ":"), "cause"),
        (Renewal, 0, without(Renewal, "ccess"), "unhandled error"),
        (Container, 0, without(Container, "}"), "expected object key"),
    ] {
        let mut answers = source.answers();
        answers.truncate(nth + 1);
        answers[nth].1 = answer;
        let service = StandIn::with(answers).await;
        let gateway = gateway_knowing([Source::Metadata.key()]).await;
        let (program, _instance) = Source::Metadata.provide(program(&gateway)).await;
        let outcome = run_with_logs(source.at(program, &service.url()), &gateway, source).await;
        assert_fails(&outcome, &[&format!("error: the {} ", source.name()), said]);
    }
}

/// The error of aws-config about such an endpoint contains the request, at any log level.
#[tokio::test]
async fn an_endpoint_without_a_scheme_is_reported_without_the_request() {
    for source in [Source::Role, Source::SignIn, Source::Renewal, Source::WebIdentity] {
        let gateway = gateway_knowing([]).await;
        let program = source.at(program(&gateway), "127.0.0.1:9");
        let outcome = run_with_logs(program, &gateway, source).await;
        assert_fails(&outcome, &["endpoint must contain scheme"]);
    }
}

#[tokio::test]
async fn a_password_in_the_url_of_a_container_is_not_shown() {
    let gateway = gateway_knowing([]).await;
    let service = StandIn::with(Vec::new()).await;
    for (port, said) in [(service.port(), "404"), (9, "no connection to 127.0.0.1:9\n")] {
        let url = format!("http://user:PASSW0RD@127.0.0.1:{port}");
        let program = Source::Container.at(program(&gateway), &url).args(["--attempts", "1"]);
        let outcome = run_with_logs(program, &gateway, Source::Container).await;
        assert_fails(&outcome, &["error: the container does not provide credentials\n", said]);
        assert!(!outcome.stdout.contains("PASSW0RD") && !outcome.stderr.contains("PASSW0RD"), "{outcome:#?}");
    }
}

#[tokio::test]
async fn nothing_anywhere_lists_every_source_and_two_fixes() {
    let gateway = gateway_knowing([]).await;
    let outcome = program(&gateway).run().await;
    assert_fails(&outcome, &["hint: sign in with `aws login`", "hint: or set AWS_ACCESS_KEY_ID"]);
    let labels = outcome.stderr.lines().filter_map(|line| line.split_once(": ")).map(|(label, _)| label);
    let sources =
        "error,  environment,  profile,  web identity token,  container,  EC2 instance metadata,hint,hint";
    assert_eq!(labels.collect::<Vec<_>>().join(","), sources, "{outcome:#?}");
}

/// The SDK also treats an instance whose metadata cannot be read as one without a role.
#[tokio::test]
async fn an_instance_without_a_role_has_nothing() {
    for (nth, answer, reason) in [(1, Answer::new(404, ""), "received 404"), (0, web_page(200), "127.0.0.1:")]
    {
        let gateway = gateway_knowing([]).await;
        let mut answers = Source::Metadata.answers();
        answers[nth].1 = answer;
        let service = StandIn::with(answers).await;
        let outcome = Source::Metadata.at(program(&gateway), &service.url()).run().await;
        let reason = format!("  EC2 instance metadata: {reason}");
        assert_fails(&outcome, &["error: no credentials found\n", &reason]);
    }
}

#[tokio::test]
async fn a_source_that_never_answers_is_waited_for_until_the_deadline() {
    let gateway = gateway_knowing([]).await;
    let silent = Listener::start(async |_open| pending().await).await;
    let url = format!("http://127.0.0.1:{}", silent.port);
    let outcome = Source::Container.at(program(&gateway), &url).args(["--timeout", "1"]).run().await;
    assert_eq!(outcome.code, 8, "{outcome:#?}");
    assert!(outcome.elapsed.as_secs() < 3, "{outcome:#?}");
    assert!(outcome.stderr.contains("the deadline of 1 s passed in the phase credentials"), "{outcome:#?}");
}
