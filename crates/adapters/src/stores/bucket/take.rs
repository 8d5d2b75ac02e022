//! Taking an artifact that lies in a bucket under a key of its own: an object, or all objects below a folder.

use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, path::Path};
use tagship_ports::{PortError, Problem, model_registry::Fetched};

use super::{BucketStore, failure::port};
use crate::taking::{MOST_FILES, Taking};

/// An object that is read where it lies.
#[derive(Clone)]
pub(crate) struct Object {
    store: BucketStore,
    meta: ObjectMeta,
    name: String,
}

impl Object {
    /// Its name below the folder that was asked for.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its bytes.
    pub(crate) fn size(&self) -> u64 {
        self.meta.size
    }

    /// A range of it; all of that range.
    ///
    /// # Errors
    /// [`Problem::Conflict`] where it was replaced since it was found, else as the service fails.
    pub(crate) async fn read(
        &self,
        about: &str,
        range: std::ops::Range<u64>,
    ) -> Result<impl std::ops::Deref<Target = [u8]> + use<>, PortError> {
        let length = range.end.saturating_sub(range.start);
        let piece = self.store.piece(about, &self.meta, range).await?;
        if piece.len() as u64 != length {
            let message = format!("the service answered {} bytes of {length}", piece.len());
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        Ok(piece)
    }
}

/// What stands under a key.
struct Found {
    objects: Vec<ObjectMeta>,
    is_folder: bool,
}

impl BucketStore {
    /// Fetches what a key names. One that ends with `/` is a folder.
    ///
    /// # Errors
    /// [`Problem::NotFound`] where nothing is there, [`Problem::Conflict`] where it is an object and a folder, or an object
    /// is replaced while it is read.
    pub(crate) async fn take(
        &self,
        about: &str,
        key: &str,
        mut taking: Taking,
    ) -> Result<Fetched, PortError> {
        let (is_folder, objects) = self.objects(about, key).await?;
        taking.expect(objects.iter().fold(0, |sum: u64, object| sum.saturating_add(object.size())))?;
        for object in objects {
            let mut incoming = taking.begin(object.name())?;
            let mut at = 0;
            while at < object.size() {
                let end = object.size().min(at + self.sizes.range);
                incoming.write(&object.read(about, at..end).await?)?;
                at = end;
            }
            incoming.end(Some(object.size()))?;
        }
        taking.finish(is_folder, None)
    }

    /// What a key names, as [`BucketStore::take`] has it: whether it is a folder, and its objects in the order of their names.
    pub(crate) async fn objects(&self, about: &str, key: &str) -> Result<(bool, Vec<Object>), PortError> {
        let path = Path::parse(key.trim_end_matches('/'))
            .map_err(|error| PortError::new(Problem::Invalid, about, error.to_string()))?;
        let Found { objects, is_folder } = self.find(about, &path, key.ends_with('/')).await?;
        let top = format!("{path}/");
        let object = |meta: ObjectMeta| {
            let below = meta.location.as_ref().strip_prefix(&top).filter(|_| is_folder);
            let name = below.or_else(|| meta.location.filename()).unwrap_or_default().to_owned();
            Object { store: self.clone(), meta, name }
        };
        Ok((is_folder, objects.into_iter().map(object).collect()))
    }

    async fn find(&self, about: &str, path: &Path, only_folder: bool) -> Result<Found, PortError> {
        let object = match self.service.head(path).await {
            Ok(object) if !only_folder => Some(object),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => return Err(port(about.to_owned(), &error)),
        };
        let below = self.below(about, path).await?;
        match (object, below.is_empty()) {
            (Some(object), true) => Ok(Found { objects: vec![object], is_folder: false }),
            (None, false) => Ok(Found { objects: below, is_folder: true }),
            (None, true) => {
                let message = format!("{} has nothing under {path}", self.place);
                Err(PortError::new(Problem::NotFound, about, message).hint("check the bucket and the key"))
            }
            (Some(_), false) => {
                let message = format!("{path} is an object, and there are others below it");
                Err(PortError::new(Problem::Conflict, about, message)
                    .hint("write a final `/` where the folder is meant, or give the two different names"))
            }
        }
    }

    /// Every object below a folder.
    async fn below(&self, about: &str, top: &Path) -> Result<Vec<ObjectMeta>, PortError> {
        let (mut objects, mut left) = (vec![], vec![top.clone()]);
        while let Some(folder) = left.pop() {
            let listed = self.service.list_with_delimiter(Some(&folder)).await;
            let listed = listed.map_err(|error| port(about.to_owned(), &error))?;
            // Consoles make an empty object for a folder.
            objects.extend(listed.objects.into_iter().filter(|object| object.location != folder));
            left.extend(listed.common_prefixes);
            if objects.len() + left.len() > MOST_FILES {
                let message = format!("it has more than {MOST_FILES} files or folders");
                return Err(PortError::new(Problem::Invalid, about, message));
            }
        }
        objects.sort_by(|one, other| one.location.cmp(&other.location));
        Ok(objects)
    }

    /// A range of an object, unless it was replaced since it was listed.
    async fn piece(
        &self,
        about: &str,
        object: &ObjectMeta,
        range: std::ops::Range<u64>,
    ) -> Result<impl std::ops::Deref<Target = [u8]> + use<>, PortError> {
        let options = GetOptions {
            if_match: object.e_tag.clone(),
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let read = match self.service.get_opts(&object.location, options).await {
            Ok(read) => read.bytes().await,
            Err(error) => Err(error),
        };
        read.map_err(|error| port(about.to_owned(), &error))
    }
}

/// A bucket in memory that holds these texts.
#[cfg(test)]
pub(crate) async fn holding(objects: &[(&str, &str)]) -> BucketStore {
    let memory = std::sync::Arc::new(object_store::memory::InMemory::new());
    for (key, text) in objects {
        memory.put(&Path::from(*key), (*text).to_owned().into()).await.unwrap();
    }
    BucketStore::new(memory, "s3", "bucket", None, std::sync::Arc::new(|_| {}))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn taken(bucket: &BucketStore, key: &str, limit: u64) -> Result<Vec<String>, PortError> {
        let scratch = tempfile::tempdir().unwrap();
        let fetched = bucket.take("fetch", key, Taking::new("fetch", scratch.path(), limit)).await?;
        Ok(fetched.files.into_iter().map(|file| format!("{}:{}", file.path, file.size)).collect())
    }

    #[tokio::test]
    async fn an_object_or_a_folder_is_taken_and_both_at_once_are_ambiguous() {
        let objects = [
            ("m/churn.onnx", "abc"),
            ("m/dir/a", "1"),
            ("m/dir/deep/b", ""),
            ("x", "1"),
            ("x/y", "22"),
            ("r/r/r/z", "1"),
        ];
        let bucket = holding(&objects).await;
        assert_eq!(taken(&bucket, "m/churn.onnx", 9).await.unwrap(), ["churn.onnx:3"]);
        assert_eq!(taken(&bucket, "m/dir", 9).await.unwrap(), ["a:1", "deep/b:0"]);
        assert_eq!(taken(&bucket, "r", 9).await.unwrap(), ["r/r/z:1"]);
        assert_eq!(taken(&bucket, "x/", 9).await.unwrap(), ["y:2"]);
        for (key, problem) in
            [("x", Problem::Conflict), ("m/nothing", Problem::NotFound), ("m/dir/", Problem::Invalid)]
        {
            let limit = if problem == Problem::Invalid { 0 } else { 9 };
            assert_eq!(
                taken(&bucket, key, limit).await.map_err(|error| error.problem),
                Err(problem),
                "{key}"
            );
        }
    }
}
