//! One request on its way: the capture being written, the search for its mark, and what is known of its
//! answer.

use super::scene::Scene;
use super::search::{Looked, Search};
use crate::evidence::{CaptureEnd, Head, Recording};

/// gRPC's UNKNOWN, which every client makes of an answer without a status of its own.
const GRPC_UNKNOWN: u32 = 2;

#[derive(Debug)]
pub struct Call {
    recording: Recording,
    search: Search,
    grpc: bool,
    status: Option<u16>,
    grpc_status: Option<u32>,
}

impl Call {
    /// Writes the head down; from here on the capture exists.
    pub fn begin(scene: &Scene, head: Head) -> Call {
        let looked = Looked { target: &head.target, headers: &head.headers };
        let grpc = looked.is_grpc();
        let (search, marked) = Search::begin(&scene.plan.markers, scene.run, looked);
        let recording = scene.writer.recorder.begin(head);
        if let Some(marked) = marked {
            recording.marked(marked);
        }
        Call { recording, search, grpc, status: None, grpc_status: None }
    }

    pub fn request_body(&mut self, bytes: &[u8]) {
        if let Some(marked) = self.search.body(bytes) {
            self.recording.marked(marked);
        }
    }

    pub fn request_complete(&mut self) {
        if let Some(marked) = self.search.finish() {
            self.recording.marked(marked);
        }
    }

    pub fn request_trailers(&mut self, trailers: Vec<(Vec<u8>, Vec<u8>)>) {
        self.recording.trailers(trailers);
    }

    pub fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Fields of the answer, of its head or its trailers.
    pub fn answer_fields(&mut self, fields: &[(Vec<u8>, Vec<u8>)]) {
        let status = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"grpc-status"));
        let status = status.and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok());
        self.grpc_status = status.or(self.grpc_status);
    }

    /// The answer is complete.
    pub fn answered(mut self) {
        self.request_complete();
        let Some(status) = self.status else {
            return self.broken("the receiver ended its answer without a status");
        };
        let grpc_status = self.grpc_status.or(self.grpc.then_some(GRPC_UNKNOWN));
        self.recording.end(CaptureEnd::Answered { status, grpc_status });
    }

    /// The request ended otherwise; `how` names who ended it.
    pub fn broken(mut self, how: &str) {
        self.request_complete();
        self.recording.end(CaptureEnd::Broken(how.to_owned()));
    }
}
