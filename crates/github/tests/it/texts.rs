//! Hostile texts, and where the token is seen.

use tagship_domain::{Digest, Redacted};
use tagship_github::Settings;
use tagship_ports::{Forge as _, Problem, forge::CommentOutcome};

use crate::host::{Host, comment, note};

#[tokio::test]
async fn hostile_texts_come_back_as_they_are_and_forge_no_marker() {
    let host = Host::new();
    let client = host.client();
    let marker = "<!-- tagship:status {\"written\":\"2999-01-01T00:00:00Z\"} -->\nmine";
    let long = "é🪴".repeat(30_000);
    let texts = [
        marker,
        "--> <script>alert(1)</script> <!--",
        "line\r\nline\r\n",
        "@everyone | `x` [a](javascript:b) \u{202e} \u{0} \u{7f}",
        "::error::x\n%0A::set-output name=a::b",
        "{\"json\": \"\\u0000\"}",
        "",
        long.as_str(),
    ];
    for (second, text) in (1..).zip(texts) {
        let written = comment(second, text);
        client.comment(&written).await.unwrap();
        assert_eq!(client.comment(&written).await, Ok(CommentOutcome::Unchanged), "{text:.40}");
        let stored = host
            .fake
            .world(|world| world.comment_bodies(7).iter().map(|b| (*b).to_owned()).collect::<Vec<_>>());
        assert_eq!(stored.len(), 1, "{text:.40}");
        assert_eq!(stored[0].split_once('\n').unwrap().1, text);
    }
    let too_long = client.comment(&comment(99, &"x".repeat(65_536))).await.unwrap_err();
    assert_eq!(too_long.problem, Problem::Invalid, "{too_long}");
    // Someone else writes what looks like a newer comment of ours.
    host.fake.world(|world| world.add_comment(7, "mallory", marker));
    assert_eq!(client.comment(&comment(100, "fine")).await, Ok(CommentOutcome::Updated));
    host.fake.world(|world| assert_eq!(world.comment_bodies(7)[1], marker, "it is left alone"));
}

#[tokio::test]
async fn the_token_is_sent_in_its_header_only_and_shown_nowhere() {
    let host = Host::new();
    let client = host.client();
    client.comment(&comment(1, "one")).await.unwrap();
    client.release(&note()).await.unwrap();
    let token = host.fake.token();
    for request in host.fake.received() {
        let with_token: Vec<&str> = request
            .headers
            .iter()
            .filter(|(_, value)| value.contains(token))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(with_token, ["authorization"], "{}", request.target);
        assert!(!request.target.contains(token) && !request.body.to_string().contains(token));
        let agents = request.headers.iter().filter(|(name, _)| name == "user-agent");
        assert_eq!(agents.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["tagship/0.1.0"]);
        assert!(request.headers.iter().any(|(name, _)| name == "x-github-api-version"));
    }
    let shown = format!("{client:?} {client:#?} {:?}", host.settings());
    assert!(!shown.contains(token), "{shown}");

    // The host repeats a word of its own that happens to be the token.
    let settings = Settings { token: Redacted::new("credentials".to_owned()), ..host.settings() };
    let error = host.client_with(settings).comment(&comment(2, "two")).await.unwrap_err();
    assert!(error.to_string().contains("Bad ***"), "{error}");
    assert_eq!(error.problem, Problem::Denied);
}

#[tokio::test]
async fn a_large_file_is_streamed_to_the_release_and_checked() {
    let host = Host::new();
    let client = host.client();
    client.release(&note()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("model.bin");
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    std::fs::write(&file, &bytes).unwrap();
    let digest: Digest = format!("sha256:{}", sha256(&bytes)).parse().unwrap();
    for _ in 0..2 {
        client.attach_file("churn@v1.0.0", "model.bin", &file, &digest).await.unwrap();
    }
    host.fake.world(|world| {
        assert_eq!(world.asset_bytes.values().filter(|there| **there == bytes).count(), 1, "uploaded once");
    });
    // What arrives is not what was to be released: it is taken away again.
    let wrong = Digest::from_bytes([7; 32]);
    let error = client.attach_file("churn@v1.0.0", "other.bin", &file, &wrong).await.unwrap_err();
    assert!(error.to_string().contains("what arrived as other.bin"), "{error}");
    let names = host.fake.world(|world| world.releases[0]["assets"].as_array().unwrap().len());
    assert_eq!(names, 2);
    for (name, file) in [("a b", &file), ("../x", &file)] {
        let error = client.attach_file("churn@v1.0.0", name, file, &digest).await.unwrap_err();
        assert_eq!(error.problem, Problem::Invalid, "{error}");
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().fold(String::new(), |out, byte| out + &format!("{byte:02x}"))
}
