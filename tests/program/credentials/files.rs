//! Files that would block the program or never end, wherever a path can come from: they are refused at once.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::credentials::profile::{LATER, ROLE_ARN, signed_in};
use crate::credentials::setup::{assert_says, failure, gateway_knowing, program};
use crate::program::Program;

/// What can be there instead of a file, and what the program says about it.
const KINDS: [(&str, &str); 5] = [
    ("pipe", "it is a pipe or a device"),
    ("folder", "it is a folder"),
    ("device", "it is a pipe or a device"),
    ("loop", "symbolic links"),
    ("huge", "it is longer than 1 MiB"),
];

fn make(kind: &str, path: &Path) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder in the home");
    let _ = std::fs::remove_file(path);
    match kind {
        "pipe" => assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success()),
        "folder" => std::fs::create_dir(path).expect("a folder"),
        "device" => symlink("/dev/zero", path).expect("a link"),
        "loop" => symlink(path, path).expect("a link"),
        _ => std::fs::write(path, vec![b'#'; 5 << 20]).expect("a file"),
    }
}

/// Makes the program need a file, and returns the path of that file.
type Needing = fn(Program) -> (Program, PathBuf);

fn at(program: Program, path: &str) -> (Program, PathBuf) {
    let path = program.home(path);
    (program, path)
}

fn named_by(variable: &str, program: Program) -> (Program, PathBuf) {
    let path = program.home("somewhere/file");
    (program.env(variable, &path), path)
}

const PLACES: [(&str, Needing); 10] = [
    ("config file", |program| at(program, ".aws/config")),
    ("credentials file", |program| at(program, ".aws/credentials")),
    ("AWS_CONFIG_FILE", |program| named_by("AWS_CONFIG_FILE", program)),
    ("AWS_SHARED_CREDENTIALS_FILE", |program| named_by("AWS_SHARED_CREDENTIALS_FILE", program)),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", |program| {
        named_by("AWS_WEB_IDENTITY_TOKEN_FILE", program.env("AWS_ROLE_ARN", ROLE_ARN))
    }),
    ("web_identity_token_file", |program| {
        let path = program.home("token");
        let text =
            format!("[default]\nrole_arn = {ROLE_ARN}\nweb_identity_token_file = {}\n", path.display());
        (program.file(".aws/config", &text), path)
    }),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", |program| {
        let program = program.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/");
        named_by("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", program)
    }),
    ("credential_source = EcsContainer", |program| {
        let text = format!("[default]\nrole_arn = {ROLE_ARN}\ncredential_source = EcsContainer\n");
        let program = program
            .file(".aws/config", &text)
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/");
        named_by("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", program)
    }),
    ("sso_session", |program| {
        let program = signed_in(program, "default", LATER);
        let cached = std::fs::read_dir(program.home(".aws/sso/cache")).expect("a cache").flatten().next();
        let path = cached.expect("a cached sign-in").path();
        (program, path)
    }),
    ("login_session", |program| {
        let text = "[default]\nlogin_session = arn:aws:iam::111122223333:user/me\n";
        at(program.file(".aws/config", text), ".aws/login/cache/0.json")
    }),
];

#[tokio::test]
async fn blocking_or_endless_files_are_refused_at_once() {
    for (place, needing) in PLACES {
        for (kind, reason) in KINDS {
            let gateway = gateway_knowing([]).await;
            let (program, path) = needing(program(&gateway));
            make(kind, &path);
            let outcome = failure(program).await;
            assert_says(&outcome, &[&format!("{}: ", path.display()), reason]);
            assert!(outcome.peak_memory_kib < 64 * 1024, "{place}, {kind}: {outcome:#?}");
        }
    }
}

/// Reading a pipe might never end, so even one that the shell fills is refused.
#[tokio::test]
async fn a_pipe_of_the_shell_is_refused() {
    let gateway = gateway_knowing([]).await;
    let program = program(&gateway).env("AWS_CONFIG_FILE", "/dev/fd/0");
    assert_says(
        &failure(program).await,
        &["cannot read the profiles in /dev/fd/0: it is a pipe or a device"],
    );
}
