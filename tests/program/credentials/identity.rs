//! The one rule: the first source that is set signs, alone, and its error is the run's error. In every row there is also
//! an instance role, which must never sign instead of what was asked for.

use std::string::FromUtf8Error;

use crate::credentials::setup::{gateway_knowing, permanent, program, signers, temporary};
use crate::credentials::source::at_metadata;
use crate::gateway::Key;
use crate::stand_ins::metadata;

const CONFIG: &str = ".aws/config";
const CREDENTIALS: &str = ".aws/credentials";
const ROLE: &str = "role_arn = arn:aws:iam::111122223333:role/Things";
const SSO: &str = "sso_start_url = https://thing-team.example/start\n";
const NO_CREDENTIALS: &str = "error: the profile p does not provide credentials";
const PROFILE_HINT: &str = "hint: there is no such profile, or it sets up no credentials: it is [profile p] in the \
    config file or [p] in the credentials file; on EC2 it may have role_arn and credential_source = Ec2InstanceMetadata";
const PAIR_HINT: &str = "hint: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both";

/// A row, whose texts may hold `{wanted}` and `{other}`, the settings of two keys. Variables may be `{id}` or
/// `{secret}`, those of the wanted key, or hold `{home}`.
struct Row {
    name: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    environment: Vec<(&'static str, &'static str)>,
    args: Vec<&'static str>,
    wants: Wants,
}

enum Wants {
    /// The key that the row is about.
    Wanted,
    /// The instance role, since nothing else is set.
    Instance,
    /// No key: exit code 3 and these words.
    None(Vec<&'static str>),
}

/// A row in which the key that it is about signs.
fn row(name: &'static str) -> Row {
    let (files, environment, args) = (Vec::new(), Vec::new(), Vec::new());
    Row { name, files, environment, args, wants: Wants::Wanted }
}

/// A row in which the instance role signs.
fn instance(name: &'static str) -> Row {
    Row { wants: Wants::Instance, ..row(name) }
}

/// A row that fails; the error contains these words.
fn none<const N: usize>(name: &'static str, says: [&'static str; N]) -> Row {
    Row { wants: Wants::None(says.to_vec()), ..row(name) }
}

impl Row {
    fn file(mut self, path: &'static str, text: impl AsRef<[u8]>) -> Self {
        self.files.push((path, text.as_ref().to_vec()));
        self
    }

    fn config(self, text: &str) -> Self {
        self.file(CONFIG, text)
    }

