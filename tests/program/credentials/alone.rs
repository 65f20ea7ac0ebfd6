//! Each source alone: its key, and no other, signs the upgrade.

use crate::credentials::profile::{
    ACCESS_TOKEN, LATER, ROLE_ARN, base, print, process, process_output, role, section, signed_in_the_old_way,
};
use crate::credentials::setup::{assert_connects, gateway_knowing, permanent, program, temporary};
use crate::credentials::source::{CONTAINER_TOKEN, IDENTITY_TOKEN, Source, at_container, at_portal};
use crate::gateway::{Key, REGION};
use crate::program::Program;
use crate::stand_ins::metadata::{CREDENTIALS_LINE, ROLE_LINE, TOKEN, TOKEN_LINE};
use crate::stand_ins::{Asked, LONG, StandIn, container, portal, sts};

/// Connects with this source, and returns the requests that its stand-in received.
async fn connect_with(source: Source) -> Vec<Asked> {
    let gateway = gateway_knowing([source.key()]).await;
    let (program, stand_in) = source.provide(program(&gateway)).await;
    assert_connects(program, &gateway, &source.key(), source.name()).await;
    stand_in.iter().flat_map(StandIn::asked).collect()
}

/// Connects with that key after `prepare` has made it available.
async fn connect(key: Key, source: &str, prepare: impl FnOnce(Program) -> Program) {
    let gateway = gateway_knowing([key.clone()]).await;
    assert_connects(prepare(program(&gateway)), &gateway, &key, source).await;
}

fn in_environment(program: Program, key: &Key) -> Program {
    program.env("AWS_ACCESS_KEY_ID", &key.access_key).env("AWS_SECRET_ACCESS_KEY", &key.secret)
}

#[tokio::test]
async fn flags_with_a_key_pair() {
    let key = permanent("PAIR");
    let flags = ["--access-key", &key.access_key, "--secret", &key.secret];
    connect(key.clone(), "command line", |program| program.args(flags)).await;
}

#[tokio::test]
async fn flags_with_a_session_token() {
    connect_with(Source::Flags).await;
}

#[tokio::test]
async fn environment_with_a_key_pair() {
    let key = permanent("PAIR");
    connect(key.clone(), "environment", |program| in_environment(program, &key)).await;
}

#[tokio::test]
async fn environment_with_a_session_token() {
    connect_with(Source::Environment).await;
}

#[tokio::test]
async fn default_profile_with_keys() {
    connect_with(Source::Profile).await;
}

#[tokio::test]
async fn profile_named_by_aws_profile() {
    let (key, other) = (temporary("NAMED"), permanent("DEFAULT"));
    let text = section("default", &other) + &section("things", &key);
    let with = |program: Program| program.file(".aws/credentials", &text).env("AWS_PROFILE", "things");
    connect(key, "profile things", with).await;
}

#[tokio::test]
async fn profile_named_by_flag_wins_over_the_environment() {
    let (key, other) = (permanent("NAMED"), permanent("OTHER"));
    let text = section("things", &key) + &section("other", &other);
    let with = |program: Program| {
        let program = in_environment(program, &other).env("AWS_PROFILE", "other");
        program.file(".aws/credentials", &text).args(["--profile", "things"])
    };
    connect(key, "profile things", with).await;
}

#[tokio::test]
async fn profile_in_a_file_named_by_the_environment() {
    let key = temporary("ELSEWHERE");
    let with = |program: Program| {
        let program = program.file("elsewhere", &section("things", &key)).env("AWS_PROFILE", "things");
        let file = program.home("elsewhere");
        program.env("AWS_SHARED_CREDENTIALS_FILE", file)
    };
    connect(key.clone(), "profile things", with).await;
}

#[tokio::test]
async fn profile_with_a_login() {
    connect_with(Source::Login).await;
}

#[tokio::test]
async fn profile_with_a_login_that_is_renewed() {
    let asked = connect_with(Source::LoginRenewal).await;
    assert_eq!(asked.len(), 1, "{asked:#?}");
}

#[tokio::test]
async fn profile_with_a_command() {
    connect_with(Source::Process).await;
}

#[tokio::test]
async fn profile_with_a_command_that_gives_no_token() {
    let key = permanent("PROCESS");
    let with = |program: Program| {
        let program = program.file("keys.json", &process_output(&key));
        let command = print(&program, "keys.json");
        program.file(".aws/config", &process("default", &command))
    };
    connect(key.clone(), "profile default", with).await;
}

#[tokio::test]
async fn profile_with_a_role_that_sts_grants() {
    let asked = connect_with(Source::Role).await;
    let [asked] = &asked[..] else { panic!("{asked:#?}") };
    assert_eq!(asked.field("Action").as_deref(), Some("AssumeRole"));
    assert_eq!(asked.field("RoleArn").as_deref(), Some(ROLE_ARN));
    let base = base().access_key;
    assert_eq!(sts::signed_with(asked), Some((base, REGION.into())), "--region where no profile names one");
}

