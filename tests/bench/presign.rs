//! What a presigned URL costs.

use std::hint::black_box;
use std::time::{Instant, SystemTime};

use aws_credential_types::Credentials;
use sigv4_websocket_connect::transport::presign::{Scope, presign};

use crate::gateway::{ACCESS_KEY, REGION, SECRET, SESSION_TOKEN};
use crate::table::{Figures, print, row};

const BATCHES: usize = 21;
const URLS: u32 = 100;

pub fn run() {
    let mut rows = vec![row(["", "median", "min"])];
    for (algorithm, scope) in
        [("SigV4", Scope::Region(REGION.to_owned())), ("SigV4a", Scope::RegionSet(REGION.to_owned()))]
    {
        for (name, token) in [("", None), (", with a session token", Some(SESSION_TOKEN.to_owned()))] {
            let credentials = Credentials::new(ACCESS_KEY, SECRET, token, None, "benchmark");
            let mut figures = Figures::default();
            for _ in 0..BATCHES {
                figures.add(microseconds(&scope, &credentials));
            }
            let figures = [figures.median(), figures.min()].map(|figure| format!("{figure:.1}"));
            rows.push([format!("{algorithm}{name}")].into_iter().chain(figures).collect());
        }
    }
    print(&format!("Presigned URLs, µs each ({BATCHES} batches of {URLS})"), &rows);
}

fn microseconds(scope: &Scope, credentials: &Credentials) -> f64 {
    let time = SystemTime::now();
    let began = Instant::now();
    for _ in 0..URLS {
        let url = presign("localhost:8443", black_box(scope), black_box(credentials), time);
        black_box(url.expect("an authority, a scope and keys"));
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(URLS)
}
