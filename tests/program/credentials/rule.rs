//! The one rule: the first source that is set is asked, alone, and its error is the run's error. In every row there is
//! also an instance role, which must never sign instead of what was asked for.

use crate::credentials::setup::{assert_fails, gateway_knowing, permanent, program, signers};
use crate::credentials::source::{
    CONFIG, CREDENTIALS, LOGIN, ROLE_ARN, SIGN_IN, SIGN_IN_CACHE, Source, keys,
};
use crate::program::{Outcome, Program};

/// What is set: files in the program's home, the flag `--profile`, and variables. In their texts `{wanted}` stands for
/// the keys that must sign, `{other}` for other keys, and `{role}` for a role.
type Settings<'a> = &'a [(&'a str, &'a str)];

/// Runs the program on an instance that has a role. Returns the outcome, and whose key has signed.
async fn run(set_up: impl FnOnce(Program) -> Program) -> (Outcome, Vec<String>) {
    let gateway = gateway_knowing([permanent("WANTED"), permanent("OTHER"), Source::Metadata.key()]).await;
    let (program, _instance) = Source::Metadata.provide(program(&gateway)).await;
    let outcome = set_up(program).run().await;
    (outcome, signers(&gateway).into_iter().map(|(access_key, _)| access_key).collect())
}

fn set(program: Program, settings: Settings<'_>) -> Program {
    settings.iter().fold(program, |program, (name, value)| {
        let value = value.replace("{wanted}", &keys(&permanent("WANTED")));
        let value = value.replace("{other}", &keys(&permanent("OTHER")));
        let value = value.replace("{role}", &format!("role_arn = {ROLE_ARN}\n"));
        match *name {
            "--profile" => program.args(["--profile", &value]),
            variable if variable.starts_with("AWS_") => program.env(variable, value),
            file => program.file(file, &value),
        }
    })
}

