//! The GitHub Action, run as GitHub runs it: the step of `action.yml`, in bash, with the variables that GitHub sets. In
//! place of Cargo and rustup are stand-ins, which print their environment and hand out a program that is built already.

// On Windows neither the stand-ins nor a link to the program would work.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

use tempfile::TempDir;
use test_support::gateway::http::Refusal;
use test_support::gateway::{
    Act, Event, Gateway, REGION, SESSION_TOKEN, Script, Stage, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET,
};
use test_support::program::{Program, built};

/// The root of this repository, which is also the action's folder.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a workflow may have set up by the time the action runs, as `name` and `value`.
const CREDENTIALS: [(&str, &str); 7] = [
    ("AWS_ACCESS_KEY_ID", TEMPORARY_ACCESS_KEY),
    ("AWS_SECRET_ACCESS_KEY", TEMPORARY_SECRET),
    ("AWS_SESSION_TOKEN", SESSION_TOKEN),
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9/token?made=up"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "made-up-request-token"),
    ("GITHUB_TOKEN", "ghs_madeup1"),
    ("GH_TOKEN", "ghs_madeup2"),
];

/// Cargo as well as rustup. In place of `BUILD` stands the rest of a build, with `$1` for where the program must be.
const STAND_IN: &str = r#"#!/bin/sh
tool=${0##*/}
echo "$tool $* in $PWD"
env | sed "s/^/$tool sees /"
if [ "$tool" = cargo ]; then
    set -- "$CARGO_TARGET_DIR/debug/sigv4-websocket-connect"
    mkdir -p "${1%/*}"
    BUILD
fi
"#;

/// A build that hands out the real program.
fn real_program() -> String {
    format!("ln -sf '{}' \"$1\"", built("sigv4-websocket-connect").display())
}

/// A build of a program that consists of this line of shell.
fn program(line: &str) -> String {
    format!("printf '%s\\n' '#!/bin/sh' '{line}' > \"$1\" && chmod +x \"$1\"")
}

/// What GitHub sees of a run.
#[derive(Debug)]
struct Run {
    code: i32,
    log: String,
    output: String,
    summary: String,
}

/// Runs the action with this build and these inputs, and checks what is true of every run.
async fn run(build: &str, inputs: &[(&str, &str)]) -> Run {
    let folder = TempDir::new().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["bin", "temp", "workspace"] {
        fs::create_dir(at(name)).expect("a folder");
    }
    for tool in ["bin/rustup", "bin/cargo"] {
        fs::write(at(tool), STAND_IN.replace("BUILD", build)).expect("a script");
        fs::set_permissions(at(tool), fs::Permissions::from_mode(0o755)).expect("an executable");
    }
    let action = repository("action.yml");
    let known = mapping(&action, "inputs:");
    for (name, _) in inputs {
        assert!(known.iter().any(|(input, _)| input == name), "no input {name}");
    }
    let Some(&("run", command)) = mapping(&action, "- name: Connect").last() else { panic!("no command") };
    assert!(!command.contains("${{"), "{command}");
    let step = format!("cd \"$GITHUB_WORKSPACE\"\n{command}\n");

    let path = std::env::var("PATH").expect("a PATH");
    let mut bash = Program::at("bash")
        .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", &step])
        .env("PATH", format!("{}:{path}", at("bin").display()))
        .env("RUNNER_TEMP", at("temp"))
        .env("GITHUB_WORKSPACE", at("workspace"))
        .env("GITHUB_ACTION_PATH", ROOT)
        .env("GITHUB_OUTPUT", at("output"))
        .env("GITHUB_STEP_SUMMARY", at("summary"));
    for (name, value) in CREDENTIALS {
        bash = bash.env(name, value);
    }
    for (variable, value) in mapping(&action, "env:") {
        let input = value.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"));
        let input = input.unwrap_or_else(|| panic!("{variable} is not an input but {value}"));
        assert!(known.iter().any(|(name, _)| *name == input), "no input {input}");
        let given = inputs.iter().rfind(|(name, _)| *name == input);
        bash = bash.env(variable, given.map_or("", |(_, value)| value));
    }
    let outcome = bash.run().await;

    let read = |name: &str| fs::read_to_string(at(name)).expect("text");
    let (output, summary) = (read("output"), read("summary"));
    let run = Run { code: outcome.code, log: outcome.stdout + &outcome.stderr, output, summary };
    for secret in [TEMPORARY_SECRET, SESSION_TOKEN, "made-up", "ghs_madeup"] {
        assert!(!run.log.contains(secret) && !run.summary.contains(secret), "{secret}: {run:#?}");
    }
    let mut lines = run.summary.split(['\n', '\r']);
    assert!(lines.next().is_some_and(|line| line.starts_with("### Smoke test: ")), "{run:#?}");
    assert!(lines.all(|line| line.is_empty() || line.starts_with("    ")), "{run:#?}");
    let mut files = fs::read_dir(at("workspace")).expect("the workspace");
    assert!(files.next().is_none(), "a part of an input was run as a command");
    run
}

impl Run {
    /// Checks both outputs, and that the job ends as the program did.
    fn ended(&self, code: i32, outcome: &str) {
        assert_eq!(self.output, format!("exit-code={code}\noutcome={outcome}\n"), "{self:#?}");
        assert_eq!(self.code, code, "{self:#?}");
        let title = format!("{outcome}, exit code {code}\n");
        assert!(self.summary.starts_with(&format!("### Smoke test: {title}")), "{self:#?}");
        let annotated = self.log.contains(&format!("\n::error title=Smoke test::{title}"));
        assert_eq!(annotated, code != 0, "{self:#?}");
    }

    /// The log without what stands where GitHub looks for no commands.
    fn heeded(&self) -> String {
        let (before, rest) = self.log.split_once("::stop-commands::").expect("a stop");
        let (token, rest) = rest.split_once('\n').expect("a token");
        assert_eq!(token.len(), 32, "{self:#?}");
        let (_, after) = rest.split_once(&format!("::{token}::\n")).expect("the token again");
        before.to_owned() + after
    }
}

/// A file of this repository.
fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).expect("a file of this repository")
}

