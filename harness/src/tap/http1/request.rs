//! A request over HTTP/1.1: a call between services, or a call of a broker's API.

use std::sync::Arc;

use crate::evidence::Head;
#[cfg(feature = "sqs")]
use crate::plan::TapProtocol;
use crate::tap::call_recording::CallRecording;
use crate::tap::scene::Scene;
#[cfg(feature = "sqs")]
use crate::tap::sqs::ApiCall;

#[derive(Debug)]
pub enum Request {
    Call(CallRecording),
    #[cfg(feature = "sqs")]
    Sqs(Box<ApiCall>),
}

impl Request {
    pub fn begin(scene: &Arc<Scene>, head: Head) -> Request {
        #[cfg(feature = "sqs")]
        if scene.plan.protocol == TapProtocol::Sqs {
            return Request::Sqs(Box::new(ApiCall::begin(scene, &head)));
        }
        Request::Call(CallRecording::begin(scene, head))
    }

    /// Reads more of the request's body.
    pub fn body(&mut self, bytes: &[u8]) {
        match self {
            Request::Call(call) => call.request_body(bytes),
            #[cfg(feature = "sqs")]
            Request::Sqs(call) => call.request_body(bytes),
        }
    }

    pub fn trailers(&mut self, trailers: Vec<(Vec<u8>, Vec<u8>)>) {
        match self {
            Request::Call(call) => call.request_trailers(trailers),
            #[cfg(feature = "sqs")]
            Request::Sqs(_) => {}
        }
    }

    pub fn complete(&mut self) {
        match self {
            Request::Call(call) => call.request_complete(),
            #[cfg(feature = "sqs")]
            Request::Sqs(call) => call.request_complete(),
        }
    }

    pub fn status(&mut self, status: u16) {
        match self {
            Request::Call(call) => call.status(status),
            #[cfg(feature = "sqs")]
            Request::Sqs(call) => call.status(status),
        }
    }

    /// Reads fields of the answer, from its head or its trailers.
    pub fn answer_fields(&mut self, fields: &[(Vec<u8>, Vec<u8>)]) {
        match self {
            Request::Call(call) => call.answer_fields(fields),
            #[cfg(feature = "sqs")]
            Request::Sqs(call) => call.answer_fields(fields),
        }
    }

    /// Reads more of the answer's body; that of a call between services is ignored.
    #[cfg_attr(not(feature = "sqs"), allow(unused_variables))]
    pub fn answer_body(&mut self, bytes: &[u8]) {
        match self {
            Request::Call(_) => {}
            #[cfg(feature = "sqs")]
            Request::Sqs(call) => call.answer_body(bytes),
        }
    }

    /// Ends the capture: the answer is complete.
    pub fn answered(self) {
        match self {
            Request::Call(call) => call.answered(),
            #[cfg(feature = "sqs")]
            Request::Sqs(call) => call.answered(),
        }
    }

    /// Ends the capture of a request without a complete answer; `how` names who ended it.
    pub fn broken(self, how: &str) {
        match self {
            Request::Call(call) => call.broken(how),
            #[cfg(feature = "sqs")]
            Request::Sqs(call) => call.broken(how),
        }
    }
}
