//! A server that plays bytes at the program: a good conversation, spoilt by random edits to its HTTP
//! answer, its frames or its packets, so that each edit meets the program deep inside.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::gateway::http::switching_protocols;
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::{BINARY, CONTINUATION, PING};
use crate::gateway::{connack, disconnect, frame, publish};

use crate::answers::{answer, forbidden};

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
    pub refusal: Option<Vec<u8>>,
    pub packets: Vec<Vec<u8>>,
    /// Where the packets are cut into frames.
    pub cuts: Vec<Index>,
    /// Whether the frames are fragments of one message, or messages with pings between them.
    pub fragments: bool,
    /// Whether everything goes out at once, before the client has said CONNECT.
    pub at_once: bool,
    pub ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ending {
    Fin,
    Reset,
    Hold,
}

#[derive(Debug, Clone)]
pub enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    CutOff(Index),
    Replace(Vec<u8>),
}

impl Play {
    /// Whether the server ends the session right after CONNACK.
    pub fn disconnects(&self) -> bool {
        self.packets.iter().skip(1).any(|packet| packet.first() == Some(&0xE0))
    }

    /// The HTTP answer, and what follows it.
    pub fn bytes(&self, accept: &str) -> (Vec<u8>, Vec<u8>) {
        let edited = |layer, bytes: Vec<u8>| match layer == self.layer {
            true => self.edits.iter().fold(bytes, |bytes, edit| edit.apply(bytes)),
            false => bytes,
        };
        let good = || switching_protocols(accept, Some("mqtt")).into_bytes();
        let head = edited(Layer::Http, self.refusal.clone().unwrap_or_else(good));
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

impl Edit {
    fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let at = |index: &Index| index.index(bytes.len() + 1);
        match self {
            Edit::Set(index, byte) if !bytes.is_empty() => {
                let at = index.index(bytes.len());
                bytes[at] = *byte;
            }
            Edit::Set(..) => {}
            Edit::Insert(index, more) => {
                let at = at(index);
                bytes.splice(at..at, more.iter().copied());
            }
            Edit::Remove(index, length) => {
                let at = at(index);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Edit::Repeat(index, times) => {
                let at = at(index);
                let again = bytes[at..].repeat(*times);
                bytes.extend(again);
            }
            Edit::CutOff(index) => bytes.truncate(at(index)),
            Edit::Replace(other) => bytes.clone_from(other),
        }
        bytes
    }
}

pub fn play(layer: Layer) -> impl Strategy<Value = Play> {
    let edits = vec(edit(), 0..4);
    let refusal =
        if layer == Layer::Http { prop_oneof![Just(None), refusal()].boxed() } else { Just(None).boxed() };
    let ending = prop_oneof![80 => Just(Ending::Fin), 9 => Just(Ending::Reset), 1 => Just(Ending::Hold)];
    let cuts = (vec(any::<Index>(), 0..5), any::<bool>());
    let conversation = (edits, refusal, packets(), cuts, any::<bool>(), ending);
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

fn refusal() -> impl Strategy<Value = Option<Vec<u8>>> {
    let body = r#"{"message":"No.","traceId":"0"}"#;
    let chunked =
        b"HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{\"a\":1\r\n1\r\n}\r\n0\r\n\r\n";
    let refusals = [
        forbidden("The security token included in the request is invalid.", 0),
        answer("400 Bad Request", &["x-amzn-ErrorType: InvalidRequestException:"], body),
        answer("503 Service Unavailable", &["server: nginx"], body),
        answer("200 OK", &[], "<html>"),
        chunked.to_vec(),
    ];
    select(refusals.to_vec()).prop_map(Some)
}

/// Mostly a CONNACK, mostly a good one, and mostly first.
fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    // Every property that answers this CONNECT (MQTT 5 section 3.2.2.3), which named its own client ID.
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

fn edit() -> impl Strategy<Value = Edit> {
    let telling = select(vec![0x00, 0x01, 0x0A, 0x0D, 0x20, 0x7E, 0x7F, 0x80, 0x82, 0x88, 0x89, 0xFE, 0xFF]);
    let byte = prop_oneof![any::<u8>(), telling, select(b"0123456789 :,;".to_vec())];
    let words: [&[u8]; 8] = [
        b"\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"content-length: 5\r\n",
        b"transfer-encoding: chunked\r\n",
        b"upgrade: h2c\r\n",
        b"\x89\0",
        b"\xFF\xFF\xFF\x7F",
    ];
    let words = select(words.map(<[u8]>::to_vec).to_vec());
    let more = prop_oneof![vec(byte.clone(), 1..9), words, vec(any::<u8>(), 0..600)];
    prop_oneof![
        8 => (any::<Index>(), byte).prop_map(|(at, byte)| Edit::Set(at, byte)),
        4 => (any::<Index>(), more.clone()).prop_map(|(at, more)| Edit::Insert(at, more)),
        4 => (any::<Index>(), 1..9_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        2 => (any::<Index>(), 1..4_usize).prop_map(|(at, times)| Edit::Repeat(at, times)),
        2 => any::<Index>().prop_map(Edit::CutOff),
        1 => more.prop_map(Edit::Replace),
    ]
}
