//! The sources of credentials as a list, each with a key of its own: how to make one available to the
//! program, working or failing, and what it must keep secret.

use crate::credentials::profile::{
    ACCESS_TOKEN, CLIENT_SECRET, DPOP_KEY, ID_TOKEN, LATER, LOGIN_REFRESH_TOKEN, LONG_AGO, OLD_ACCESS_TOKEN,
    REFRESH_TOKEN, ROLE_ARN, base, logged_in, print, process, process_output, renewable, role, section,
    signed_in,
};
use crate::credentials::setup::temporary;
use crate::gateway::Key;
use crate::program::Program;
use crate::stand_ins::metadata::{self, ROLE_LINE};
use crate::stand_ins::{Answer, LONG, StandIn, container, portal, signin, sts};

pub const IDENTITY_TOKEN: &str = "eyJhbGciOiJub25lIn0.webIdentityTokenOfTheTest/+==";
pub const CONTAINER_TOKEN: &str = "Bearer containerTokenOfTheTest/+0123==";

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    Flags,
    Environment,
    Profile,
    Process,
    Role,
    SignIn,
    Renewal,
    Login,
    LoginRenewal,
    WebIdentity,
    Container,
    Metadata,
}

impl Source {
    pub const ALL: [Source; 12] = [
        Source::Flags,
        Source::Environment,
        Source::Profile,
        Source::Process,
        Source::Role,
        Source::SignIn,
        Source::Renewal,
        Source::Login,
        Source::LoginRenewal,
        Source::WebIdentity,
        Source::Container,
        Source::Metadata,
    ];

    /// The key of this source.
    pub fn key(self) -> Key {
        temporary(&format!("{self:?}").to_uppercase())
    }

