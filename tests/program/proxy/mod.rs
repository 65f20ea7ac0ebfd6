//! HTTP proxies (RFC 9110 section 9.3.6): what goes through them and what bypasses them, for the endpoint and
//! for credential services, and settings of a proxy that cannot be used.

mod endpoint;
mod refusals;
mod services;
mod settings;

use crate::gateway::{ACCESS_KEY, SECRET};
use crate::program::Program;

const KEYS: [&str; 4] = ["--access-key", ACCESS_KEY, "--secret", SECRET];

/// `user:p@ss` as it stands in a URL, and in `Proxy-Authorization`.
const PASSWORD: (&str, &str) = ("user:p%40ss", "Basic dXNlcjpwQHNz");

/// Gives the program a web identity token. STS at this URL returns credentials for it.
fn with_web_identity(program: Program, url: &str) -> Program {
    let program = program.file("token.jwt", "webIdentityTokenOfTheTest").env("AWS_ENDPOINT_URL_STS", url);
    let file = program.home("token.jwt");
    program
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", file)
        .env("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/Things")
}
