//! The sources of credentials as a list, each with a key of its own: how to set one up, and what it must keep secret.
//!
//! AWS SDKs and Tools reference guide, "Shared config and credentials files"; AWS CLI user guide, "Sourcing
//! credentials with an external process" and "Configuring IAM Identity Center authentication".

use crate::credentials::setup::temporary;
use crate::gateway::Key;
use crate::program::Program;
use crate::stand_ins::{Answer, LONG, StandIn, metadata, sts};
use serde_json::json;

pub const CONFIG: &str = ".aws/config";
pub const CREDENTIALS: &str = ".aws/credentials";
/// The name is the SHA-1 of `thing-team`.
pub const SIGN_IN_CACHE: &str = ".aws/sso/cache/5a12f49d4f1c31c14daf708a0095545ac68deffe.json";
/// The name is the SHA-256 of the session in `LOGIN`.
const LOGIN_CACHE: &str =
    ".aws/login/cache/6eeec053fe13079aaf7fd81065ec5ecbdb93674f20700e51842d0c769b240c8a.json";

pub const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/Things";
/// The default profile has a role in IAM Identity Center.
pub const SIGN_IN: &str = "[default]\nsso_session = thing-team\nsso_account_id = 111122223333\nsso_role_name = Things\n\
    [sso-session thing-team]\nsso_region = eu-west-2\nsso_start_url = https://thing-team.example/start\n";
/// The default profile was made by `aws login`.
pub const LOGIN: &str = "[default]\nlogin_session = arn:aws:iam::111122223333:user/me\nregion = eu-west-2\n";

const LATER: &str = "2999-01-01T00:00:00Z";
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

pub const ACCESS_TOKEN: &str = "aoaAccessTokenOfTheTest/+0123==";
const OLD_ACCESS_TOKEN: &str = "aoaOldAccessTokenOfTheTest/+4567==";
const REFRESH_TOKEN: &str = "aorRefreshTokenOfTheTest/+89==";
const CLIENT_SECRET: &str = "eyClientSecretOfTheTest/+01==";
pub const LOGIN_REFRESH_TOKEN: &str = "loginRefreshTokenOfTheTest/+45==";
const ID_TOKEN: &str = "eyJhbGciOiJub25lIn0.idTokenOfTheTest.";
const IDENTITY_TOKEN: &str = "eyJhbGciOiJub25lIn0.webIdentityTokenOfTheTest/+==";
pub const CONTAINER_TOKEN: &str = "Bearer containerTokenOfTheTest/+0123==";

/// Made for the tests.
const DPOP_KEY: &str = "-----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIAuRFIRQ+fjJhn8x9DFihfVlGXAuIJZxP0m7a0ft12FpoAoGCCqGSM49\n\
    AwEHoUQDQgAENdC/GUNtK5bITPEsDV7T75wYpt+54Yqa+YHffQncGWj2cN4LY0hm\n\
    B6C577fCPfaKIS6FZDzVmQ8m7igpDVnEXA==\n\
    -----END EC PRIVATE KEY-----\n";

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    Flags,
    Environment,
    Profile,
    Process,
    Role,
    SignIn,
    Renewal,
    LoginRenewal,
    WebIdentity,
    Container,
    Metadata,
}

impl Source {
    /// The key of this source.
    pub fn key(self) -> Key {
        temporary(&format!("{self:?}").to_uppercase())
    }

