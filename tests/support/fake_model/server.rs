//! The HTTP part: reads a request, asks the protocol's module for the answer, sends it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Read};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use axum::response::{IntoResponse, Json};
use futures_util::stream;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::log::{Log, Logged};
use super::mode::Mode;
use super::plan::fresh;
use super::reply::{Reply, Step};
use super::{Script, anthropic, chat, gemini, responses};

/// The largest request that is read.
const BODY_MAX: usize = 64 << 20;

/// One server's behaviour and memory.
#[derive(Debug)]
pub struct Server {
    script: Script,
    log: Arc<Log>,
    failed: AtomicUsize,
}

impl Server {
    /// A server that has not begun.
    pub fn new(script: Script, log: Arc<Log>) -> Self {
        Self { script, log, failed: AtomicUsize::new(0) }
    }

    /// Serves until `stopped` ends; leaving the runtime closes what is still open.
    pub fn run(self, listener: TcpListener, stopped: oneshot::Receiver<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Arc::new(self);
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let accepting = async {
                loop {
                    let (connection, _) = listener.accept().await.unwrap();
                    tokio::spawn(Arc::clone(&server).connection(connection));
                }
            };
            tokio::select! {
                () = accepting => {}
                _ = stopped => {}
            }
        });
    }

    async fn connection(self: Arc<Self>, connection: tokio::net::TcpStream) {
        let service = service_fn(|request| Arc::clone(&self).serve(request));
        // An error here is a client that went away, or a connection that a mode cuts.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
    }

    /// An error ends the connection without an answer.
    async fn serve(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let raw = to_bytes(Body::new(body), BODY_MAX).await.map_err(io::Error::other)?;
        let mut logged = Logged {
            method: head.method.to_string(),
            path: head.uri.to_string(),
            key: key_of(&head.headers),
            headers: head.headers.iter().map(|(k, v)| (k.to_string(), shown(v))).collect(),
            body: decoded(&head.headers, &raw),
            answered: String::new(),
            gone: false,
        };
        let canned = match head.method {
            Method::HEAD => Some(Response::new(Body::empty())),
            Method::GET => Some(looked_up(&path, head.headers.contains_key(header::UPGRADE))),
            _ => counted(&path),
        };
        if let Some(answer) = canned {
            logged.answered = format!("canned {}", answer.status().as_u16());
            self.log.add(logged);
            return Ok(answer);
        }
        self.model_call(&path, logged).await
    }

    async fn model_call(&self, path: &str, mut logged: Logged) -> io::Result<Response<Body>> {
        let asked_for = logged.key.strip_prefix("mode-").map(str::parse).transpose();
        let mut mode = match asked_for {
            Ok(mode) => mode.unwrap_or(self.script.mode),
            Err(unknown) => {
                logged.answered = unknown.clone();
                self.log.add(logged);
                return Ok((StatusCode::BAD_REQUEST, unknown).into_response());
            }
        };
        if let Mode::Status(status) = mode {
            if self.fails_once_more() {
                logged.answered = status.to_string();
                self.log.add(logged);
                return Ok(self.error(status, path));
            }
            mode = Mode::Ok;
        }
        logged.answered = mode.to_string();
        let body = logged.body.clone();
        let place = self.log.add(logged);
        let open = Open { log: Arc::clone(&self.log), place, whole: false };
        if mode == Mode::StallHeaders {
            tokio::time::timeout(self.script.stall, std::future::pending::<Infallible>())
                .await
                .ok();
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let reply = if path.contains("/messages") {
            anthropic::answer(&body, mode)
        } else if path.contains("/chat/completions") {
            chat::answer(&body, mode)
        } else if path.contains("/responses") {
            responses::answer(&body, mode)
        } else {
            gemini::answer(&body, path, mode)
        };
        Ok(self.send(reply, mode, open))
    }

    fn fails_once_more(&self) -> bool {
        let most = self.script.fail_first.unwrap_or(usize::MAX);
        let once_more = |failed| (failed < most).then_some(failed + 1);
        self.failed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, once_more).is_ok()
    }

    fn send(&self, reply: Reply, mode: Mode, open: Open) -> Response<Body> {
        let steps = match reply {
            Reply::Json(value) => {
                open.sent();
                return Json(value).into_response();
            }
            Reply::Events(steps) => VecDeque::from(steps),
        };
        let script = self.script;
        let body = stream::try_unfold((steps, open), move |(mut steps, open)| async move {
            // Gives the connection the time to send what there is, so that a cut comes after it.
            tokio::task::yield_now().await;
            let said = loop {
                match steps.pop_front() {
                    None => {
                        open.sent();
                        return Ok(None);
                    }
                    Some(Step::Say(text)) => break text,
                    Some(Step::Break) => {
                        if let Some(text) = interrupt(mode, script).await? {
                            break text;
                        }
                    }
                }
            };
            if !script.delay.is_zero() {
                let never = std::future::pending::<Infallible>();
                tokio::time::timeout(script.delay, never).await.ok();
            }
            io::Result::Ok(Some((said, (steps, open))))
        });
        Response::builder()
            .header(header::CONTENT_TYPE, "text/event-stream")
            .header(header::CACHE_CONTROL, "no-cache")
            .header("request-id", fresh("req_wt_"))
            .body(Body::from_stream(body))
            .unwrap()
    }

    fn error(&self, status: u16, path: &str) -> Response<Body> {
        let kind = match status {
            400 => "invalid_request_error",
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        let message = match status {
            401 => "invalid key (scripted)",
            429 => "Rate limited (scripted)",
            529 => "Overloaded (scripted)",
            _ => "Scripted failure",
        };
        let body = if path.contains("/messages") {
            let error = json!({"type": kind, "message": message});
            json!({"type": "error", "error": error, "request_id": "req_wt"})
        } else if path.contains("enerateContent") {
            let name = match status {
                429 => "RESOURCE_EXHAUSTED",
                401 => "UNAUTHENTICATED",
                400 => "INVALID_ARGUMENT",
                _ => "UNAVAILABLE",
            };
            json!({"error": {"code": status, "message": message, "status": name}})
        } else {
            let code = if status == 429 { "rate_limit_exceeded" } else { kind };
            json!({"error": {"message": message, "type": kind, "code": code, "param": null}})
        };
        let mut answer = (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
        if let Some(seconds) = self.script.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        answer
    }
}

/// A request being answered: dropped before the whole answer was taken, its client is gone.
struct Open {
    log: Arc<Log>,
    place: usize,
    whole: bool,
}

impl Open {
    /// The whole answer was taken.
    fn sent(mut self) {
        self.whole = true;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.whole {
            self.log.gone(self.place);
        }
    }
}

/// What a mode does after a stream's first event.
async fn interrupt(mode: Mode, script: Script) -> io::Result<Option<String>> {
    match mode {
        Mode::Stall => {
            tokio::time::timeout(script.stall, std::future::pending::<Infallible>()).await.ok();
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Mode::Cut => Err(io::ErrorKind::ConnectionAborted.into()),
        Mode::Garbage => Ok(Some("data: {this is not json\n\n".to_owned())),
        _ => Ok(None),
    }
}

/// Whether a path is one on which a model is asked.
fn is_model_call(path: &str) -> bool {
    ["/messages", "/responses", "/chat/completions", "enerateContent"]
        .iter()
        .any(|part| path.contains(part))
}

fn looked_up(path: &str, upgrade: bool) -> Response<Body> {
    if upgrade {
        let error = json!({"error": {"message": "no websocket here"}});
        return (StatusCode::UPGRADE_REQUIRED, Json(error)).into_response();
    }
    if path.trim_end_matches('/').ends_with("/models") {
        let model = json!({
            "id": "fake-model", "object": "model", "type": "model", "display_name": "fake",
            "created_at": "2026-01-01T00:00:00Z", "owned_by": "wt",
        });
        return Json(json!({
            "object": "list", "data": [model], "models": [], "has_more": false,
            "first_id": "fake-model", "last_id": "fake-model",
        }))
        .into_response();
    }
    let error = json!({"error": {"type": "not_found_error", "message": "not here"}});
    (StatusCode::NOT_FOUND, Json(error)).into_response()
}

/// The answers to requests that count tokens, and to those that no model is asked by.
fn counted(path: &str) -> Option<Response<Body>> {
    if path.ends_with("/count_tokens") {
        Some(Json(json!({"input_tokens": 1201})).into_response())
    } else if path.ends_with(":countTokens") {
        Some(Json(json!({"totalTokens": 1201})).into_response())
    } else if is_model_call(path) {
        None
    } else {
        Some((StatusCode::NOT_FOUND, Json(json!({}))).into_response())
    }
}

fn shown(value: &header::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn key_of(headers: &HeaderMap) -> String {
    let named = ["x-api-key", "x-goog-api-key", "authorization"];
    let found = named.iter().find_map(|name| headers.get(*name)).map(shown).unwrap_or_default();
    found.strip_prefix("Bearer ").map_or(found.clone(), str::to_owned)
}

fn decoded(headers: &HeaderMap, raw: &[u8]) -> Value {
    let encoding = headers.get(header::CONTENT_ENCODING).map(shown).unwrap_or_default();
    let mut plain = vec![];
    let whole = match encoding.as_str() {
        "gzip" => flate2::read::GzDecoder::new(raw).read_to_end(&mut plain),
        "deflate" => flate2::read::ZlibDecoder::new(raw).read_to_end(&mut plain),
        _ => io::Read::read_to_end(&mut &raw[..], &mut plain),
    };
    whole.ok().and_then(|_| serde_json::from_slice(&plain).ok()).unwrap_or_else(|| json!({}))
}
