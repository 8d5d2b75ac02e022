//! The run's own token as a credential for the remote, where the checkout left none.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use git2::Repository;
use tagship_domain::Redacted;

use crate::repository::GitRepo;

/// Variable that carries the header to git: arguments of a program can be read by everyone on the machine.
pub(crate) const HEADER_VARIABLE: &str = "TAGSHIP_GIT_HEADER";

/// A header for one server.
#[derive(Clone)]
pub(crate) struct Credential {
    /// `http.<server>/.extraheader`, so that git sends it nowhere else.
    pub(crate) setting: String,
    /// `Authorization: basic ...`.
    pub(crate) header: Redacted<String>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("setting", &self.setting).finish_non_exhaustive()
    }
}

/// How the remote is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// By path, or over HTTP: with what git has, and with the token on its own server.
    Git,
    /// Over SSH, where a token is of no use.
    Key,
}

impl GitRepo {
    /// Lets git use a token on the server that it belongs to, and says how the remote is reached. A header that the
    /// checkout configured for the server stays the only one: two would be refused.
    pub fn authenticate(&mut self, server_url: &str, token: Option<&Redacted<String>>) -> Access {
        let Some(url) = self.remote_url() else { return Access::Git };
        if is_ssh(&url) {
            return Access::Key;
        }
        let server = format!("{}/", server_url.trim_end_matches('/'));
        let own = url.to_ascii_lowercase().starts_with(&server.to_ascii_lowercase());
        if let Some(token) = token.filter(|_| own && !has_header(&self.lock(), &url)) {
            let plain = format!("x-access-token:{}", token.expose());
            self.program.credential = Some(Credential {
                setting: format!("http.{server}.extraheader"),
                header: Redacted::new(format!("Authorization: basic {}", STANDARD.encode(plain))),
            });
        }
        Access::Git
    }

    /// The remote's address as it is configured.
    fn remote_url(&self) -> Option<String> {
        let repository = self.lock();
        let remote = repository.find_remote(self.remote.as_deref()?).ok()?;
        remote.url().ok().map(str::to_owned)
    }
}

/// `ssh://...`, or the short form `user@host:path`.
fn is_ssh(url: &str) -> bool {
    if let Some((scheme, _)) = url.split_once("://") {
        return matches!(scheme, "ssh" | "git+ssh" | "ssh+git");
    }
    let before_colon = url.split_once(':').map(|(before, _)| before);
    before_colon.is_some_and(|host| host.contains('@') && !host.contains('/'))
}

/// Whether an `http.<url>.extraheader` is configured that git would send to this address.
fn has_header(repository: &Repository, url: &str) -> bool {
    let Ok(config) = repository.config() else { return false };
    let Ok(mut entries) = config.entries(Some("^http\\..*extraheader$")) else { return false };
    let mut found = false;
    while let Some(Ok(entry)) = entries.next() {
        let Ok(name) = entry.name() else { continue };
        let scope = name.trim_start_matches("http.").trim_end_matches("extraheader").trim_end_matches('.');
        found |= url.starts_with(scope);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_want_a_key_are_known() {
        for url in ["git@github.com:acme/shop.git", "ssh://git@host/x", "deploy@host.example:x.git"] {
            assert!(is_ssh(url), "{url}");
        }
        for url in ["https://github.com/acme/shop", "/srv/git/x.git", "file:///x", "C:/x", "../a@b:c/d"] {
            assert!(!is_ssh(url), "{url}");
        }
    }

    #[test]
    fn a_token_is_used_on_its_own_server_only_and_beside_no_other_header() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::init(directory.path()).unwrap();
        repository.remote("origin", "https://git.example.org/acme/shop").unwrap();
        let token = Redacted::new("ghs_secret".to_owned());
        let authenticated = |server: &str| {
            let mut repo = GitRepo::discover(directory.path()).unwrap();
            assert_eq!(repo.authenticate(server, Some(&token)), Access::Git);
            assert!(!format!("{repo:?}").contains("ghs_secret"));
            repo.program.credential.map(|credential| credential.header.expose().clone())
        };
        let header = authenticated("https://git.example.org").unwrap();
        let sent = header.strip_prefix("Authorization: basic ").unwrap();
        assert_eq!(STANDARD.decode(sent).unwrap(), b"x-access-token:ghs_secret");
        assert_eq!(authenticated("https://git.example"), None, "another host");
        let setting = "http.https://git.example.org/.extraheader";
        repository.config().unwrap().set_str(setting, "Authorization: basic x").unwrap();
        assert_eq!(authenticated("https://git.example.org"), None, "the checkout's stays");
    }
}
