//! Profiles of every kind, as they stand in the files below the program's home.
//!
//! AWS SDKs and Tools reference guide, "Shared config and credentials files"; AWS CLI user guide, "Sourcing
//! credentials with an external process" and "Configuring IAM Identity Center authentication".

use crate::credentials::setup::temporary;
use crate::gateway::Key;
use crate::program::Program;
use sha2::{Digest, Sha256};

pub const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/Things";
pub const ACCESS_TOKEN: &str = "aoaAccessTokenOfTheTest/+0123==";
pub const OLD_ACCESS_TOKEN: &str = "aoaOldAccessTokenOfTheTest/+4567==";
pub const REFRESH_TOKEN: &str = "aorRefreshTokenOfTheTest/+89==";
pub const CLIENT_SECRET: &str = "eyClientSecretOfTheTest/+01==";

pub const LOGIN_REFRESH_TOKEN: &str = "loginRefreshTokenOfTheTest/+45==";
pub const ID_TOKEN: &str = "eyJhbGciOiJub25lIn0.idTokenOfTheTest.";
const LOGIN_SESSION: &str = "arn:aws:iam::111122223333:user/me";

/// Made for the tests.
pub const DPOP_KEY: &str = "-----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIAuRFIRQ+fjJhn8x9DFihfVlGXAuIJZxP0m7a0ft12FpoAoGCCqGSM49\n\
    AwEHoUQDQgAENdC/GUNtK5bITPEsDV7T75wYpt+54Yqa+YHffQncGWj2cN4LY0hm\n\
    B6C577fCPfaKIS6FZDzVmQ8m7igpDVnEXA==\n\
    -----END EC PRIVATE KEY-----\n";

/// The expiry date of things that must not expire during a test.
pub const LATER: &str = "2999-01-01T00:00:00Z";
/// The expiry date of things that have expired.
pub const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// SHA-1 of `thing-team`, the name of the sign-in session below.
const SESSION_CACHE: &str = ".aws/sso/cache/5a12f49d4f1c31c14daf708a0095545ac68deffe.json";
/// SHA-1 of `https://thing-team.example/start`.
const START_URL_CACHE: &str = ".aws/sso/cache/679c43c48e21661c3d9836a6b4c491ed79789bcb.json";

/// A profile in the credentials file.
pub fn section(profile: &str, key: &Key) -> String {
    let Key { access_key, secret, session_token } = key;
    let token = session_token.iter().map(|token| format!("aws_session_token = {token}\n"));
    format!(
        "[{profile}]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret}\n{}",
        token.collect::<String>()
    )
}

/// A profile with a command, for the config file.
pub fn process(profile: &str, command: &str) -> String {
    format!("[{profile}]\ncredential_process = {command}\n")
}

/// The command that prints a file in the program's home.
pub fn print(program: &Program, file: &str) -> String {
    let print = if cfg!(windows) { "type" } else { "cat" };
    format!("{print} \"{}\"", program.home(file).display())
}

/// What such a command prints.
pub fn process_output(key: &Key) -> String {
    let output = serde_json::json!({
        "Version": 1,
        "AccessKeyId": key.access_key,
        "SecretAccessKey": key.secret,
        "SessionToken": key.session_token,
    });
    output.to_string()
}

/// The key that signs the request to STS for the role.
pub fn base() -> Key {
    temporary("BASE")
}

/// The profile `default` has a role, for which the profile `base` has the key.
pub fn role(program: Program) -> Program {
    program
        .file(".aws/config", &format!("[default]\nrole_arn = {ROLE_ARN}\nsource_profile = base\n"))
        .file(".aws/credentials", &section("base", &base()))
}

/// A profile with a role in IAM Identity Center; the sign-in is cached until `expiry`.
pub fn signed_in(program: Program, profile: &str, expiry: &str) -> Program {
    let config = format!(
        "[{profile}]\nsso_session = thing-team\nsso_account_id = 111122223333\nsso_role_name = Things\n\
         [sso-session thing-team]\nsso_region = eu-west-2\nsso_start_url = https://thing-team.example/start\n"
    );
    program.file(".aws/config", &config).file(SESSION_CACHE, &cached(expiry).to_string())
}

/// The same with an expired sign-in that can be renewed.
pub fn renewable(program: Program) -> Program {
    let mut cached = cached("2020-01-01T00:00:00Z");
    let more = [
        ("accessToken", OLD_ACCESS_TOKEN),
        ("refreshToken", REFRESH_TOKEN),
        ("clientId", "clientOfTheTest"),
        ("clientSecret", CLIENT_SECRET),
        ("registrationExpiresAt", LATER),
    ];
    more.into_iter().for_each(|(name, value)| cached[name] = value.into());
    signed_in(program, "default", LATER).file(SESSION_CACHE, &cached.to_string())
}

/// The same, as it was configured before there were sessions.
pub fn signed_in_the_old_way(program: Program, profile: &str, expiry: &str) -> Program {
    let config = format!(
        "[{profile}]\nsso_start_url = https://thing-team.example/start\nsso_region = eu-west-2\n\
         sso_account_id = 111122223333\nsso_role_name = Things\n"
    );
    program.file(".aws/config", &config).file(START_URL_CACHE, &cached(expiry).to_string())
}

/// A profile that `aws login` made, with keys that are cached until `expiry`.
pub fn logged_in(program: Program, profile: &str, key: &Key, expiry: &str) -> Program {
    let cached = serde_json::json!({
        "accessToken": {
            "accessKeyId": key.access_key,
            "secretAccessKey": key.secret,
            "sessionToken": key.session_token,
            "accountId": "111122223333",
            "expiresAt": expiry,
        },
        "tokenType": "aws_sigv4",
        "refreshToken": LOGIN_REFRESH_TOKEN,
        "idToken": ID_TOKEN,
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": DPOP_KEY,
    });
    let file = format!(".aws/login/cache/{}.json", hex::encode(Sha256::digest(LOGIN_SESSION)));
    let config = format!("[{profile}]\nlogin_session = {LOGIN_SESSION}\nregion = eu-west-2\n");
    program.file(".aws/config", &config).file(&file, &cached.to_string())
}

fn cached(expiry: &str) -> serde_json::Value {
    serde_json::json!({ "accessToken": ACCESS_TOKEN, "expiresAt": expiry })
}
