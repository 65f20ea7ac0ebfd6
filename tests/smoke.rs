//! The GitHub Action, run as GitHub runs it: the step of `action.yml`, in bash, with the variables that GitHub sets. In
//! place of Cargo and rustup are stand-ins, which print their environment and hand out a program that is built already.

// On Windows neither the stand-ins nor a link to the program would work.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;
use test_support::gateway::{
    Act, Event, Gateway, REGION, SESSION_TOKEN, Script, Stage, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET,
};
use test_support::program::{Program, built};

/// What a workflow may have set up by the time the action runs, as `name` and `value`.
const CREDENTIALS: [(&str, &str); 9] = [
    ("AWS_ACCESS_KEY_ID", TEMPORARY_ACCESS_KEY),
    ("AWS_SECRET_ACCESS_KEY", TEMPORARY_SECRET),
    ("AWS_SESSION_TOKEN", SESSION_TOKEN),
    ("AWS_REGION", REGION),
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9/token?made=up"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "made-up-request-token"),
    ("ACTIONS_RUNTIME_TOKEN", "made-up-runtime-token"),
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

/// The action with its inputs, ready to run.
struct Action {
    folder: TempDir,
    inputs: Vec<(String, String)>,
}

/// What GitHub sees of a run.
struct Run {
    code: i32,
    log: String,
    output: String,
    summary: String,
}

impl Action {
    /// The action with a build that ends in this line of shell.
    fn building(last: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        for folder in ["bin", "temp", "workspace"].map(|name| folder.path().join(name)) {
            fs::create_dir(folder).expect("a folder");
        }
        let script = STAND_IN.replace("BUILD", last);
        for tool in ["rustup", "cargo"] {
            executable(&folder.path().join("bin").join(tool), &script);
        }
        Self { folder, inputs: Vec::new() }
    }

    /// The action with the real program.
    fn new() -> Self {
        let program = built("sigv4-websocket-connect");
        Self::building(&format!("ln -sf '{}' \"$1\"", program.display()))
    }

    /// The action with a program that consists of this line of shell.
    fn with_program(line: &str) -> Self {
        let action = Self::building("ln -sf \"${0%/bin/*}/program\" \"$1\"");
        executable(&action.folder.path().join("program"), &format!("#!/bin/sh\n{line}\n"));
        action
    }

    fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.push((name.to_owned(), value.to_owned()));
        self
    }

    fn aimed_at(self, gateway: &Gateway) -> Self {
        let ca_file = gateway.ca_file().to_str().expect("a path in UTF-8");
        self.input("endpoint", &gateway.endpoint()).input("region", REGION).input("ca-file", ca_file)
    }

    async fn run(&self) -> Run {
        let action = repository("action.yml");
        let known = mapping(&action, "inputs:");
        for (name, _) in &self.inputs {
            assert!(known.iter().any(|(input, _)| input == name), "no input {name}");
        }

        let at = |name: &str| self.folder.path().join(name);
        for name in ["output", "summary"] {
            fs::write(at(name), "").expect("a file");
        }
        let Some(&("run", run)) = mapping(&action, "- name: Connect").last() else { panic!("no command") };
        assert!(!run.contains("${{"), "{run}");
        fs::write(at("step.sh"), format!("cd \"$GITHUB_WORKSPACE\"\n{run}\n")).expect("a file");

        let step = at("step.sh").into_os_string().into_string().expect("a path in UTF-8");
        let path = std::env::var("PATH").expect("a PATH");
        let mut bash = Program::at("bash")
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail", step.as_str()])
            .env("PATH", format!("{}:{path}", at("bin").display()))
            .env("RUNNER_TEMP", at("temp"))
            .env("GITHUB_WORKSPACE", at("workspace"))
            .env("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR"))
            .env("GITHUB_OUTPUT", at("output"))
            .env("GITHUB_STEP_SUMMARY", at("summary"));
        for (name, value) in CREDENTIALS {
            bash = bash.env(name, value);
        }
        for (variable, value) in mapping(&action, "env:") {
            let input = value.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"));
            let input = input.unwrap_or_else(|| panic!("{variable} is not an input but {value}"));
            assert!(known.iter().any(|(name, _)| *name == input), "no input {input}");
            let given = self.inputs.iter().rfind(|(name, _)| name == input);
            bash = bash.env(variable, given.map_or("", |(_, value)| value));
        }

        let outcome = bash.run().await;
        let read = |name: &str| fs::read_to_string(at(name)).expect("text");
        let log = outcome.stdout + &outcome.stderr;
        let run = Run { code: outcome.code, log, output: read("output"), summary: read("summary") };
        run.check();
        run
    }
}

