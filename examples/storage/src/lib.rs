//! A file store on tokio: whole values by key, one file each.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

/// Values by key, in a directory.
#[derive(Debug, Clone)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// A store in this directory, which is there.
    pub fn new(directory: impl AsRef<Path>) -> Self {
        Store { directory: directory.as_ref().to_owned() }
    }

    /// Writes a value beside its place, and puts it there when it is whole.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub async fn put(&self, key: &str, value: &[u8]) -> io::Result<()> {
        let part = self.directory.join(format!("{key}.part"));
        let mut file = File::create(&part).await?;
        file.write_all(value).await?;
        file.flush().await?;
        drop(file);
        fs::rename(part, self.directory.join(key)).await
    }

    /// A value, read into a buffer that has room for all of it from the start.
    ///
    /// # Errors
    /// If it is not there or cannot be read.
    pub async fn get(&self, key: &str) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.directory.join(key)).await?;
        let size = file.metadata().await?.len();
        let mut value = Vec::with_capacity(usize::try_from(size).map_err(io::Error::other)?);
        file.read_to_end(&mut value).await?;
        Ok(value)
    }

    /// The same into a buffer that grows as it fills.
    ///
    /// # Errors
    /// If it is not there or cannot be read.
    pub async fn get_growing(&self, key: &str) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.directory.join(key)).await?;
        let mut value = Vec::new();
        file.read_to_end(&mut value).await?;
        Ok(value)
    }

    /// How many bytes a value has, read through a buffer of `size` bytes and never held whole.
    ///
    /// # Errors
    /// If it is not there or cannot be read.
    pub async fn scan(&self, key: &str, size: usize) -> io::Result<u64> {
        let file = File::open(self.directory.join(key)).await?;
        let mut reader = BufReader::with_capacity(size, file);
        let mut bytes = 0;
        loop {
            let read = tokio::io::AsyncBufReadExt::fill_buf(&mut reader).await?.len();
            if read == 0 {
                return Ok(bytes);
            }
            bytes += read as u64;
            tokio::io::AsyncBufReadExt::consume(&mut reader, read);
        }
    }
}
