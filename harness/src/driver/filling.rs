//! A drive's template with everything filled in but the mark, which each stimulus has of its own.
//!
//! May hold secrets from the environment, so it has no `Debug`.

use std::ffi::OsString;

use super::DriverError;
use crate::plan::Plan;
use crate::runtime::Addresses;
use crate::scenario::{HopIx, NodeIx, Template, TemplatePart, Transport};

/// What templates are filled from.
pub(super) struct Scope<'a> {
    pub plan: &'a Plan,
    pub addresses: &'a Addresses,
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The hop that is sent over, for errors.
    pub hop: HopIx,
}

pub(super) struct Filling {
    pieces: Vec<Piece>,
}

enum Piece {
    Bytes(Vec<u8>),
    Mark,
}

impl Filling {
    pub(super) fn new(template: &Template, scope: &Scope<'_>) -> Result<Self, DriverError> {
        let pieces = template.parts.iter().map(|part| scope.piece(part)).collect::<Result<_, _>>()?;
        Ok(Self { pieces })
    }

    pub(super) fn with(&self, mark: &str) -> Vec<u8> {
        let bytes = self.pieces.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.as_slice(),
            Piece::Mark => mark.as_bytes(),
        });
        bytes.collect::<Vec<_>>().concat()
    }

    pub(super) fn places_mark(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Mark))
    }
}

impl Scope<'_> {
    pub(super) fn hop_name(&self) -> String {
        self.plan.scenario.hop(self.hop).id.clone()
    }

    fn piece(&self, part: &TemplatePart) -> Result<Piece, DriverError> {
        let foreign = |template| DriverError::ForeignTemplate { hop: self.hop_name(), template };
        let text = match part {
            TemplatePart::Mark => return Ok(Piece::Mark),
            TemplatePart::Text(text) => text.clone(),
            TemplatePart::ScenarioDir => self.plan.folder.display().to_string(),
            TemplatePart::Env(name) => {
                let missing = || DriverError::MissingVariable { hop: self.hop_name(), name: name.clone() };
                let value = (self.variable)(name).ok_or_else(missing)?;
                return Ok(Piece::Bytes(value.into_encoded_bytes()));
            }
            TemplatePart::Url(node) => {
                let address = self.neighbour(*node, Transport::is_http)?;
                format!("http://{address}")
            }
            TemplatePart::Grpc(node) => self.neighbour(*node, Transport::is_grpc)?,
            TemplatePart::Broker(_) => return Err(foreign("the address of a broker")),
            TemplatePart::OtlpEndpoint => return Err(foreign("${otlp.endpoint}")),
            TemplatePart::SelfPort => return Err(foreign("${self.port}")),
        };
        Ok(Piece::Bytes(text.into_bytes()))
    }

    /// `host:port` that `client` calls to reach `node`.
    fn neighbour(&self, node: NodeIx, speaks: fn(&Transport) -> bool) -> Result<String, DriverError> {
        let hops = self.plan.scenario.hops.iter().enumerate();
        let mut reached = hops
            .filter(|(_, hop)| hop.from == NodeIx::CLIENT && hop.to == node && speaks(&hop.transport))
            .filter_map(|(ix, _)| self.addresses.hop(HopIx(ix)));
        let missing = || DriverError::NoAddress { hop: self.hop_name() };
        reached.next().map(|address| address.to_string()).ok_or_else(missing)
    }
}
