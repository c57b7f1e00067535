//! Ctrl-C: once asks the run to save and end, twice ends the process at once.

use super::output::note;
use crate::error::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicUsize, Ordering};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// From now on Ctrl-C (and the signals that ask a process to end) is counted, and the second ends the
/// process: what is stored is whole at every instant.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| match COUNT.fetch_add(1, Ordering::SeqCst) {
        0 => note("\nstopping at the next step and saving; Ctrl-C again ends at once"),
        _ => std::process::exit(ErrorKind::Interrupted.exit_code().into()),
    })
    .map_err(|error| {
        Error::device("Ctrl-C", format!("cannot be handled: {error}"))
            .advice("run the command in a terminal or shell of its own")
    })
}

/// Whether the user has asked to stop.
pub fn is_asked() -> bool {
    COUNT.load(Ordering::SeqCst) > 0
}
