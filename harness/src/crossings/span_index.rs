//! Spans by what they are looked up by: own id, parent, link, mark, trace; always within one node.

use super::{CarriedContext, IdMap, IdSet};
use crate::evidence::{Span, SpanIx};
use crate::plan::Mark;
use crate::scenario::NodeIx;

/// No chain of spans is followed further than this: ids may form a cycle.
const DEPTH: usize = 256;

/// A node, and the trace id and span id that one of its spans has as parent or link.
type Context<'a> = (NodeIx, &'a [u8], &'a [u8]);

/// The spans under one key: mostly one, which needs no room of its own.
#[derive(Debug, Default)]
enum SpanSet {
    #[default]
    None,
    One(SpanIx),
    Several(Vec<SpanIx>),
}

impl SpanSet {
    fn push(&mut self, ix: SpanIx) {
        match self {
            SpanSet::None => *self = SpanSet::One(ix),
            SpanSet::One(first) => *self = SpanSet::Several(vec![*first, ix]),
            SpanSet::Several(all) => all.push(ix),
        }
    }

    fn as_slice(&self) -> &[SpanIx] {
        match self {
            SpanSet::None => &[],
            SpanSet::One(ix) => std::slice::from_ref(ix),
            SpanSet::Several(all) => all,
        }
    }
}

#[derive(Debug)]
pub struct SpanIndex<'a> {
    spans: &'a [Span],
    /// For each span its parent; chains are followed again and again.
    parents: Vec<Option<SpanIx>>,
    by_id: IdMap<(NodeIx, &'a [u8]), SpanSet>,
    by_parent: IdMap<Context<'a>, SpanSet>,
    by_link: IdMap<Context<'a>, SpanSet>,
    by_mark: IdMap<(NodeIx, Mark), SpanSet>,
    by_trace: IdMap<(NodeIx, &'a [u8]), SpanSet>,
    by_node: IdMap<NodeIx, SpanSet>,
}

impl<'a> SpanIndex<'a> {
    pub fn build(spans: &'a [Span]) -> Self {
        let mut index = SpanIndex {
            spans,
            parents: Vec::new(),
            by_id: IdMap::with_capacity_and_hasher(spans.len(), Default::default()),
            by_parent: IdMap::with_capacity_and_hasher(spans.len(), Default::default()),
            by_link: IdMap::default(),
            by_mark: IdMap::with_capacity_and_hasher(spans.len(), Default::default()),
            by_trace: IdMap::with_capacity_and_hasher(spans.len(), Default::default()),
            by_node: IdMap::default(),
        };
        for (ix, span) in spans.iter().enumerate() {
            index.add(SpanIx(ix), span);
        }
        index.parents = (0..spans.len()).map(|ix| index.find_parent(SpanIx(ix))).collect();
        index
    }

    fn add(&mut self, ix: SpanIx, span: &'a Span) {
        let node = span.node;
        self.by_id.entry((node, &span.span_id)).or_default().push(ix);
        if !span.parent_id.is_empty() {
            self.by_parent.entry((node, &span.trace_id, &span.parent_id)).or_default().push(ix);
        }
        for link in &span.links {
            self.by_link.entry((node, &link.trace_id, &link.span_id)).or_default().push(ix);
        }
        for mark in &span.marks {
            self.by_mark.entry((node, *mark)).or_default().push(ix);
        }
        self.by_trace.entry((node, &span.trace_id)).or_default().push(ix);
        self.by_node.entry(node).or_default().push(ix);
    }

    pub fn get(&self, span: SpanIx) -> &'a Span {
        &self.spans[span.0]
    }

    pub fn with_id<'s>(&'s self, node: NodeIx, id: &'s [u8]) -> &'s [SpanIx] {
        self.by_id.get(&(node, id)).map_or(&[], SpanSet::as_slice)
    }

    pub fn under<'s>(&'s self, node: NodeIx, trace: &'s [u8], parent: &'s [u8]) -> &'s [SpanIx] {
        self.by_parent.get(&(node, trace, parent)).map_or(&[], SpanSet::as_slice)
    }

    pub fn linking<'s>(&'s self, node: NodeIx, trace: &'s [u8], span: &'s [u8]) -> &'s [SpanIx] {
        self.by_link.get(&(node, trace, span)).map_or(&[], SpanSet::as_slice)
    }

    pub fn marked(&self, node: NodeIx, mark: Mark) -> &[SpanIx] {
        self.by_mark.get(&(node, mark)).map_or(&[], SpanSet::as_slice)
    }

    pub fn in_trace<'s>(&'s self, node: NodeIx, trace: &'s [u8]) -> &'s [SpanIx] {
        self.by_trace.get(&(node, trace)).map_or(&[], SpanSet::as_slice)
    }

    pub fn of_node(&self, node: NodeIx) -> &[SpanIx] {
        self.by_node.get(&node).map_or(&[], SpanSet::as_slice)
    }

    /// Returns the span's parent, if the same node exported it in the same trace.
    pub fn parent(&self, span: SpanIx) -> Option<SpanIx> {
        self.parents[span.0]
    }

    fn find_parent(&self, span: SpanIx) -> Option<SpanIx> {
        let child = self.get(span);
        let mut above = self.with_id(child.node, &child.parent_id).iter().copied();
        above.find(|ix| self.get(*ix).trace_id == child.trace_id && *ix != span)
    }

    /// Returns every span of the node that may stand below `span`, in the order of arrival; `None` where ids are so
    /// broken that it could be any.
    pub fn below(&self, span: SpanIx) -> Option<Vec<SpanIx>> {
        let top = self.get(span);
        if !self.with_id(top.node, &[]).is_empty() {
            return None;
        }
        let (mut found, mut seen) = (vec![span], IdSet::from_iter([span]));
        let mut at = 0;
        while let Some(above) = found.get(at).map(|ix| self.get(*ix)) {
            let under = self.under(top.node, &top.trace_id, &above.span_id);
            found.extend(under.iter().copied().filter(|ix| seen.insert(*ix)));
            at += 1;
        }
        found.sort_unstable();
        Some(found)
    }

    /// Returns whether `span` is `ancestor` or stands below it within the node.
    pub fn is_at_or_below(&self, span: SpanIx, ancestor: SpanIx) -> bool {
        self.upwards(span).any(|above| above == ancestor)
    }

    /// Returns the uppermost span of the node above `span`, itself included.
    pub fn top_of(&self, span: SpanIx) -> SpanIx {
        self.upwards(span).last().unwrap_or(span)
    }

    /// Returns `span`, its parent within the node, and so on.
    pub fn upwards(&self, span: SpanIx) -> impl Iterator<Item = SpanIx> {
        std::iter::successors(Some(span), |at| self.parent(*at)).take(DEPTH)
    }

    /// Returns the span of `node` that a context names: in its trace if there is one, else in any.
    pub fn named(&self, node: NodeIx, context: &CarriedContext) -> Option<SpanIx> {
        let found = self.with_id(node, context.parent_id.as_bytes());
        let trace = context.trace_id.as_bytes();
        let same = found.iter().find(|span| self.get(**span).trace_id == trace);
        same.or(found.first()).copied()
    }

    /// Returns the spans of `node` whose parent, or else one of whose links, is this context.
    pub fn continuing(&self, node: NodeIx, context: &CarriedContext) -> Vec<SpanIx> {
        let (trace, parent) = (context.trace_id.as_bytes(), context.parent_id.as_bytes());
        let mut found = self.under(node, trace, parent).to_vec();
        found.extend_from_slice(self.linking(node, trace, parent));
        found
    }
}
