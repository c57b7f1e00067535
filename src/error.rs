//! The error type of the whole crate: where, what was found, what is allowed, what to try, and the
//! exit code that belongs to it.

use std::borrow::Cow;
use std::fmt;

/// What kind of thing went wrong; decides the exit code of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A check ran and found a fault (gradcheck, doctor). Exit code 1.
    Check,
    /// The command line or the study file is wrong. Exit code 2.
    Usage,
    /// The data are wrong. Exit code 3.
    Data,
    /// The device: none found, lost, out of memory, or too small. Exit code 4.
    Device,
    /// The store on disk: unreadable, locked, not writable, of another study. Exit code 5.
    Store,
    /// The user interrupted the run; everything finished so far is kept. Exit code 130.
    Interrupted,
}

impl ErrorKind {
    /// The process exit code of this kind, part of the command line's contract.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Check => 1,
            Self::Usage => 2,
            Self::Data => 3,
            Self::Device => 4,
            Self::Store => 5,
            Self::Interrupted => 130,
        }
    }
}

/// An error a user can act on.
///
/// Printed as `<place>: <what was found>`, then one line each for what is allowed and what to try.
#[derive(Clone, Debug)]
pub struct Error {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// Where: a file with line and column, a study key, a device. May be empty.
    pub place: String,
    /// What was found there.
    pub found: String,
    /// What is allowed instead. May be empty.
    pub allowed: String,
    /// What to try. May be empty.
    pub advice: String,
}

/// The result of anything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn new(kind: ErrorKind, place: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self {
            kind,
            place: place.to_string(),
            found: found.to_string(),
            allowed: String::new(),
            advice: String::new(),
        }
    }

    /// A failed check (exit code 1).
    pub fn check(place: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Check, place, found)
    }

    /// A wrong command line or study file (exit code 2).
    pub fn usage(place: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Usage, place, found)
    }

    /// Wrong data (exit code 3).
    pub fn data(place: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Data, place, found)
    }

    /// A device that is missing, lost or too small (exit code 4).
    pub fn device(place: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Device, place, found)
    }

    /// A store that cannot be read or written (exit code 5).
    pub fn store(place: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Store, place, found)
    }

    /// An interrupted run (exit code 130).
    pub fn interrupted(place: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Interrupted, place, found)
    }

    /// Adds what is allowed instead.
    #[must_use]
    pub fn allowed(mut self, allowed: impl fmt::Display) -> Self {
        self.allowed = allowed.to_string();
        self
    }

    /// Adds what to try.
    #[must_use]
    pub fn advice(mut self, advice: impl fmt::Display) -> Self {
        self.advice = advice.to_string();
        self
    }

    /// The process exit code.
    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        write!(f, "{}", self.found)?;
        if !self.allowed.is_empty() {
            write!(f, "\n  allowed: {}", self.allowed)?;
        }
        if !self.advice.is_empty() {
            write!(f, "\n  try: {}", self.advice)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// A text for a message: what is longer than 60 characters is cut, so that a cell of megabytes does not
/// bury what is said of it.
pub fn cut(text: &str) -> Cow<'_, str> {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => Cow::Owned(format!("{}… ({} bytes)", &text[..end], text.len())),
        None => Cow::Borrowed(text),
    }
}

/// The member of `known` nearest to `word`, where one is near enough to be a misspelling of it.
///
/// Distance is Damerau–Levenshtein over lower-cased characters; at most a third of the longer word
/// (and at least one edit) may differ, never all of it.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lowered = word.to_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lowered, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let longer = lowered.chars().count().max(candidate.chars().count());
            *distance <= (longer / 3).max(1) && *distance < longer
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The error for a name that is not a member of a closed list: names the nearest and the whole list.
pub fn unknown_name<'a>(
    place: impl fmt::Display,
    what: &str,
    found: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Error {
    let known: Vec<&str> = known.into_iter().collect();
    let error = Error::usage(place, format!("unknown {what} \"{}\"", cut(found))).allowed(known.join(", "));
    match nearest(found, known.iter().copied()) {
        Some(name) => error.advice(format!("did you mean \"{name}\"?")),
        None => error,
    }
}
