//! The admin plane.

use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_told_or_done_without_the_token() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    let order = load_order("label 1", 1).to_string();
    for token in
        [None, Some(String::new()), Some("a token of the testz".to_owned()), Some(format!("{TOKEN}x"))]
    {
        for (method, path) in [
            ("GET", "/admin/models/churn".to_owned()),
            ("PUT", "/admin/models/churn/versions/v1.0.0".to_owned()),
            ("PUT", format!("/admin/uploads/{}", digest(b"x"))),
            ("DELETE", "/admin/models/churn/versions/v1.0.0?fence=1".to_owned()),
            ("GET", "/admin/nothing".to_owned()),
        ] {
            let mut client = Client::connect(server.addresses.admin).await;
            client.token.clone_from(&token);
            let (status, body) = client.send(method, &path, order.as_bytes()).await;
            let answer = String::from_utf8(body).unwrap();
            assert_eq!(status, 401, "{token:?} {method} {path}");
            assert!(!answer.contains(TOKEN));
        }
    }
    assert_eq!(server.status().await["arms"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_runner_moves_nothing() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 1", 5).await;
    server.promote("v1.0.0", 7).await;
    let mut admin = server.admin().await;
    let before = server.status().await;
    let orders = [
        ("POST", "/admin/models/churn/promote", json!({ "fence": 6, "version": "v1.0.0" })),
        ("POST", "/admin/models/churn/weight", json!({ "fence": 6, "version": "v1.0.0", "weight": 0 })),
        ("POST", "/admin/models/churn/rollback", json!({ "fence": 6, "to": null })),
        ("POST", "/admin/models/churn/routing", json!({ "fence": 6, "sticky": null, "shadow": null })),
        ("PUT", "/admin/models/churn/versions/v1.1.0", load_order("label 1", 6)),
        ("DELETE", "/admin/models/churn/versions/v1.0.0?fence=6", json!(null)),
    ];
    for (method, path, order) in orders {
        let (status, answer) = admin.json(method, path, &order).await;
        assert_eq!((status, &answer["seen"]), (412, &json!(7)), "{method} {path}: {answer}");
    }
    assert_eq!(server.status().await, before);
    // A refused order of a newer run still keeps older ones out.
    let (status, _) =
        admin.json("POST", "/admin/models/churn/promote", &json!({ "fence": 9, "version": "v3.0.0" })).await;
    assert_eq!((status, &server.status().await["fence"]), (404, &json!(9)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_orders_change_nothing() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    let (applied, there) = (json!({ "result": "applied" }), json!({ "result": "already-there" }));
    assert_eq!(server.load("v1.0.0", "label 1", 1).await, (200, applied.clone()));
    assert_eq!(server.load("v1.0.0", "label 1", 2).await, (200, there.clone()));
    let (status, other) = server.load("v1.0.0", "label 2", 3).await;
    assert_eq!(status, 409, "a version never changes its bytes: {other}");
    assert_eq!(server.promote("v1.0.0", 3).await, applied);
    assert_eq!(server.promote("v1.0.0", 3).await, there);
    server.load("v1.1.0", "label 2", 4).await;
    let weight = json!({ "fence": 5, "version": "v1.1.0", "weight": 20 });
    assert_eq!(server.order("weight", weight.clone()).await, applied);
    assert_eq!(server.order("weight", weight).await, there);

    let mut admin = server.admin().await;
    let unload = "/admin/models/churn/versions/v1.1.0?fence=6";
    assert_eq!(admin.send("DELETE", unload, b"").await.0, 409, "it has traffic");
    let back = json!({ "fence": 6, "to": "v1.0.0" });
    assert_eq!(server.order("rollback", back.clone()).await, applied);
    assert_eq!(server.order("rollback", back).await, there);
    let delete = async |admin: &mut Client| {
        serde_json::from_slice::<Value>(&admin.send("DELETE", unload, b"").await.1).unwrap()
    };
    assert_eq!(delete(&mut admin).await, applied);
    assert_eq!(delete(&mut admin).await, there);
    assert_eq!(server.order("rollback", json!({ "fence": 7, "to": null })).await, applied);
    assert_eq!(server.status().await["arms"][0]["weight"], 0);
    let artifacts = std::fs::read_dir(at.path().join("artifacts")).unwrap().count();
    assert_eq!(artifacts, 1, "bytes of unloaded and refused versions are gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_orders_are_refused_with_a_reason() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 1", 1).await;
    let mut admin = server.admin().await;
    let version = "/admin/models/churn/versions/v1.1.0";
    let (status, answer) = admin.json("PUT", version, &load_order("label 9", 1)).await;
    assert_eq!((status, &answer["missing"]), (409, &json!([digest(b"label 9")])));
    let (status, answer) = server.load("v1.1.0", "no model", 1).await;
    assert!(status == 422 && answer["error"].as_str().unwrap().contains("SVMClassifier"), "{answer}");

    let wrong_upload = format!("/admin/uploads/{}", digest(b"other"));
    let mut forged = load_order("label 1", 1);
    forged["files"][0]["path"] = json!("../../escape");
    let orders = [
        ("PUT", wrong_upload.as_str(), json!("bytes"), 422, "not sha256:"),
        ("PUT", "/admin/uploads/sha256:12", json!(null), 400, "sha256:"),
        ("PUT", version, forged, 422, "leads out"),
        ("PUT", version, json!({ "fence": 1 }), 400, "digest"),
        ("PUT", "/admin/models/churn/versions/1.1", load_order("label 1", 1), 400, "not a version"),
        ("PUT", "/admin/models/ch%40rn/versions/v1.0.0", load_order("label 1", 1), 400, "not allowed"),
        (
            "POST",
            "/admin/models/churn/promote",
            json!({ "fence": 1, "version": "v4.0.0" }),
            404,
            "load it first",
        ),
        (
            "POST",
            "/admin/models/churn/promote",
            json!({ "fence": -1, "version": "v1.0.0" }),
            400,
            "integer `-1`",
        ),
        ("POST", "/admin/models/churn/rollback", json!({ "fence": 1 }), 400, "to"),
        (
            "POST",
            "/admin/models/churn/weight",
            json!({ "fence": 1, "version": "v1.0.0", "weight": 101 }),
            400,
            "percent",
        ),
        (
            "POST",
            "/admin/models/churn/weight",
            json!({ "fence": 1, "version": "v1.0.0", "weight": 50 }),
            409,
            "no stable",
        ),
        ("DELETE", "/admin/models/churn/versions/v1.0.0", json!(null), 400, "fence"),
        ("DELETE", "/admin/models/churn/versions/v1.0.0?fence=x", json!(null), 400, "fence"),
    ];
    for (method, path, order, status, reason) in orders {
        let (found, answer) = admin.json(method, path, &order).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && error.contains(reason), "{method} {path} {order}: {found} {answer}");
    }
    assert_eq!(server.status().await["arms"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_too_large_is_not_taken() {
    let at = tempfile::tempdir().unwrap();
    let mut settings = settings(at.path());
    settings.limits.max_upload = 10;
    let server = start_with(settings).await;
    let path = format!("/admin/uploads/{}", digest(b"x"));
    assert_eq!(server.admin().await.send("PUT", &path, &[0; 11]).await.0, 413);
    assert_eq!(std::fs::read_dir(at.path().join("uploads")).unwrap().count(), 0, "nothing is left of it");
}
