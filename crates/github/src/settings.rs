//! Which host, which repository, which token.

use reqwest::Url;
use tagship_domain::{Duration, Redacted};
use tagship_ports::{PortError, Problem};

/// Size of a part, in bytes. The host takes files of less than 2 GiB; the rest is room for what it counts beside.
const PART: u64 = (2 << 30) - (1 << 20);

/// Who commits and tags through the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name.
    pub name: String,
    /// Email address.
    pub email: String,
}

/// What a client has to know. A workflow finds all of it in its environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base of the REST API: `GITHUB_API_URL`.
    pub api_url: String,
    /// Where people look at things: `GITHUB_SERVER_URL`.
    pub server_url: String,
    /// The GraphQL API, on the host of the REST API: `GITHUB_GRAPHQL_URL`.
    pub graphql_url: String,
    /// `owner/name`: `GITHUB_REPOSITORY`.
    pub repository: String,
    /// The token. It is sent to the API's and the uploads' host, and along no redirect.
    pub token: Redacted<String>,
    /// Page of the run, shown as the log of a deployment.
    pub run_url: Option<String>,
    /// Whether a fork caused the run, so that its token can only read.
    pub from_fork: bool,
    /// Who commits and tags.
    pub identity: Identity,
    /// Longest wait for one answer. Uploads get more, by their size.
    pub timeout: Duration,
    /// Longest time that one call waits for the host to be willing again, over all its attempts.
    pub patience: Duration,
    /// Size of the parts in which a larger file is stored, in bytes; at most what the host takes as one file.
    pub part_size: u64,
}

impl Settings {
    /// Settings for these addresses, with defaults for the rest.
    pub fn new(
        api_url: impl Into<String>,
        server_url: impl Into<String>,
        graphql_url: impl Into<String>,
        repository: impl Into<String>,
        token: impl Into<String>,
    ) -> Self {
        Self {
            api_url: api_url.into(),
            server_url: server_url.into(),
            graphql_url: graphql_url.into(),
            repository: repository.into(),
            token: Redacted::new(token.into()),
            run_url: None,
            from_fork: false,
            identity: Identity {
                name: "tagship".to_owned(),
                email: "tagship@users.noreply.localhost".to_owned(),
            },
            timeout: Duration::from_secs(30),
            patience: Duration::from_secs(300),
            part_size: PART,
        }
    }
}

/// Addresses that have been checked.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) api: Url,
    pub(crate) uploads: Url,
    pub(crate) graphql: Url,
    pub(crate) owner: String,
    pub(crate) name: String,
}

impl Addresses {
    /// Checks what no request would survive.
    pub(crate) fn of(settings: &Settings) -> Result<Self, PortError> {
        let invalid = |message: String| PortError::new(Problem::Invalid, "reach the forge", message);
        let url = |text: &str, what: &str| -> Result<Url, PortError> {
            let url = Url::parse(text.trim_end_matches('/'))
                .map_err(|error| invalid(format!("{what} {text:?} is no address: {error}")))?;
            let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
                return Err(invalid(format!("{what} must be http(s)://HOST[/PATH] without credentials")));
            }
            Ok(url)
        };
        let api = url(&settings.api_url, "GITHUB_API_URL")?;
        let graphql = url(&settings.graphql_url, "GITHUB_GRAPHQL_URL")?;
        if graphql.origin() != api.origin() {
            return Err(invalid("GITHUB_GRAPHQL_URL must be on the host of GITHUB_API_URL".to_owned())
                .hint("the token is sent to one host only"));
        }
        url(&settings.server_url, "GITHUB_SERVER_URL")?;
        let token = settings.token.expose();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PortError::new(Problem::Denied, "reach the forge", "the token is empty or no token")
                .hint("pass `github-token: ${{ github.token }}`, without spaces or line ends"));
        }
        let part = |text: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !text.is_empty() && text.bytes().all(plain) && text != "." && text != ".."
        };
        match settings.repository.split_once('/') {
            Some((owner, name)) if part(owner) && part(name) => Ok(Self {
                uploads: uploads(&api),
                api,
                graphql,
                owner: owner.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(invalid(format!("GITHUB_REPOSITORY {:?} is not OWNER/NAME", settings.repository))),
        }
    }
}

/// Where assets are uploaded: `api.HOST` has `uploads.HOST`, a server of one's own `/api/uploads` beside `/api/v3`.
fn uploads(api: &Url) -> Url {
    let mut uploads = api.clone();
    let host =
        api.host_str().and_then(|host| host.strip_prefix("api.")).map(|rest| format!("uploads.{rest}"));
    if let Some(host) = host {
        // A host that came out of an address can go into one.
        let _ = uploads.set_host(Some(&host));
    } else if let Some(before) = api.path().strip_suffix("/v3") {
        uploads.set_path(&format!("{before}/uploads"));
    }
    uploads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(api: &str, graphql: &str) -> Settings {
        Settings::new(api, "https://git.example.org", graphql, "acme/shop", "ghs_x")
    }

    #[test]
    fn uploads_go_where_the_host_takes_them() {
        for (api, graphql, uploads) in [
            ("https://api.example.org", "https://api.example.org/graphql", "https://uploads.example.org/"),
            (
                "https://api.acme.example.org/",
                "https://api.acme.example.org/graphql",
                "https://uploads.acme.example.org/",
            ),
            (
                "https://git.acme.org/api/v3",
                "https://git.acme.org/api/graphql",
                "https://git.acme.org/api/uploads",
            ),
            (
                "http://127.0.0.1:8080/api/v3",
                "http://127.0.0.1:8080/api/graphql",
                "http://127.0.0.1:8080/api/uploads",
            ),
        ] {
            assert_eq!(Addresses::of(&settings(api, graphql)).unwrap().uploads.as_str(), uploads);
        }
    }

    #[test]
    fn wrong_settings_are_refused_before_anything_is_sent() {
        let good = settings("https://api.example.org", "https://api.example.org/graphql");
        let with = |change: &dyn Fn(&mut Settings)| {
            let mut settings = good.clone();
            change(&mut settings);
            Addresses::of(&settings).map(|_| ()).unwrap_err()
        };
        assert!(Addresses::of(&good).is_ok());
        assert_eq!(with(&|s| s.token = Redacted::new("a\nb".to_owned())).problem, Problem::Denied);
        assert_eq!(with(&|s| s.token = Redacted::new(String::new())).problem, Problem::Denied);
        assert!(
            with(&|s| s.graphql_url = "https://evil.example/graphql".to_owned()).message.contains("host")
        );
        for bad in ["acme", "acme/", "a/b/c", "a/..", "a b/c", "acme/shop?x"] {
            assert!(with(&|s| s.repository = bad.to_owned()).message.contains("OWNER/NAME"), "{bad}");
        }
        for bad in ["ftp://x", "nonsense", "https://user:pass@api.example.org"] {
            assert_eq!(with(&|s| s.api_url = bad.to_owned()).problem, Problem::Invalid, "{bad}");
        }
    }
}
