//! A template of a drive with everything filled in except for the mark, which differs for each stimulus.
//!
//! It may contain secrets from the environment, so it does not implement `Debug`.

use std::ffi::OsString;

use super::DriverError;
use crate::masking;
use crate::plan::Plan;
use crate::runtime::Addresses;
use crate::scenario::{HopIx, NodeIx, Template, TemplatePart, Transport};

/// The values that fill templates.
pub(super) struct Scope<'a> {
    pub plan: &'a Plan,
    pub addresses: &'a Addresses,
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The hop that the drive sends over, for errors.
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
        let text = match part {
            TemplatePart::Mark => return Ok(Piece::Mark),
            TemplatePart::Text(text) => text.clone(),
            TemplatePart::ScenarioDir => self.plan.folder.display().to_string(),
            TemplatePart::Env(name) => {
                let Some(value) = (self.variable)(name) else {
                    return Err(DriverError::MissingVariable { hop: self.hop_name(), name: name.clone() });
                };
                return Ok(Piece::Bytes(value.into_encoded_bytes()));
            }
            TemplatePart::Secret(secret) => {
                let at = self.plan.scenario.position(secret.place);
                masking::read(&secret.name, at.as_deref())
                    .map_err(|error| DriverError::Secret { hop: self.hop_name(), error })?
            }
            TemplatePart::Url(node) => {
                let address = self.neighbour(*node, Transport::is_http)?;
                format!("http://{address}")
            }
            TemplatePart::Grpc(node) => self.neighbour(*node, Transport::is_grpc)?,
            TemplatePart::Broker(..) => return Err(self.foreign("the address of a broker")),
            TemplatePart::OtlpEndpoint | TemplatePart::OtlpAddress(_) => {
                return Err(self.foreign("`${otlp.endpoint}`"));
            }
            TemplatePart::Export(..) => return Err(self.foreign("where a collector exports to")),
            TemplatePart::Neighbour(..) | TemplatePart::GrpcNeighbour(..) => {
                return Err(self.foreign("host and port of a node"));
            }
            TemplatePart::SelfPort | TemplatePart::NamedPort(_) => {
                return Err(self.foreign("`${self.port}`"));
            }
            TemplatePart::SelfDir => return Err(self.foreign("`${self.dir}`")),
        };
        Ok(Piece::Bytes(text.into_bytes()))
    }

    fn foreign(&self, template: &'static str) -> DriverError {
        DriverError::ForeignTemplate { hop: self.hop_name(), template }
    }

    /// Returns the `host:port` that `client` calls to reach `node`.
    fn neighbour(&self, node: NodeIx, speaks: fn(&Transport) -> bool) -> Result<String, DriverError> {
        let hops = self.plan.scenario.hops.iter().enumerate();
        let mut reached = hops
            .filter(|(_, hop)| hop.from == NodeIx::CLIENT && hop.to == node && speaks(&hop.transport))
            .filter_map(|(ix, _)| self.addresses.hop(HopIx(ix)));
        let Some(address) = reached.next() else {
            return Err(DriverError::NoAddress { hop: self.hop_name() });
        };
        Ok(address.to_string())
    }
}