    /// The program's name for this source.
    pub fn name(self) -> &'static str {
        match self {
            Source::Flags => "command line",
            Source::Environment => "environment",
            Source::Profile
            | Source::Process
            | Source::Role
            | Source::SignIn
            | Source::Renewal
            | Source::Login
            | Source::LoginRenewal => "profile default",
            Source::WebIdentity => "web identity token",
            Source::Container => "container",
            Source::Metadata => "EC2 instance metadata",
        }
    }

    /// Makes the source available; it works as long as the stand-in lives.
    pub async fn provide(self, program: Program) -> (Program, Option<StandIn>) {
        let key = self.key();
        let token = key.session_token.as_deref().expect("a temporary key");
        match self {
            Source::Flags => {
                let flags =
                    ["--access-key", &key.access_key, "--secret", &key.secret, "--session-token", token];
                (program.args(flags), None)
            }
            Source::Environment => {
                let program = program.env("AWS_ACCESS_KEY_ID", &key.access_key);
                let program = program.env("AWS_SECRET_ACCESS_KEY", &key.secret);
                (program.env("AWS_SESSION_TOKEN", token), None)
            }
            Source::Profile => (program.file(".aws/credentials", &section("default", &key)), None),
            Source::Process => {
                let program = program.file("keys.json", &process_output(&key));
                let command = print(&program, "keys.json");
                (program.file(".aws/config", &process("default", &command)), None)
            }
            Source::Role => with_sts(role(program), sts::granting(&key).await),
            Source::SignIn => {
                at_portal(signed_in(program, "default", LATER), portal::granting(&key, ACCESS_TOKEN).await)
            }
            Source::Renewal => at_portal(renewable(program), portal::granting(&key, ACCESS_TOKEN).await),
            Source::Login => (logged_in(program, "default", &key, LATER), None),
            Source::LoginRenewal => {
                let service = signin::granting(&key, LOGIN_REFRESH_TOKEN).await;
                at_signin(logged_in(program, "default", &old_login(), LONG_AGO), service)
            }
            Source::WebIdentity => with_sts(web_identity(program), sts::granting(&key).await),
            Source::Container => at_container(program, container::granting(vec![(key, LONG)]).await),
            Source::Metadata => at_metadata(program, metadata::granting(&key).await),
        }
    }

    /// Makes the source available but failing, as late as possible: everything secret has been sent by then.
    /// None where the source itself cannot fail.
    pub async fn refuse(self, program: Program) -> Option<(Program, Option<StandIn>)> {
        let refusing = || sts::refusing("AccessDenied", "Not for you.");
        Some(match self {
            Source::Flags | Source::Environment | Source::Profile | Source::Login => return None,
            Source::Process => {
                let program = program.file("keys.json", &process_output(&self.key()));
                let command = format!("{} && exit 3", print(&program, "keys.json"));
                (program.file(".aws/config", &process("default", &command)), None)
            }
            Source::Role => with_sts(role(program), refusing().await),
            Source::SignIn => {
                let portal = StandIn::answering(portal::refusal()).await;
                at_portal(signed_in(program, "default", LATER), portal)
            }
            Source::Renewal => at_portal(renewable(program), StandIn::answering(portal::refusal()).await),
            Source::LoginRenewal => {
                let service = StandIn::answering(signin::refusal()).await;
                at_signin(logged_in(program, "default", &old_login(), LONG_AGO), service)
            }
            Source::WebIdentity => with_sts(web_identity(program), refusing().await),
            Source::Container => at_container(program, StandIn::answering(Answer::new(401, "")).await),
            Source::Metadata => {
                at_metadata(program, metadata::with([(ROLE_LINE, Answer::new(403, ""))]).await)
            }
        })
    }

    /// The secrets of this source.
    pub fn secrets(self) -> Vec<(&'static str, String)> {
        let key = self.key();
        let mut secrets = vec![("secret key", key.secret)];
        secrets.extend(key.session_token.map(|token| ("session token", token)));
        let base = base();
        let more: &[(&str, &str)] = match self {
            Source::Flags | Source::Environment | Source::Profile | Source::Process => &[],
            Source::Role => &[
                ("secret key of the source profile", &base.secret),
                ("session token of the source profile", base.session_token.as_deref().unwrap_or_default()),
            ],
            Source::SignIn => &[("access token", ACCESS_TOKEN)],
            Source::Renewal => &[
                ("access token", ACCESS_TOKEN),
                ("old access token", OLD_ACCESS_TOKEN),
                ("refresh token", REFRESH_TOKEN),
                ("client secret", CLIENT_SECRET),
            ],
            Source::Login | Source::LoginRenewal => &[
                ("refresh token", LOGIN_REFRESH_TOKEN),
                ("ID token", ID_TOKEN),
                ("DPoP key", DPOP_KEY.lines().nth(1).unwrap_or_default()),
            ],
            Source::WebIdentity => &[("web identity token", IDENTITY_TOKEN)],
            Source::Container => &[("authorization token", CONTAINER_TOKEN)],
            Source::Metadata => &[("metadata token", metadata::TOKEN)],
        };
        secrets.extend(more.iter().map(|(what, secret)| (*what, String::from(*secret))));
        secrets
    }
}

pub fn web_identity(program: Program) -> Program {
    let program = program.file("token.jwt", IDENTITY_TOKEN).env("AWS_ROLE_ARN", ROLE_ARN);
    let file = program.home("token.jwt");
    program.env("AWS_WEB_IDENTITY_TOKEN_FILE", file)
}

pub fn with_sts(program: Program, sts: StandIn) -> (Program, Option<StandIn>) {
    (program.env("AWS_ENDPOINT_URL_STS", sts.url()), Some(sts))
}

pub fn at_portal(program: Program, portal: StandIn) -> (Program, Option<StandIn>) {
    let program = program.env("AWS_ENDPOINT_URL_SSO", portal.url());
    (program.env("AWS_ENDPOINT_URL_SSO_OIDC", portal.url()), Some(portal))
}

pub fn at_signin(program: Program, service: StandIn) -> (Program, Option<StandIn>) {
    (program.env("AWS_ENDPOINT_URL_SIGNIN", service.url()), Some(service))
}

/// The expired keys that the renewal replaces.
fn old_login() -> Key {
    temporary("OLDLOGIN")
}

pub fn at_container(program: Program, endpoint: StandIn) -> (Program, Option<StandIn>) {
    let program =
        program.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/get-credentials", endpoint.url()));
    (program.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN), Some(endpoint))
}

pub fn at_metadata(program: Program, service: StandIn) -> (Program, Option<StandIn>) {
    let program = program.env("AWS_EC2_METADATA_DISABLED", "false");
    (program.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url()), Some(service))
}
