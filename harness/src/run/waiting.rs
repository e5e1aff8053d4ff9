//! Says what takes long while it does: nobody should have to guess why a case is not over.

use std::time::Duration;

use tokio::pin;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// A wait that is shorter is not worth a line.
const LONG: Duration = Duration::from_secs(2);

/// A case that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitLine {
    pub title: String,
    /// The reason, and how long it may take.
    pub what: String,
}

/// Takes the lines of one case; without a receiver they are dropped.
#[derive(Clone, Debug, Default)]
pub struct WaitLines {
    title: String,
    sender: Option<mpsc::UnboundedSender<WaitLine>>,
}

impl WaitLines {
    pub fn new(title: String, sender: mpsc::UnboundedSender<WaitLine>) -> WaitLines {
        WaitLines { title, sender: Some(sender) }
    }

    /// Awaits `wait`. When it takes long, says what it waits for, and until when at most.
    pub(super) async fn during<T>(
        &self,
        wait: impl Future<Output = T>,
        what: impl Future<Output = Option<String>>,
        deadline: Instant,
    ) -> T {
        let Some(sender) = &self.sender else { return wait.await };
        pin!(wait);
        tokio::select! {
            biased;
            done = &mut wait => return done,
            () = sleep(LONG) => {}
        }
        let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64().ceil();
        if left > 0.0 {
            let said = async {
                if let Some(what) = what.await {
                    let what = format!("up to {left} s more {what}");
                    // Without a receiver the run is over.
                    let _ = sender.send(WaitLine { title: self.title.clone(), what });
                }
            };
            tokio::select! {
                biased;
                done = &mut wait => return done,
                () = said => {}
            }
        }
        wait.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_long_wait_is_said_and_once() {
        let (sender, mut said) = mpsc::unbounded_channel();
        let lines = WaitLines::new("case".to_owned(), sender);
        let what = || async { Some("for `shop` to cross `bill`".to_owned()) };
        let deadline = || Instant::now() + Duration::from_secs(10);
        lines.during(sleep(Duration::from_millis(1900)), what(), deadline()).await;
        assert!(said.try_recv().is_err());
        lines.during(sleep(Duration::from_secs(9)), what(), deadline()).await;
        let waiting = said.try_recv().unwrap();
        assert_eq!(waiting.what, "up to 8 s more for `shop` to cross `bill`");
        assert!(said.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_said_of_a_wait_whose_reason_is_gone() {
        let (sender, mut said) = mpsc::unbounded_channel();
        let lines = WaitLines::new("case".to_owned(), sender);
        lines
            .during(sleep(Duration::from_secs(5)), async { None }, Instant::now() + Duration::from_secs(9))
            .await;
        assert!(said.try_recv().is_err());
    }
}
