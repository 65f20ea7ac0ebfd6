//! Random edits to the bytes that a good peer would send, so that they reach code deep inside the program.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;

#[derive(Debug, Clone)]
pub enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    CutOff(Index),
    Replace(Vec<u8>),
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

/// All of the edits, one after the other.
pub fn edited(edits: &[Edit], bytes: Vec<u8>) -> Vec<u8> {
    edits.iter().fold(bytes, |bytes, edit| edit.apply(bytes))
}

pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    vec(edit(), 0..4)
}

fn edit() -> impl Strategy<Value = Edit> {
    let telling = select(vec![0x00, 0x01, 0x0A, 0x0D, 0x20, 0x7E, 0x7F, 0x80, 0x82, 0x88, 0x89, 0xFE, 0xFF]);
    let byte = prop_oneof![any::<u8>(), telling, select(b"0123456789 :,;<>{}\"".to_vec())];
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

/// How the peer ends the connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ending {
    Fin,
    Reset,
    Hold,
}

pub fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![80 => Just(Ending::Fin), 9 => Just(Ending::Reset), 1 => Just(Ending::Hold)]
}

impl Ending {
    /// Ends a plain TCP connection.
    pub async fn perform(self, mut tcp: TcpStream) -> std::io::Result<()> {
        match self {
            Ending::Reset => return tcp.set_zero_linger(),
            Ending::Fin => tcp.shutdown().await?,
            Ending::Hold => {}
        }
        copy(&mut tcp, &mut sink()).await.map(drop)
    }
}

/// A request head, up to the empty line. `None` if the client closed the connection before that.
pub async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(head))
}
