//! Files on the controller that a module reads or writes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use md5::Md5;
use playbook_api::context::{Sink, Source};
use playbook_api::sync;
use sha1::{Digest, Sha1};

/// The files on the controller that a call of a module may read or write.
#[derive(Clone, Default)]
pub struct Files {
    pub source: Option<Arc<dyn Source>>,
    pub sink: Option<Arc<dyn Sink>>,
}

impl Files {
    pub fn source(source: impl Source + 'static) -> Files {
        Files { source: Some(Arc::new(source)), sink: None }
    }

    pub fn sink(sink: Arc<dyn Sink>) -> Files {
        Files { source: None, sink: Some(sink) }
    }
}

/// Content that is sent to the host.
pub enum Content {
    File(PathBuf, u64),
    Bytes(Vec<u8>),
}

impl Content {
    pub fn file(path: &Path) -> io::Result<Content> {
        Ok(Content::File(path.to_owned(), std::fs::metadata(path)?.len()))
    }
}

impl Source for Content {
    fn size(&self) -> u64 {
        match self {
            Content::File(_, size) => *size,
            Content::Bytes(bytes) => bytes.len() as u64,
        }
    }

    fn sha1(&self) -> io::Result<String> {
        let mut sum = Sha1::new();
        let mut reader = self.open()?;
        let mut piece = vec![0; 128 << 10];
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(hex::encode(sum.finalize())),
                count => sum.update(&piece[..count]),
            }
        }
    }

    fn open(&self) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(match self {
            Content::File(path, _) => Box::new(BufReader::with_capacity(64 << 10, File::open(path)?)),
            Content::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
        })
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Content::File(path, _) => Some(path),
            Content::Bytes(_) => None,
        }
    }
}

/// A file on the controller that is received from a host: it is written completely or not at all.
pub(crate) struct Arrival {
    place: PathBuf,
    sums: Mutex<Option<Sums>>,
}

/// The checksums of a received file.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    pub sha1: String,
    pub md5: String,
}

impl Arrival {
    pub(crate) fn at(place: &Path) -> Arc<Arrival> {
        Arc::new(Arrival { place: place.to_owned(), sums: Mutex::default() })
    }

    /// Returns the checksums of the received file, if one was received.
    pub(crate) fn sums(&self) -> Option<Sums> {
        sync::lock(&self.sums).clone()
    }
}

impl Sink for Arrival {
    fn take(&self, content: &mut dyn Read) -> io::Result<()> {
        let directory = self.place.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(directory)?;
        let mut file = tempfile::Builder::new()
            .prefix(".playbook-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
            .tempfile_in(directory)?;
        let (mut sha1, mut md5) = (Sha1::new(), Md5::new());
        let mut piece = vec![0; 128 << 10];
        loop {
            match content.read(&mut piece)? {
                0 => break,
                count => {
                    sha1.update(&piece[..count]);
                    md5.update(&piece[..count]);
                    file.write_all(&piece[..count])?;
                }
            }
        }
        file.persist(&self.place).map_err(|e| e.error)?;
        let sums = Sums { sha1: hex::encode(sha1.finalize()), md5: hex::encode(md5.finalize()) };
        *sync::lock(&self.sums) = Some(sums);
        Ok(())
    }
}
