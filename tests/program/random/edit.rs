//! Random edits to the bytes that a good peer would send, so that they reach code deep inside the program.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Where some bytes are replaced, how many, and by which.
pub type Edit = (Index, usize, Vec<u8>);

/// All of the edits, one after the other.
pub fn edited(edits: &[Edit], mut bytes: Vec<u8>) -> Vec<u8> {
    for (at, removed, inserted) in edits {
        let start = at.index(bytes.len() + 1);
        let end = start.saturating_add(*removed).min(bytes.len());
        bytes.splice(start..end, inserted.iter().copied());
    }
    bytes
}

pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let telling = select(b"\0\x01\n\r\x20\x7E\x7F\x80\x81\x82\x88\x89\xFE\xFF0123456789:,;<>{}\"".to_vec());
    let byte = prop_oneof![any::<u8>(), telling];
    let words: [&[u8]; 13] = [
        b"\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"content-length: 5\r\n",
        b"transfer-encoding: chunked\r\n",
        b"upgrade: h2c\r\n",
        b"\x89\0",
        b"\xFF\xFF\xFF\x7F",
        b"\x1b[2J",
        "\u{202E}\u{200B}".as_bytes(),
        b"\\u001b",
        b"null",
        b"99999999999999999999",
    ];
    let words = select(words.map(<[u8]>::to_vec).to_vec());
    let inserted = prop_oneof![
        4 => vec(byte.clone(), 1),
        2 => Just(Vec::new()),
        2 => words,
        1 => vec(byte, 2..9),
        1 => vec(any::<u8>(), 0..600),
    ];
    let removed = prop_oneof![8 => 0..2_usize, 4 => 2..9_usize, 1 => Just(usize::MAX)];
    vec((any::<Index>(), removed, inserted), 0..4)
}
