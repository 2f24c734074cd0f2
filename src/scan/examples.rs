//! `rules test`: the examples of packs go through the same path as evidence.

use std::collections::BTreeMap;

use crate::artifact_path::ArtifactPath;
use crate::budget::Limits;
use crate::evidence::{Item, Source};
use crate::matching::Ruleset;

use super::{Digest, Plan, ScanError, Watch, scan};

/// An example that did not do what its pack says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleFailure {
    /// The pack's name.
    pub pack: String,
    /// The indicator's id.
    pub indicator: String,
    /// `hit` or `miss`.
    pub expected: &'static str,
    /// The example's number in its list, from 1.
    pub number: usize,
    /// The example.
    pub example: String,
}

/// Scans every example; the first value counts them, the second are those that failed.
///
/// # Errors
/// See [`ScanError`].
pub fn test_examples(ruleset: &Ruleset) -> Result<(usize, Vec<ExampleFailure>), ScanError> {
    let mut items = Vec::new();
    let mut expected: BTreeMap<String, (ExampleFailure, bool)> = BTreeMap::new();
    for indicator in ruleset.indicators() {
        let Some(examples) = indicator.examples() else { continue };
        let pack = ruleset.packs.get(indicator.pack()).map(|pack| pack.name.clone()).unwrap_or_default();
        for (word, list) in [("hit", &examples.hit), ("miss", &examples.miss)] {
            for (index, example) in list.iter().enumerate() {
                let path = format!("{pack}/{}/{word}-{}", indicator.id(), index + 1);
                items.push(Item {
                    path: ArtifactPath::evidence(&path),
                    source: Source::Memory(example.clone().into_bytes()),
                });
                let failure = ExampleFailure {
                    pack: pack.clone(),
                    indicator: indicator.id().into_owned(),
                    expected: word,
                    number: index + 1,
                    example: example.clone(),
                };
                expected.insert(path, (failure, false));
            }
        }
    }
    let count = items.len();
    let plan = Plan { paths: Vec::new(), limits: Limits::default(), threads: Some(1), digest: Digest::Computed };
    let report = scan(&plan, items, ruleset, &Watch::default())?;
    for sighting in report.sightings.iter() {
        let sighting = sighting.map_err(ScanError::Spool)?;
        let evidence = sighting.artifact.split("!/").next().unwrap_or_default();
        if let Some((example, is_hit)) = expected.get_mut(evidence)
            && example.indicator == sighting.indicator
            && example.pack == sighting.pack
        {
            *is_hit = true;
        }
    }
    let failures = expected.into_values().filter(|(example, is_hit)| *is_hit != (example.expected == "hit"));
    Ok((count, failures.map(|(example, _)| example).collect()))
}