/// The keys and values below this line, one level deep. This reads YAML as it is written here, not any.
fn mapping<'a>(yaml: &'a str, head: &str) -> Vec<(&'a str, &'a str)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines =
        yaml.lines().filter(|line| !line.trim().is_empty()).skip_while(|line| line.trim() != head);
    let outer = indent(lines.next().unwrap_or_else(|| panic!("no line {head:?}")));
    let block: Vec<_> = lines.take_while(|line| indent(line) > outer).collect();
    let entries = block.iter().filter(|line| indent(line) == indent(block[0]));
    let entries = entries.filter_map(|line| line.trim().split_once(':'));
    entries.filter(|(key, _)| !key.starts_with('#')).map(|(key, value)| (key, value.trim())).collect()
}

/// Runs the action with the real program, aimed at this gateway.
async fn connect(gateway: &Gateway, inputs: &[(&str, &str)]) -> Run {
    let (endpoint, ca_file) = (gateway.endpoint(), gateway.ca_file().to_str().expect("a path in UTF-8"));
    let aim = [("endpoint", endpoint.as_str()), ("region", REGION), ("ca-file", ca_file)];
    run(&real_program(), &[&aim, inputs].concat()).await
}

#[tokio::test]
async fn a_success_with_an_input_that_would_be_code() {
    let gateway = Gateway::start(Script::default()).await;
    let id = r#"--it's "x" $(touch hit) `touch hit` ; touch hit & \ ${HOME} $((1+1)) * ~"#;
    let inputs = [("client-id", id), ("timeout", "20"), ("attempts", "1"), ("log-level", "debug")];
    let run = connect(&gateway, &inputs).await;
    run.ended(0, "connected");
    gateway.seen(0, |event| matches!(event, Event::Connect(connect) if connect.client_id == id)).await;
    for line in ["Credentials: ASIA…LE01 from the environment", "Sample complete."] {
        assert!(run.log.contains(line), "{line}: {run:#?}");
        assert!(run.summary.contains(&format!("\n    {line}")), "{line}: {run:#?}");
    }
    assert!(run.summary.contains("each attempt sends CONNECT"), "the log level has no effect: {run:#?}");
}

/// What the server says is neither a command to GitHub nor Markdown.
#[tokio::test]
async fn a_refusal() {
    let message = "no ##[set-output name=outcome]connected ::add-mask::e <img src=x> ### x";
    let refusal = Refusal::forbidden(message).response(SystemTime::now().into());
    let refusal = [Act::Send(refusal.into()), Act::Fin];
    let gateway = Gateway::start(Script::fault(Stage::Request, refusal)).await;
    let run = connect(&gateway, &[]).await;
    run.ended(6, "upgrade");
    assert!(run.summary.contains(&format!("\n      message: {message}\n")), "{run:#?}");
    assert!(run.log.contains(message) && !run.heeded().contains("##["), "{run:#?}");
}