    /// The program's name for this source.
    pub fn name(self) -> &'static str {
        match self {
            Source::Flags => "command line",
            Source::Environment => "environment",
            Source::WebIdentity => "web identity token",
            Source::Container => "container",
            Source::Metadata => "EC2 instance metadata",
            _ => "profile default",
        }
    }

    /// Makes the source available; it works as long as the stand-in lives.
    pub async fn provide(self, program: Program) -> (Program, Option<StandIn>) {
        let answers = self.answers();
        if answers.is_empty() {
            return (self.set_up(program), None);
        }
        let service = StandIn::with(answers).await;
        (self.at(program, &service.url()), Some(service))
    }

    /// What the service of this source answers to each request, in the order of the requests ("GetRoleCredentials" in
    /// the portal API reference of IAM Identity Center, "CreateToken" in its OIDC API reference, "CreateOAuth2Token" in
    /// the AWS Sign-In API reference).
    pub fn answers(self) -> Vec<(&'static str, Answer)> {
        let key = &self.key();
        let Key { access_key, secret, session_token } = key;
        let keys =
            json!({ "accessKeyId": access_key, "secretAccessKey": secret, "sessionToken": session_token });
        let mut role_credentials = keys.clone();
        role_credentials["expiration"] = 32_472_144_000_000_u64.into();
        let role_credentials = Answer::json(json!({ "roleCredentials": role_credentials }));
        let portal = "GET /federation/credentials?role_name=Things&account_id=111122223333";
        let renewed = json!({ "accessToken": ACCESS_TOKEN, "tokenType": "Bearer", "expiresIn": 28800 });
        let renewed_login = json!({
            "accessToken": keys,
            "tokenType": "aws_sigv4",
            "expiresIn": 900,
            "refreshToken": "aNewRefreshTokenOfTheTest/+==",
        });
        match self {
            Source::Role => vec![("POST /", sts::grant("AssumeRole", key))],
            Source::SignIn => vec![(portal, role_credentials)],
            Source::Renewal => vec![("POST /token", Answer::json(renewed)), (portal, role_credentials)],
            Source::LoginRenewal => vec![("POST /v1/token", Answer::json(renewed_login))],
            Source::WebIdentity => vec![("POST /", sts::grant("AssumeRoleWithWebIdentity", key))],
            Source::Container => vec![("GET /get-credentials", metadata::document(key, LONG))],
            Source::Metadata => metadata::answers(key),
            _ => Vec::new(),
        }
    }

    /// Sets the source up, and its service at this URL.
    pub fn at(self, program: Program, url: &str) -> Program {
        let (variable, path) = match self {
            Source::Container => ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/get-credentials"),
            Source::Metadata => ("AWS_EC2_METADATA_SERVICE_ENDPOINT", ""),
            _ => ("AWS_ENDPOINT_URL", ""),
        };
        self.set_up(program).env(variable, format!("{url}{path}"))
    }

    fn set_up(self, program: Program) -> Program {
        let key = self.key();
        let Key { access_key, secret, session_token } = &key;
        let token = session_token.as_deref().expect("a temporary key");
        match self {
            Source::Flags => {
                program.args(["--access-key", access_key, "--secret", secret, "--session-token", token])
            }
            Source::Environment => program
                .env("AWS_ACCESS_KEY_ID", access_key)
                .env("AWS_SECRET_ACCESS_KEY", secret)
                .env("AWS_SESSION_TOKEN", token),
            Source::Profile => program.file(CREDENTIALS, &format!("[default]\n{}", keys(&key))),
            Source::Process => process(program, &key, LATER),
            Source::Role => {
                let role = format!("[default]\nrole_arn = {ROLE_ARN}\nsource_profile = base\n");
                program.file(CONFIG, &role).file(CREDENTIALS, &format!("[base]\n{}", keys(&base())))
            }
            Source::SignIn => signed_in(program, ACCESS_TOKEN, LATER),
            Source::Renewal => signed_in(program, OLD_ACCESS_TOKEN, LONG_AGO),
            Source::LoginRenewal => {
                let cached = json!({
                    "accessToken": {
                        "accessKeyId": "ASIAOLDLOGIN00000000",
                        "secretAccessKey": "expired",
                        "sessionToken": "expired",
                        "accountId": "111122223333",
                        "expiresAt": LONG_AGO,
                    },
                    "tokenType": "aws_sigv4",
                    "refreshToken": LOGIN_REFRESH_TOKEN,
                    "idToken": ID_TOKEN,
                    "clientId": "arn:aws:signin:::devtools/same-device",
                    "dpopKey": DPOP_KEY,
                });
                program.file(CONFIG, LOGIN).file(LOGIN_CACHE, &cached.to_string())
            }
            Source::WebIdentity => {
                let file = program.home("token.jwt");
                let program = program.file("token.jwt", IDENTITY_TOKEN);
                program.env("AWS_WEB_IDENTITY_TOKEN_FILE", file).env("AWS_ROLE_ARN", ROLE_ARN)
            }
            Source::Container => program.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN),
            Source::Metadata => program.env("AWS_EC2_METADATA_DISABLED", "false"),
        }
    }

    /// The secrets of this source.
    pub fn secrets(self) -> Vec<(&'static str, String)> {
        let base = base();
        let tokens: &[&str] = match self {
            Source::Role => &[&base.secret, base.session_token.as_deref().unwrap_or_default()],
            Source::SignIn | Source::Renewal => {
                &[ACCESS_TOKEN, OLD_ACCESS_TOKEN, REFRESH_TOKEN, CLIENT_SECRET]
            }
            Source::LoginRenewal => {
                &[LOGIN_REFRESH_TOKEN, ID_TOKEN, DPOP_KEY.lines().nth(1).unwrap_or_default()]
            }
            Source::WebIdentity => &[IDENTITY_TOKEN],
            Source::Container => &[CONTAINER_TOKEN],
            Source::Metadata => &[metadata::TOKEN],
            _ => &[],
        };
        let Key { secret, session_token, .. } = self.key();
        let keys = [("secret key", secret), ("session token", session_token.expect("a temporary key"))];
        keys.into_iter().chain(tokens.iter().map(|token| ("token", String::from(*token)))).collect()
    }
}

/// The key that signs the request to STS for a role.
pub fn base() -> Key {
    temporary("BASE")
}

/// The settings of a profile with this key.
pub fn keys(key: &Key) -> String {
    let Key { access_key, secret, session_token } = key;
    let token = session_token.as_ref().map(|token| format!("aws_session_token = {token}\n"));
    let token = token.unwrap_or_default();
    format!("aws_access_key_id = {access_key}\naws_secret_access_key = {secret}\n{token}")
}

/// The default profile has a command that prints this key.
pub fn process(program: Program, key: &Key, expiration: &str) -> Program {
    let output = json!({
        "Version": 1,
        "AccessKeyId": key.access_key,
        "SecretAccessKey": key.secret,
        "SessionToken": key.session_token,
        "Expiration": expiration,
    });
    let print = if cfg!(windows) { "type" } else { "cat" };
    let command = format!("{print} \"{}\"", program.home("output").display());
    let config = format!("[default]\ncredential_process = {command}\n");
    program.file("output", &output.to_string()).file(CONFIG, &config)
}

/// What `aws sso login` leaves behind, with a sign-in that is valid until `expiry`.
fn signed_in(program: Program, access_token: &str, expiry: &str) -> Program {
    let cached = json!({
        "accessToken": access_token,
        "expiresAt": expiry,
        "refreshToken": REFRESH_TOKEN,
        "clientId": "clientOfTheTest",
        "clientSecret": CLIENT_SECRET,
        "registrationExpiresAt": LATER,
    });
    program.file(CONFIG, SIGN_IN).file(SIGN_IN_CACHE, &cached.to_string())
}
