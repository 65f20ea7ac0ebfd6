//! Upgrade requests whose signatures AWS's own code made.

use crate::gateway::http::Refusal;
use crate::gateway::{Act, REGION, Request, Script, Stage, Verified, own_keys, sigv4};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio_tungstenite::tungstenite::http;

/// A request that botocore 1.44.5 presigned (`SigV4QueryAuth`, with its clock set); where there is
/// a session token, it was appended afterwards.
pub struct Presigned {
    pub host: &'static str,
    pub region: &'static str,
    pub time: OffsetDateTime,
    pub target: &'static str,
}

pub const PERMANENT: Presigned = Presigned {
    host: "a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com",
    region: REGION,
    time: datetime!(2026-07-29 12:00 UTC),
    target: "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAGATEWAYEXAMPLE00%2F20260729%2Feu-central-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260729T120000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature=5d0fcc7253a5f71719386b627aeae924153f51a198fae8e12a6a02cfd3f7b0fa",
};
pub const TEMPORARY: Presigned = Presigned {
    target: "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAGATEWAYEXAMPLE01%2F20260729%2Feu-central-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260729T120000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature=3a7b89446cb635b71ce5a8e19cf4dc4c52ed0b3348700082332ad30148d0cfb0&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEB0%2Fgateway%2Bmade%3Dup%26100%25of%2Fit%3D%3D",
    ..PERMANENT
};
pub const PERMANENT_WITH_PORT: Presigned = Presigned {
    host: "localhost:8443",
    target: "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAGATEWAYEXAMPLE00%2F20260729%2Feu-central-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260729T120000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature=0f18c8e6b3d72fa78ddf5e388588d5e545e1e213824e9c6e69d879251bed96ac",
    ..PERMANENT
};
pub const TEMPORARY_WITH_PORT: Presigned = Presigned {
    host: "localhost:8443",
    target: "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAGATEWAYEXAMPLE01%2F20260729%2Feu-central-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260729T120000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature=9bf0bec8ba2a675e0900035ce36747e55293d73488e15e533da70e2a0bad9102&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEB0%2Fgateway%2Bmade%3Dup%26100%25of%2Fit%3D%3D",
    ..PERMANENT
};
pub const CHINA: Presigned = Presigned {
    host: "a1b2c3d4e5f6g7.ats.iot.cn-north-1.amazonaws.com.cn",
    region: "cn-north-1",
    time: datetime!(2028-02-29 23:59:59 UTC),
    target: "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAGATEWAYEXAMPLE00%2F20280229%2Fcn-north-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20280229T235959Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=31e26d2a0b806a3674b8835c12d43d6dd31eeb26618fa4b2f7e22430d617622e",
};
/// Signed as most services want it: the token is signed too.
pub const TOKEN_SIGNED: Presigned = Presigned {
    host: "localhost:8443",
    target: "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAGATEWAYEXAMPLE01%2F20260729%2Feu-central-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260729T120000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEB0%2Fgateway%2Bmade%3Dup%26100%25of%2Fit%3D%3D&X-Amz-Signature=cca12ce53d47ba8c20f133a293beb91759d7ddd6ccd387047fb7b503adbd2138",
    ..PERMANENT
};
pub const ACCEPTABLE: [Presigned; 5] =
    [PERMANENT, TEMPORARY, PERMANENT_WITH_PORT, TEMPORARY_WITH_PORT, CHINA];

impl Presigned {
    pub fn verify(&self, target: &str, now: OffsetDateTime) -> Result<Verified, Refusal> {
        let request = Request {
            method: "GET".into(),
            target: target.into(),
            headers: vec![("Host".into(), self.host.into())],
        };
        sigv4::verify(&request, &own_keys(), self.region, now)
    }

    /// An honest script whose clock agrees with the signature.
    pub fn script(&self) -> Script {
        Script {
            region: self.region.into(),
            clock_offset_seconds: (self.time - OffsetDateTime::now_utc()).whole_seconds(),
            ..Script::default()
        }
    }

    /// The same script, which performs the acts at this stage.
    pub fn script_with(&self, stage: Stage, acts: impl Into<Vec<Act>>) -> Script {
        Script { fault: Some((stage, acts.into())), ..self.script() }
    }

    pub fn request(&self) -> http::Request<()> {
        http::Request::get(format!("wss://{}{}", self.host, self.target))
            .header("Host", self.host)
            .header("Upgrade", "websocket")
            .header("Connection", "Upgrade")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Protocol", "mqtt")
            .body(())
            .expect("a well-formed request")
    }

    pub fn request_text(&self) -> String {
        let request = self.request();
        let headers = request.headers().iter();
        let headers: String =
            headers.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().expect("ASCII"))).collect();
        format!("GET {} HTTP/1.1\r\n{headers}\r\n", self.target)
    }
}
