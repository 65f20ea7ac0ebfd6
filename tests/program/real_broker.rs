//! A real broker, Debian's Mosquitto, directly and behind Debian's nginx. Both are stopped when the test ends.
//!
//! ```sh
//! apt-get install mosquitto nginx-light
//! cargo test --test program real_broker -- --ignored
//! ```

use std::path::Path;
use std::time::Duration;

use test_support::mosquitto::{config, free_port};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::gateway::certificates::Authority;
use crate::gateway::{ACCESS_KEY, SECRET};
use crate::program::Program;

const LIMIT: Duration = Duration::from_secs(20);

const NGINX: &str = "
daemon off; master_process off; pid nginx.pid; error_log nginx.log info;
events {}
http {
    access_log access.log;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {
        listen 127.0.0.1:FRONT ssl;
        ssl_certificate server.pem; ssl_certificate_key server.key; ssl_protocols TLSv1.3;
        location = /mqtt {
            proxy_pass https://127.0.0.1:BROKER;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
        }
    }
}
";

/// Starts a server in this folder, and waits until it listens.
async fn start(program: &str, args: &[&str], folder: &Path, port: u16) -> Child {
    let server = Command::new(program).args(args).current_dir(folder).kill_on_drop(true).spawn();
    let server = server.unwrap_or_else(|error| panic!("{program} does not start: {error}"));
    let up = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, up).await.unwrap_or_else(|_| panic!("{program} does not listen on {port}"));
    server
}

/// Waits until a log contains all of these texts.
async fn wait_for(log: &Path, texts: &[String]) {
    let read = || std::fs::read_to_string(log).unwrap_or_default();
    let seen = async {
        while !texts.iter().all(|text| read().contains(text)) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = timeout(LIMIT, seen).await.is_ok();
    assert!(in_time, "{} does not say {texts:?}:\n{}", log.display(), read());
}

#[tokio::test]
#[ignore = "needs mosquitto and nginx"]
async fn mosquitto_sees_an_mqtt_5_client_come_and_leave_directly_and_behind_nginx() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let (broker, front) = (free_port(), free_port());
    let authority = Authority::new("A test authority");
    let [certificate, key] = authority.server_pem();
    let tls = "certfile server.pem\nkeyfile server.key\ntls_version tlsv1.3\n";
    let nginx = NGINX.replace("FRONT", &front.to_string()).replace("BROKER", &broker.to_string());
    for (file, text) in [
        ("ca.pem", authority.pem()),
        ("server.pem", certificate),
        ("server.key", key),
        ("mosquitto.conf", config(broker, "file mosquitto.log", "", tls)),
        ("nginx.conf", nginx),
    ] {
        std::fs::write(folder.join(file), text).expect("a file in the temporary folder");
    }
    let prefix = folder.to_str().expect("a path in UTF-8");
    let _mosquitto = start("mosquitto", &["-c", "mosquitto.conf"], folder, broker).await;
    let nginx_args = ["-p", prefix, "-c", "nginx.conf", "-e", "nginx.log"];
    let _nginx = start("nginx", &nginx_args, folder, front).await;
    for (port, client_id) in [(broker, "direct"), (front, "proxied")] {
        let program = Program::against(&format!("localhost:{port}"), &folder.join("ca.pem"), "eu-central-1");
        let keys = ["--access-key", ACCESS_KEY, "--secret", SECRET];
        let outcome = program.args(keys).args(["--client-id", client_id]).run().await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
        // MQTT 5, clean start, a keep-alive of 60 s.
        let connect = format!("as {client_id} (p5, c1, k60)");
        let disconnect = format!("Received DISCONNECT from {client_id}");
        let end = format!("Client {client_id} disconnected.");
        wait_for(&folder.join("mosquitto.log"), &[connect, disconnect, end]).await;
    }
    wait_for(&folder.join("access.log"), &["GET /mqtt?X-Amz-Algorithm=".to_owned()]).await;
}
