// SPDX-License-Identifier: Apache-2.0

//! Files that the user or the environment names. Each is read up to a limit, and most of them only if that cannot
//! block.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// No profile file or token is longer than this, in bytes.
const MAX_LENGTH: u64 = 1024 * 1024;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Why it cannot be used.
    pub reason: String,
}

/// Reads a small text file. `None` if there is no such file.
///
/// # Errors
///
/// [`FileError`] if it is not a regular file, is longer than 1 MiB, is not UTF-8, holds a zero byte, or cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, FileError> {
    let unusable = |reason: String| FileError { path: path.to_owned(), reason };
    let failed = |error: io::Error| unusable(error.to_string());
    // The usual way to say that there is to be no file.
    if path == Path::new("/dev/null") {
        return Ok(Some(String::new()));
    }
    let kind = match fs::metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match fs::symlink_metadata(path) {
                Ok(_) => Err(unusable("it is a link to a file that is not there".to_owned())),
                Err(_) => Ok(None),
            };
        }
        Err(error) => return Err(failed(error)),
    };
    // Opening a pipe would wait for somebody to write, and a device may have no end.
    if !kind.is_file() {
        return Err(unusable(irregular(kind)));
    }
    let bytes = read_at_most(MAX_LENGTH, path).map_err(failed)?;
    if bytes.contains(&0) {
        return Err(unusable("it holds a zero byte, as UTF-16 does: save it as UTF-8".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        unusable(format!("line {line} is not UTF-8"))
    })?;
    Ok(Some(text))
}

/// Reads a file of any kind. Waits if it is a pipe.
///
/// # Errors
///
/// An error of the operating system, or another if the file is longer than `limit` bytes.
pub fn read_at_most(limit: u64, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    match length as u64 > limit {
        true => Err(io::Error::other(too_long(limit))),
        false => Ok(bytes),
    }
}

/// Makes sure that the AWS SDK can read this file later without blocking, and that it is not empty.
///
/// # Errors
///
/// [`FileError`] as with [`read`], or if there is no such file, or nothing in it.
pub fn check(path: &Path) -> Result<(), FileError> {
    let reason = match read(path)? {
        Some(text) if !text.trim().is_empty() => return Ok(()),
        Some(_) => "it is empty".to_owned(),
        None => "there is no such file".to_owned(),
    };
    Err(FileError { path: path.to_owned(), reason })
}

/// Makes sure that reading the files in a folder of cached tokens cannot block. The folder may be missing.
///
/// # Errors
///
/// [`FileError`] if one of its `.json` files is not a regular file, is longer than 1 MiB, or is a link to a file that
/// is not there.
pub fn check_cache(folder: &Path) -> Result<(), FileError> {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let reason = match fs::metadata(&path) {
            Ok(metadata) if !metadata.is_file() => irregular(metadata.file_type()),
            Ok(metadata) if metadata.len() > MAX_LENGTH => too_long(MAX_LENGTH),
            Ok(_) => continue,
            Err(error) => error.to_string(),
        };
        return Err(FileError { path, reason });
    }
    Ok(())
}

fn irregular(kind: FileType) -> String {
    let name = if kind.is_dir() { "a folder" } else { "a pipe or a device" };
    format!("it is {name}, not a regular file")
}

fn too_long(limit: u64) -> String {
    format!("it is longer than {} MiB", limit >> 20)
}
