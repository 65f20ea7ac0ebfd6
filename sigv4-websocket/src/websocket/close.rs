//! The clean close of a WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::task::coop;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

/// How long the peer may take to answer a Close.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Sends Close 1000, waits for the peer's Close or for the end of the stream, and then sends close_notify and FIN.
pub(super) async fn close<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>) {
    let goodbye = async {
        let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        if socket.send(Message::Close(Some(normal))).await.is_err() {
            // The peer closed first: what is left to send is the answer to its Close.
            return socket.flush().await;
        }
        // A client need not wait for the server to end TCP as well (RFC 6455 section 7.1.1).
        while let Some(message) = coop::cooperative(socket.next()).await {
            if message?.is_close() {
                break;
            }
        }
        Ok(())
    };
    match timeout(CLOSE_TIME, goodbye).await {
        Ok(Ok(())) => tracing::debug!("the WebSocket is closed on both sides"),
        Ok(Err(error)) => tracing::debug!(%error, "the WebSocket ended without a close"),
        Err(_) => tracing::debug!("the server did not answer the Close"),
    }
    // A server that reads nothing must not delay this either.
    let shut = timeout(CLOSE_TIME / 10, socket.get_mut().shutdown()).await;
    tracing::debug!("TLS and TCP are {}", if matches!(shut, Ok(Ok(()))) { "closed" } else { "cut" });
}
