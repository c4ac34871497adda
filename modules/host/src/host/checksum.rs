//! Checksums of files, without holding them in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use playbook_api::{Deserialize, Error, JsonSchema};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// The algorithms for checksums of files.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Algorithm {
    Md5,
    #[default]
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// Returns the algorithm with a name.
    pub(crate) fn named(name: &str) -> Result<Algorithm, Error> {
        Ok(match name.to_ascii_lowercase().replace('-', "").as_str() {
            "md5" => Algorithm::Md5,
            "sha1" => Algorithm::Sha1,
            "sha224" => Algorithm::Sha224,
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            _ => {
                return Err(Error::new(format!("Could not hash file with algorithm '{name}'"))
                    .with_help("Use md5, sha1, sha224, sha256, sha384 or sha512."));
            }
        })
    }

    /// Computes the checksum of all data of a reader, in hexadecimal.
    pub(crate) fn of_reader(self, reader: impl Read) -> io::Result<String> {
        match self {
            Algorithm::Md5 => sum::<Md5>(reader),
            Algorithm::Sha1 => sum::<Sha1>(reader),
            Algorithm::Sha224 => sum::<Sha224>(reader),
            Algorithm::Sha256 => sum::<Sha256>(reader),
            Algorithm::Sha384 => sum::<Sha384>(reader),
            Algorithm::Sha512 => sum::<Sha512>(reader),
        }
    }

    pub(crate) fn of_file(self, path: &Path) -> io::Result<String> {
        self.of_reader(File::open(path)?)
    }

    pub(crate) fn of_bytes(self, bytes: &[u8]) -> String {
        self.of_reader(bytes).unwrap_or_default()
    }
}

fn sum<D: Digest>(mut reader: impl Read) -> io::Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex::encode(digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_known_ones() {
        assert_eq!(Algorithm::Sha1.of_bytes(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(Algorithm::named("MD5").unwrap().of_bytes(b""), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