impl Run {
    /// What is true of every run.
    fn check(&self) {
        for secret in [TEMPORARY_SECRET, SESSION_TOKEN, "made-up", "ghs_madeup"] {
            assert!(!self.log.contains(secret) && !self.summary.contains(secret), "{secret}: {self}");
        }
        let mut lines = self.summary.split(['\n', '\r']);
        assert!(lines.next().is_some_and(|line| line.starts_with("### Smoke test: ")), "{self}");
        assert!(lines.all(|line| line.is_empty() || line.starts_with("    ")), "{self}");
    }

    /// Checks both outputs, and that the job ends as the program did.
    fn ended(&self, code: i32, outcome: &str) {
        assert_eq!(self.output, format!("exit-code={code}\noutcome={outcome}\n"), "{self}");
        assert_eq!(self.code, code, "{self}");
        assert!(
            self.summary.starts_with(&format!("### Smoke test: {outcome}, exit code {code}\n")),
            "{self}"
        );
        let annotated =
            self.log.contains(&format!("\n::error title=Smoke test::{outcome}, exit code {code}\n"));
        assert_eq!(annotated, code != 0, "{self}");
    }

    /// The log without what stands where GitHub looks for no commands.
    fn heeded(&self) -> String {
        let (before, rest) = self.log.split_once("::stop-commands::").expect("a stop");
        let (token, rest) = rest.split_once('\n').expect("a token");
        assert_eq!(token.len(), 32, "{self}");
        let (_, after) = rest.split_once(&format!("::{token}::\n")).expect("the token again");
        before.to_owned() + after
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, log, output, summary } = self;
        write!(f, "exit code {code}\n--- log\n{log}\n--- output\n{output}\n--- summary\n{summary}")
    }
}

fn executable(path: &Path, script: &str) {
    fs::write(path, script).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("an executable");
}

/// A file of this repository.
fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of this repository")
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

/// A refused upgrade with this message of the server.
fn refusal(message: &str) -> Script {
    let body = serde_json::json!({ "message": message }).to_string();
    let head =
        "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\nx-amzn-errortype: ForbiddenException";
    let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    Script::fault(Stage::Request, [Act::Send(answer.into_bytes()), Act::Fin])
}

/// The client ID in the only CONNECT that the gateway got.
fn client_id(gateway: &Gateway) -> String {
    let events = gateway.connections().into_iter().flatten();
    let ids = events.filter_map(|event| match event {
        Event::Connect(connect) => Some(connect.client_id),
        _ => None,
    });
    let ids: Vec<_> = ids.collect();
    let [id] = &ids[..] else { panic!("{ids:?}") };
    id.clone()
}

#[tokio::test]
async fn a_success() {
    let gateway = Gateway::start(Script::default()).await;
    let action = Action::new().aimed_at(&gateway).input("client-id", "test-smoke").input("timeout", "20");
    let run = action.input("attempts", "1").input("log-level", "debug").run().await;
    run.ended(0, "connected");
    assert_eq!(client_id(&gateway), "test-smoke");
    for line in ["Credentials: ASIA…LE01 from the environment", "Sample complete."] {
        assert!(run.log.contains(line), "{line}: {run}");
        assert!(run.summary.contains(&format!("\n    {line}")), "{line}: {run}");
    }
    assert!(run.summary.contains("> CONNECT"), "the log level has no effect: {run}");
}

/// What the server says is neither a command to GitHub nor Markdown.
#[tokio::test]
async fn a_refusal() {
    let message = "no ##[set-output name=outcome]connected ::add-mask::e <img src=x> ### x";
    let gateway = Gateway::start(refusal(message)).await;
    let run = Action::new().aimed_at(&gateway).run().await;
    run.ended(6, "upgrade");
    assert!(run.summary.contains(&format!("\n      message: {message}\n")), "{run}");
    assert!(run.log.contains(message) && !run.heeded().contains("##["), "{run}");
}

#[tokio::test]
async fn an_input_is_never_code() {
    let gateway = Gateway::start(Script::default()).await;
    let id = r#"--it's "x" $(touch hit) `touch hit` ; touch hit & \ ${HOME} $((1+1)) * ~"#;
    let action = Action::new().aimed_at(&gateway).input("client-id", id);
    action.run().await.ended(0, "connected");
    assert_eq!(client_id(&gateway), id);
    assert_untouched(&action);
}

