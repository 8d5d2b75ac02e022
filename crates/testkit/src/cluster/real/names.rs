//! Namespaces of a test on a server that others use too: each gets an ending that no other test has.

use serde_json::Value;

/// The ending of one test's namespaces.
#[derive(Debug)]
pub(super) struct Ending(String);

impl Ending {
    /// `number` is of no other test on that server.
    pub(super) fn new(number: u64) -> Self {
        Self(format!("-tagship-test-{number:x}"))
    }

    /// Of a test that is alone there.
    pub(super) const fn none() -> Self {
        Self(String::new())
    }

    pub(super) fn full(&self, namespace: &str) -> String {
        format!("{namespace}{}", self.0)
    }

    /// The path of a request, with the namespace that it means on the server.
    pub(super) fn target(&self, target: &str) -> String {
        const BEFORE: &str = "/namespaces/";
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut path = path.to_owned();
        if let Some((start, rest)) = path.split_once(BEFORE) {
            let (namespace, rest) =
                rest.split_once('/').map_or((rest, None), |(name, rest)| (name, Some(rest)));
            let rest = rest.map(|rest| format!("/{rest}")).unwrap_or_default();
            path = format!("{start}{BEFORE}{}{rest}", self.full(namespace));
        }
        query.map_or(path.clone(), |query| format!("{path}?{query}"))
    }

    /// The namespace that a path is about, as the test calls it.
    pub(super) fn namespace(target: &str) -> Option<&str> {
        let (_, rest) = target.split('?').next()?.split_once("/namespaces/")?;
        rest.split('/').next().filter(|name| !name.is_empty())
    }

    /// A body, with the namespaces that it means on the server. What is no JSON stays.
    pub(super) fn outward(&self, body: &[u8]) -> Vec<u8> {
        let Ok(mut document) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
        for place in ["/metadata/namespace", "/spec/resourceAttributes/namespace"] {
            if let Some(Value::String(namespace)) = document.pointer_mut(place) {
                *namespace = self.full(namespace);
            }
        }
        document.to_string().into_bytes()
    }

    /// An answer, with the namespaces as the test calls them.
    pub(super) fn inward(&self, body: &[u8]) -> String {
        String::from_utf8_lossy(body).replace(&self.0, "")
    }
}

#[cfg(test)]
mod tests {
    use super::Ending;

    #[test]
    fn namespaces_get_an_ending_and_lose_it() {
        let ending = Ending::new(31);
        let target = "/apis/apps/v1/namespaces/ml/deployments/churn?fieldManager=tagship";
        let full = "/apis/apps/v1/namespaces/ml-tagship-test-1f/deployments/churn?fieldManager=tagship";
        assert_eq!(ending.target(target), full);
        assert_eq!(ending.target("/version"), "/version");
        assert_eq!(Ending::namespace(target), Some("ml"));
        let body = br#"{"metadata":{"namespace":"ml"},"spec":{"parentRefs":[{"namespace":"infra"}]}}"#;
        let sent = ending.outward(body);
        assert!(String::from_utf8_lossy(&sent).contains("ml-tagship-test-1f"));
        assert!(
            String::from_utf8_lossy(&sent).contains("\"infra\""),
            "what a route names is not created here"
        );
        assert_eq!(ending.inward(&sent).as_bytes(), body);
        assert_eq!(ending.outward(b"spec: {}"), b"spec: {}");
        let none = Ending::none();
        assert_eq!(none.target(target), target);
        assert_eq!(none.inward(body).as_bytes(), body);
    }
}
