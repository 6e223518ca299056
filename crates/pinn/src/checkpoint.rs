//! Saved trainings: JSON with every digit, so that a resumed run repeats the same bits.

use crate::objective::Loss;
use crate::problem::Problem;
use crate::training::Training;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Adam between two steps.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoint {
    /// Of the problem and the settings it belongs to.
    pub(crate) fingerprint: u64,
    pub(crate) taken: u64,
    pub(crate) parameters: Vec<f64>,
    pub(crate) first: Vec<f64>,
    pub(crate) second: Vec<f64>,
    pub(crate) history: Vec<Loss>,
}

impl Checkpoint {
    /// Writes to a new file and renames it, so that a kill never leaves half a checkpoint.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let failed = |e: &dyn std::fmt::Display| Error::Checkpoint {
            path: path.display().to_string(),
            reason: e.to_string(),
        };
        let text = serde_json::to_vec(self).map_err(|e| failed(&e))?;
        let part = path.with_extension("part");
        std::fs::write(&part, text).map_err(|e| failed(&e))?;
        std::fs::rename(&part, path).map_err(|e| failed(&e))
    }

    /// The checkpoint of this problem, if the file exists.
    pub(crate) fn load(path: &Path, fingerprint: u64) -> Result<Option<Self>> {
        let failed =
            |reason: String| Err(Error::Checkpoint { path: path.display().to_string(), reason });
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return failed(e.to_string()),
        };
        let saved: Self = match serde_json::from_slice(&text) {
            Ok(saved) => saved,
            Err(e) => return failed(format!("not a checkpoint ({e}); delete it to start anew")),
        };
        if saved.fingerprint != fingerprint {
            return failed(
                "it belongs to other data or settings; delete it or name another file".to_owned(),
            );
        }
        Ok(Some(saved))
    }
}

/// FNV-1a over everything that determines the training.
pub(crate) fn fingerprint(problem: &Problem<'_>, training: &Training) -> u64 {
    let plain = Training { checkpoint: None, checkpoint_every: 1, ..training.clone() };
    let text = format!("{problem:?}{plain:?}");
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
