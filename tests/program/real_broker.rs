//! A real broker, Debian's Mosquitto, directly and behind Debian's nginx. Both are stopped when the test
//! ends.
//!
//! ```sh
//! apt-get install mosquitto nginx-light
//! cargo test --test program real_broker -- --ignored
//! ```

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use test_support::mosquitto::{config, free_port};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::gateway::certificates::Authority;
use crate::gateway::{ACCESS_KEY, SECRET};
use crate::program::{Outcome, Program};

const LIMIT: Duration = Duration::from_secs(20);

/// A folder with a CA, a server certificate and the servers' files.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().expect("a temporary folder"));
        let authority = Authority::new("A test authority");
        let [certificate, key] = authority.server_pem();
        place.write("ca.pem", &authority.pem());
        place.write("server.pem", &certificate);
        place.write("server.key", &key);
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).expect("a file in the temporary folder");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap_or_default()
    }

    /// Waits until a server has written `text` to its log.
    async fn wait_for(&self, file: &str, text: &str) -> String {
        let seen = async {
            while !self.read(file).contains(text) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = timeout(LIMIT, seen).await.is_ok();
        assert!(in_time, "{file} does not say {text:?}:\n{}", self.read(file));
        self.read(file)
    }

    async fn start(&self, program: &str, args: &[&str], port: u16) -> Child {
        let mut command = Command::new(program);
        let server = command.args(args).current_dir(self.path()).kill_on_drop(true).spawn();
        let server = server.unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let up = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(LIMIT, up).await.unwrap_or_else(|_| panic!("{program} does not listen on {port}"));
        server
    }

    /// Mosquitto with WebSockets on `port`, with TLS 1.3 or without TLS.
    async fn start_mosquitto(&self, port: u16, tls: bool) -> Child {
        let tls = match tls {
            true => "certfile server.pem\nkeyfile server.key\ntls_version tlsv1.3\n",
            false => "",
        };
        self.write("mosquitto.conf", &config(port, "file mosquitto.log", "", tls));
        self.start("mosquitto", &["-c", "mosquitto.conf"], port).await
    }

    async fn connect(&self, port: u16, client_id: &str) -> Outcome {
        Program::against(&format!("localhost:{port}"), &self.path().join("ca.pem"), "eu-central-1")
            .args(["--access-key", ACCESS_KEY, "--secret", SECRET, "--client-id", client_id])
            .run()
            .await
    }

    /// The client connected with MQTT 5 and clean start, and left with DISCONNECT.
    async fn assert_session(&self, outcome: &Outcome, client_id: &str) {
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
        let log = self.wait_for("mosquitto.log", &format!("Client {client_id} disconnected.")).await;
        assert!(log.contains(&format!("as {client_id} (p5, c1, k60)")), "{log}");
        assert!(log.contains(&format!("Received DISCONNECT from {client_id}")), "{log}");
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn mosquitto_sees_an_mqtt_5_client_come_and_leave() {
    let (place, port) = (Place::new(), free_port());
    let _mosquitto = place.start_mosquitto(port, true).await;
    let outcome = place.connect(port, "direct").await;
    place.assert_session(&outcome, "direct").await;
}

#[tokio::test]
#[ignore = "needs mosquitto and nginx"]
async fn nginx_may_stand_before_the_broker() {
    let (place, port, broker) = (Place::new(), free_port(), free_port());
    let _mosquitto = place.start_mosquitto(broker, false).await;
    let config = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log nginx.log info;\n\
         events {{}}\n\
         http {{\n\
           access_log access.log;\n\
           client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n\
           uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n\
           server {{\n\
             listen 127.0.0.1:{port} ssl;\n\
             ssl_certificate server.pem; ssl_certificate_key server.key; ssl_protocols TLSv1.3;\n\
             location = /mqtt {{\n\
               proxy_pass http://127.0.0.1:{broker};\n\
               proxy_http_version 1.1;\n\
               proxy_set_header Upgrade $http_upgrade;\n\
               proxy_set_header Connection upgrade;\n\
             }}\n\
           }}\n\
         }}\n"
    );
    place.write("nginx.conf", &config);
    let prefix = place.path().to_str().expect("a path in UTF-8");
    let _nginx = place.start("nginx", &["-p", prefix, "-c", "nginx.conf", "-e", "nginx.log"], port).await;
    let outcome = place.connect(port, "proxied").await;
    place.assert_session(&outcome, "proxied").await;
    place.wait_for("access.log", "GET /mqtt?X-Amz-Algorithm=").await;
}
