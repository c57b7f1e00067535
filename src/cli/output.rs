//! Writing to the standard streams: a reader that closes them early is no error.

use crate::error::{Error, ErrorKind, Result};
use crate::study::files::is_stream;
use std::io::{self, Write};
use std::path::Path;

/// Writes results to standard output. A closed pipe (`| head`) ends the output, not the program.
pub fn print(text: &str) -> Result<()> {
    send(text).map(drop)
}

/// Writes to standard output; false where its reader has closed it.
pub fn send(text: &str) -> Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::store("standard output", format!("cannot be written: {error}"))
            .allowed("a terminal, a pipe, or a file on a disk with room")
            .advice("look at where the output goes, then run the same command again")),
    }
}

/// Says where a file was written, unless it went to a stream: its reader wants nothing behind it.
pub fn written(path: &Path) -> Result<()> {
    match is_stream(path) {
        true => Ok(()),
        false => print(&format!("{}\n", path.display())),
    }
}

/// Writes a line of progress, a note or a warning to standard error, if anyone can read it.
pub fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Reports the error that ends the program.
pub fn report(error: &Error) {
    match error.kind {
        ErrorKind::Interrupted => note(&error.to_string()),
        _ => note(&format!("error: {error}")),
    }
}

/// Characters of a line of the terminal on standard output; `None` where it is none.
pub fn width() -> Option<usize> {
    use std::io::IsTerminal;
    let terminal = io::stdout().is_terminal();
    terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0))
}

/// The command that was given, as a shell takes it.
pub fn this_command() -> String {
    std::env::args_os().map(|argument| quoted(&argument.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// One argument as a POSIX shell takes it.
pub fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn arguments_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("a/b.csv"), "a/b.csv");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
