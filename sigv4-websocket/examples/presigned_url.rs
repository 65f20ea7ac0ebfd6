//! Prints a URL that MQTTX, a browser or a client in another language can connect with, or says why not.
//!
//! `cargo run --example presigned_url -- <id>-ats.iot.<region>.amazonaws.com <region>`
//!
//! The URL is a secret: whoever has it can connect as you for the next five minutes, and it holds the session token.
//! Keys come from AWS_ACCESS_KEY_ID and the variables that belong to it, which `aws configure export-credentials
//! --format env` prints.

use std::error::Error;
use std::time::SystemTime;

use sigv4_websocket::{Credentials, Endpoint, Scope, presign};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: presigned_url ENDPOINT REGION";
    let (endpoint, region) =
        arguments.next().zip(arguments.next()).filter(|(_, region)| !region.is_empty()).ok_or(usage)?;
    let endpoint: Endpoint = endpoint.parse()?;
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let variable = |name| set(name).ok_or(format!("{name} is not set"));
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(id, secret, set("AWS_SESSION_TOKEN"), None, "environment");
    println!("{}", presign(&endpoint.authority(), &Scope::Region(region), &credentials, SystemTime::now())?);
    Ok(())
}