async fn assert_signs(key: &str, rows: &[Settings<'_>]) {
    for settings in rows {
        let (outcome, signers) = run(|program| set(program, settings)).await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{settings:?}: {outcome:#?}");
        assert_eq!(signers, [key], "{settings:?}");
    }
}

#[tokio::test]
async fn the_first_source_that_is_set_signs() {
    let rows: [Settings<'_>; 11] = [
        &[(CONFIG, "[default]\n{wanted}")],
        &[(CONFIG, "[profile default]\n{wanted}")],
        &[(CONFIG, "[default]\n{other}[profile p]\n{wanted}"), ("AWS_PROFILE", "p")],
        &[(CREDENTIALS, "[default]\n{other}[p]\n{wanted}"), ("AWS_PROFILE", "p")],
        &[(CREDENTIALS, "[default]\n{wanted}"), ("AWS_PROFILE", "")],
        &[(CREDENTIALS, "[p]\n{wanted}[q]\n{other}"), ("AWS_PROFILE", "q"), ("--profile", "p")],
        &[
            (CREDENTIALS, "[p]\n{wanted}"),
            ("AWS_ACCESS_KEY_ID", "AKIAOTHER"),
            ("AWS_SECRET_ACCESS_KEY", "other"),
            ("--profile", "p"),
        ],
        &[
            (CREDENTIALS, "[p]\n{other}"),
            ("AWS_ACCESS_KEY_ID", "AKIAWANTED0000000000"),
            ("AWS_SECRET_ACCESS_KEY", "secretOf/WANTED+y2kS9wTq4RvXc7LmZp1NbGh"),
            ("AWS_PROFILE", "p"),
        ],
        &[(CREDENTIALS, "[default]\n{wanted}"), ("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")],
        // A file that is not there counts as empty.
        &[
            (CONFIG, "[default]\n{other}"),
            (CREDENTIALS, "[default]\n{wanted}"),
            ("AWS_CONFIG_FILE", "~/gone"),
        ],
        &[("mine", "[default]\n{wanted}"), ("AWS_SHARED_CREDENTIALS_FILE", "~/mine")],
    ];
    assert_signs(&permanent("WANTED").access_key, &rows).await;
}

/// aws-config says that there is no default profile, and that the default profile has no credentials, by the error
/// `CredentialsNotLoaded` without a cause. These rows fail if a later version of it says so in another way.
#[tokio::test]
async fn only_where_nothing_is_set_the_instance_role_signs() {
    const FILE: &str = if cfg!(unix) { "/dev/null/.aws/config" } else { "~/gone/.aws/config" };
    let rows: [Settings<'_>; 7] = [
        &[],
        &[(CONFIG, "[default]\nregion = eu-west-1\n")],
        &[(CONFIG, "[profile p]\n{other}"), (CREDENTIALS, "[q]\n{other}")],
        &[("AWS_ROLE_ARN", ROLE_ARN)],
        &[
            ("AWS_ACCESS_KEY_ID", ""),
            ("AWS_SECRET_ACCESS_KEY", ""),
            ("AWS_PROFILE", ""),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", ""),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""),
        ],
        &[
            (CREDENTIALS, "[default]\n{other}"),
            ("AWS_CONFIG_FILE", if cfg!(unix) { "/dev/null" } else { "~/gone" }),
            ("AWS_SHARED_CREDENTIALS_FILE", "~/gone"),
        ],
        // Nothing can be below a file, so there is no profile file.
        &[("AWS_CONFIG_FILE", FILE), ("AWS_SHARED_CREDENTIALS_FILE", FILE)],
    ];
    assert_signs(&Source::Metadata.key().access_key, &rows).await;
}

#[tokio::test]
async fn a_source_that_is_set_and_broken_is_not_passed_over() {
    const DEFAULT: &str = "profile default";
    let no_profile = "hint: there is no such profile, or it sets up no credentials: it is [profile p] in the \
        config file or [p] in the credentials file; on EC2 it may have role_arn and credential_source = Ec2InstanceMetadata";
    let pair = "hint: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both";
    let token_hint = "hint: AWS_WEB_IDENTITY_TOKEN_FILE names the file with the token, and AWS_ROLE_ARN";
    let sign_in = "hint: sign in to IAM Identity Center again: aws sso login --profile default\n";
    let login = "hint: sign in again: aws login --profile default\n";

    let endless = "[default]\n{role}source_profile = a\n[profile a]\n{role}source_profile = default\n";
    let half_sso = "[default]\nsso_start_url = https://x.example\nsso_region = eu-west-2\n";
    let no_session = "[default]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = r\n";
    // This is how a sign-in was configured before there were sessions.
    let old_sign_in = format!("{half_sso}sso_account_id = 111122223333\nsso_role_name = Things\n");
    let expired = r#"{ "accessToken": "token", "expiresAt": "2020-01-01T00:00:00Z" }"#;
    // What this command writes looks like another error, for which there is another hint.
    let command = "[default]\ncredential_process = echo AccessDeniedException: vault sealed >&2 && exit 7\n";
    let exit = "AccessDeniedException: vault sealed\nhint: the command in credential_process must print";

    let other = (CREDENTIALS, "[default]\n{other}");
    let token = ("AWS_WEB_IDENTITY_TOKEN_FILE", "gone");
    let url = |url| ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    let not_a_header = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "ends with a newline\n");
    let rows: [(&str, Settings<'_>, &str); 25] = [
        ("profile p", &[other, ("AWS_PROFILE", "p")], no_profile),
        ("profile p", &[other, ("--profile", "p")], no_profile),
        ("profile p", &[(CONFIG, "[profile p]\nregion = eu-west-1\n"), ("AWS_PROFILE", "p")], no_profile),
        (DEFAULT, &[("AWS_PROFILE", "default")], "credentials\nhint: there is no such profile"),
        (DEFAULT, &[(CONFIG, "[default]\n{role}source_profile = gone\n")], "gone"),
        (DEFAULT, &[(CONFIG, endless)], "infinite loop"),
        (DEFAULT, &[(CONFIG, "[default]\n{role}")], "source_profile"),
        (DEFAULT, &[(CONFIG, "[default]\n{role}credential_source = Environment\n")], "cause"),
        (DEFAULT, &[(CONFIG, half_sso)], "sso_account_id"),
        (DEFAULT, &[(CONFIG, no_session)], "sso-session named `gone`"),
        (DEFAULT, &[(CREDENTIALS, "[default]\naws_access_key_id = A\n")], "missing aws_secret_access_key"),
        (DEFAULT, &[(CONFIG, "[default\n")], "hint: a profile file has an error of syntax"),
        (DEFAULT, &[(CONFIG, command)], exit),
        (DEFAULT, &[(CONFIG, "[default]\ncredential_process = echo hello\n")], "JSON"),
        (DEFAULT, &[(CONFIG, SIGN_IN)], sign_in),
        (DEFAULT, &[(CONFIG, SIGN_IN), (SIGN_IN_CACHE, expired)], sign_in),
        (DEFAULT, &[(CONFIG, &old_sign_in)], sign_in),
        (DEFAULT, &[(CONFIG, LOGIN)], login),
        (DEFAULT, &[(CONFIG, LOGIN), ("AWS_LOGIN_CACHE_DIRECTORY", "elsewhere")], login),
        ("environment", &[other, ("AWS_ACCESS_KEY_ID", "AKIAHALF")], pair),
        ("environment", &[other, ("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "half")], pair),
        ("web identity token", &[token], token_hint),
        ("web identity token", &[token, ("AWS_ROLE_ARN", "role")], "(os error 2)"),
        ("container", &[url("http://127.0.0.1:9/"), not_a_header], "auth token"),
        // aws-config 1.13 panics at it.
        ("container", &[url("127.0.0.1:9")], "its settings or its answer make no sense"),
    ];
    for (source, settings, said) in rows {
        let (outcome, _) = run(|program| set(program, settings)).await;
        assert_fails(&outcome, &[&format!("error: the {source} does not provide credentials\n"), said]);
    }
}

/// aws-config would pass over these files in silence, and over the profiles in them.
#[tokio::test]
async fn a_profile_file_that_cannot_be_read_is_an_error() {
    let latin_1 = b"[default]\n# M\xFCller\n".to_vec();
    let utf_16 = "\u{FEFF}[default]\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let folder = ".aws/config/in-place-of-a-file";
    let rows: [(&str, Vec<u8>, Settings<'_>, &str); 4] = [
        (CONFIG, latin_1.clone(), &[(CREDENTIALS, "[default]\n{other}")], ".aws/config"),
        (CREDENTIALS, utf_16, &[(CONFIG, "[profile p]\n{other}"), ("--profile", "p")], ".aws/credentials"),
        ("mine", latin_1, &[("AWS_CONFIG_FILE", "~/mine")], "mine"),
        (folder, Vec::new(), &[], ".aws/config"),
    ];
    for (file, content, settings, named) in rows {
        let (outcome, _) = run(|program| set(program.file(file, &content), settings)).await;
        let named = format!("{named}\n");
        let told = ["error: cannot read the profile file ", &named, "hint: the file must be UTF-8"];
        assert_fails(&outcome, &told);
    }
}
