//! Files that are either whole or not there: written to a temporary name, synced, renamed.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the names of temporary files begin with.
const PREFIX: &str = ".manytune-";

/// Every file that a study's folder holds.
static OWN: [&str; 11] = [
    "study.db",
    "study.db-wal",
    "study.db-shm",
    "study.db-journal",
    "study.lock",
    "study.toml",
    "best.safetensors",
    "best.json",
    "refit.safetensors",
    "refit.json",
    "report.html",
];

/// What was there before a study was made, so that one that comes to nothing leaves nothing behind.
pub struct Before {
    /// Files of the study that were not there yet.
    files: Vec<PathBuf>,
    /// Folders that were not there yet, the innermost first.
    folders: Vec<PathBuf>,
}

impl Before {
    /// Looks at a folder in which a study is about to be made.
    pub fn of(folder: &Path) -> Self {
        let is_missing = |path: &Path| !path.as_os_str().is_empty() && !path.exists();
        Self {
            files: OWN.iter().map(|name| folder.join(name)).filter(|path| is_missing(path)).collect(),
            folders: folder.ancestors().take_while(|path| is_missing(path)).map(Path::to_owned).collect(),
        }
    }

    /// Removes the study's files and folders that were not there. What cannot be removed stays, as does a
    /// folder in which someone else has put something meanwhile.
    pub fn restore(self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in &self.folders {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Writes a file whole, replacing what was there; after an error, or a crash at any instant, the old
/// content remains.
///
/// A stream ([`is_stream`]) cannot be replaced and is written to as it is; a link stays one, and what it names is
/// replaced.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    let fail = |error: std::io::Error| {
        // The name of the temporary file would only distract.
        let error = error.to_string();
        let error = error.split(" at path ").next().unwrap_or_default();
        Error::store(path.display(), format!("cannot be written: {error}"))
            .allowed("a file in a folder that exists, can be written, and has room")
            .advice("another folder, or make this one first")
    };
    if path.is_dir() {
        return Err(Error::store(path.display(), "is a folder")
            .allowed("the path of a file")
            .advice("a name for the file behind the folder's"));
    }
    if is_stream(path) {
        let mut stream = File::options().append(true).open(path).map_err(fail)?;
        return stream.write_all(content).and_then(|()| stream.flush()).map_err(fail);
    }
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let named = if is_link { fs::canonicalize(path).ok() } else { None };
    let path = named.as_deref().unwrap_or(path);
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    // What umask leaves of this: the file is for whoever may read its neighbours.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(fail)?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    sync_folder(folder).map_err(fail)
}

/// Whether a path names something that is written to and not replaced: a pipe, a terminal, or what `/dev/stdout` stands
/// for, which may be a file that others have written to before (`>> all.csv`).
pub fn is_stream(path: &Path) -> bool {
    let is_name_of_one = cfg!(unix) && ["/dev", "/proc"].iter().any(|place| path.starts_with(place));
    fs::metadata(path).is_ok_and(|found| is_name_of_one || !found.is_file())
}

/// Makes the names in a folder as durable as the files; only Unix can, and only there it is needed.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Whether two paths name one file, be it there already or not.
pub fn is_same(a: &Path, b: &Path) -> bool {
    let resolved = |path: &Path| {
        let whole = fs::canonicalize(path).ok();
        let folder =
            path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        whole.or_else(|| Some(fs::canonicalize(folder?).ok()?.join(path.file_name()?)))
    };
    resolved(a).is_some_and(|a| Some(a) == resolved(b))
}

/// Whether a path names a file that the study in a folder keeps, or will.
pub fn is_own(folder: &Path, path: &Path) -> bool {
    OWN.iter().any(|name| is_same(&folder.join(name), path))
}

/// Removes temporary files that a killed process left behind. What cannot be removed stays.
pub fn remove_leftovers(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let _ = fs::remove_file(entry.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_temporary_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["a.txt", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "first").unwrap();
        std::os::unix::fs::symlink("a.txt", &link).unwrap();
        write(&link, b"second").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"second");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_folder_that_does_not_exist_is_a_store_error() {
        let error = write(Path::new("/dev/null/x/a.txt"), b"").unwrap_err();
        assert_eq!(error.exit_code(), 5);
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(write(folder.path(), b"").unwrap_err().exit_code(), 5);
    }
}
