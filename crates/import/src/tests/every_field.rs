//! Nothing is dropped in silence: a field that is taken away changes the result or its notes, and one that is added where
//! nobody knows it is noted.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tagship_domain::import::Import;

use super::read;
use crate::System;

/// What says which object it is, and nothing else.
const IDENTITY: [&str; 4] = ["apiVersion", "/metadata", "/dryRun/0", "/setMirrorRoute/name"];

fn yaml(documents: &[Value]) -> String {
    let mut text = String::new();
    for document in documents {
        let _ = writeln!(text, "---\n{document}");
    }
    text
}

/// A rollout with every field that its definition has, those of a cluster in short.
fn rollout(strategy: Value) -> Value {
    let mut spec = json!({
        "replicas": 3, "selector": { "matchLabels": { "app": "a" } }, "template": { "spec": {} }, "minReadySeconds": 5,
        "revisionHistoryLimit": 3, "rollbackWindow": { "revisions": 2 }, "paused": true, "restartAt": "2026-01-01T00:00:00Z",
        "workloadRef": { "name": "x" }, "analysis": { "successfulRunHistoryLimit": 1 }, "progressDeadlineSeconds": 300,
        "progressDeadlineAbort": true,
    });
    spec["strategy"] = strategy;
    json!({ "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": { "name": "scorer", "namespace": "ml" }, "spec": spec })
}

fn analysis(more: &Value) -> Value {
    let mut block = json!({
        "templates": [{ "templateName": "rates" }, { "templateName": "wide", "clusterScope": true }],
        "args": [
            { "name": "host", "value": "h" }, { "name": "hash", "valueFrom": { "podTemplateHashValue": "Latest" } },
            { "name": "space", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } },
        ],
        "measurementRetention": [{ "metricName": "x", "limit": 3 }],
        "analysisRunMetadata": { "labels": { "a": "b" } },
        "dryRun": [{ "metricName": "advice" }],
    });
    for (key, value) in more.as_object().unwrap() {
        block[key] = value.clone();
    }
    block
}

fn templates() -> Vec<Value> {
    let prometheus = json!({
        "address": "http://p:9090", "query": "rate(x{v=\"{{args.hash}}\",h=\"{{args.host}}\",n=\"{{args.space}}\"}[5m])", "timeout": 20, "insecure": true,
        "headers": [{ "key": "Authorization", "value": "Bearer {{args.token}}" }], "authentication": { "basicAuth": { "username": "u" } },
    });
    let web = json!({
        "url": "http://w/{{args.host}}", "jsonPath": "{$.data.rate}", "timeoutSeconds": 9, "method": "POST", "body": "{}",
        "headers": [{ "key": "x-key", "value": "{{args.token}}" }, { "key": "x-plain", "value": "1" }], "insecure": true,
    });
    let metrics = json!([
        {
            "name": "rate", "interval": "2m", "initialDelay": "30s", "count": 9, "successCondition": "result[0] >= 0.95",
            "failureCondition": "result[0] < 0.9", "failureLimit": 2, "inconclusiveLimit": 1, "consecutiveErrorLimit": 7,
            "consecutiveSuccessLimit": 3, "provider": { "prometheus": prometheus },
        },
        { "name": "web", "interval": "1m", "count": 2, "successCondition": "result >= 1", "provider": { "web": web } },
        { "name": "advice", "count": 1, "successCondition": "result > 1", "provider": { "datadog": { "query": "avg:a{*}", "interval": "3m", "apiVersion": "v1", "secretRef": { "name": "s" } } } },
        { "name": "job", "provider": { "job": { "spec": { "template": {} } } } },
    ]);
    let args = json!([{ "name": "host" }, { "name": "hash" }, { "name": "space" }, { "name": "token", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }]);
    let wide = json!([{ "name": "wide", "interval": "1m", "count": 4, "failureCondition": "result > 3", "provider": { "prometheus": { "address": "http://q:9090", "query": "y" } } }]);
    vec![
        json!({ "kind": "AnalysisTemplate", "metadata": { "name": "rates" }, "spec": { "args": args, "metrics": metrics, "measurementRetention": [{ "metricName": "x" }] } }),
        json!({ "kind": "ClusterAnalysisTemplate", "metadata": { "name": "wide" }, "spec": { "metrics": wide } }),
    ]
}

