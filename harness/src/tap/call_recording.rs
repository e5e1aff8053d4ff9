//! The recording of one request: its capture, the search for its mark, and what is known of its answer.

use std::sync::Arc;

use super::body_text::BodyText;
use super::scene::Scene;
use super::search::{Search, SearchedHead};
use crate::evidence::{CaptureEnd, Head, Recording};

/// gRPC's UNKNOWN, which every client reports for an answer without a status.
const GRPC_UNKNOWN: u32 = 2;

#[derive(Debug)]
pub struct CallRecording {
    scene: Arc<Scene>,
    recording: Recording,
    search: Search,
    /// Read where it carries the context.
    body: BodyText,
    grpc: bool,
    status: Option<u16>,
    grpc_status: Option<u32>,
}

impl CallRecording {
    /// Begins the capture of a request with its head.
    pub fn begin(scene: &Arc<Scene>, head: Head) -> CallRecording {
        let looked = SearchedHead { target: &head.target, headers: &head.headers };
        let grpc = looked.is_grpc();
        let body = BodyText::new(scene.plan.carrier(None).is_some(), looked.encoding());
        let mut marked = None;
        let search = Search::begin(&scene.plan.markers, scene.run, looked, &mut |mark| marked = Some(mark));
        let recording = scene.writer.recorder.begin(head);
        marked.into_iter().for_each(|mark| recording.mark(mark));
        CallRecording { scene: scene.clone(), recording, search, body, grpc, status: None, grpc_status: None }
    }

    pub fn request_body(&mut self, bytes: &[u8]) {
        let CallRecording { search, recording, body, .. } = self;
        body.add(bytes);
        search.body(bytes, &mut |mark| recording.mark(mark));
    }

    pub fn request_complete(&mut self) {
        let CallRecording { scene, search, recording, body, .. } = self;
        search.finish(&mut |mark| recording.mark(mark));
        match body.take().bytes() {
            Ok(None) => {}
            Ok(Some(body)) => scene.body_context(None, &body, recording),
            Err(error) => scene.gap(format!("the context of a request was not read: {error}")),
        }
    }

    pub fn request_trailers(&mut self, trailers: Vec<(Vec<u8>, Vec<u8>)>) {
        self.recording.trailers(trailers);
    }

    pub fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Reads fields of the answer, from its head or its trailers.
    pub fn answer_fields(&mut self, fields: &[(Vec<u8>, Vec<u8>)]) {
        let status = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"grpc-status"));
        let status = status.and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok());
        self.grpc_status = status.or(self.grpc_status);
    }

    /// Ends the capture: the answer is complete.
    pub fn answered(mut self) {
        self.request_complete();
        let Some(status) = self.status else {
            return self.broken("the receiver ended its answer without a status");
        };
        let grpc_status = self.grpc_status.or(self.grpc.then_some(GRPC_UNKNOWN));
        self.recording.end(CaptureEnd::Answered { status, grpc_status });
    }

    /// Ends the capture of a request without a complete answer; `how` names who ended it.
    pub fn broken(mut self, how: &str) {
        self.request_complete();
        self.recording.end(CaptureEnd::Broken(how.to_owned()));
    }
}
