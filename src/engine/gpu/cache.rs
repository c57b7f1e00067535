//! What is worth keeping between two runs on one device: compiled pipelines, and which tiles are fast.
//!
//! One file each, in the user's cache folder. Nothing depends on them: a file that is damaged, or was made
//! by another driver or version, is as good as none and is written anew; where nothing can be written,
//! nothing is kept.

use super::sources::Source;
use crate::data::checksum;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The files of one device and one set of shaders.
#[derive(Clone, Debug)]
pub struct Cache {
    /// `None` where there is no folder to keep files in.
    folder: Option<PathBuf>,
    /// Tells devices apart: a file's name carries it.
    device: String,
    /// All that a file's content depends on: a file's first line.
    key: String,
}

/// The cache folder of the user of this process; `None` without a home.
pub fn user_folder() -> Option<PathBuf> {
    let named = |variable: &str| {
        let path = PathBuf::from(std::env::var_os(variable)?);
        // A relative one is to be ignored, says the XDG specification.
        path.is_absolute().then_some(path)
    };
    let base = if cfg!(windows) {
        named("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        std::env::home_dir().map(|home| home.join("Library/Caches"))
    } else {
        named("XDG_CACHE_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
    };
    base.filter(|base| base.is_absolute()).map(|base| base.join("manytune"))
}

impl Cache {
    /// The files for these shaders on a device (its name, backend and driver), in a folder that need not be
    /// there yet.
    pub fn new(folder: Option<PathBuf>, [name, backend, driver]: [&str; 3], sources: &[Source]) -> Self {
        // Builds that check bounds have kernels of their own.
        let kind = if cfg!(debug_assertions) { "checked" } else { "trusted" };
        let shaders = checksum(sources.iter().map(|source| source.wgsl.as_bytes()));
        let version = env!("CARGO_PKG_VERSION");
        let key = format!("manytune {version}, {name}, {backend}, {driver}, {kind} shaders {shaders}");
        let device = checksum([name.as_bytes(), backend.as_bytes(), kind.as_bytes()]);
        Self { folder, device, key: key.replace('\n', " ") }
    }

    /// Where a file is, or would be.
    pub fn path(&self, kind: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{kind}-{}", self.device)))
    }

    /// What was kept; `None` where that is nothing, damaged, or of another driver, version or shader.
    pub fn read(&self, kind: &str) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.path(kind)?).ok()?;
        let content = bytes.strip_prefix(self.key.as_bytes())?.strip_prefix(b"\n")?;
        let (sum, content) = content.split_at_checked(checksum([]).len())?;
        let content = content.strip_prefix(b"\n")?;
        (sum == checksum([content]).as_bytes()).then(|| content.to_vec())
    }

    /// Keeps something in place of what was kept, whole or not at all.
    pub fn write(&self, kind: &str, content: &[u8]) -> std::io::Result<()> {
        let Some(path) = self.path(kind) else { return Ok(()) };
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{}\n{}", self.key, checksum([content]))?;
        file.write_all(content)?;
        file.persist(path).map(drop).map_err(|error| error.error)
    }
}

/// The kind of file that holds compiled pipelines.
const PIPELINES: &str = "pipelines";

/// The driver's cache of compiled pipelines, where the device has one.
pub struct PipelineCache {
    cache: Option<wgpu::PipelineCache>,
    /// What is in the file.
    kept: Mutex<Option<Vec<u8>>>,
}

impl PipelineCache {
    /// With what an earlier run kept.
    pub fn open(device: &wgpu::Device, files: &Cache) -> Self {
        if files.folder.is_none() || !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return Self { cache: None, kept: Mutex::default() };
        }
        let kept = files.read(PIPELINES);
        let descriptor = wgpu::PipelineCacheDescriptor {
            label: Some("pipelines"),
            data: kept.as_deref(),
            // What the driver does not know any more it leaves aside.
            fallback: true,
        };
        // SAFETY: the content, by its checksum, is what `get_data` gave; wgpu checks device and driver.
        let cache = Some(unsafe { device.create_pipeline_cache(&descriptor) });
        Self { cache, kept: Mutex::new(kept) }
    }

    /// For the descriptors of pipelines.
    pub fn get(&self) -> Option<&wgpu::PipelineCache> {
        self.cache.as_ref()
    }

    /// Keeps what was compiled since; that this may fail is no fault.
    pub fn save(&self, files: &Cache) {
        let Some(data) = self.cache.as_ref().and_then(wgpu::PipelineCache::get_data) else { return };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref() != Some(&data) && files.write(PIPELINES, &data).is_ok() {
            *kept = Some(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path, driver: &str) -> Cache {
        let source = Source { name: "kernel", wgsl: "fn main() {}".to_owned() };
        Cache::new(Some(folder.to_owned()), ["a card", "vulkan", driver], &[source])
    }

    #[test]
    fn what_was_kept_comes_back_to_the_same_driver_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) =
            (cache(&folder.path().join("new"), "1.0"), cache(&folder.path().join("new"), "1.1"));
        assert_eq!(one.read("tiles"), None);
        one.write("tiles", b"some\nbytes").unwrap();
        assert_eq!(one.read("tiles").as_deref(), Some(&b"some\nbytes"[..]));
        assert_eq!(other.read("tiles"), None, "of another driver");
        assert_eq!(one.read("pipelines"), None, "of another kind");
        other.write("tiles", b"").unwrap();
        assert_eq!((one.read("tiles"), other.read("tiles")), (None, Some(Vec::new())), "written anew");
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), "1.0");
        cache.write("tiles", b"content").unwrap();
        let path = cache.path("tiles").unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(cache.read("tiles"), None, "cut at {length}");
            let mut flipped = whole.clone();
            flipped[length] ^= 1;
            std::fs::write(&path, flipped).unwrap();
            assert_eq!(cache.read("tiles"), None, "a flipped bit in byte {length}");
        }
        cache.write("tiles", b"content").unwrap();
        assert!(cache.read("tiles").is_some());
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        // A file where the folder should be: nobody, not even root, can write there.
        let cache = cache(&file, "1.0");
        assert!(cache.write("tiles", b"content").is_err());
        assert_eq!(cache.read("tiles"), None);
        let none = Cache { folder: None, ..cache };
        none.write("tiles", b"content").unwrap();
        assert_eq!(none.read("tiles"), None);
    }
}
