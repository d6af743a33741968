//! A server of the Open Inference Protocol v2 that takes nothing for granted: it refuses what the protocol does not say,
//! remembers it as a violation, and computes with the colour network.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kokodoko::infer::kserve::served_name;
use kokodoko::infer::queue::Run;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Colours, manifest};

const LENGTH: &str = "inference-header-content-length";

/// What happens to one question instead of an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A status with the protocol's error.
    Status(u16, &'static str),
    /// No answer for longer than anybody waits.
    Silence,
    /// Half of the answer, and then the end.
    Truncated,
    /// Other bytes.
    Garbage,
    /// The tensors as JSON, as servers without the extension send them.
    Json,
    /// The outputs of a batch of another size.
    OtherBatch,
}

struct Shared {
    token: Option<String>,
    faults: Mutex<Vec<Fault>>,
    violations: Mutex<Vec<String>>,
    /// Sizes of the batches that were computed.
    batches: Mutex<Vec<usize>>,
    unready: Mutex<bool>,
}

/// The server; it ends with the test.
pub struct FakeKserve {
    pub url: String,
    shared: Arc<Shared>,
}

impl FakeKserve {
    pub async fn start(token: Option<&str>) -> Self {
        let shared = Arc::new(Shared {
            token: token.map(str::to_owned),
            faults: Mutex::default(),
            violations: Mutex::default(),
            batches: Mutex::default(),
            unready: Mutex::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new()
            .route("/v2/health/ready", get(ready))
            .route("/v2/models/{name}", get(describe))
            .route("/v2/models/{name}/infer", post(infer))
            .fallback(async |State(shared): State<Arc<Shared>>, request: axum::extract::Request| {
                shared.refuse(404, format!("{} {}", request.method(), request.uri()))
            })
            .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.expect("the listener lives") });
        Self { url, shared }
    }

    /// The next questions about photos go so.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults.lock().expect("no panic in here").extend(faults);
    }

    pub fn set_unready(&self) {
        *self.shared.unready.lock().expect("no panic in here") = true;
    }

    pub fn batches(&self) -> Vec<usize> {
        self.shared.batches.lock().expect("no panic in here").clone()
    }

    /// Everything that was asked was asked rightly.
    pub fn finish(&self) {
        let violations = self.shared.violations.lock().expect("no panic in here");
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

impl Shared {
    fn refuse(&self, status: u16, what: String) -> Response {
        self.violations.lock().expect("no panic in here").push(what.clone());
        error(status, &what)
    }

    fn may_enter(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
        self.token.as_ref().is_none_or(|token| shown == Some(&format!("Bearer {token}")))
    }
}

fn error(status: u16, what: &str) -> Response {
    (StatusCode::from_u16(status).expect("a status"), axum::Json(json!({ "error": what }))).into_response()
}

async fn ready(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match (*shared.unready.lock().expect("no panic in here"), shared.may_enter(&headers)) {
        (_, false) => error(401, "who are you?"),
        (true, _) => error(400, "not ready"),
        _ => StatusCode::OK.into_response(),
    }
}

async fn describe(State(shared): State<Arc<Shared>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    if !shared.may_enter(&headers) {
        return error(401, "who are you?");
    }
    if name != served_name(&manifest()) {
        return error(404, &format!("Request for unknown model: '{name}' is not found"));
    }
    let size = i64::from(manifest().input.size);
    let tensor = |name: &str, shape: &[i64]| json!({"name": name, "datatype": "FP32", "shape": shape});
    let labels = manifest().labels.len() as i64;
    axum::Json(json!({
        "name": name, "versions": ["1"], "platform": "onnxruntime_onnx",
        "inputs": [tensor("input", &[-1, 3, size, size])],
        "outputs": [tensor("logits", &[-1, labels]), tensor("features", &[-1, -1]), tensor("cams", &[-1, labels, -1, -1])],
    }))
    .into_response()
}

async fn infer(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !shared.may_enter(&headers) {
        return error(401, "who are you?");
    }
    let read = read(&name, &headers, &body);
    let (batch, input) = match read {
        Ok(read) => read,
        Err(what) => return shared.refuse(400, what),
    };
    let fault = {
        let mut faults = shared.faults.lock().expect("no panic in here");
        if faults.is_empty() { None } else { Some(faults.remove(0)) }
    };
    match &fault {
        Some(Fault::Status(status, what)) => return error(*status, what),
        Some(Fault::Silence) => tokio::time::sleep(Duration::from_secs(3_600)).await,
        Some(Fault::Garbage) => return "<html>502</html>".into_response(),
        _ => {}
    }
    shared.batches.lock().expect("no panic in here").push(batch);
    let outputs = Colours.run(batch, &input).expect("colours always compute");
    let told = if matches!(fault, Some(Fault::OtherBatch)) { batch + 1 } else { batch };
    let (labels, (rows, columns)) = (outputs.logits.len() / batch, outputs.grid);
    let tensors = [
        ("logits", vec![told, labels], &outputs.logits),
        ("features", vec![told, outputs.features.len() / batch], &outputs.features),
        ("cams", vec![told, labels, rows, columns], &outputs.cams),
    ];
    let is_json = matches!(fault, Some(Fault::Json));
    let described: Vec<Value> = tensors
        .iter()
        .map(|(name, shape, values)| {
            let mut tensor = json!({"name": name, "datatype": "FP32", "shape": shape});
            if is_json {
                tensor["data"] = json!(values);
            } else {
                tensor["parameters"] = json!({"binary_data_size": values.len() * 4});
            }
            tensor
        })
        .collect();
    let mut body =
        serde_json::to_vec(&json!({"model_name": name, "model_version": "1", "outputs": described})).expect("JSON");
    if is_json {
        return ([("content-type", "application/json")], body).into_response();
    }
    let length = body.len();
    body.extend(tensors.iter().flat_map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes())));
    if matches!(fault, Some(Fault::Truncated)) {
        body.truncate(body.len() - 6);
    }
    ([("content-type", "application/octet-stream"), (LENGTH, &*length.to_string())], body).into_response()
}