/// No input can work that has a new line in it. Its lines are no outputs, no commands and no Markdown.
#[tokio::test]
async fn an_input_stays_one_value() {
    let hostile = "'\"$(touch hit)`touch hit`\nexit-code=0\noutcome=connected\n::set-output name=outcome::connected\r# x\n";
    let action = repository("action.yml");
    let inputs = mapping(&action, "inputs:");
    assert_eq!(inputs.len(), 8);
    for (input, _) in inputs {
        let inputs = [("endpoint", "localhost:9"), ("region", REGION), (input, hostile)];
        let run = run(&real_program(), &inputs).await;
        run.ended(2, "settings");
        assert!(!run.heeded().contains("name=outcome"), "{input}: {run:#?}");
    }
}

/// The program itself needs the credentials that the build must not see.
#[tokio::test]
async fn the_build_is_locked_and_sees_no_credentials() {
    let program = program(r#"echo "program sees ${AWS_SECRET_ACCESS_KEY:+a key}""#);
    let run = run(&program, &[("proxy", "http://user:made-up@127.0.0.1:9")]).await;
    let (_, temporary) = run.log.split_once("cargo sees RUNNER_TEMP=").expect("a folder");
    let temporary = temporary.lines().next().expect("a folder");
    for line in [
        "program sees a key\n",
        &format!("rustup toolchain install stable --profile minimal --no-self-update in {ROOT}\n"),
        &format!("cargo build --locked --package sigv4-websocket-connect in {ROOT}\n"),
        &format!("cargo sees CARGO_TARGET_DIR={temporary}/"),
    ] {
        assert!(run.log.contains(line), "{line}: {run:#?}");
    }
    for tool in ["rustup", "cargo"] {
        let seen = |name: &str| run.log.contains(&format!("{tool} sees {name}"));
        assert!(seen("PATH=") && seen("HOME="), "{run:#?}");
        for name in ["AWS_", "ACTIONS_", "GITHUB_TOKEN", "GH_TOKEN", "SMOKE_"] {
            assert!(!seen(name), "{tool} sees {name}…");
        }
    }
}

#[tokio::test]
async fn every_exit_code_has_its_word() {
    let documentation = repository("docs/smoke-test.md");
    let words = "connected unforeseen settings credentials network tls upgrade mqtt deadline";
    for (code, word) in (0..).zip(words.split(' ')) {
        run(&program(&format!("exit {code}")), &[]).await.ended(code, word);
        let row = format!("| {code} | `{word}` |");
        assert!(documentation.contains(&row), "no row {row}");
    }
    run(&program("exit 101"), &[]).await.ended(101, "aborted");
    run(&program("kill -TERM $$"), &[]).await.ended(143, "aborted");
}

#[tokio::test]
async fn a_build_that_fails_is_an_outcome_too() {
    let run = run("exit 101", &[]).await;
    assert_eq!((run.code, run.output.as_str()), (1, "exit-code=\noutcome=not-built\n"), "{run:#?}");
    assert!(run.log.contains("\n::error title=Smoke test::the program could not be built\n"), "{run:#?}");
}

/// A log that GitHub would refuse as a summary is cut, and the end of it is kept.
#[tokio::test]
async fn a_summary_is_never_too_long() {
    let run = run(&program(r#"yes "" | head -n 2000000; echo the end; exit 7"#), &[]).await;
    run.ended(7, "mqtt");
    assert!(run.summary.len() < 1 << 20, "{}", run.summary.len());
    assert!(run.summary.ends_with("\n    the end\n"));
}

/// The action hands on what its step wrote, and its one user here gives it inputs that it has.
#[test]
fn the_outputs_and_the_workflow_fit_the_action() {
    let action = repository("action.yml");
    let outputs: Vec<_> = mapping(&action, "outputs:").into_iter().map(|(name, _)| name).collect();
    assert_eq!(outputs, ["exit-code", "outcome"]);
    for name in outputs {
        assert!(action.contains(&format!("value: ${{{{ steps.smoke.outputs.{name} }}}}\n")), "{name}");
    }
    let workflow = repository(".github/workflows/smoke.yml");
    let (_, step) = workflow.split_once("uses: ./\n").expect("the action");
    let inputs = mapping(&action, "inputs:");
    for (given, _) in mapping(step, "with:") {
        assert!(inputs.iter().any(|(input, _)| *input == given), "no input {given}");
    }
}
