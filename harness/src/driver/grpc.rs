//! gRPC through `tonic` with a codec of raw bytes: no generated code, any method, any message.
//!
//! A status that the service sent is an answer; one that `tonic` creates for a broken connection is not.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use futures_util::StreamExt;
use tonic::body::Body;
use tonic::client::Grpc as Client;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::Service;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::DriverError;
use super::outgoing::OutgoingRequest;
use super::route::{DriveRoute, Way, cause};
use crate::error_chain;
use crate::evidence::Answer;

/// The maximum size of one message of an answer.
const LARGEST_MESSAGE: usize = 64 << 20;

pub(super) struct Grpc {
    /// The connection of each hop, opened by its first call.
    channels: Vec<OnceLock<Channel>>,
    #[cfg(feature = "tls")]
    tls: Option<super::tls::Tls>,
}

/// Checks that the request can be sent.
pub(super) fn check(route: &DriveRoute, outgoing: &OutgoingRequest) -> Result<(), DriverError> {
    super::fields::check(route, outgoing)?;
    match PathAndQuery::try_from(outgoing.target.as_str()) {
        Ok(_) => Ok(()),
        Err(_) => Err(DriverError::NoMethod { hop: route.hop_name.clone() }),
    }
}

impl Grpc {
    pub(super) fn new(
        routes: &[DriveRoute],
        authority: Option<&str>,
        hops: usize,
    ) -> Result<Self, DriverError> {
        let secured = routes.iter().find(|route| route.tls && matches!(route.way, Way::Grpc { .. }));
        #[cfg(not(feature = "tls"))]
        if let Some(route) = secured {
            let _ = authority;
            return Err(DriverError::NotBuilt { hop: route.hop_name.clone(), feature: "tls" });
        }
        Ok(Self {
            channels: (0..hops).map(|_| OnceLock::new()).collect(),
            #[cfg(feature = "tls")]
            tls: secured.map(|route| super::tls::Tls::new(route, authority, b"h2")).transpose()?,
        })
    }

    pub(super) async fn send(&self, route: &DriveRoute, outgoing: OutgoingRequest, stream: bool) -> Answer {
        let Some(channel) = self.channels.get(route.hop.0).and_then(|slot| self.channel(slot, route)) else {
            return Answer::Failed(route.unreachable("its address is not valid for gRPC"));
        };
        let failure = Arc::new(OnceLock::new());
        let channel = ObservedChannel { channel, failure: Arc::clone(&failure) };
        let called = call(channel, outgoing, stream).await;
        match (called, failure.get()) {
            (_, Some(why)) => Answer::Failed(why.words(route)),
            (Ok(()), None) => Answer::Grpc(0),
            (Err(status), None) => match std::error::Error::source(&status) {
                Some(error) => Answer::Failed(route.broken_off(&cause(error))),
                None => Answer::Grpc(u32::try_from(i32::from(status.code())).unwrap_or(2)),
            },
        }
    }

    fn channel(&self, slot: &OnceLock<Channel>, route: &DriveRoute) -> Option<Channel> {
        if let Some(channel) = slot.get() {
            return Some(channel.clone());
        }
        let scheme = if route.tls { "https" } else { "http" };
        let origin = format!("{scheme}://{}", route.authority()).parse().ok()?;
        let endpoint = Endpoint::from_shared(format!("http://{}", route.address)).ok()?;
        let endpoint = endpoint.origin(origin).tcp_nodelay(true);
        Some(slot.get_or_init(|| self.connection(&endpoint, route)).clone())
    }

    fn connection(&self, endpoint: &Endpoint, route: &DriveRoute) -> Channel {
        #[cfg(feature = "tls")]
        if let (true, Some(tls)) = (route.tls, &self.tls) {
            return endpoint.connect_with_connector_lazy(tls.clone());
        }
        debug_assert!(!route.tls, "`new` rejects a TLS hop without a connector");
        endpoint.connect_lazy()
    }
}

async fn call(channel: ObservedChannel, outgoing: OutgoingRequest, stream: bool) -> Result<(), Status> {
    let path = PathAndQuery::try_from(outgoing.target.as_str())
        .map_err(|_| Status::invalid_argument("the name of the method is not a valid path"))?;
    let mut client = Client::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
    let headers = super::fields::map(&outgoing);
    let message = Bytes::from(outgoing.body);
    if client.ready().await.is_err() {
        // `ObservedChannel` has recorded the failure.
        return Ok(());
    }
    let metadata = MetadataMap::from_headers(headers);
    if stream {
        let messages = futures_util::stream::iter([message]);
        let request = Request::from_parts(metadata, Default::default(), messages);
        let mut answers = client.streaming(request, path, RawBytes).await?.into_inner();
        while let Some(answer) = answers.next().await {
            answer?;
        }
    } else {
        let request = Request::from_parts(metadata, Default::default(), message);
        client.unary(request, path, RawBytes).await?;
    }
    Ok(())
}

/// A failure below gRPC.
#[derive(Debug)]
enum TransportFailure {
    NotConnected(String),
    Lost(String),
}

impl TransportFailure {
    fn new(error: &tonic::transport::Error) -> Self {
        let is_connect = error_chain::causes(error).any(|cause| cause.is::<tonic::ConnectError>());
        if is_connect {
            TransportFailure::NotConnected(cause(error))
        } else {
            TransportFailure::Lost(cause(error))
        }
    }

    fn words(&self, route: &DriveRoute) -> String {
        match self {
            TransportFailure::NotConnected(why) => route.unreachable(why),
            TransportFailure::Lost(why) => route.broken_off(why),
        }
    }
}

/// A channel that records when a call ends without an answer, because `tonic` turns that into a status.
struct ObservedChannel {
    channel: Channel,
    failure: Arc<OnceLock<TransportFailure>>,
}

impl Service<::http::Request<Body>> for ObservedChannel {
    type Response = ::http::Response<Body>;
    type Error = tonic::transport::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let ready = Service::poll_ready(&mut self.channel, context);
        if let Poll::Ready(Err(error)) = &ready {
            let _ = self.failure.set(TransportFailure::new(error));
        }
        ready
    }

    fn call(&mut self, request: ::http::Request<Body>) -> Self::Future {
        let called = Service::call(&mut self.channel, request);
        let failure = Arc::clone(&self.failure);
        Box::pin(async move {
            called.await.inspect_err(|error| {
                let _ = failure.set(TransportFailure::new(error));
            })
        })
    }
}

/// A codec that leaves messages unchanged.
struct RawBytes;

impl Codec for RawBytes {
    type Encode = Bytes;
    type Decode = ();
    type Encoder = RawBytes;
    type Decoder = RawBytes;

    fn encoder(&mut self) -> RawBytes {
        RawBytes
    }

    fn decoder(&mut self) -> RawBytes {
        RawBytes
    }
}

impl Encoder for RawBytes {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

/// Discards answers: only their arrival matters here.
impl Decoder for RawBytes {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        from.advance(from.remaining());
        Ok(Some(()))
    }
}
