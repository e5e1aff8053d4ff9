//! The reason why a request has no answer: it was not sent, or the target broke it off.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::conform::judge::TargetAnswer;
use crate::conform::target::Instance;
use crate::conform::transport::SendFailure;

/// The reason why a request has no answer.
pub(super) enum ExchangeError {
    Connect(std::io::Error),
    Answer(SendFailure),
    /// A broker did not take the message.
    NotSent(SendFailure),
}

impl ExchangeError {
    /// Returns what became of the request.
    pub fn answer(self, instance: &Instance) -> TargetAnswer {
        match self {
            ExchangeError::Connect(error) => {
                TargetAnswer::NotSent(format!("cannot connect to {}: {error}", instance.address))
            }
            ExchangeError::Answer(why) => TargetAnswer::BrokenOff(why.0),
            ExchangeError::NotSent(why) => TargetAnswer::NotSent(why.0),
        }
    }
}

/// Connects to a target.
pub(super) async fn connected(socket: SocketAddr) -> Result<TcpStream, ExchangeError> {
    let stream = TcpStream::connect(socket).await.map_err(ExchangeError::Connect)?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
