//! A server behind TLS that sends a good conversation, with random edits to its HTTP answer, its frames or
//! its packets.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::gateway::http::switching_protocols;
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, CONTINUATION, PING};
use crate::gateway::{connack, disconnect, frame, publish};

use super::edit::{self, Edit, Ending, edits, ending};
use crate::failures::answers::{answer, endless, forbidden};

/// A placeholder for the target of the client's request.
const TARGET: &str = "{target}";

/// The part of the conversation that is edited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Layer {
    Http,
    Frames,
    Packets,
}

#[derive(Debug, Clone)]
pub struct Play {
    pub layer: Layer,
    pub edits: Vec<Edit>,
    /// The answer to the upgrade, if it is not 101.
    pub refusal: Option<String>,
    pub packets: Vec<Vec<u8>>,
    /// Where the packets are cut into frames.
    pub cuts: Vec<Index>,
    /// Whether the frames are fragments of one message, or messages with pings between them.
    pub fragments: bool,
    /// Whether everything goes out at once, before the client has said CONNECT.
    pub at_once: bool,
    pub ending: Ending,
}

impl Play {
    /// Whether the server ends the session right after CONNACK.
    pub fn disconnects(&self) -> bool {
        self.packets.iter().skip(1).any(|packet| packet.first() == Some(&0xE0))
    }

    /// The HTTP answer, and what follows it.
    pub fn bytes(&self, accept: &str, target: &str) -> (Vec<u8>, Vec<u8>) {
        let edited = |layer, bytes: Vec<u8>| match layer == self.layer {
            true => edit::edited(&self.edits, bytes),
            false => bytes,
        };
        let good = || switching_protocols(accept, Some("mqtt")).into_bytes();
        let refusal = self.refusal.as_ref().map(|refusal| refusal.replace(TARGET, target).into_bytes());
        let head = edited(Layer::Http, refusal.unwrap_or_else(good));
        let packets = edited(Layer::Packets, self.packets.concat());
        (head, edited(Layer::Frames, self.frames(&packets)))
    }

    fn frames(&self, packets: &[u8]) -> Vec<u8> {
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut.index(packets.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([packets.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let pieces: Vec<&[u8]> = starts.zip(ends).map(|(start, end)| &packets[start..end]).collect();
        let last = pieces.len() - 1;
        let frames = pieces.iter().enumerate().map(|(nth, piece)| match (self.fragments, nth) {
            (true, 0) => frame(BINARY, nth == last, piece),
            (true, _) => frame(CONTINUATION, nth == last, piece),
            (false, _) => [frame(PING, true, b"there?"), frame(BINARY, true, piece)].concat(),
        });
        frames.collect::<Vec<_>>().concat()
    }
}

pub fn play(layer: Layer) -> impl Strategy<Value = Play> {
    let refusal =
        if layer == Layer::Http { prop_oneof![Just(None), refusal()].boxed() } else { Just(None).boxed() };
    let cuts = (vec(any::<Index>(), 0..5), any::<bool>());
    let conversation = (edits(), refusal, packets(), cuts, any::<bool>(), ending());
    conversation.prop_map(move |(edits, refusal, packets, (cuts, fragments), at_once, ending)| Play {
        layer,
        edits,
        refusal,
        packets,
        cuts,
        fragments,
        at_once,
        ending,
    })
}

fn refusal() -> impl Strategy<Value = Option<String>> {
    let body = r#"{"message":"No.","traceId":"0"}"#;
    let chunked =
        "HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{\"a\":1\r\n1\r\n}\r\n0\r\n\r\n";
    let refusals = [
        forbidden("The security token included in the request is invalid.", 0),
        answer("400 Bad Request", &["x-amzn-ErrorType: InvalidRequestException:"], body),
        answer("503 Service Unavailable", &["server: nginx"], body),
        answer("200 OK", &[], "<html>"),
        chunked.into(),
        endless("302 Found", &[&format!("location: https://login.invalid{TARGET}")], ""),
        endless("403 Forbidden", &["content-type: text/plain"], &format!("No {TARGET} for you.")),
        forbidden(&format!("The token is unknown in {TARGET}."), 0),
    ];
    let text = |bytes| String::from_utf8(bytes).expect("answers in UTF-8");
    select(refusals.map(text).to_vec()).prop_map(Some)
}

/// In most cases a successful CONNACK comes first.
fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    // Every property that may answer this CONNECT (MQTT 5 section 3.2.2.3), which has a client ID.
    let properties = b"\x11\0\0\0\x3C\x21\0\x64\x24\x01\x25\0\x27\0\x02\0\0\x22\0\x0A\x1F\0\x02ok\
        \x26\0\x01k\0\x01v\x28\x01\x29\x01\x2A\0\x13\x02\x58\x1C\0\x01s";
    let full = packet(0x20, &[&[0, 0, properties.len() as u8], &properties[..]].concat());
    let first = prop_oneof![
        4 => Just(connack(0, None)),
        4 => Just(full),
        2 => Just(connack(0x87, Some("No policy."))),
        1 => Just(disconnect(0x8E)),
        1 => Just(publish("topic", b"payload")),
        1 => Just(packet(0xF0, &[0x18, 0])),
    ];
    let later =
        select(vec![connack(0, None), disconnect(0x8B), publish("topic", &[7; 300]), packet(0xD0, &[])]);
    (first, vec(later, 0..3)).prop_map(|(first, later)| [vec![first], later].concat())
}