fn argo_canary() -> Vec<Value> {
    let steps = json!([
        { "setCanaryScale": { "weight": 5 } }, { "setMirrorRoute": { "name": "m", "percentage": 30, "match": [{ "method": { "exact": "GET" } }] } },
        { "pause": { "duration": "5m" } }, { "setWeight": 10 }, { "setHeaderRoute": { "name": "h", "match": [] } },
        { "experiment": { "duration": "5m", "templates": [] } }, { "experiment": { "analyses": [{ "name": "a" }] } },
        { "pause": {} }, { "plugin": { "name": "p" } }, { "setWeight": 5 }, { "setWeight": 60 }, { "setWeight": 60 },
        { "analysis": analysis(&json!({})) }, { "replicaProgressThreshold": { "value": 1 } }, { "pause": { "duration": 0 } },
    ]);
    let canary = json!({
        "canaryService": "c", "stableService": "s", "steps": steps, "maxSurge": 1, "maxUnavailable": 0, "abortScaleDownDelaySeconds": 0,
        "scaleDownDelaySeconds": 40, "dynamicStableScale": true, "minPodsPerReplicaSet": 1, "pingPong": { "pingService": "a" },
        "antiAffinity": {}, "canaryMetadata": {}, "stableMetadata": {}, "scaleDownDelayRevisionLimit": 1, "replicaProgressThreshold": { "value": 2 },
        "trafficRouting": { "maxTrafficWeight": 120, "nginx": { "stableIngress": "i" }, "managedRoutes": [{ "name": "m" }] },
        "analysis": analysis(&json!({ "startingStep": 2 })),
    });
    let mut documents = vec![rollout(json!({ "canary": canary }))];
    documents.extend(templates());
    documents
}

fn argo_blue_green() -> Vec<Value> {
    let blue_green = json!({
        "activeService": "a", "previewService": "p", "previewReplicaCount": 1, "autoPromotionEnabled": false, "autoPromotionSeconds": 30,
        "prePromotionAnalysis": analysis(&json!({})), "postPromotionAnalysis": analysis(&json!({})), "scaleDownDelaySeconds": 50,
        "scaleDownDelayRevisionLimit": 1, "abortScaleDownDelaySeconds": 20, "activeMetadata": {}, "previewMetadata": {}, "antiAffinity": {},
        "maxUnavailable": 1,
    });
    let mut documents = vec![rollout(json!({ "blueGreen": blue_green }))];
    documents.extend(templates());
    documents
}

fn flagger(more: &Value) -> Vec<Value> {
    let hook = |kind: &str| json!({ "name": kind, "type": kind, "url": "http://h/" });
    let mut analysis = json!({
        "interval": "30s", "threshold": 4, "primaryReadyThreshold": 90, "canaryReadyThreshold": 90, "stepWeightPromotion": 20,
        "sessionAffinity": { "cookieName": "c", "maxAge": 60 },
        "metrics": [
            { "name": "request-success-rate", "thresholdRange": { "min": 99, "max": 100 }, "interval": "1m" },
            { "name": "request-duration", "threshold": 500, "interval": "2m" },
            { "name": "custom", "templateRef": { "name": "t", "namespace": "ns" }, "templateVariables": { "k": "v" }, "thresholdRange": { "max": 1 }, "interval": "3m" },
            { "name": "inline", "query": "q", "threshold": 3 },
            { "name": "nothing" },
            { "name": "lost", "templateRef": { "name": "gone" } },
        ],
        "alerts": [{ "name": "a", "severity": "warn", "providerRef": { "name": "chat", "namespace": "ns" } }, { "name": "b", "providerRef": { "name": "gone" } }],
        "webhooks": [
            hook("confirm-rollout"), hook("pre-rollout"), hook("rollout"), hook("confirm-traffic-increase"), hook("confirm-promotion"),
            hook("post-rollout"), hook("rollback"), hook("event"), hook("new-kind"),
            { "name": "load", "url": "http://h/", "metadata": { "cmd": "hey http://a" } },
        ],
    });
    for (key, value) in more.as_object().unwrap() {
        analysis[key] = value.clone();
    }
    vec![
        json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": { "name": "scorer", "namespace": "ml" },
            "spec": {
                "provider": "istio", "metricsServer": "http://p:9090", "insecureSkipVerify": true, "progressDeadlineSeconds": 60,
                "targetRef": { "kind": "Deployment", "name": "t" }, "autoscalerRef": { "name": "x" }, "ingressRef": { "name": "i" },
                "routeRef": { "name": "r" }, "upstreamRef": { "name": "u" }, "service": { "port": 80, "name": "s" },
                "revertOnDeletion": true, "suspend": true, "analysis": analysis,
            },
        }),
        json!({
            "kind": "MetricTemplate", "metadata": { "name": "t" },
            "spec": {
                "provider": { "type": "prometheus", "address": "http://q", "secretRef": { "name": "s" }, "insecureSkipVerify": true, "region": "r" },
                "query": "x{n=\"{{ namespace }}\",k=\"{{ variables.k }}\",s=\"{{ service }}\"}[{{ interval }}]",
            },
        }),
        json!({ "kind": "AlertProvider", "metadata": { "name": "chat" }, "spec": { "type": "slack", "channel": "c", "username": "u", "secretRef": { "name": "x" } } }),
    ]
}