    fn credentials(self, text: &str) -> Self {
        self.file(CREDENTIALS, text)
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// `AWS_PROFILE`
    fn named(self, profile: &'static str) -> Self {
        self.variable("AWS_PROFILE", profile)
    }

    /// `--profile`
    fn only(mut self, profile: &'static str) -> Self {
        self.args = vec!["--profile", profile];
        self
    }

    async fn check(self) -> Result<(), String> {
        let [wanted, other] = ["WANTED", "OTHER"].map(permanent);
        let instance = temporary("INSTANCE");
        let gateway = gateway_knowing([wanted.clone(), other.clone(), instance.clone()]).await;
        let mut program = program(&gateway).args(self.args);
        for (path, text) in self.files {
            // Text that is not UTF-8 has no placeholders.
            let text = String::from_utf8(text).map_or_else(FromUtf8Error::into_bytes, |text| {
                text.replace("{wanted}", &settings(&wanted)).replace("{other}", &settings(&other)).into()
            });
            program = program.file(path, &text);
        }
        let home = program.home("").display().to_string();
        for (name, value) in self.environment {
            let value = value.replace("{id}", &wanted.access_key).replace("{secret}", &wanted.secret);
            program = program.env(name, value.replace("{home}/", &home));
        }
        let (program, _service) = at_metadata(program, metadata::granting(&instance).await);
        let outcome = program.run().await;
        let (code, signer, says) = match self.wants {
            Wants::Wanted => (0, vec![wanted.access_key], vec![]),
            Wants::Instance => (0, vec![instance.access_key], vec![]),
            Wants::None(says) => (3, vec![], says),
        };
        let signers: Vec<String> = signers(&gateway).into_iter().map(|(access_key, _)| access_key).collect();
        let holds = outcome.code == code
            && signers == signer
            && says.iter().all(|text| outcome.stderr.contains(text))
            && (code != 0 || outcome.stderr.is_empty())
            && !outcome.stderr.contains(&wanted.secret)
            && outcome.elapsed.as_secs() < 5;
        let complaint =
            || format!("{}: not {code}, {signer:?}, {says:?}, but {signers:?}\n{outcome:#?}", self.name);
        holds.then_some(()).ok_or_else(complaint)
    }
}

fn settings(key: &Key) -> String {
    format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", key.access_key, key.secret)
}

async fn check_all(rows: Vec<Row>) {
    let mut failures = Vec::new();
    for row in rows {
        failures.extend(row.check().await.err());
    }
    assert!(failures.is_empty(), "{} rows:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[tokio::test]
async fn the_first_source_that_is_set_signs() {
    check_all(vec![
        row("[default] in the credentials file").credentials("[default]\n{wanted}"),
        row("[default] in the config file").config("[default]\n{wanted}"),
        row("[profile default]").config("[profile default]\n{wanted}"),
        row("AWS_PROFILE names [profile p] in the config file")
            .config("[default]\n{other}[profile p]\n{wanted}")
            .named("p"),
        row("AWS_PROFILE names [p] in the credentials file")
            .credentials("[default]\n{other}[p]\n{wanted}")
            .named("p"),
        row("AWS_PROFILE left empty").credentials("[default]\n{wanted}").named(""),
        row("--profile before AWS_PROFILE").credentials("[p]\n{wanted}[q]\n{other}").named("q").only("p"),
        row("--profile before key variables")
            .credentials("[p]\n{wanted}")
            .variable("AWS_ACCESS_KEY_ID", "AKIAOTHER")
            .variable("AWS_SECRET_ACCESS_KEY", "other")
            .only("p"),
        row("key variables before a profile")
            .credentials("[p]\n{other}")
            .named("p")
            .variable("AWS_ACCESS_KEY_ID", "{id}")
            .variable("AWS_SECRET_ACCESS_KEY", "{secret}"),
        row("key variables left empty")
            .credentials("[default]\n{wanted}")
            .variable("AWS_ACCESS_KEY_ID", "")
            .variable("AWS_SECRET_ACCESS_KEY", ""),
        row("AWS_CONFIG_FILE that is not there counts as empty")
            .config("[default]\n{other}")
            .credentials("[default]\n{wanted}")
            .variable("AWS_CONFIG_FILE", "{home}/gone"),
    ])
    .await;
}

/// aws-config says that there is no default profile, and that the default profile has no credentials, by the error
/// `CredentialsNotLoaded` without a cause. These rows fail if a later version of it says so in another way.
#[tokio::test]
async fn only_where_nothing_is_set_the_instance_role_signs() {
    check_all(vec![
        instance("nothing at all"),
        instance("a default profile with a region only").config("[default]\nregion = eu-west-1\n"),
        instance("other profiles only").config("[profile p]\n{other}").credentials("[q]\n{other}"),
        instance("AWS_ROLE_ARN alone").variable("AWS_ROLE_ARN", "arn"),
        instance("every variable left empty")
            .variable("AWS_ACCESS_KEY_ID", "")
            .variable("AWS_SECRET_ACCESS_KEY", "")
            .variable("AWS_PROFILE", "")
            .variable("AWS_WEB_IDENTITY_TOKEN_FILE", "")
            .variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
            .variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""),
        instance("both profile files are not there")
            .variable("AWS_CONFIG_FILE", "{home}/gone")
            .variable("AWS_SHARED_CREDENTIALS_FILE", "{home}/gone"),
        #[cfg(unix)]
        instance("no profile files by way of /dev/null")
            .credentials("[default]\n{other}")
            .variable("AWS_CONFIG_FILE", "/dev/null")
            .variable("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ])
    .await;
}

#[tokio::test]
async fn a_profile_that_was_named_and_gives_no_credentials_is_an_error() {
    check_all(vec![
        none("AWS_PROFILE misspelt", [NO_CREDENTIALS, PROFILE_HINT])
            .credentials("[default]\n{other}")
            .named("p"),
        none("--profile misspelt", [NO_CREDENTIALS, PROFILE_HINT])
            .credentials("[default]\n{other}")
            .only("p"),
        none("AWS_PROFILE with a region only", [NO_CREDENTIALS, PROFILE_HINT])
            .config("[profile p]\nregion = eu-west-1\n")
            .named("p"),
        none("AWS_PROFILE without profile files", [NO_CREDENTIALS, PROFILE_HINT]).named("p"),
        none(
            "AWS_PROFILE names a default profile that is not there",
            ["the profile default does not provide"],
        )
        .named("default"),
    ])
    .await;
}

#[tokio::test]
async fn a_source_that_is_set_and_broken_is_not_passed_over() {
    check_all(vec![
        none("source_profile that is not there", ["the profile default does not", "gone"])
            .config(&format!("[default]\n{ROLE}\nsource_profile = gone\n")),
        none("profiles that lead to each other", ["the profile default does not", "infinite loop"]).config(
            &format!(
                "[default]\n{ROLE}\nsource_profile = a\n[profile a]\n{ROLE}\nsource_profile = default\n"
            ),
        ),
        none("a role without a source", ["the profile default does not", "source_profile"])
            .config(&format!("[default]\n{ROLE}\n")),
        none("a role whose credential_source is not set", ["the profile default does not"])
            .config(&format!("[default]\n{ROLE}\ncredential_source = Environment\n")),
        none("SSO with neither account nor role", ["the profile default does not", "sso_account_id"])
            .config(&format!("[default]\n{SSO}sso_region = eu-west-2\n")),
        none("SSO session that is not there", ["the profile default does not", "sso-session named `gone`"])
            .config("[default]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = r\n"),
        none(
            "half a key pair in a profile",
            ["the profile default does not", "missing aws_secret_access_key"],
        )
        .credentials("[default]\naws_access_key_id = AKIAHALF\n"),
        none("a syntax error", ["the profile default does not", "could not parse profile file"])
            .config("[default\n{other}"),
        none("half a key pair in the environment", ["the environment does not", PAIR_HINT])
            .credentials("[default]\n{other}")
            .variable("AWS_ACCESS_KEY_ID", "{id}"),
        none("the other half in the environment", ["the environment does not", PAIR_HINT])
            .credentials("[default]\n{other}")
            .variable("AWS_ACCESS_KEY_ID", "")
            .variable("AWS_SECRET_ACCESS_KEY", "{secret}"),
        none("a token without AWS_ROLE_ARN", ["the web identity token does not", "AWS_ROLE_ARN"])
            .file("token", "t")
            .variable("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token"),
    ])
    .await;
}

/// aws-config would pass over these files in silence, and over the profiles in them.
#[tokio::test]
async fn a_profile_file_that_cannot_be_read_is_an_error() {
    const LATIN_1: &[u8] = b"[default]\n# M\xFCller\n";
    const HINT: &str = "hint: the file must be UTF-8";
    let utf_16 = || -> Vec<u8> { "\u{FEFF}[default]\n".encode_utf16().flat_map(u16::to_le_bytes).collect() };
    check_all(vec![
        none("Latin-1 in the config file", ["error: cannot read the profile file ", ".aws/config\n", HINT])
            .file(CONFIG, LATIN_1)
            .credentials("[default]\n{other}"),
        none("Latin-1 in the credentials file", ["error: cannot read ", ".aws/credentials\n", HINT])
            .file(CREDENTIALS, LATIN_1),
        none("UTF-16 in the config file", ["error: cannot read ", ".aws/config\n", HINT])
            .file(CONFIG, utf_16()),
        none("UTF-16 in the credentials file", ["error: cannot read ", ".aws/credentials\n", HINT])
            .config("[profile p]\n{other}")
            .file(CREDENTIALS, utf_16())
            .only("p"),
        none("AWS_CONFIG_FILE in Latin-1", ["error: cannot read ", "mine\n", HINT])
            .file("mine", LATIN_1)
            .variable("AWS_CONFIG_FILE", "~/mine"),
        none("a folder in place of a file", ["error: cannot read ", ".aws/config\n", HINT])
            .file(".aws/config/file", ""),
    ])
    .await;
}
