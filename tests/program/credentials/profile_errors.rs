//! What is said when a profile has no credentials to give, because a sign-in, a role or a command fails.

use crate::credentials::profile::{
    LATER, LONG_AGO, ROLE_ARN, logged_in, print, process, role, section, signed_in, signed_in_the_old_way,
};
use crate::credentials::setup::{assert_connects, assert_says, failure, gateway_knowing, program, temporary};
use crate::credentials::source::{at_portal, at_signin, with_sts};
use crate::program::Program;
use crate::stand_ins::{StandIn, portal, signin, sts};

/// Two ways to ask for the profile `things`.
fn asking(way: &str, program: Program) -> Program {
    match way {
        "--profile" => program.args(["--profile", "things"]),
        variable => program.env(variable, "things"),
    }
}

const WAYS: [&str; 2] = ["--profile", "AWS_PROFILE"];

#[tokio::test]
async fn a_file_may_be_named_from_home() {
    let key = temporary("TILDE");
    let gateway = gateway_knowing([key.clone()]).await;
    let program = program(&gateway)
        .file("elsewhere", &section("things", &key))
        .env("AWS_SHARED_CREDENTIALS_FILE", "~/elsewhere")
        .env("AWS_PROFILE", "things");
    assert_connects(program, &gateway, &key, "profile things").await;
}

#[tokio::test]
async fn an_expired_sign_in_says_which_command_renews_it() {
    for way in WAYS {
        let gateway = gateway_knowing([]).await;
        let outcome = failure(asking(way, signed_in(program(&gateway), "profile things", LONG_AGO))).await;
        assert_says(&outcome, &["expired", "hint: ", "aws sso login --profile things\n"]);
    }
}

#[tokio::test]
async fn no_sign_in_yet_says_which_command_makes_one() {
    for signed_in in [signed_in, signed_in_the_old_way] {
        let gateway = gateway_knowing([]).await;
        let program = signed_in(program(&gateway), "profile things", LATER);
        std::fs::remove_dir_all(program.home(".aws/sso")).expect("a cache to remove");
        let outcome = failure(asking("--profile", program)).await;
        assert_says(&outcome, &["hint: ", "aws sso login --profile things\n"]);
    }
}

#[tokio::test]
async fn a_sign_in_that_was_revoked_says_which_command_renews_it() {
    for signed_in in [signed_in, signed_in_the_old_way] {
        let gateway = gateway_knowing([]).await;
        let portal = StandIn::answering(portal::refusal()).await;
        let (program, _portal) = at_portal(signed_in(program(&gateway), "default", LATER), portal);
        let outcome = failure(program).await;
        assert_says(&outcome, &["UnauthorizedException: Session token not found or invalid"]);
        assert_says(&outcome, &["hint: ", "aws sso login --profile default\n"]);
    }
}

#[tokio::test]
async fn a_login_that_is_over_says_which_command_renews_it() {
    for way in WAYS {
        let gateway = gateway_knowing([]).await;
        let program = logged_in(program(&gateway), "profile things", &temporary("LOGIN"), LONG_AGO);
        let (program, _service) = at_signin(program, StandIn::answering(signin::refusal()).await);
        let outcome = failure(asking(way, program)).await;
        assert_says(
            &outcome,
            &["Your session has expired", "hint: sign in again: aws login --profile things\n"],
        );
    }
}

#[tokio::test]
async fn no_login_yet_says_which_command_makes_one() {
    let gateway = gateway_knowing([]).await;
    let program = logged_in(program(&gateway), "profile things", &temporary("LOGIN"), LATER);
    std::fs::remove_dir_all(program.home(".aws/login")).expect("a cache to remove");
    let outcome = failure(asking("--profile", program)).await;
    assert_says(&outcome, &["hint: sign in again: aws login --profile things\n"]);
}

#[tokio::test]
async fn a_role_that_wants_a_code_says_what_works_instead() {
    let gateway = gateway_knowing([]).await;
    let (program, _sts) =
        with_sts(role(program(&gateway)), sts::refusing("AccessDenied", "MFA is missing").await);
    let serial = "arn:aws:iam::111122223333:mfa/me";
    let config = format!("[default]\nrole_arn = {ROLE_ARN}\nsource_profile = base\nmfa_serial = {serial}\n");
    let outcome = failure(program.file(".aws/config", &config)).await;
    assert_says(
        &outcome,
        &["MFA is missing", "hint: ", "MFA code", "aws sts get-session-token", "credential_process"],
    );
}

#[tokio::test]
async fn a_command_that_fails_shows_its_exit_status_and_stderr() {
    let gateway = gateway_knowing([]).await;
    let program =
        program(&gateway).file("complaint", "AccessDeniedException: the vault is sealed\ncall the janitor\n");
    let command = format!("{} >&2 && exit 7", print(&program, "complaint"));
    let outcome = failure(program.file(".aws/config", &process("default", &command))).await;
    assert_says(
        &outcome,
        &[": 7", "the vault is sealed call the janitor\n", "hint: the command in credential_process"],
    );
    assert!(!outcome.stderr.contains("sign in again"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_command_that_prints_no_credentials_says_what_is_wrong_with_it() {
    for (output, said) in [
        ("", "JSON"),
        ("hello", "JSON"),
        (r#"{"AccessKeyId":"AKIAPROCESS000000000"}"#, "`Version`"),
        (r#"{"Version":2}"#, "unknown version number: 2"),
        (r#"{"Version":1,"AccessKeyId":"AKIAPROCESS000000000"}"#, "`SecretAccessKey`"),
    ] {
        let gateway = gateway_knowing([]).await;
        let program = program(&gateway).file("output", output);
        let command = print(&program, "output");
        let outcome = failure(program.file(".aws/config", &process("default", &command))).await;
        assert_says(&outcome, &["external process", said]);
    }
}

#[tokio::test]
async fn a_role_that_sts_denies_shows_its_code_and_message() {
    let gateway = gateway_knowing([]).await;
    let message = "User: arn:aws:iam::111122223333:user/base is not authorized to perform: sts:AssumeRole";
    let (program, _sts) = with_sts(role(program(&gateway)), sts::refusing("AccessDenied", message).await);
    assert_says(&failure(program).await, &["AccessDenied", message]);
}
