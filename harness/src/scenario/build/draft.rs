//! A case in the making: the model beside the trees that it was made of, for the places of what is wrong.

use std::collections::{HashMap, HashSet};

use crate::scenario::drive::Drive;
use crate::scenario::expect_traces::TraceExpectation;
use crate::scenario::expectation::Expectations;
use crate::scenario::hop::Hop;
use crate::scenario::index::{HopIx, NodeIx};
use crate::scenario::node::Node;
use crate::scenario::node_kind::BrokerKind;
use crate::scenario::tree::Tree;
use crate::source::Place;
use crate::wire::Format;

/// A case in the making: the model beside the trees that it was made of, for the places of what is wrong.
#[derive(Debug)]
pub(in crate::scenario) struct Draft<'a> {
    /// `nodes[0]` is `client`.
    pub nodes: Vec<NodeDraft<'a>>,
    /// `otlp: { listen: ... }`.
    pub otlp_listen: Option<&'a Tree>,
    /// `formats:` of the scenario, or its default.
    pub formats: Vec<Format>,
    pub node_names: HashMap<&'a str, NodeIx>,
    /// Known before any node is made, because templates may name brokers that come later.
    pub brokers: HashMap<NodeIx, BrokerKind>,
    pub hops: Vec<HopDraft<'a>>,
    /// `None` for a hop that could not be made.
    pub hop_names: HashMap<&'a str, Option<HopIx>>,
    pub drives: Vec<DriveDraft<'a>>,
    pub expect: Expectations,
    pub expect_traces: Vec<TraceExpectation>,
    pub uses: Vec<TemplateUse>,
    /// Nodes with a template that could not be read: their addresses are unknown.
    pub misread: HashSet<NodeIx>,
    /// Something that others refer to could not be built: errors that may follow from that are not reported.
    pub incomplete: bool,
}

#[derive(Debug)]
pub(in crate::scenario) struct NodeDraft<'a> {
    pub node: Node,
    /// `None` for `client`.
    pub tree: Option<&'a Tree>,
    /// False when its kind could not be made out.
    pub known: bool,
}

#[derive(Debug)]
pub(in crate::scenario) struct HopDraft<'a> {
    pub hop: Hop,
    pub tree: &'a Tree,
    /// The tree under the transport's word.
    pub transport: &'a Tree,
}

#[derive(Debug)]
pub(in crate::scenario) struct DriveDraft<'a> {
    pub drive: Drive,
    pub tree: &'a Tree,
}

/// A template names a neighbour or a port.
#[derive(Debug)]
pub(in crate::scenario) struct TemplateUse {
    pub user: NodeIx,
    pub place: Place,
    pub what: TemplateSubject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scenario) enum TemplateSubject {
    Http(NodeIx),
    Grpc(NodeIx),
    /// Host or port of the HTTP or gRPC hop.
    Address(NodeIx),
    Broker(NodeIx),
    SelfPort,
    Mark,
}

impl Draft<'_> {
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.0].node
    }

    pub fn hop(&self, ix: HopIx) -> &Hop {
        &self.hops[ix.0].hop
    }

    pub fn is_relay(&self, ix: NodeIx) -> bool {
        self.node(ix).kind.keeps_relay_contract()
    }
}
