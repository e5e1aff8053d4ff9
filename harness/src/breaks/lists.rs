//! S10 and S11, and S4 for the lists alone: tracestate and baggage against what was expected of them.
//!
//! tracestate is compared as a list of members byte for byte, baggage percent-decoded and as a set.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use super::break_kind::{BaggageLoss, MemberChange, Reorder};
use super::{Break, BreakKind, Caret, ContextFields, Grade, List, Value};
use crate::crossings::{CarriedFields, ContextField, CrossingRef};
use crate::plan::{Plan, StimulusContext, StimulusIx};
use crate::scenario::node::AddedEntry;
use crate::wire::baggage::{Baggage, BaggageEntry};
use crate::wire::tracestate::{MEMBERS, RawMember, TraceState};
use crate::wire::{Level, Refusal};

/// The lists on a wire that are another stimulus's, and whose they are.
#[derive(Default)]
pub(super) struct ForeignLists {
    pub(super) fields: ContextFields,
    pub(super) owner: Option<StimulusIx>,
}

impl ForeignLists {
    fn add(&mut self, field: ContextField, owner: StimulusIx) {
        self.fields.insert(field);
        self.owner = self.owner.or(Some(owner));
    }
}

/// Returns the lists of S4 that are another stimulus's.
pub(super) fn swapped(
    crossing: CrossingRef<'_>,
    wire: &CarriedFields,
    senders: &Senders<'_>,
) -> ForeignLists {
    let due = crossing.due();
    let mut foreign = ForeignLists::default();
    if has_members(due.members.as_deref(), wire) && has_entries(due.entries.as_deref(), wire) {
        return foreign;
    }
    // A list whose members are all its own was cut down, not swapped.
    let tracestate = member_bytes(&wire.lists.members);
    if let Some(own) = due.members.as_deref().map(member_bytes)
        && tracestate.iter().any(|member| !own.contains(member))
        && let Some(other) = senders.of_tracestate(&tracestate, crossing.stimulus_ix())
    {
        foreign.add(ContextField::TraceState, other);
    }
    let baggage = entry_set(&wire.lists.entries);
    if let Some(own) = due.entries.as_deref().map(entry_set)
        && !baggage.is_subset(&own)
        && let Some(other) = senders.of_baggage(&baggage, crossing.stimulus_ix())
    {
        foreign.add(ContextField::Baggage, other);
    }
    foreign
}

/// Returns whether the members due are on the wire byte for byte: nearly always, and nothing need be compared further.
fn has_members(due: Option<&[RawMember]>, wire: &CarriedFields) -> bool {
    due.is_some_and(|due| {
        due.iter().map(|member| &member.bytes).eq(wire.lists.members.iter().map(|member| &member.bytes))
    })
}

fn has_entries(due: Option<&[BaggageEntry]>, wire: &CarriedFields) -> bool {
    due.is_some_and(|due| {
        due.iter().map(|entry| &entry.raw).eq(wire.lists.entries.iter().map(|entry| &entry.raw))
    })
}

/// The stimuli by the lists that they carried; worked out when it is first requested.
pub(super) struct Senders<'p> {
    plan: &'p Plan,
    by_tracestate: OnceCell<HashMap<Vec<Vec<u8>>, Vec<StimulusIx>>>,
    by_baggage: OnceCell<HashMap<BTreeSet<Pair>, Vec<StimulusIx>>>,
}

