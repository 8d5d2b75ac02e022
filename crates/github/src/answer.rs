//! What the host answered, read with bounds.

use http::HeaderMap;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tagship_ports::{PortError, Problem};

use crate::call::Call;

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: std::sync::Arc<[u8]>,
    /// The query of the next page.
    pub(crate) next: Option<String>,
}

/// What the host says about an error.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Complaint {
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) errors: Value,
}

impl Answer {
    /// The body as the data that it must be.
    pub(crate) fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, PortError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the answer is not what it must be: {error}");
            PortError::new(Problem::Invalid, &call.about, message)
        })
    }

    /// What it complains about.
    pub(crate) fn complaint(&self) -> Complaint {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The message of an error.
    pub(crate) fn message(&self) -> String {
        self.complaint().message
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The query of the page after this one. The address before it is ours already, whatever the header says.
pub(crate) fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(http::header::LINK).iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|line| line.split(',')).find(|link| link.contains("rel=\"next\""))?;
    let (address, _) = next.trim().strip_prefix('<')?.split_once('>')?;
    Some(address.split_once('?')?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_the_links() {
        let mut headers = HeaderMap::new();
        assert_eq!(next_page(&headers), None);
        let value = "<https://x/a?page=1>; rel=\"prev\", <https://evil/b?page=3&per_page=100>; rel=\"next\"";
        headers.insert(http::header::LINK, http::HeaderValue::from_static(value));
        assert_eq!(next_page(&headers).as_deref(), Some("page=3&per_page=100"));
        headers.insert(http::header::LINK, http::HeaderValue::from_static("nonsense rel=\"next\""));
        assert_eq!(next_page(&headers), None);
    }
}
