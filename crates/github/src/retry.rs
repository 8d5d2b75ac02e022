//! When a request is sent again, and how long to wait before. A pure decision.

use http::HeaderMap;
use tagship_domain::{Duration, Timestamp};

use crate::{answer::Answer, call::Effect};

/// Most times that one request is sent.
const ATTEMPTS: u32 = 5;
/// First wait after a failure of the host or the network; doubled each time.
const BACKOFF: Duration = Duration::from_secs(1);
/// First wait where the host says "slow down" without saying how long, as its documentation asks; doubled each time.
const SLOW_DOWN: Duration = Duration::from_secs(60);
/// The spread of waits, so that runs which failed together do not come back together.
const SPREAD: i64 = 250;

/// What became of sending a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The host answered, whatever it said.
    Answered(Answer),
    /// No answer came.
    Lost {
        /// Whether the host may have got the request and acted on it.
        sent: bool,
        /// What the network said.
        message: String,
    },
}

/// How long to wait before the request is sent again; `None` where it must not be, or has been often enough.
pub(crate) fn wait(effect: Effect, outcome: &Outcome, attempt: u32, now: Timestamp) -> Option<Duration> {
    if attempt >= ATTEMPTS {
        return None;
    }
    let backoff = |first: Duration| {
        let millis = u64::try_from(first.std().as_millis()).unwrap_or(u64::MAX) << (attempt - 1);
        let jitter = u64::try_from(now.as_millis().rem_euclid(SPREAD)).unwrap_or(0);
        Duration::from_millis(millis + jitter)
    };
    match outcome {
        // Refused before anything was done: safe whatever the request does.
        Outcome::Answered(answer) if is_limited(answer) => {
            Some(asked_for(&answer.headers, now).unwrap_or_else(|| backoff(SLOW_DOWN)))
        }
        Outcome::Answered(answer) if is_broken(answer.status) && effect.is_repeatable() => {
            Some(asked_for(&answer.headers, now).unwrap_or_else(|| backoff(BACKOFF)))
        }
        Outcome::Answered(_) => None,
        Outcome::Lost { sent, .. } => (effect.is_repeatable() || !sent).then(|| backoff(BACKOFF)),
    }
}

/// Whether nobody knows if the request was acted on.
pub(crate) fn is_unsure(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(answer) => is_broken(answer.status),
        Outcome::Lost { sent, .. } => *sent,
    }
}

/// Whether the host failed, rather than refused.
pub(crate) fn is_broken(status: u16) -> bool {
    status >= 500 || status == 408
}

/// Whether the host says "later": a primary or secondary rate limit.
pub(crate) fn is_limited(answer: &Answer) -> bool {
    match answer.status {
        429 => true,
        403 => {
            let spent = text(&answer.headers, "x-ratelimit-remaining") == Some("0");
            let message = answer.message().to_lowercase();
            spent
                || answer.headers.contains_key("retry-after")
                || ["secondary rate limit", "api rate limit exceeded", "abuse detection"]
                    .iter()
                    .any(|words| message.contains(words))
        }
        _ => false,
    }
}

/// The wait that the host asks for.
fn asked_for(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(seconds) = text(headers, "retry-after").and_then(|text| text.parse().ok()) {
        return Some(Duration::from_secs(seconds));
    }
    if text(headers, "x-ratelimit-remaining") != Some("0") {
        return None;
    }
    let reset: i64 = text(headers, "x-ratelimit-reset")?.parse().ok()?;
    let reset = Timestamp::from_seconds(reset).ok()?;
    // A second more: the two clocks need not agree.
    Some(reset.since(now).plus(Duration::from_secs(1)))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, headers: &[(&'static str, &'static str)], message: &str) -> Outcome {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        let body = format!("{{\"message\":{message:?}}}").into_bytes();
        Outcome::Answered(Answer { status, headers: headers.collect(), body: body.into(), next: None })
    }

    fn seconds(effect: Effect, outcome: &Outcome, attempt: u32) -> Option<u64> {
        let now = Timestamp::from_seconds(1_000).unwrap();
        wait(effect, outcome, attempt, now).map(|wait| wait.std().as_secs())
    }

    #[test]
    fn the_host_says_how_long_to_wait() {
        let asked = answered(429, &[("retry-after", "7")], "slow down");
        let reset = answered(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1030")], "API");
        let silent = answered(403, &[], "You have exceeded a secondary rate limit.");
        for effect in [Effect::Read, Effect::Create] {
            assert_eq!(seconds(effect, &asked, 1), Some(7));
            assert_eq!(seconds(effect, &reset, 1), Some(31));
            assert_eq!((seconds(effect, &silent, 1), seconds(effect, &silent, 2)), (Some(60), Some(120)));
            assert_eq!(seconds(effect, &asked, ATTEMPTS), None, "not for ever");
        }
        assert_eq!(seconds(Effect::Read, &answered(403, &[], "Resource not accessible"), 1), None);
    }

    #[test]
    fn what_may_have_happened_is_repeated_only_where_repeating_is_harmless() {
        let broken = answered(502, &[], "bad gateway");
        let lost = Outcome::Lost { sent: true, message: "reset".to_owned() };
        let unsent = Outcome::Lost { sent: false, message: "refused".to_owned() };
        for outcome in [&broken, &lost] {
            assert_eq!(seconds(Effect::Create, outcome, 1), None);
            assert_eq!(seconds(Effect::Update, outcome, 3), Some(4));
            assert!(is_unsure(outcome));
        }
        assert_eq!(seconds(Effect::Create, &unsent, 1), Some(1));
        assert!(!is_unsure(&unsent));
        assert_eq!(seconds(Effect::Read, &answered(404, &[], "Not Found"), 1), None);
    }
}
