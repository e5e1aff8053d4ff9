//! Turns: a name or address that several cases share is used by one case at a time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

/// The names in use; clones are the same set.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<TakenNames>);

#[derive(Debug, Default)]
struct TakenNames {
    taken: Mutex<HashSet<String>>,
    released: Notify,
}

/// Names that nobody else uses until this is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<TakenNames>,
    names: Vec<String>,
}

/// The name that another case did not release.
#[derive(Debug, thiserror::Error)]
#[error("timed out waiting for {name}, which another case is using: no case released it within {} s", patience.as_secs())]
pub struct NameInUse {
    name: String,
    patience: Duration,
}

impl Turns {
    /// Resolves when all of `names` are free, and takes them together: a case never holds some while it waits for
    /// others. Fails when nobody has released anything for as long as `patience`.
    pub(super) async fn take(&self, mut names: Vec<String>, patience: Duration) -> Result<Turn, NameInUse> {
        names.sort();
        names.dedup();
        loop {
            let released = self.0.released.notified();
            tokio::pin!(released);
            // Before the look at what is taken, so that no release in between is missed.
            released.as_mut().enable();
            match self.0.try_take(&names) {
                None => return Ok(Turn { turns: self.0.clone(), names }),
                Some(name) => {
                    timeout(patience, released).await.map_err(|_| NameInUse { name, patience })?;
                }
            }
        }
    }
}

impl TakenNames {
    /// Takes all of the names, or returns the first that is in use.
    fn try_take(&self, names: &[String]) -> Option<String> {
        let mut taken = self.taken.lock();
        if let Some(name) = names.iter().find(|name| taken.contains(*name)) {
            return Some(name.clone());
        }
        taken.extend(names.iter().cloned());
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = self.turns.taken.lock();
        for name in &self.names {
            taken.remove(name);
        }
        drop(taken);
        self.turns.released.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[tokio::test]
    async fn a_name_is_free_again_when_its_turn_is_dropped() {
        let turns = Turns::default();
        let first = turns.take(names(&["a", "b"]), LONG).await.unwrap();
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(names(&["b", "c"]), LONG).await.map(drop) }
        });
        turns.take(names(&["c"]), LONG).await.expect("who waits for `b` does not hold `c`");
        drop(first);
        waiting.await.unwrap().expect("`b` was released");
    }

    #[tokio::test]
    async fn a_name_that_is_never_released_is_named() {
        let turns = Turns::default();
        let _held = turns.take(names(&["queue `jobs`"]), LONG).await.unwrap();
        let error = turns.take(names(&["queue `jobs`"]), Duration::from_millis(10)).await.unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with("timed out waiting for queue `jobs`, which another case is using"),
            "{message}"
        );
    }
}
