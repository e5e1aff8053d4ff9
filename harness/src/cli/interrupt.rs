//! Ctrl-C and SIGTERM: the command stops the cases under way, reports that, and exits.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the first SIGINT, SIGTERM or SIGHUP (a closed terminal ends the run too).
pub async fn interrupted() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let waiting = kinds.into_iter().map(|kind| {
        Box::pin(async move {
            match signal(kind) {
                Ok(mut signals) => {
                    signals.recv().await;
                }
                // Without a handler the signal ends the process at once, and the guard stops the nodes.
                Err(_) => std::future::pending().await,
            }
        })
    });
    futures_util::future::select_all(waiting).await;
}
