//! XGBoost's snapshot of a booster, which is what its pickles hold: the model and the settings in one document, in UBJSON or JSON
//! (`LearnerIO::Save` of dmlc/xgboost).

use super::{ubjson, xgboost::Xgboost};
use crate::{
    findings::Findings,
    json::{self, Event, JsonError, Source},
    rules,
    stream::{Section, Stop, Stream},
};

/// The key of the model.
const MODEL: &str = "Model";

/// The part of a document that is the model.
struct Model<S> {
    source: S,
    /// Containers that are open.
    depth: usize,
    /// The value of the outermost object that is being read is the model.
    inside: bool,
    /// There was a model.
    seen: bool,
}

impl<S: Source> Model<S> {
    fn of(source: S) -> Self {
        Self { source, depth: 0, inside: false, seen: false }
    }
}

impl<S: Source> Source for Model<S> {
    fn next(&mut self) -> Result<Option<Event>, JsonError> {
        while let Some(event) = self.source.next()? {
            let depth = self.depth;
            match &event {
                Event::ObjectStart | Event::ArrayStart => self.depth += 1,
                Event::ObjectEnd | Event::ArrayEnd => self.depth -= 1,
                Event::Key(key) if depth == 1 => {
                    self.inside = key == MODEL;
                    if self.inside && std::mem::replace(&mut self.seen, true) {
                        let what = "a second model, of which readers take one or the other";
                        return Err(JsonError::Syntax { at: self.position(), what });
                    }
                    continue;
                }
                _ => {}
            }
            // The outermost object's own begin and end are no part of it.
            if self.inside && depth.max(self.depth) > 1 {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn position(&self) -> u64 {
        self.source.position()
    }
}

/// Judges a snapshot.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut model = Xgboost::default();
    let read = if stream.head()?.get(1) == Some(&b'"') {
        let size = stream.size();
        json::walk(&mut Model::of(json::Reader::new(Section::new(stream, size))), &mut model)
    } else {
        json::walk(&mut Model::of(ubjson::Reader::new(stream)), &mut model)
    };
    let known = model.is_model();
    findings.append(model.into_findings());
    match read {
        Ok(()) if known => {}
        Ok(()) => findings.whole(&rules::BOOSTER_SCHEMA, "there is no model of XGBoost in it"),
        Err(JsonError::Io(error)) => return Err(Stop::Io(error)),
        Err(error) => {
            findings.whole(&rules::BOOSTER_SYNTAX, format!("the document does not parse: {error}"));
        }
    }
    Ok(())
}
