//! S10 and S11, and S4 for the lists alone: tracestate and baggage against what was expected of them.
//!
//! tracestate is compared as a list of members byte for byte, baggage percent-decoded and as a set.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::fault::{Break, Caret, Grade};
use super::{Class, Side, name, on_crossing, stimulus_name};
use crate::crossings::{Carried, CrossingIx, Crossings};
use crate::plan::{Plan, StimulusContext, StimulusIx};
use crate::wire::baggage::{Baggage, BaggageEntry};
use crate::wire::tracestate::{RawMember, TraceState};

/// S4 where the context is right and a list is another stimulus's.
pub(super) fn swapped(
    all: &Crossings<'_>,
    ix: CrossingIx,
    wire: &Carried,
    senders: &Senders<'_>,
) -> Option<Break> {
    let crossing = all.get(ix);
    let due = &crossing.due;
    if has_members(due.members.as_deref(), wire) && has_entries(due.entries.as_deref(), wire) {
        return None;
    }
    let tracestate = member_bytes(&wire.lists.members);
    let own = crossing.due.members.as_ref().map(|members| member_bytes(members));
    // What is all its own and less of it was lost, not swapped.
    let differs = own.is_some_and(|own| tracestate.iter().any(|member| !own.contains(member)));
    let other = if differs { senders.of_tracestate(&tracestate, crossing.stimulus) } else { None };
    if let Some(other) = other {
        return Some(list_swapped(all, ix, other, "tracestate"));
    }
    let baggage = entry_set(&wire.lists.entries);
    let own = crossing.due.entries.as_ref().map(|entries| entry_set(entries));
    let differs = own.is_some_and(|own| !baggage.is_subset(&own));
    let other = if differs { senders.of_baggage(&baggage, crossing.stimulus) } else { None };
    Some(list_swapped(all, ix, other?, "baggage"))
}

/// Nearly always what is due is there byte for byte, and nothing need be compared further.
fn has_members(due: Option<&[RawMember]>, wire: &Carried) -> bool {
    due.is_some_and(|due| {
        due.iter().map(|member| &member.bytes).eq(wire.lists.members.iter().map(|member| &member.bytes))
    })
}

fn has_entries(due: Option<&[BaggageEntry]>, wire: &Carried) -> bool {
    due.is_some_and(|due| {
        due.iter().map(|entry| &entry.raw).eq(wire.lists.entries.iter().map(|entry| &entry.raw))
    })
}

fn list_swapped(all: &Crossings<'_>, ix: CrossingIx, other: StimulusIx, field: &'static str) -> Break {
    let crossing = all.get(ix);
    let who = name(all, all.sender(crossing));
    let (own, other) = (stimulus_name(crossing.stimulus), stimulus_name(other));
    let message = format!("{who} sent the `{field}` of {other} with {own}");
    let told = on_crossing(all, ix, Class::Swapped, Side::Sender).at(Caret::Field(field));
    told.told(message, format!("the `{field}` of {own}"), format!("the `{field}` of {other}"))
}

/// By the lists that they carried, all stimuli that carried them; worked out when it is first asked for.
pub(super) struct Senders<'p> {
    plan: &'p Plan,
    by_tracestate: OnceCell<HashMap<Vec<Vec<u8>>, Vec<StimulusIx>>>,
    by_baggage: OnceCell<HashMap<BTreeSet<Pair>, Vec<StimulusIx>>>,
}

