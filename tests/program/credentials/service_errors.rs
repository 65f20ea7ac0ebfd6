//! What is said when STS, the container endpoint or instance metadata refuse, or give an answer that makes no
//! sense.

use crate::credentials::profile::{LATER, LONG_AGO, logged_in, signed_in};
use crate::credentials::setup::{
    assert_says, failure, failure_after_panic, gateway_knowing, program, temporary,
};
use crate::credentials::source::{
    Source, at_container, at_metadata, at_portal, at_signin, web_identity, with_sts,
};
use crate::gateway::Key;
use crate::program::Program;
use crate::stand_ins::metadata::{CREDENTIALS_LINE, ROLE_LINE, TOKEN, TOKEN_LINE};
use crate::stand_ins::{Answer, LONG, StandIn, container, metadata, sts};

#[tokio::test]
async fn a_web_identity_that_sts_refuses_shows_its_code_and_message() {
    for (code, message) in [
        ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        ("InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
        ("ExpiredTokenException", "Token expired: current date/time 1 must be before 0"),
    ] {
        let gateway = gateway_knowing([]).await;
        let (program, _sts) = with_sts(web_identity(program(&gateway)), sts::refusing(code, message).await);
        let outcome = failure(program).await;
        assert_says(&outcome, &["error: the web identity token does not", code, message]);
    }
}

#[tokio::test]
async fn a_web_identity_token_that_cannot_be_read() {
    let gateway = gateway_knowing([]).await;
    let program = web_identity(program(&gateway));
    std::fs::remove_file(program.home("token.jwt")).expect("a token to remove");
    assert_says(
        &failure(program).await,
        &["error: the web identity token does not provide credentials", "(os error 2)"],
    );
}

#[tokio::test]
async fn a_container_endpoint_that_refuses_shows_the_status() {
    for status in [400, 401, 403, 404, 500] {
        let gateway = gateway_knowing([]).await;
        let endpoint = StandIn::answering(Answer::new(status, "{}")).await;
        let (program, _endpoint) = at_container(program(&gateway), endpoint);
        let outcome = failure(program).await;
        assert_says(&outcome, &["error: the container does not", &status.to_string()]);
    }
}

#[tokio::test]
async fn a_container_endpoint_that_makes_no_sense() {
    for (body, said) in [
        ("<html>Welcome</html>", "JSON"),
        ("{}", "`AccessKeyId`"),
        (r#"{"Code":"Denied","Message":"This task has no role"}"#, "[Denied]: This task has no role"),
    ] {
        let gateway = gateway_knowing([]).await;
        let endpoint = StandIn::answering(Answer::new(200, body)).await;
        let (program, _endpoint) = at_container(program(&gateway), endpoint);
        assert_says(&failure(program).await, &["error: the container does not", said]);
    }
}

#[tokio::test]
async fn a_container_token_that_is_no_header() {
    let gateway = gateway_knowing([]).await;
    let program = program(&gateway).file("token", "ends with a newline\n");
    let file = program.home("token");
    let program = program
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/")
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
    assert_says(&failure(program).await, &["error: the container does not", "auth token"]);
}

/// aws-config 1.13 panics at it.
#[tokio::test]
async fn a_container_url_without_a_scheme() {
    let gateway = gateway_knowing([]).await;
    let program = program(&gateway).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "127.0.0.1:9");
    assert_says(
        &failure_after_panic(program).await,
        &["error: the container does not provide credentials\n"],
    );
}

#[tokio::test]
async fn instance_metadata_that_refuses_or_makes_no_sense() {
    let role = || (ROLE_LINE, Answer::new(200, "thing-role"));
    let credentials = |body| vec![role(), (CREDENTIALS_LINE, Answer::new(200, body))];
    let unauthorized = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}"#;
    for (answers, said) in [
        (vec![(TOKEN_LINE, Answer::new(403, ""))], "forbidden"),
        (vec![(TOKEN_LINE, Answer::new(200, "<html>Welcome</html>"))], "TTL"),
        (vec![(ROLE_LINE, Answer::new(403, ""))], "403"),
        (vec![(ROLE_LINE, Answer::new(200, ""))], "JSON"),
        (vec![role()], "404"),
        (credentials("<html>Welcome</html>"), "JSON"),
        (credentials("{}"), "`AccessKeyId`"),
        (credentials(unauthorized), "EC2 cannot assume the role"),
    ] {
        let gateway = gateway_knowing([]).await;
        let (program, _service) = at_metadata(program(&gateway), metadata::with(answers).await);
        assert_says(&failure(program).await, &["error: the EC2 instance metadata does not", said]);
    }
}

