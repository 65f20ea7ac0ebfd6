//! Arguments that cannot work are refused before any packet is sent; doubtful ones cause a warning.

use crate::failures::row::{Row, row};
use crate::gateway::REGION;

pub fn rows() -> Vec<Row> {
    [endpoints(), regions(), client_ids(), keys(), files(), numbers(), warnings()]
        .into_iter()
        .flatten()
        .collect()
}

fn refused(name: &'static str) -> Row {
    row(name).exits(2).connections(0)
}

fn endpoints() -> Vec<Row> {
    vec![
        refused("endpoint with the scheme wss").flag("--endpoint", "wss://{endpoint}").says([
            "--endpoint",
            "bare host",
            "without scheme or path",
        ]),
        refused("endpoint that is a whole URL")
            .flag("--endpoint", "https://{endpoint}/mqtt?x=1")
            .says(["bare host", "without scheme or path"]),
        refused("endpoint with an escape").flag("--endpoint", "local\u{1B}[2Jhost").says(["--endpoint"]),
        refused("endpoint with a path")
            .flag("--endpoint", "{endpoint}/mqtt")
            .says(["bare host", "without scheme or path"]),
        refused("endpoint with a user").flag("--endpoint", "me@{endpoint}").says(["bare host"]),
        refused("endpoint left empty").flag("--endpoint", "").says(["--endpoint", "empty"]),
        refused("endpoint left out").without(&["--endpoint"]).says(["--endpoint"]),
        refused("endpoint with a space in it")
            .flag("--endpoint", "local host:{port}")
            .says(["--endpoint", "space"]),
        refused("endpoint with a space after it").flag("--endpoint", "{endpoint} ").says(["space"]),
        refused("endpoint that is no name").flag("--endpoint", "local..host:{port}").says(["DNS name"]),
        refused("port 0").flag("--endpoint", "localhost:0").says(["\"0\" is not a port"]),
        refused("port 65536").flag("--endpoint", "localhost:65536").says(["not a port"]),
        refused("port that is a word").flag("--endpoint", "localhost:https").says(["not a port"]),
        refused("port left empty").flag("--endpoint", "localhost:").says(["not a port"]),
    ]
}

fn regions() -> Vec<Row> {
    let wrong = |name, region: &str| refused(name).flag("--region", region).says(["the region is \""]);
    vec![
        wrong("region left empty", ""),
        wrong("region with an escape", "eu\u{1B}[2J"),
        wrong("region with underscores", "eu_central_1"),
        wrong("region with a space", "eu central 1"),
        wrong("region of two labels", "eu.central"),
        wrong("region with a slash", "eu/central"),
        wrong("region that begins with a hyphen", "-eu-central-1"),
        wrong("region that ends with a hyphen", "eu-central-"),
        wrong("region of 64 characters", &"e".repeat(64)),
        refused("region left out").without(&["--region"]).says([
            "which region",
            "give the region",
            "AWS_REGION",
        ]),
        refused("region in the environment that is no label")
            .without(&["--region"])
            .environment("AWS_REGION", "eu central 1")
            .says(["error: AWS_REGION is \"eu central 1\", which is not the name of a region"]),
        refused("default region in the environment that is no label")
            .without(&["--region"])
            .environment("AWS_REGION", "")
            .environment("AWS_DEFAULT_REGION", "eu central 1")
            .says(["error: AWS_DEFAULT_REGION is \"eu central 1\", which is not the name of a region"]),
        row("region from AWS_REGION")
            .without(&["--region"])
            .environment("AWS_REGION", REGION)
            .environment("AWS_DEFAULT_REGION", "eu-west-3"),
        row("region from AWS_DEFAULT_REGION")
            .without(&["--region"])
            .environment("AWS_REGION", "")
            .environment("AWS_DEFAULT_REGION", REGION),
        row("region in the environment that is no label, beside --region")
            .environment("AWS_REGION", "eu central 1"),
    ]
}

fn client_ids() -> Vec<Row> {
    let wrong = |name, id: &str| refused(name).flag("--client-id", id).says(["--client-id"]);
    vec![
        wrong("client id left empty", ""),
        wrong("client id of 129 bytes", &"x".repeat(129)).says(["128 bytes"]),
        wrong("client id of 65 characters, but 130 bytes", &"é".repeat(65)).says(["128 bytes"]),
        wrong("client id with a control character", "sensor\u{7}").says(["control character"]),
        wrong("client id with a newline", "sensor\n").says(["control character"]),
        wrong("client id with DEL", "sensor\u{7F}").says(["control character"]),
        row("client id of 128 bytes").flag("--client-id", "x".repeat(128)),
    ]
}