impl<'p> Senders<'p> {
    pub(super) fn of(plan: &'p Plan) -> Senders<'p> {
        Senders { plan, by_tracestate: OnceCell::new(), by_baggage: OnceCell::new() }
    }

    /// The first that carried such members, unless `own` did.
    fn of_tracestate(&self, members: &[&[u8]], own: StimulusIx) -> Option<StimulusIx> {
        let members: Vec<Vec<u8>> = members.iter().map(|member| member.to_vec()).collect();
        let sent = |sent: &StimulusContext| {
            let members = TraceState::members_of(slices(&sent.tracestate));
            members.into_iter().map(|member| member.bytes).collect()
        };
        first_other(self.by_tracestate.get_or_init(|| self.by(sent)).get(&members)?, own)
    }

    /// The first that carried such entries, unless `own` did.
    fn of_baggage(&self, entries: &BTreeSet<Pair>, own: StimulusIx) -> Option<StimulusIx> {
        let sent = |sent: &StimulusContext| entry_set(&Baggage::entries_of(slices(&sent.baggage)));
        first_other(self.by_baggage.get_or_init(|| self.by(sent)).get(entries)?, own)
    }

    fn by<K: Hash + Eq>(&self, key: impl Fn(&StimulusContext) -> K) -> HashMap<K, Vec<StimulusIx>> {
        let mut by: HashMap<K, Vec<StimulusIx>> = HashMap::new();
        for stimulus in &self.plan.stimuli {
            by.entry(key(&stimulus.sent)).or_default().push(stimulus.ix);
        }
        by
    }
}

/// Stimuli stand in their order.
fn first_other(carried: &[StimulusIx], own: StimulusIx) -> Option<StimulusIx> {
    carried.first().copied().filter(|_| carried.binary_search(&own).is_err())
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

/// Entries as a set of decoded values.
pub(super) fn entry_set(entries: &[BaggageEntry]) -> BTreeSet<Pair> {
    entries.iter().map(pair).collect()
}

/// S10: the first that holds.
pub(super) fn tracestate(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried) -> Option<Break> {
    let crossing = all.get(ix);
    if has_members(crossing.due.members.as_deref(), wire) {
        return None;
    }
    let node = all.plan.scenario.node(all.sender(crossing));
    let own_key = node.tracestate_key.as_deref().map(str::as_bytes);
    let foreign = |members: &[RawMember]| -> Vec<RawMember> {
        members.iter().filter(|member| Some(member.key()) != own_key).cloned().collect()
    };
    let sent = foreign(&wire.lists.members);
    let due = crossing.due.members.as_ref().map(|members| foreign(members))?;
    let left = foreign(&crossing.due.left_members);
    let (class, grade, what) = compare_members(&due, &sent, &left)?;
    let who = name(all, all.sender(crossing));
    let told = on_crossing(all, ix, class, Side::Sender).at(Caret::Field("tracestate")).graded(grade);
    Some(told.told(format!("{who} {what}"), list_text(&due), list_text(&sent)))
}

fn compare_members(
    due: &[RawMember],
    sent: &[RawMember],
    left: &[RawMember],
) -> Option<(Class, Grade, String)> {
    let with_key = |list: &[RawMember], key: &[u8]| list.iter().filter(|member| member.key() == key).count();
    let leaked = sent.iter().find(|member| left.contains(member) && with_key(due, member.key()) == 0);
    if let Some(member) = leaked {
        let what = format!("kept the tracestate member {} of a trace that was left", shown(&member.bytes));
        return Some((Class::TracestateLeaked, Grade::Fault, what));
    }
    for member in due {
        let same_key: Vec<&RawMember> = sent.iter().filter(|other| other.key() == member.key()).collect();
        if same_key.len() > with_key(due, member.key()) {
            let what = format!("sent the tracestate member {} twice", shown(&member.bytes));
            return Some((Class::TracestateAltered, Grade::Fault, what));
        }
        let changed =
            same_key.iter().find(|other| other.bytes != member.bytes && !is_cut(&other.bytes, &member.bytes));
        if let Some(other) = changed {
            let what = format!(
                "changed the tracestate member {} into {}",
                shown(&member.bytes),
                shown(&other.bytes)
            );
            return Some((Class::TracestateAltered, Grade::Fault, what));
        }
    }
    let cut_of = |member: &&RawMember| {
        sent.iter().any(|other| is_cut(&other.bytes, &member.bytes) && !due.contains(other))
    };
    if let Some(member) = due.iter().find(cut_of) {
        return Some((
            Class::TracestateCut,
            Grade::Fault,
            format!("cut the tracestate member {} short", shown(&member.bytes)),
        ));
    }
    let missing: Vec<String> = due
        .iter()
        .filter(|member| with_key(sent, member.key()) == 0)
        .map(|member| shown(&member.bytes))
        .collect();
    if !missing.is_empty() {
        return Some((
            Class::TracestateLost,
            Grade::Fault,
            format!("lost the tracestate members {}", missing.join(", ")),
        ));
    }
    reordered(due, sent)
}

fn reordered(due: &[RawMember], sent: &[RawMember]) -> Option<(Class, Grade, String)> {
    let kept: Vec<&[u8]> =
        sent.iter().map(RawMember::key).filter(|key| due.iter().any(|member| member.key() == *key)).collect();
    let wanted: Vec<&[u8]> = due.iter().map(RawMember::key).collect();
    if kept != wanted {
        return Some((
            Class::TracestateReordered,
            Grade::Fault,
            "changed the order of the tracestate members".into(),
        ));
    }
    let first_kept = sent.iter().position(|member| wanted.contains(&member.key()))?;
    let late = sent[first_kept..].iter().find(|member| !wanted.contains(&member.key()))?;
    let what = format!("put its new tracestate member {} behind those it received", shown(&late.bytes));
    Some((Class::TracestateReordered, Grade::Note, what))
}

/// Whether `short` is a true beginning of `whole`.
fn is_cut(short: &[u8], whole: &[u8]) -> bool {
    short.len() < whole.len() && whole.starts_with(short)
}

/// S11.
pub(super) fn baggage(all: &Crossings<'_>, ix: CrossingIx, wire: &Carried) -> Option<Break> {
    let crossing = all.get(ix);
    if has_entries(crossing.due.entries.as_deref(), wire) {
        return None;
    }
    let own = &all.plan.scenario.node(all.sender(crossing)).sets_baggage;
    let due = crossing.due.entries.as_ref()?;
    let sent = entry_set(&wire.lists.entries);
    let who = name(all, all.sender(crossing));
    let mut lost = Vec::new();
    let mut altered = Vec::new();
    for entry in due.iter().filter(|entry| !own.iter().any(|key| key.as_bytes() == entry.key)) {
        // Of several entries with one key any one may be kept (OpenTelemetry: one value for each name).
        let one_of =
            due.iter().filter(|other| other.key == entry.key).any(|other| sent.contains(&pair(other)));
        match sent.iter().find(|(key, _, _)| *key == entry.key) {
            _ if one_of => {}
            Some(_) => altered.push(shown(&entry.raw)),
            None => lost.push(shown(&entry.raw)),
        }
    }
    let (class, what) = match (lost.is_empty(), altered.is_empty()) {
        (true, true) => return None,
        (false, _) => (Class::BaggageLost, format!("lost the baggage members {}", lost.join(", "))),
        (true, false) => {
            (Class::BaggageAltered, format!("changed the baggage members {}", altered.join(", ")))
        }
    };
    let told = on_crossing(all, ix, class, Side::Sender).at(Caret::Field("baggage"));
    Some(told.told(format!("{who} {what}"), entries_text(due), entries_text(&wire.lists.entries)))
}

fn list_text(members: &[RawMember]) -> String {
    let texts: Vec<String> =
        members.iter().map(|member| String::from_utf8_lossy(&member.bytes).into_owned()).collect();
    if texts.is_empty() { "no tracestate".into() } else { texts.join(",") }
}

pub(super) fn entries_text(entries: &[BaggageEntry]) -> String {
    let texts: Vec<String> =
        entries.iter().map(|entry| String::from_utf8_lossy(&entry.raw).into_owned()).collect();
    if texts.is_empty() { "no baggage".into() } else { texts.join(",") }
}

/// Bytes in backticks, as far as they print.
pub(super) fn shown(bytes: &[u8]) -> String {
    format!("`{}`", bytes.escape_ascii())
}