fn subjects() -> Vec<(System, Vec<Value>)> {
    let canary = json!({ "maxWeight": 50, "stepWeight": 20, "mirror": true, "mirrorWeight": 30 });
    let listed = json!({ "stepWeights": [1, 5], "maxWeight": 50 });
    let blue_green = json!({ "iterations": 7, "maxWeight": 50, "stepWeight": 20 });
    let matching =
        json!({ "iterations": 7, "match": [{ "headers": { "x-a": { "exact": "b" } } }], "mirror": true });
    let mut all = vec![(System::Argo, argo_canary()), (System::Argo, argo_blue_green())];
    all.extend([canary, listed, blue_green, matching].iter().map(|more| (System::Flagger, flagger(more))));
    all
}

/// The ways to every value below a mapping.
fn ways(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let way = format!("{at}/{}", key.replace('/', "~1"));
                found.push(way.clone());
                ways(inner, &way, found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                ways(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn without(document: &Value, way: &str) -> Value {
    let mut document = document.clone();
    let (parent, key) = way.rsplit_once('/').unwrap();
    if let Some(Value::Object(map)) = document.pointer_mut(parent) {
        map.remove(&key.replace("~1", "/"));
    }
    document
}

/// A note about a mapping as a whole is about everything in it.
fn is_covered(imported: &Import, document: &Value, way: &str) -> bool {
    let kind = document["kind"].as_str().unwrap();
    let title = format!("{kind}/{} ", document["metadata"]["name"].as_str().unwrap());
    let parts: Vec<&str> = way.split('/').skip(1).collect();
    let mut place = String::new();
    parts.iter().any(|part| {
        if part.parse::<usize>().is_ok() {
            let _ = write!(place, "[{part}]");
        } else {
            let dot = if place.is_empty() { "" } else { "." };
            let _ = write!(place, "{dot}{part}");
        }
        let full = format!("{title}{place}");
        let about =
            |at: &str| at == full || at.strip_prefix(&full).is_some_and(|rest| rest.starts_with(" ("));
        imported.notes.iter().any(|note| about(&note.at))
    })
}

#[test]
fn a_field_that_is_taken_away_is_missed() {
    let mut silent = vec![];
    for (system, documents) in subjects() {
        let whole = read(system, &yaml(&documents)).unwrap();
        for (index, document) in documents.iter().enumerate() {
            let mut all = vec![];
            ways(document, "", &mut all);
            for way in all {
                let is_identity = IDENTITY.iter().any(|part| way.contains(part));
                let mut fewer = documents.clone();
                fewer[index] = without(document, &way);
                let changed = read(system, &yaml(&fewer)).map_or(true, |fewer| fewer != whole);
                if !(changed || is_identity || is_covered(&whole, document, &way)) {
                    silent.push(format!("{}{way}", document["kind"]));
                }
            }
        }
    }
    assert_eq!(silent, [] as [String; 0]);
}

#[test]
fn a_field_that_nobody_knows_is_noted() {
    let mut silent = vec![];
    for (system, documents) in subjects() {
        for (index, document) in documents.iter().enumerate() {
            let mut all = vec![String::new()];
            ways(document, "", &mut all);
            for way in all {
                let mut more = documents.clone();
                let Some(Value::Object(map)) = more[index].pointer_mut(&way) else { continue };
                map.insert("brandNew".to_owned(), json!({ "a": 1 }));
                let Ok(imported) = read(system, &yaml(&more)) else { continue };
                let is_named = imported
                    .notes
                    .iter()
                    .any(|note| note.at.contains("brandNew") || note.text.contains("brandNew"));
                let is_free = ["/labels", "/metadata", "/templateVariables", "/headers", "/match"]
                    .iter()
                    .any(|part| way.contains(part));
                if !(is_named || is_free || is_covered(&imported, document, &way)) {
                    silent.push(format!("{}{way}", document["kind"]));
                }
            }
        }
    }
    assert_eq!(silent, [] as [String; 0]);
}

#[test]
fn labels_of_the_object_itself_are_noted() {
    let mut documents = argo_canary();
    documents[0]["metadata"]["annotations"] = Value::Object(Map::new());
    let imported = read(System::Argo, &yaml(&documents)).unwrap();
    assert!(imported.notes.iter().any(|note| note.at == "Rollout/scorer metadata.annotations"));
}
