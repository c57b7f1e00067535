//! Ctrl-C: once asks the run to save and end, twice ends the process at once.

use super::output::note;
use crate::error::{Error, ErrorKind, Result};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// When the user asked to stop.
static ASKED: OnceLock<Instant> = OnceLock::new();

/// A second signal within this is the first once more: whatever runs commands (`timeout`, a scheduler) may
/// signal a process and then its whole group.
const ONCE_MORE: Duration = Duration::from_millis(300);

/// From now on Ctrl-C (and the signals that ask a process to end) is noted, and a second one ends the
/// process: what is stored is whole at every instant.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.set(Instant::now()).is_ok() {
            note("\nstopping at the next step and saving; Ctrl-C again ends at once");
        } else if ASKED.get().is_some_and(|asked| asked.elapsed() > ONCE_MORE) {
            std::process::exit(ErrorKind::Interrupted.exit_code().into());
        }
    })
    .map_err(|error| {
        Error::device("Ctrl-C", format!("cannot be handled: {error}"))
            .advice("run the command in a terminal or shell of its own")
    })
}

/// Whether the user has asked to stop.
pub fn is_asked() -> bool {
    ASKED.get().is_some()
}