/// No input can work that has a new line in it. Its lines are no outputs, no commands and no Markdown.
#[tokio::test]
async fn an_input_stays_one_value() {
    let hostile = "'\"$(touch hit)`touch hit`\nexit-code=0\noutcome=connected\n::set-output name=outcome::connected\r# x\n";
    let action = repository("action.yml");
    let inputs = mapping(&action, "inputs:");
    assert_eq!(inputs.len(), 8);
    for (input, _) in inputs {
        let action =
            Action::new().input("endpoint", "localhost:9").input("region", REGION).input(input, hostile);
        let run = action.run().await;
        run.ended(2, "settings");
        assert!(!run.heeded().contains("name=outcome"), "{input}: {run}");
        assert_untouched(&action);
    }
}

fn assert_untouched(action: &Action) {
    let mut files = fs::read_dir(action.folder.path().join("workspace")).expect("the workspace");
    assert!(files.next().is_none(), "a part of an input was run as a command");
}

#[tokio::test]
async fn the_build_is_locked_and_sees_no_credentials() {
    // The program itself needs them.
    let action = Action::with_program("echo \"program sees ${AWS_SECRET_ACCESS_KEY:+a key}\"")
        .input("proxy", "http://user:made-up@127.0.0.1:9");
    let run = action.run().await;
    assert!(run.log.contains("program sees a key\n"), "{run}");
    let here = env!("CARGO_MANIFEST_DIR");
    let rustup = format!("rustup toolchain install stable --profile minimal --no-self-update in {here}\n");
    let cargo = format!("cargo build --locked --package sigv4-websocket-connect in {here}\n");
    assert!(run.log.contains(&rustup) && run.log.contains(&cargo), "{run}");
    let temporary = action.folder.path().join("temp");
    let target = format!("cargo sees CARGO_TARGET_DIR={}/", temporary.display());
    assert!(run.log.contains(&target), "{run}");
    for tool in ["rustup", "cargo"] {
        let seen = |name: &str| run.log.contains(&format!("{tool} sees {name}"));
        assert!(seen("PATH=") && seen("HOME="), "{run}");
        for (name, _) in CREDENTIALS {
            assert!(!seen(name), "{tool} sees {name}");
        }
        for prefix in ["AWS_", "ACTIONS_", "SMOKE_"] {
            assert!(!seen(prefix), "{tool} sees {prefix}…");
        }
    }
}

#[tokio::test]
async fn every_exit_code_has_its_word() {
    let words = [
        "connected",
        "unforeseen",
        "settings",
        "credentials",
        "network",
        "tls",
        "upgrade",
        "mqtt",
        "deadline",
    ];
    let documentation = repository("docs/smoke-test.md");
    for (code, word) in (0..).zip(words).chain([(9, "aborted"), (101, "aborted"), (130, "aborted")]) {
        Action::with_program(&format!("exit {code}")).run().await.ended(code, word);
        let row = format!("| {code} | `{word}` |");
        assert!(code > 8 || documentation.contains(&row), "no row {row}");
    }
    Action::with_program("kill -TERM $$").run().await.ended(143, "aborted");
}

#[tokio::test]
async fn a_build_that_fails_is_an_outcome_too() {
    let run = Action::building("exit 101").run().await;
    assert_eq!((run.code, run.output.as_str()), (1, "exit-code=\noutcome=not-built\n"), "{run}");
    assert!(run.log.contains("\n::error title=Smoke test::the program could not be built\n"), "{run}");
}

/// A log that GitHub would refuse as a summary is cut, and the end of it is kept.
#[tokio::test]
async fn a_summary_is_never_too_long() {
    let run = Action::with_program("yes '' | head -n 2000000; echo the end; exit 7").run().await;
    run.ended(7, "mqtt");
    assert!(run.summary.len() < 1 << 20, "{}", run.summary.len());
    assert!(run.summary.ends_with("\n    the end\n"));
}

/// The action hands on what its step wrote, and its one user here gives it inputs that it has.
#[test]
fn the_outputs_and_the_workflow_fit_the_action() {
    let action = repository("action.yml");
    let outputs = mapping(&action, "outputs:");
    assert_eq!(outputs.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["exit-code", "outcome"]);
    for (name, _) in outputs {
        assert!(action.contains(&format!("value: ${{{{ steps.smoke.outputs.{name} }}}}\n")), "{name}");
    }
    let workflow = repository(".github/workflows/smoke.yml");
    let (_, step) = workflow.split_once("uses: ./\n").expect("the action");
    let inputs = mapping(&action, "inputs:");
    for (given, _) in mapping(step, "with:") {
        assert!(inputs.iter().any(|(input, _)| *input == given), "no input {given}");
    }
}