/// What is asked, if it is asked as the protocol says.
fn read(name: &str, headers: &HeaderMap, body: &[u8]) -> Result<(usize, Vec<f32>), String> {
    if name != served_name(&manifest()) {
        return Err(format!("unknown model {name}"));
    }
    let length = headers.get(LENGTH).ok_or("no length of the JSON")?.to_str().map_err(|error| error.to_string())?;
    let length: usize = length.parse().map_err(|_| format!("{length} is no length"))?;
    let (json, binary) = body.split_at_checked(length).ok_or("the JSON is shorter than its length")?;
    let json: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let keys: Vec<&String> = json.as_object().ok_or("no object")?.keys().collect();
    if keys.iter().any(|key| !["id", "inputs", "outputs", "parameters"].contains(&key.as_str())) {
        return Err(format!("unknown fields: {keys:?}"));
    }
    let [input] = &json["inputs"].as_array().ok_or("no inputs")?[..] else { return Err("not one input".to_owned()) };
    if (input["name"].as_str(), input["datatype"].as_str()) != (Some("input"), Some("FP32")) {
        return Err(format!("no such input: {input}"));
    }
    let shape: Vec<u64> = input["shape"].as_array().ok_or("no shape")?.iter().filter_map(Value::as_u64).collect();
    let size = u64::from(manifest().input.size);
    let &[batch, 3, height, width] = &shape[..] else { return Err(format!("shape {shape:?}")) };
    let bytes = input["parameters"]["binary_data_size"].as_u64().ok_or("no binary_data_size")?;
    if (height, width) != (size, size)
        || batch == 0
        || bytes != batch * 3 * size * size * 4
        || bytes != binary.len() as u64
    {
        return Err(format!("shape {shape:?}, {bytes} bytes announced, {} sent", binary.len()));
    }
    let outputs = json["outputs"].as_array().ok_or("no outputs")?;
    for output in outputs {
        let known = ["logits", "features", "cams"].contains(&output["name"].as_str().unwrap_or_default());
        if !known || output["parameters"]["binary_data"] != true {
            return Err(format!("no such output: {output}"));
        }
    }
    let values = binary.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")));
    Ok((usize::try_from(batch).expect("small"), values.collect()))
}
