//! The settings of a real broker, Mosquitto.

use std::net::TcpListener;

/// A configuration with WebSockets on `port`. `log` is where the log goes, `global` are other settings of the broker,
/// and `listener` those of the listener, such as its certificate.
pub fn config(port: u16, log: &str, global: &str, listener: &str) -> String {
    // Mosquitto 2.0.11 ends at once if it has WebSocket listeners only.
    format!(
        "user root\nlog_type all\nlog_dest {log}\nallow_anonymous true\n{global}\
         listener {} 127.0.0.1\n\
         listener {port} 127.0.0.1\nsocket_domain ipv4\nprotocol websockets\n{listener}",
        free_port(),
    )
}

/// A port on which nobody listens at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}