/// aws-config 1.13 panics at these.
#[tokio::test]
async fn instance_metadata_that_makes_aws_config_panic() {
    let endless =
        Answer::new(200, TOKEN).header("x-aws-ec2-metadata-token-ttl-seconds", u64::MAX.to_string());
    for answers in [
        [(ROLE_LINE, Answer::new(200, "thing-role\n"))],
        [(ROLE_LINE, Answer::new(200, "<html>Welcome to the hotel</html>"))],
        [(TOKEN_LINE, endless)],
    ] {
        let gateway = gateway_knowing([]).await;
        let (program, _service) = at_metadata(program(&gateway), metadata::with(answers).await);
        assert_says(&failure_after_panic(program).await, &["error: the EC2 instance metadata does not"]);
    }
}

#[tokio::test]
async fn an_endpoint_without_a_scheme_is_reported_without_the_request() {
    for (variable, source) in
        [("AWS_ENDPOINT_URL_STS", Source::WebIdentity), ("AWS_ENDPOINT_URL_SSO", Source::SignIn)]
    {
        let gateway = gateway_knowing([]).await;
        let (program, _stand_in) = source.provide(program(&gateway)).await;
        let outcome = failure(program.env(variable, "127.0.0.1:9")).await;
        assert_says(&outcome, &["endpoint must contain scheme"]);
    }
}

type To = fn(Program, StandIn) -> (Program, Option<StandIn>);

/// The services, and how the error message of each begins.
const SERVICES: [(&str, To); 5] = [
    ("error: the container does not provide credentials", at_container),
    // If the metadata cannot be read, the SDK treats the instance as one without a role.
    ("error: no credentials found", at_metadata),
    ("error: the web identity token does not provide credentials", |program, sts| {
        with_sts(web_identity(program), sts)
    }),
    ("error: the profile default does not provide credentials", |program, portal| {
        at_portal(signed_in(program, "default", LATER), portal)
    }),
    ("error: the profile default does not provide credentials", |program, service| {
        at_signin(logged_in(program, "default", &temporary("LOGIN"), LONG_AGO), service)
    }),
];

#[tokio::test]
async fn absurd_dates_are_reported_as_such() {
    for (expiration, code, said) in [
        ("1960-01-01T00:00:00Z", 6, "expired at a date before 1970"),
        ("0001-01-01T00:00:00Z", 6, "expired at a date before 1970"),
        ("9999-12-31T23:59:59Z", 6, "good until a date beyond the year 9999"),
    ] {
        let mut answer = container::document(&temporary("DATED"), LONG);
        let mut body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        body["Expiration"] = expiration.into();
        answer.body = body.to_string();
        let gateway = gateway_knowing([]).await;
        let (program, _endpoint) = at_container(program(&gateway), StandIn::answering(answer).await);
        let outcome = program.run().await;
        assert_eq!(outcome.code, code, "{outcome:#?}");
        assert_says(&outcome, &[said]);
    }
}

/// For example the page of a hotel's network or of a proxy.
#[tokio::test]
async fn a_web_page_instead_of_an_answer_is_called_one() {
    for (source, at) in SERVICES {
        for status in [200, 403] {
            let gateway = gateway_knowing([]).await;
            let page = Answer::new(status, "<html>Welcome</html>")
                .header("content-type", "text/html; charset=utf-8");
            let (program, _stand_in) = at(program(&gateway), StandIn::answering(page).await);
            let outcome = failure(program).await;
            assert_says(&outcome, &[source, "127.0.0.1:", &format!("answered with a web page ({status} ")]);
        }
    }
}

/// Such an answer took gigabytes when it was kept in memory until the deadline.
#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    for (told, at) in SERVICES {
        let gateway = gateway_knowing([]).await;
        let (program, _stand_in) = at(program(&gateway), StandIn::endless().await);
        let outcome = program.run().await;
        assert_eq!(outcome.code, 3, "{told}: {outcome:#?}");
        assert_says(&outcome, &[told, "length limit exceeded"]);
        assert!(outcome.elapsed.as_secs() < 5, "{told}: {outcome:#?}");
        assert!(outcome.peak_memory_kib < 64 * 1024, "{told}: {outcome:#?}");
    }
}
