#!/usr/bin/env bash
# The one step of action.yml: builds the program, runs it with the action's inputs, and reports how it ended. It gets
# each input in a variable, which is empty if the input was not given. It keeps to bash 3.2, which macOS has.
set -euo pipefail

# Not below the action's own folder, which is the caller's repository where the action is used by `./`.
target=$RUNNER_TEMP/sigv4-websocket-connect
program=$target/debug/sigv4-websocket-connect
printed=$RUNNER_TEMP/sigv4-websocket-connect.txt

# Installs Rust and builds the program. Build scripts and macros of the dependencies run here, and they need none of the
# credentials that the workflow has set up by now. Cargo and rustup start in the action's folder, so that no setting in
# the caller's repository counts; the caller's default toolchain stays what it is. A debug build takes about half as
# long as a release build, and one connection is not noticeably slower with it.
build() (
    for name in $(compgen -e); do
        case $name in
            AWS_* | ACTIONS_* | GITHUB_TOKEN | GH_TOKEN | SMOKE_*) unset "$name" ;;
            # With a target of its own, the program would be in another place.
            CARGO_BUILD_TARGET) unset "$name" ;;
        esac
    done
    cd "$GITHUB_ACTION_PATH" &&
        rustup toolchain install stable --profile minimal --no-self-update &&
        RUSTUP_TOOLCHAIN=stable CARGO_TARGET_DIR=$target cargo build --locked --package sigv4-websocket-connect
)

# An input may begin with a dash, so it is joined to its flag.
flags=("--endpoint=$SMOKE_ENDPOINT")
flag() {
    if [ -n "$2" ]; then flags+=("--$1=$2"); fi
}
flag region "$SMOKE_REGION"
flag client-id "$SMOKE_CLIENT_ID"
flag timeout "$SMOKE_TIMEOUT"
flag attempts "$SMOKE_ATTEMPTS"
flag ca-file "$SMOKE_CA_FILE"
flag proxy "$SMOKE_PROXY"
flag log-level "$SMOKE_LOG_LEVEL"

# Runs the program and sets `code`. GitHub looks for commands such as `##[set-output …]` anywhere in a line of the log,
# and a server may send one. Between these two lines with a token that nobody can guess, it does not.
connect() {
    local token
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    code=0
    echo "::stop-commands::$token"
    "$program" "${flags[@]}" 2>&1 | tee "$printed" || code=${PIPESTATUS[0]}
    echo "::$token::"
}

# The exit codes of the README. Any other is of a bug, 101, or of a signal, such as 130 and 143.
word() {
    case $1 in
        0) echo connected ;;
        1) echo unforeseen ;;
        2) echo settings ;;
        3) echo credentials ;;
        4) echo network ;;
        5) echo tls ;;
        6) echo upgrade ;;
        7) echo mqtt ;;
        8) echo deadline ;;
        *) echo aborted ;;
    esac
}

: > "$printed"
echo "::group::Build"
built=true
build || built=false
echo "::endgroup::"
if [ "$built" = true ]; then
    connect
    outcome=$(word "$code")
    title="$outcome, exit code $code"
else
    code=
    outcome=not-built
    title="the program could not be built"
fi

printf 'exit-code=%s\noutcome=%s\n' "$code" "$outcome" >> "$GITHUB_OUTPUT"
{
    echo "### Smoke test: $title"
    echo
    # Indented text is shown as it is, whatever a server sent. In Markdown a carriage return begins a new line as well.
    # GitHub refuses a summary of more than 1 MiB, and what matters in a long log is the end.
    tail -c 200000 "$printed" | LC_ALL=C tr '\r' '\n' | LC_ALL=C sed 's/^/    /'
} >> "$GITHUB_STEP_SUMMARY"

if [ "$outcome" != connected ]; then echo "::error title=Smoke test::$title"; fi
exit "${code:-1}"