/// AWS SDKs and Tools reference guide, "Service-specific endpoints".
#[tokio::test]
async fn sts_is_asked_at_the_endpoint_of_the_profile() {
    let key = temporary("ROLE");
    for setting in ["endpoint_url = {}\n", "services = local\n[services local]\nsts =\n  endpoint_url = {}\n"]
    {
        let gateway = gateway_knowing([key.clone()]).await;
        let sts = sts::granting(&key).await;
        let setting = setting.replace("{}", &sts.url());
        let config = format!("[default]\nrole_arn = {ROLE_ARN}\nsource_profile = base\n{setting}");
        let program = role(program(&gateway)).file(".aws/config", &config).without("AWS_ENDPOINT_URL");
        // If the setting were ignored, the request would still stay on this machine.
        let program = program.env("HTTPS_PROXY", "http://127.0.0.1:9");
        assert_connects(program, &gateway, &key, "profile default").await;
    }
}

#[tokio::test]
async fn sts_is_asked_in_the_region_of_the_profile() {
    let key = temporary("ROLE");
    for flags in [&[][..], &["--profile", "things"]] {
        let gateway = gateway_knowing([key.clone()]).await;
        let sts = sts::granting(&key).await;
        let config = format!(
            "[profile things]\nrole_arn = {ROLE_ARN}\nsource_profile = base\nregion = ap-southeast-2\n"
        );
        let program =
            role(program(&gateway)).file(".aws/config", &config).env("AWS_ENDPOINT_URL_STS", sts.url());
        let program = program.env("AWS_PROFILE", "things").args(flags.iter().copied());
        assert_connects(program, &gateway, &key, "profile things").await;
        let signed = sts.asked().iter().map(sts::signed_with).collect::<Vec<_>>();
        assert_eq!(signed, [Some((base().access_key, "ap-southeast-2".into()))], "{flags:?}");
    }
}

#[tokio::test]
async fn profile_with_a_sign_in_to_identity_center() {
    let asked = connect_with(Source::SignIn).await;
    let [asked] = &asked[..] else { panic!("{asked:#?}") };
    assert_eq!(asked.line(), "GET /federation/credentials");
    assert_eq!(asked.field("account_id").as_deref(), Some("111122223333"));
    assert_eq!(asked.field("role_name").as_deref(), Some("Things"));
}

#[tokio::test]
async fn profile_with_a_sign_in_that_is_renewed() {
    let asked = connect_with(Source::Renewal).await;
    let lines: Vec<String> = asked.iter().map(Asked::line).collect();
    assert_eq!(lines, ["POST /token", "GET /federation/credentials"]);
}

#[tokio::test]
async fn profile_with_a_sign_in_configured_the_old_way() {
    let key = temporary("OLDWAY");
    let gateway = gateway_knowing([key.clone()]).await;
    let portal = portal::granting(&key, ACCESS_TOKEN).await;
    let (program, _portal) = at_portal(signed_in_the_old_way(program(&gateway), "default", LATER), portal);
    assert_connects(program, &gateway, &key, "profile default").await;
}

#[tokio::test]
async fn web_identity_that_sts_grants() {
    let asked = connect_with(Source::WebIdentity).await;
    let [asked] = &asked[..] else { panic!("{asked:#?}") };
    assert_eq!(asked.field("Action").as_deref(), Some("AssumeRoleWithWebIdentity"));
    assert_eq!(asked.field("RoleArn").as_deref(), Some(ROLE_ARN));
    assert_eq!(asked.field("WebIdentityToken").as_deref(), Some(IDENTITY_TOKEN));
    assert_eq!(sts::signed_with(asked), None, "there is no key yet to sign with");
}

#[tokio::test]
async fn container_with_a_token() {
    let asked = connect_with(Source::Container).await;
    let [asked] = &asked[..] else { panic!("{asked:#?}") };
    assert_eq!(asked.line(), "GET /get-credentials");
    assert_eq!(asked.head.only_header("authorization"), Some(CONTAINER_TOKEN));
}

#[tokio::test]
async fn container_with_a_token_file() {
    const FROM_FILE: &str = "tokenInAFileOfTheTest";
    let key = temporary("CONTAINER");
    let gateway = gateway_knowing([key.clone()]).await;
    let endpoint = container::granting(vec![(key.clone(), LONG)]).await;
    let program = program(&gateway).file("token", FROM_FILE);
    let file = program.home("token");
    let program = program.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
    let (program, endpoint) = at_container(program, endpoint);
    assert_connects(program, &gateway, &key, "container").await;
    let asked: Vec<Asked> = endpoint.iter().flat_map(StandIn::asked).collect();
    assert_eq!(asked[0].head.only_header("authorization"), Some(FROM_FILE), "the file comes first");
}

#[tokio::test]
async fn instance_metadata_version_2() {
    let asked = connect_with(Source::Metadata).await;
    let lines: Vec<String> = asked.iter().map(Asked::line).collect();
    assert_eq!(lines, [TOKEN_LINE, ROLE_LINE, CREDENTIALS_LINE]);
    assert!(asked[0].head.only_header("x-aws-ec2-metadata-token-ttl-seconds").is_some());
    for asked in &asked[1..] {
        assert_eq!(asked.head.only_header("x-aws-ec2-metadata-token"), Some(TOKEN));
    }
}
