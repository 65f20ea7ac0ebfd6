//! How the gateway can be scripted to misbehave: what it does instead of the right answer, and when.

use std::future::pending;
use std::io::Result;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

/// What the gateway has just read when the acts begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// Nothing: a TCP connection came in. Bytes are sent without TLS.
    Accept,
    /// The whole upgrade request. Bytes are sent inside TLS, here and in every later stage.
    Request,
    /// Nothing puts bytes into frames from here on, so send whole frames.
    Connect,
    Subscribe,
    Publish,
    Disconnect,
    /// The WebSocket Close.
    Close,
}

/// One thing the gateway does. If no act of a list ends the connection, `Fin` does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Send(Vec<u8>),
    /// One byte in each interval.
    Drip(Vec<u8>, Duration),
    Wait(Duration),
    /// Only listen, until the client ends the connection.
    Hold,
    /// The same bytes over and over, until the client goes away.
    Flood(Vec<u8>),
    /// TLS close_notify, then TCP FIN.
    Fin,
    /// TCP FIN without close_notify.
    Abort,
    /// TCP RST.
    Reset,
    /// Behave well again, from CONNECT on, without the normal answer of this stage: the acts before this replaced it.
    Resume,
}

/// Performs the acts up to the one that ends the connection or the misbehaviour, and returns that act. A failed write
/// also ends them, since the client is gone then.
pub async fn perform<'a>(acts: &'a [Act], writer: &mut (impl AsyncWrite + Unpin)) -> Result<&'a Act> {
    for act in acts {
        match act {
            Act::Send(bytes) => send(writer, bytes).await?,
            Act::Drip(bytes, interval) => {
                for byte in bytes {
                    send(writer, &[*byte]).await?;
                    sleep(*interval).await;
                }
            }
            Act::Wait(time) => sleep(*time).await,
            Act::Hold => pending().await,
            Act::Flood(bytes) => loop {
                send(writer, bytes).await?;
            },
            last => return Ok(last),
        }
    }
    Ok(&Act::Fin)
}

pub async fn send(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}