impl<'p> Senders<'p> {
    pub(super) fn of(plan: &'p Plan) -> Senders<'p> {
        Senders { plan, by_tracestate: OnceCell::new(), by_baggage: OnceCell::new() }
    }

    /// Returns the first that carried such members, unless `own` did.
    fn of_tracestate(&self, members: &[&[u8]], own: StimulusIx) -> Option<StimulusIx> {
        let members: Vec<Vec<u8>> = members.iter().map(|member| member.to_vec()).collect();
        let by_tracestate = self.by_tracestate.get_or_init(|| {
            self.by(|sent| {
                let members = TraceState::members_of(slices(&sent.tracestate));
                members.into_iter().map(|member| member.bytes).collect()
            })
        });
        first_other(by_tracestate.get(&members)?, own)
    }

    /// Returns the first that carried such entries, unless `own` did.
    fn of_baggage(&self, entries: &BTreeSet<Pair>, own: StimulusIx) -> Option<StimulusIx> {
        let by_baggage = self
            .by_baggage
            .get_or_init(|| self.by(|sent| entry_set(&Baggage::entries_of(slices(&sent.baggage)))));
        first_other(by_baggage.get(entries)?, own)
    }

    fn by<K: Hash + Eq>(&self, key: impl Fn(&StimulusContext) -> K) -> HashMap<K, Vec<StimulusIx>> {
        let mut by: HashMap<K, Vec<StimulusIx>> = HashMap::new();
        for stimulus in &self.plan.stimuli {
            by.entry(key(&stimulus.sent)).or_default().push(stimulus.ix);
        }
        by
    }
}

/// Returns the first of some stimuli, which stand in their order, unless `own` is among them.
fn first_other(carried: &[StimulusIx], own: StimulusIx) -> Option<StimulusIx> {
    if carried.binary_search(&own).is_ok() { None } else { carried.first().copied() }
}

fn slices(lines: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    lines.iter().map(Vec::as_slice)
}

fn member_bytes(members: &[RawMember]) -> Vec<&[u8]> {
    members.iter().map(|member| member.bytes.as_slice()).collect()
}

type Pair = (Vec<u8>, Vec<u8>, Vec<(Vec<u8>, Option<Vec<u8>>)>);

fn pair(entry: &BaggageEntry) -> Pair {
    let properties = entry.properties.iter().map(|property| (property.key.clone(), property.value.clone()));
    (entry.key.clone(), entry.value.clone(), properties.collect())
}

/// Returns entries as a set of decoded values.
pub(super) fn entry_set(entries: &[BaggageEntry]) -> BTreeSet<Pair> {
    entries.iter().map(pair).collect()
}

/// Returns the first kind of S10 that holds.
pub(super) fn tracestate(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Break> {
    let due = crossing.due().members.as_ref()?;
    if has_members(Some(due), wire) {
        return None;
    }
    let level = crossing.sender_node().level;
    // A node of level 1 may drop a list that only level 2 allows.
    if level == Level::One && due.iter().any(|member| member.refusal(level).is_some()) {
        return None;
    }
    if let Some(doubled) = doubled_members(due, &wire.lists.members) {
        let kind = BreakKind::TracestateAltered(MemberChange::Doubled);
        let changed = Break::by_sender(crossing, kind).at(Caret::Field(ContextField::TraceState));
        let actual = List { members: wire.lists.members.clone(), concerned: doubled };
        return Some(changed.values(Value::Members(List::whole(due.clone())), Value::Members(actual)));
    }
    let own_key = crossing.sender_node().tracestate_key.as_deref().map(str::as_bytes);
    let lists = Members {
        due: foreign(&without_displaced(due, &wire.lists.members), own_key),
        sent: foreign(&wire.lists.members, own_key),
        left: crossing.due().left_members.iter().filter(|member| Some(member.key()) != own_key).collect(),
    };
    let change = lists.compare()?;
    let changed = Break::by_sender(crossing, change.kind).at(Caret::Field(ContextField::TraceState));
    let expected = List { members: lists.due, concerned: change.due };
    let actual = List { members: lists.sent, concerned: change.sent };
    Some(changed.graded(change.grade).values(Value::Members(expected), Value::Members(actual)))
}

/// Returns the places of members on the wire whose key is there more often than in what came in, the node's own
/// included: no list may have two members with one key.
fn doubled_members(due: &[RawMember], sent: &[RawMember]) -> Option<Vec<usize>> {
    let doubled = sent.iter().find(|member| {
        let copies = count(sent, member.key());
        copies > 1 && copies > count(due, member.key())
    })?;
    let places = sent.iter().enumerate().filter(|(_, member)| member.key() == doubled.key());
    Some(places.map(|(at, _)| at).collect())
}

/// Returns what is due without its right-most member, where a new member in front legally displaced it: a list has at
/// most 32 members (W3C Trace Context, level 2: 3.5).
fn without_displaced(due: &Arc<[RawMember]>, sent: &[RawMember]) -> Arc<[RawMember]> {
    let (Some(last), Some(first)) = (due.last(), sent.first()) else { return due.clone() };
    let full = due.len() == MEMBERS && sent.len() == MEMBERS;
    let added = count(due, first.key()) == 0;
    if full && added && count(sent, last.key()) == 0 { due[..due.len() - 1].into() } else { due.clone() }
}

/// Returns why a list does not parse at the level of its sender; a member that was cut from one that came in is S10's.
pub(super) fn tracestate_refusal(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Refusal> {
    let due = crossing.due().members.as_ref()?;
    if has_members(Some(due), wire) {
        return None;
    }
    let level = crossing.sender_node().level;
    if !TraceState::surplus(&wire.lists.members).is_empty() {
        return TraceState::parse(slices(&wire.lists.tracestate_lines), level).err();
    }
    let new =
        wire.lists.members.iter().filter(|member| {
            !due.iter().any(|other| other.bytes == member.bytes || member.is_cut_from(other))
        });
    new.into_iter().find_map(|member| member.refusal(level))
}

/// Returns the members that are not the node's own.
fn foreign(members: &Arc<[RawMember]>, own_key: Option<&[u8]>) -> Arc<[RawMember]> {
    if own_key.is_none() {
        return members.clone();
    }
    members.iter().filter(|member| Some(member.key()) != own_key).cloned().collect()
}

/// The members of three lists, without those that the node may change.
struct Members<'c> {
    due: Arc<[RawMember]>,
    sent: Arc<[RawMember]>,
    /// Of traces that were left.
    left: Vec<&'c RawMember>,
}

/// A difference between two lists, and the places in them that it is about.
struct ListChange {
    kind: BreakKind,
    grade: Grade,
    due: Vec<usize>,
    sent: Vec<usize>,
}

impl ListChange {
    fn new(kind: BreakKind, due: Vec<usize>, sent: Vec<usize>) -> ListChange {
        ListChange { kind, grade: Grade::Fault, due, sent }
    }
}

impl Members<'_> {
    fn compare(&self) -> Option<ListChange> {
        self.leaked()
            .or_else(|| self.altered())
            .or_else(|| self.cut())
            .or_else(|| self.lost())
            .or_else(|| self.reordered())
    }

    fn leaked(&self) -> Option<ListChange> {
        let at = self
            .sent
            .iter()
            .position(|member| self.left.contains(&member) && count(&self.due, member.key()) == 0)?;
        Some(ListChange::new(BreakKind::TracestateLeaked, Vec::new(), vec![at]))
    }

    fn altered(&self) -> Option<ListChange> {
        for (due_at, member) in self.due.iter().enumerate() {
            if let Some(at) = self.sent.iter().position(|other| is_changed(other, member)) {
                let kind = BreakKind::TracestateAltered(MemberChange::Changed);
                return Some(ListChange::new(kind, vec![due_at], vec![at]));
            }
        }
        None
    }

    fn cut(&self) -> Option<ListChange> {
        for (due_at, member) in self.due.iter().enumerate() {
            let mut sent = self.sent.iter();
            if let Some(at) =
                sent.position(|other| is_cut(&other.bytes, &member.bytes) && !self.due.contains(other))
            {
                return Some(ListChange::new(BreakKind::TracestateCut, vec![due_at], vec![at]));
            }
        }
        None
    }

    fn lost(&self) -> Option<ListChange> {
        let places = self.due.iter().enumerate();
        let missing = places.filter(|(_, member)| count(&self.sent, member.key()) == 0);
        let missing: Vec<usize> = missing.map(|(at, _)| at).collect();
        let lost = !missing.is_empty();
        lost.then(|| ListChange::new(BreakKind::TracestateLost, missing, Vec::new()))
    }

    fn reordered(&self) -> Option<ListChange> {
        let wanted: Vec<&[u8]> = self.due.iter().map(RawMember::key).collect();
        let sent = self.sent.iter().map(RawMember::key);
        if !sent.clone().filter(|key| wanted.contains(key)).eq(wanted.iter().copied()) {
            let kind = BreakKind::TracestateReordered(Reorder::Received);
            return Some(ListChange::new(kind, Vec::new(), Vec::new()));
        }
        let first_kept = sent.clone().position(|key| wanted.contains(&key))?;
        let late = sent.skip(first_kept).position(|key| !wanted.contains(&key))?;
        let kind = BreakKind::TracestateReordered(Reorder::NewBehind);
        let change = ListChange::new(kind, Vec::new(), vec![first_kept + late]);
        Some(ListChange { grade: Grade::Note, ..change })
    }
}

fn count(list: &[RawMember], key: &[u8]) -> usize {
    list.iter().filter(|member| member.key() == key).count()
}

/// Returns whether a member has the key of another, and a value that is not a part of the other's.
fn is_changed(member: &RawMember, due: &RawMember) -> bool {
    member.key() == due.key() && member.bytes != due.bytes && !is_cut(&member.bytes, &due.bytes)
}

/// Returns whether `short` is a true beginning of `whole`.
fn is_cut(short: &[u8], whole: &[u8]) -> bool {
    short.len() < whole.len() && whole.starts_with(short)
}

/// Returns S11: members of baggage that were lost or changed.
pub(super) fn baggage(crossing: CrossingRef<'_>, wire: &CarriedFields) -> Option<Break> {
    let due = crossing.due().entries.as_ref()?;
    // Where none may cross, S0 asks for the opposite.
    if crossing.hop().drops_baggage() {
        return None;
    }
    let added = &crossing.sender_node().adds_baggage;
    if let Some(missing) = not_added(due, added, &wire.lists.entries) {
        let lost = Break::by_sender(crossing, BreakKind::BaggageLost(BaggageLoss::NotAdded))
            .at(Caret::Field(ContextField::Baggage));
        let actual = List { members: wire.lists.entries.clone(), concerned: Vec::new() };
        return Some(lost.values(Value::Entries(missing), Value::Entries(actual)));
    }
    if has_entries(Some(due), wire) {
        return None;
    }
    let sets = crossing.sender_node().sets_baggage.iter();
    let own: Vec<&String> = sets.chain(added.iter().map(|entry| &entry.key)).collect();
    let sent = entry_set(&wire.lists.entries);
    let (mut lost, mut altered) = (Vec::new(), Vec::new());
    for (at, entry) in due.iter().enumerate() {
        let same_key = due.iter().filter(|other| other.key == entry.key);
        // Of several entries with one key any one may be kept (OpenTelemetry: one value for each name).
        let kept = same_key.clone().any(|other| sent.contains(&pair(other)));
        if kept || own.iter().any(|key| key.as_bytes() == entry.key) {
            continue;
        }
        if sent.iter().any(|(key, _, _)| *key == entry.key) {
            altered.push(at);
        } else {
            lost.push(at);
        }
    }
    let doubled = doubled_entries(due, &wire.lists.entries);
    let (kind, due_places, sent_places) = if !lost.is_empty() {
        (BreakKind::BaggageLost(BaggageLoss::Dropped), lost, Vec::new())
    } else if !doubled.is_empty() {
        (BreakKind::BaggageAltered(MemberChange::Doubled), Vec::new(), doubled)
    } else if !altered.is_empty() {
        (BreakKind::BaggageAltered(MemberChange::Changed), altered, Vec::new())
    } else {
        return None;
    };
    let changed = Break::by_sender(crossing, kind).at(Caret::Field(ContextField::Baggage));
    let expected = List { members: due.clone(), concerned: due_places };
    let actual = List { members: wire.lists.entries.clone(), concerned: sent_places };
    Some(changed.values(Value::Entries(expected), Value::Entries(actual)))
}

/// Returns what is due with the members that the node must add, where one of them is missing or has another value.
fn not_added(
    due: &Arc<[BaggageEntry]>,
    added: &[AddedEntry],
    sent: &[BaggageEntry],
) -> Option<List<BaggageEntry>> {
    let missing: Vec<&AddedEntry> =
        added.iter().filter(|entry| !sent.iter().any(|other| entry.is(other))).collect();
    if missing.is_empty() {
        return None;
    }
    let mut members: Vec<BaggageEntry> = due.to_vec();
    let concerned = (members.len()..members.len() + missing.len()).collect();
    members.extend(missing.into_iter().map(|entry| {
        let value = entry.value.as_deref().unwrap_or("...");
        let raw = format!("{}={value}", entry.key).into_bytes();
        let (key, value) = (entry.key.clone().into_bytes(), value.to_owned().into_bytes());
        BaggageEntry { key, value, properties: Vec::new(), at: 0..raw.len(), raw, line: 0 }
    }));
    Some(List { members: members.into(), concerned })
}

/// Returns the places of entries on the wire whose key is there more often than in what came in.
fn doubled_entries(due: &[BaggageEntry], sent: &[BaggageEntry]) -> Vec<usize> {
    let copies = |list: &[BaggageEntry], key: &[u8]| list.iter().filter(|entry| entry.key == key).count();
    let doubled = sent.iter().find(|entry| {
        let count = copies(sent, &entry.key);
        count > 1 && count > copies(due, &entry.key)
    });
    let Some(doubled) = doubled else { return Vec::new() };
    let places = sent.iter().enumerate().filter(|(_, entry)| entry.key == doubled.key);
    places.map(|(at, _)| at).collect()
}
