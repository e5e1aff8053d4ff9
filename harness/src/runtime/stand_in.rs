//! A `stub:` node on every transport that it is reached by.
//!
//! What is not built in cannot be started, and says which feature it needs.

use std::net::SocketAddr;

#[cfg(feature = "grpc")]
use super::stub::GrpcStub;
#[cfg(feature = "stubs")]
use super::stub::HttpStub;
use crate::plan::Listens;
use crate::runtime::Listening;
use crate::scenario::Stub;

#[derive(Default)]
pub(super) struct StandIn {
    #[cfg(feature = "stubs")]
    http: Option<HttpStub>,
    #[cfg(feature = "grpc")]
    grpc: Option<GrpcStub>,
}

impl StandIn {
    #[cfg_attr(not(any(feature = "stubs", feature = "grpc")), allow(unused_variables, unused_mut))]
    pub(super) async fn start(
        stub: &Stub,
        listens: Listens,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut started = StandIn::default();
        #[cfg(feature = "stubs")]
        if listens.http {
            started.http = Some(HttpStub::start(&stub.answers).await?);
        }
        #[cfg(not(feature = "stubs"))]
        if listens.http {
            return Err("this build has no stubs for HTTP: build with the feature `stubs`".into());
        }
        #[cfg(feature = "grpc")]
        if listens.grpc {
            started.grpc = Some(GrpcStub::start(&stub.answers).await?);
        }
        #[cfg(not(feature = "grpc"))]
        if listens.grpc {
            return Err("this build has no stubs for gRPC: build with the feature `grpc`".into());
        }
        Ok(started)
    }

    pub(super) fn listening(&self) -> Listening {
        #[cfg(feature = "stubs")]
        let http: Option<SocketAddr> = self.http.as_ref().map(HttpStub::address);
        #[cfg(not(feature = "stubs"))]
        let http: Option<SocketAddr> = None;
        #[cfg(feature = "grpc")]
        let grpc: Option<SocketAddr> = self.grpc.as_ref().map(GrpcStub::address);
        #[cfg(not(feature = "grpc"))]
        let grpc: Option<SocketAddr> = None;
        Listening { http, grpc }
    }
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("StandIn").field("listening", &self.listening()).finish()
    }
}
