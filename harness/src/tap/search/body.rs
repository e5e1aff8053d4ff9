//! The search through the body of a call or message that is not gRPC.

use super::{COPIED, find};
use crate::evidence::CaptureMark;
use crate::plan::Mark;

#[derive(Debug)]
pub struct BodySearch {
    /// `ub<run>-`
    pub key: Vec<u8>,
    /// The coding that keeps the bytes from being read.
    pub encoding: Option<String>,
    /// The members of the body that are declared markers.
    pub members: Vec<String>,
    /// Found in the path, which counts only when no declared member of the body has one.
    pub path: Option<Mark>,
    copied: Vec<u8>,
    /// No mark begins before this.
    searched: usize,
    longer: bool,
}

impl BodySearch {
    pub fn new(key: Vec<u8>, encoding: Option<String>, members: Vec<String>, path: Option<Mark>) -> Self {
        Self { key, encoding, members, path, copied: Vec::new(), searched: 0, longer: false }
    }

    pub fn copy(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(COPIED - self.copied.len());
        self.longer |= taken < bytes.len();
        self.copied.extend_from_slice(&bytes[..taken]);
    }

    /// Returns the result, if it is certain before the body is complete; `Some(None)` means that there is no mark.
    pub fn early(&mut self) -> Option<Option<CaptureMark>> {
        if self.longer {
            return Some(self.conclude());
        }
        if !self.members.is_empty() {
            return None;
        }
        // A mark at the very end may continue in the next bytes: only what a foreign byte ends is settled.
        let end = self.copied.iter().rev();
        let unsettled = end.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        let settled = self.copied.len() - unsettled;
        let from = self.searched.min(settled);
        self.searched = settled;
        find(&self.key, &self.copied[from..settled]).map(|mark| Some(CaptureMark::By(mark)))
    }

    /// Returns the result for the bytes so far.
    pub fn conclude(&self) -> Option<CaptureMark> {
        if let Some(mark) = self.in_member().or(self.path) {
            return Some(CaptureMark::By(mark));
        }
        // Whatever coding the body declares: bytes that are a mark of this run are one.
        if let Some(mark) = find(&self.key, &self.copied) {
            return Some(CaptureMark::By(mark));
        }
        if let (false, Some(encoding)) = (self.copied.is_empty(), &self.encoding) {
            return Some(CaptureMark::Unreadable(format!("the body is encoded as `{encoding}`")));
        }
        if self.longer {
            return Some(CaptureMark::Unreadable("the first 64 KiB of the body have no mark".to_owned()));
        }
        None
    }

    fn in_member(&self) -> Option<Mark> {
        if self.members.is_empty() {
            return None;
        }
        let body: serde_json::Value = serde_json::from_slice(&self.copied).ok()?;
        self.members.iter().find_map(|member| {
            let value = member.split('.').try_fold(&body, |value, name| match value {
                serde_json::Value::Array(items) => items.get(name.parse::<usize>().ok()?),
                other => other.get(name),
            })?;
            match value {
                serde_json::Value::String(text) => find(&self.key, text.as_bytes()),
                other => find(&self.key, other.to_string().as_bytes()),
            }
        })
    }
}
