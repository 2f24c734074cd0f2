//! How much a hit is worth: severity by kind and by the advisory's window.

use crate::artifact_path::ArtifactPath;
use crate::matching::{Hit, Ruleset};
use crate::pack::Severity;
use crate::record::EventTime;

use super::{Sighting, SightingKind, TimeZone};

/// Turns a hit in `artifact` into a sighting; none where the hit's indicator is not of this ruleset.
pub fn grade(hit: Hit, ruleset: &Ruleset, artifact: &ArtifactPath) -> Option<Sighting> {
    let indicator = ruleset.indicator(hit.indicator)?;
    let pack = ruleset.packs.get(indicator.pack())?;
    let (severity, window) = match (hit.seen, hit.time) {
        // A quote says nothing about when the thing itself was used.
        _ if hit.kind == SightingKind::Mention => (Severity::Info, None),
        (None, _) => (indicator.severity(), None),
        (Some(_), None) => (indicator.severity(), Some("time unknown".to_owned())),
        (Some(seen), Some(time)) => {
            let is_inside = (seen.first..=seen.last).contains(&time.day());
            let (word, severity) =
                if is_inside { ("inside", indicator.severity()) } else { ("outside", indicator.outside_seen()) };
            (severity, Some(word.to_owned()))
        }
    };
    Some(Sighting {
        advisory: pack.advisory.as_ref().map(|advisory| advisory.id.clone()),
        pack: pack.name.clone(),
        indicator: indicator.id().into_owned(),
        name: indicator.name().into_owned(),
        severity,
        confidence: indicator.confidence(),
        kind: hit.kind,
        observable: hit.observable,
        matched: hit.matched,
        occurrences: hit.occurrences,
        artifact: artifact.as_str().to_owned(),
        record: hit.record,
        line: hit.line,
        offset: hit.offset,
        field: hit.field,
        decode: hit.decode.into_iter().map(str::to_owned).collect(),
        time: hit.time.map(EventTime::to_text),
        time_zone: if matches!(hit.time, Some(EventTime::Utc(_))) { TimeZone::Known } else { TimeZone::Unknown },
        fields: hit.fields,
        excerpt: hit.excerpt,
        window,
    })
}
