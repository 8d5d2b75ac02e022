//! What follows `mlflow:`: a registered model, which of its versions, and which of its files.
//!
//! `churn`, `churn/7` and `churn@candidate`, each also with `models:/` in front as `MLflow` writes it, and with `#model.onnx`
//! behind where one file of the version is the artifact.

use tagship_ports::{PortError, Problem};

/// Which version is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The one with the largest number.
    Newest,
    /// This one.
    Number(u64),
    /// The one that an alias names.
    Alias(String),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) name: String,
    pub(super) wanted: Wanted,
    pub(super) file: Option<String>,
}

impl Address {
    pub(super) fn read(rest: &str) -> Result<Self, PortError> {
        let wrong = |why: &str| {
            PortError::new(Problem::Invalid, format!("read the address mlflow:{rest}"), why)
                .hint("write mlflow:NAME, mlflow:NAME/VERSION or mlflow:NAME@ALIAS, with #FILE where one file is meant")
        };
        let (model, file) = match rest.split_once('#') {
            Some((_, "")) => return Err(wrong("it names no file after #")),
            Some((model, file)) => (model, Some(file.to_owned())),
            None => (rest, None),
        };
        let model = model.strip_prefix("models:").unwrap_or(model).trim_start_matches('/');
        let (name, wanted) = if let Some((name, alias)) = model.split_once('@') {
            (name, Wanted::Alias(alias.to_owned()))
        } else if let Some((name, version)) = model.split_once('/') {
            let number = version.parse().map_err(|_no_number| wrong("its version is no number"))?;
            (name, Wanted::Number(number))
        } else {
            (model, Wanted::Newest)
        };
        if name.is_empty() || matches!(&wanted, Wanted::Alias(alias) if alias.is_empty()) {
            return Err(wrong("it names no model, or no alias"));
        }
        // It stands in a filter between these.
        if name.contains(['\'', '"', '`', '\\', '/', ':']) {
            return Err(wrong("the name of the model holds a quote, a slash or a colon"));
        }
        Ok(Self { name: name.to_owned(), wanted, file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_aliases_and_files_are_told_apart() {
        let read = |text: &str| {
            let Address { name, wanted, file } = Address::read(text).unwrap();
            assert_eq!(name, "churn");
            (wanted, file)
        };
        let alias = || Wanted::Alias("candidate".to_owned());
        assert_eq!(read("churn"), (Wanted::Newest, None));
        assert_eq!(read("churn/7"), (Wanted::Number(7), None));
        assert_eq!(read("churn@candidate"), (alias(), None));
        assert_eq!(read("models:/churn/7"), (Wanted::Number(7), None));
        assert_eq!(read("models:/churn@candidate#model.onnx"), (alias(), Some("model.onnx".to_owned())));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for bad in ["", "@a", "churn@", "churn/latest", "a'b", "churn#", "churn/1/2"] {
            assert!(Address::read(bad).is_err(), "{bad:?}");
        }
    }
}
