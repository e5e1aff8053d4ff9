//! Answers and ends of requests in words.

use crate::evidence::{Answer, CaptureEnd};

/// Returns an answer as the driver got it.
pub fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Http(status) => format!("status {status}"),
        Answer::Grpc(code) => format!("gRPC status {code}"),
        Answer::Accepted => "the broker accepted it".into(),
        Answer::Failed(why) => why.clone(),
        Answer::TimedOut => "no answer by the deadline".into(),
    }
}

/// Returns how a request ended, as a tap saw it.
pub fn end(end: &CaptureEnd) -> String {
    match end {
        CaptureEnd::Answered { status, grpc_status: Some(code) } => {
            format!("status {status}, gRPC status {code}")
        }
        CaptureEnd::Answered { status, grpc_status: None } => format!("status {status}"),
        CaptureEnd::Broken(how) => how.clone(),
        CaptureEnd::Open => "not answered yet".into(),
        CaptureEnd::Settled(how) => how.word().into(),
    }
}