fn keys() -> Vec<Row> {
    const KEYS: [&str; 3] = ["--access-key", "--secret", "--session-token"];
    vec![
        refused("session token without keys").without(&KEYS[..2]).says(["--access-key"]),
        refused("access key alone").without(&KEYS[1..]).says(["--secret"]),
        refused("access key and session token without secret").without(&KEYS[1..2]).says(["--secret"]),
        refused("secret alone").without(&KEYS).flag("--secret", "wJalrSECRETalone").says(["--access-key"]),
        refused("access key left empty").flag("--access-key", "").says(["--access-key is empty"]),
        refused("secret left empty").flag("--secret", "").says(["--secret is empty"]),
        refused("secret with a line end").flag("--secret", "wJalrSECRET\n").says(["--secret", "white space"]),
        refused("token with a space")
            .flag("--session-token", " t0k3n")
            .says(["--session-token", "white space"]),
        refused("secret with a line end, not shown").flag("--secret", "wJalrSECRET\n").never_says(["wJalr"]),
        refused("access key with a space")
            .flag("--access-key", "AKIA ")
            .says(["--access-key", "white space"]),
        refused("session token left empty").flag("--session-token", "").says(["--session-token is empty"]),
        refused("profile beside keys").flag("--profile", "work").says(["--profile", "--access-key"]),
        refused("profile beside a session token")
            .without(&KEYS[..2])
            .flag("--profile", "work")
            .says(["--access-key"]),
        refused("profile left empty").without(&KEYS).flag("--profile", "").says(["--profile"]),
    ]
}

fn files() -> Vec<Row> {
    const NO_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const NOT_BASE64: &str = "-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n";
    let file = |name| {
        refused(name).flag("--ca-file", "{home}/ca.pem").says(["the CA file cannot be used", "ca.pem"])
    };
    vec![
        file("CA file that is not there"),
        file("CA file that is a directory").file("ca.pem/inside", ""),
        file("CA file that is empty").file("ca.pem", ""),
        file("CA file that is not PEM").file("ca.pem", "Amazon Root CA 1"),
        file("CA file whose PEM is broken").file("ca.pem", NOT_BASE64),
        file("CA file without a certificate in its PEM").file("ca.pem", NO_CERTIFICATE),
        row("AWS_CA_BUNDLE instead of --ca-file")
            .without(&["--ca-file"])
            .environment("AWS_CA_BUNDLE", "{ca}"),
        row("AWS_CA_BUNDLE left empty beside --ca-file").environment("AWS_CA_BUNDLE", ""),
        row("AWS_CA_BUNDLE that is wrong beside --ca-file").environment("AWS_CA_BUNDLE", "{home}/ca.pem"),
        refused("AWS_CA_BUNDLE that is not there")
            .without(&["--ca-file"])
            .environment("AWS_CA_BUNDLE", "{home}/ca.pem")
            .says(["error: AWS_CA_BUNDLE cannot be used", "ca.pem"]),
        // On other systems no variable names the system's roots.
        #[cfg(target_os = "linux")]
        row("AWS_CA_BUNDLE left empty")
            .without(&["--ca-file"])
            .environment("AWS_CA_BUNDLE", "")
            .environment("SSL_CERT_FILE", "{ca}"),
    ]
}

fn numbers() -> Vec<Row> {
    let wrong = |name, flag, number: &str| refused(name).flag(flag, number).says([flag]);
    vec![
        wrong("timeout 0", "--timeout", "0"),
        wrong("timeout below 0", "--timeout", "-1"),
        wrong("timeout that is a word", "--timeout", "soon"),
        wrong("timeout beyond any clock", "--timeout", "99999999999999999999"),
        wrong("attempts 0", "--attempts", "0"),
        wrong("log level that there is not", "--log-level", "loud"),
    ]
}

fn warnings() -> Vec<Row> {
    vec![
        row("client id, as the Swift sample spells it")
            .without(&["--client-id", "--ca-file"])
            .flag("--client_id", "sensor-7")
            .flag("--ca_file", "{ca}"),
        row("client id with #").flag("--client-id", "sensor#7").warns(["lifecycle events"]),
        row("client id with +").flag("--client-id", "sensor+7").warns(["lifecycle events"]),
        row("client id with /").flag("--client-id", "sensor/7").warns(["/"]),
    ]
}
